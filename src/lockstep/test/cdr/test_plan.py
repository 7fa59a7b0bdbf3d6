"""What a plan says of the bytes of a type is what its messages have."""

import pytest
from lockstep.cdr.codec import Codec
from lockstep.cdr.plan import Group, Number, Numbers, end_of_elements

LINE = "=" * 80
PART = "uint8 a\nfloat64 b\nint16[3] c\n"


def zeros(described, types):
    """A message of zeros."""

    def one(kind):
        return zeros(types[kind], types) if kind in types else 0

    return {
        field.name: [one(field.type) for _ in range(field.size)] if field.array else one(field.type)
        for field in described.fields
    }


@pytest.mark.parametrize("before", range(1, 9))
@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_the_sizes_of_a_type_are_those_of_its_messages_wherever_they_begin(before, count):
    parts = f"Part[{count}] parts\n" if count else ""
    definition = f"uint8[{before}] before\n{parts}uint8 after\n{LINE}\nMSG: a/Part\n{PART}"
    codec = Codec("a/msg/T", definition)
    part = Codec("a/msg/Part", PART)
    data = codec.encode(zeros(codec.schema.root, codec.schema.types))
    assert len(data) - 4 == codec.plan.sizes[0]
    assert len(data) - 4 == end_of_elements(before, part.plan.sizes, count) + 1


@pytest.mark.parametrize("variable", ["string s", "wstring s", "float64[] s", "string[2] s"])
def test_a_type_whose_messages_differ_in_size_has_no_sizes(variable):
    assert Codec("a/msg/T", f"uint8 before\n{variable}\n").plan.sizes is None


def test_a_message_without_fields_is_one_byte():
    assert Codec("a/msg/T", "# nothing\n").plan.sizes == (1,) * 8


def test_padding_is_known_until_a_string_or_sequence_and_again_after_a_length():
    definition = "uint8 a\nfloat64 b\nstring c\nuint8 d\nfloat64 e\nfloat64[] f\nuint32 g\n"
    steps = [step for _, step in Codec("a/msg/T", definition).plan.fields]
    assert [step.padding for step in steps if isinstance(step, Number)] == [0, 7, 0, None, 0]
    [numbers] = [step for step in steps if isinstance(step, Numbers)]
    assert isinstance(numbers.count, Number)
    assert (numbers.count.padding, numbers.first.padding) == (0, 4)


def test_messages_in_messages_are_planned_where_they_are():
    definition = f"uint8 a\nPart b\n{LINE}\nMSG: a/Part\nuint32 c\n"
    [_, (_, part)] = Codec("a/msg/T", definition).plan.fields
    assert isinstance(part, Group)
    assert [step.padding for _, step in part.fields] == [3]
