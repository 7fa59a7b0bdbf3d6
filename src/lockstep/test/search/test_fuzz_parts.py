"""The parts of a search: sequences, how messages are changed and made
simpler, and when outcomes are the same.
"""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from lockstep.bag import Bag
from lockstep.cdr.codec import codec
from lockstep.compare import compare
from lockstep.compare.model import Compare
from lockstep.component import Contract, contract_of
from lockstep.distributions.model import Sample, drawing_of
from lockstep.errors import RunError
from lockstep.message.definitions import definition
from lockstep.run.result import Failure, check_counts
from lockstep.run.timeline import Timeline
from lockstep.search.input_mutations import mutated, numbers_of_interest
from lockstep.search.many_runs import Outcome, Published
from lockstep.search.message_fields import Message
from lockstep.search.outcome_judge import OutcomeJudge
from lockstep.search.sequence import (
    Step,
    codecs_of,
    from_frames,
    is_playable,
    read_bag,
    to_frames,
    write_bag,
)
from lockstep.search.shrink import fewest, shrink
from lockstep.search.strategies import Space, sequences
from made_bags import write_payloads
from planted import Join, Scale
from sensor_msgs.msg import LaserScan

SECOND = 1_000_000_000
VECTOR, SCAN, TF = (
    codec(name, definition(name))
    for name in (
        "geometry_msgs/msg/Vector3Stamped",
        "sensor_msgs/msg/LaserScan",
        "diagnostic_msgs/msg/DiagnosticArray",
    )
)
CONTRACT = contract_of(Scale)


POSE = "geometry_msgs/msg/PoseStamped"


def vector(x=0.0, y=0.0, z=0.0, stamp_ns=0, frame=""):
    message = Message.empty(VECTOR).with_value(("header", "stamp"), stamp_ns)
    for name, value in zip("xyz", (x, y, z), strict=True):
        message = message.with_value(("vector", name), value)
    return message.with_value(("header", "frame_id"), frame).encoded()


def steps(*payloads, period_ns=10_000_000):
    return tuple(Step(0, SECOND + at * period_ns, data) for at, data in enumerate(payloads))


# Sequences


def test_a_sequence_survives_frames_and_a_bag(tmp_path):
    contract = contract_of(Join)
    whole = (Step(1, SECOND, vector(1.0)), Step(1, 2 * SECOND, vector(2.0)))
    assert from_frames(to_frames(whole)) == whole
    topics = write_bag(whole, contract, tmp_path / "bag")
    assert topics == {"force": "/force", "torque": "/torque"}
    with Bag(tmp_path / "bag") as bag:
        assert bag.topics["/force"].count == 0
        timeline = Timeline(bag, list(bag.topics), "times")
        assert read_bag({"/force": 0, "/torque": 1}, timeline, 10, 1 << 20) == whole


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([1, 1, 2], True),
        ([5 * SECOND, SECOND], True),
        ([5 * SECOND, 5 * SECOND - 1], False),
        ([0], False),
        ([1 << 62], False),
    ],
)
def test_times_are_those_that_a_bag_gives_back(tmp_path, times, expected):
    whole = tuple(Step(0, time_ns, vector()) for time_ns in times)
    assert is_playable(whole) == expected
    if expected:
        write_bag(whole, CONTRACT, tmp_path / "bag")
        with Bag(tmp_path / "bag") as bag:
            timeline = Timeline(bag, ["/vector"], "times")
            assert [event.time_ns for event in timeline.events()] == times


def test_only_ports_that_may_be_silent_need_no_message():
    check_counts("a", {"/in": 0, "/other": 1}, {"/out": 0}, {"/in", "/out"})
    with pytest.raises(RunError, match="holds no message for /in"):
        check_counts("a", {"/in": 0}, {"/out": 1}, {"/out"})
    with pytest.raises(RunError, match="a never answered"):
        check_counts("a", {"/in": 1}, {"/out": 0, "/other": 0}, {"/out"})


def test_a_step_back_needs_a_port_that_had_a_message():
    assert not is_playable((Step(0, 5 * SECOND, b""), Step(1, SECOND, b"")))


# Messages


def test_an_empty_message_is_what_a_class_makes():
    kinds = {name: kind for name, kind in SCAN.fields().items()}
    assert kinds.keys() >= {"ranges", "header.stamp"}
    message = LaserScan()
    assert Message.empty(SCAN).encoded() == SCAN.encode(message)


def test_fields_are_read_and_changed_by_path():
    message = Message.decoded(VECTOR, vector(1.0, 2.0, 3.0, stamp_ns=7 * SECOND + 5))
    paths = [leaf.name for leaf in message.leaves()]
    assert paths == ["header.stamp", "header.frame_id", "vector.x", "vector.y", "vector.z"]
    assert message.get(("header", "stamp")) == 7 * SECOND + 5
    changed = message.with_value(("vector", "y"), math.inf)
    assert VECTOR.decode(changed.encoded()).vector.y == math.inf
    assert message.get(("vector", "y")) == 2.0


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from([VECTOR, SCAN, TF]))
def test_every_mutation_is_a_message(data, kind):
    def pick(low, high):
        return data.draw(st.integers(low, high))

    message = Message.empty(kind)
    interest = numbers_of_interest([0.5, True, [3, -1.0], "text"])
    for _ in range(4):
        message = mutated(message, pick, interest, message, 3 * SECOND)
    kind.decode(message.encoded())


def test_a_mutation_may_follow_a_message_with_fewer_elements():
    path = codec("nav_msgs/msg/Path", definition("nav_msgs/msg/Path"))
    pose = Message.empty(codec("geometry_msgs/msg/PoseStamped", definition(POSE))).data
    few = Message.empty(path)
    many = few.with_value(("poses",), [pose, pose])
    for leaf in range(len(many.leaves())):
        for kind in range(5):
            choices = iter([kind, leaf])
            changed = mutated(many, lambda low, high, c=choices: next(c, low), [], few, SECOND)
            assert changed.encoded()


def test_numbers_of_interest_lie_around_those_given():
    found = numbers_of_interest([1e-3, [2], "text", True, math.nan])
    assert {1e-3, 5e-4, 2e-3, -1e-3, math.nextafter(1e-3, 0), 2.0, 4.0} <= set(found)
    assert all(map(math.isfinite, found))


# Shrinking


@settings(max_examples=100, deadline=None)
@given(st.sets(st.integers(0, 60), min_size=1, max_size=5))
def test_delta_debugging_finds_exactly_what_is_needed(needed):
    assert fewest(range(61), lambda items: needed <= set(items)) == tuple(sorted(needed))


def values(sequence):
    return [VECTOR.decode(step.data).vector for step in sequence]


def test_shrinking_keeps_only_what_matters():
    whole = steps(*(vector(*row, stamp_ns=5, frame="imu") for row in np.random.rand(200, 3) - 5))

    def differs(tried):
        return sum(v.y < -4.5 for v in values(tried)) >= 2

    small = shrink(whole, differs, [VECTOR])
    assert [(v.x, v.y, v.z) for v in values(small)] == [(0.0, -5.0, 0.0)] * 2
    assert [step.time_ns for step in small] == [SECOND, SECOND]
    assert small[0].data == vector(0.0, -5.0)


def test_shrinking_keeps_the_time_between_steps_that_matters():
    def differs(tried):
        apart = np.diff([step.time_ns for step in tried])
        return len(apart) > 0 and apart.max() > 1_500_000_000

    small = shrink(steps(*[vector(1.0)] * 9, period_ns=1_700_000_001), differs, [VECTOR])
    assert [step.time_ns for step in small] == [SECOND, SECOND + 1_700_000_001]


def test_shrinking_makes_arrays_short_and_their_elements_simple():
    scan = Message.empty(SCAN).with_value(("ranges",), np.linspace(1, 9, 400, dtype=np.float32))
    whole = (Step(0, SECOND, scan.encoded()),)

    def differs(tried):
        ranges = SCAN.decode(tried[0].data).ranges
        return len(ranges) >= 3 and bool((ranges > 6.5).any())

    (step,) = shrink(whole, differs, [SCAN])
    found = SCAN.decode(step.data).ranges.tolist()
    assert sorted(found) == [0.0, 0.0, 10.0]


def test_shrinking_takes_messages_out_of_messages():
    whole = Message.empty(TF)
    status = {"level": 0, "name": "", "message": "", "hardware_id": "", "values": []}
    whole = whole.with_value(("status",), [{**status, "name": f"part {at}"} for at in range(9)])

    def differs(tried):
        return any(one.name.endswith("7") for one in TF.decode(tried[0].data).status)

    (step,) = shrink((Step(0, SECOND, whole.encoded()),), differs, [TF])
    assert [one.name for one in TF.decode(step.data).status] == ["part 7"]


def test_shrinking_leaves_alone_bytes_that_are_no_message():
    whole = (Step(0, SECOND, b"\0\1\0\0\5"), Step(0, SECOND, vector()))
    small = shrink(whole, lambda tried: any(len(step.data) == 5 for step in tried), [VECTOR])
    assert [step.data for step in small] == [b"\0\1\0\0\5"]


# What is generated


def space(recorded=()):
    drawing = drawing_of(Sample(), CONTRACT, "planted:Scale")
    plans = {port: stream.plan for port, stream in enumerate(drawing.streams)}
    return Space.of(CONTRACT, recorded, (), plans, {})


def generated(number, recorded=()):
    found = []

    @settings(
        max_examples=60, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @seed(number)
    @given(sequences(space(recorded), 20))
    def collect(sequence):
        found.append(sequence)

    collect()
    return found


def test_the_same_seed_generates_the_same_playable_sequences():
    recorded = steps(*(vector(float(x), stamp_ns=SECOND) for x in range(50)))
    found = generated(3, recorded)
    assert found == generated(3, recorded)
    assert found != generated(4, recorded)
    assert all(map(is_playable, found))
    messages = [VECTOR.decode(step.data) for sequence in found for step in sequence]
    numbers = [value for m in messages for value in (m.vector.x, m.vector.y, m.vector.z)]
    assert any(not abs(value) < 1e300 for value in numbers)  # edges
    assert any(5e-4 <= abs(value) <= 2e-3 for value in numbers)  # a parameter
    assert any(value % 1 and abs(value) <= 10 for value in numbers if math.isfinite(value))  # drawn
    assert {17.0} <= set(numbers)  # recorded
    apart = [b.time_ns - a.time_ns for s in found for a, b in pairwise(s)]
    assert 0 in apart
    assert min(apart) < 0
    stamps = [m.header.stamp.sec * SECOND + m.header.stamp.nanosec for m in messages]
    assert 2**31 * SECOND - 1 in stamps


# Outcomes


def outcome(*messages, step=None):
    """(time in ms, payload) of one output; each answers the step of its place."""
    found = tuple(
        Published(0, at if step is None else step, SECOND + ms * 1_000_000, data)
        for at, (ms, data) in enumerate(messages)
    )
    return Outcome(found)


def bag_of(one, path):
    payloads = [(message.time_ns, message.data) for message in one.published]
    return write_payloads(path, VECTOR.type, definition(VECTOR.type), payloads, topic="/scaled")


RIGHT = [(at, vector(float(at), stamp_ns=at * 1000)) for at in range(5)]
OTHERS = {
    "the same": RIGHT,
    "within tolerance": [*RIGHT[:4], (4, vector(4.05, stamp_ns=4000))],
    "another value": [*RIGHT[:4], (4, vector(4.2, stamp_ns=4000))],
    "one missing": RIGHT[1:],
    "one more": [*RIGHT, RIGHT[4]],
    "late": [(ms + 1, data) for ms, data in RIGHT],
    "exchanged": [RIGHT[1], RIGHT[0], *RIGHT[2:]],
    "another stamp": [*RIGHT[:4], (4, vector(4.0, stamp_ns=4001))],
    "nothing": [],
}


@pytest.mark.parametrize("align", ["time", "stamp", "tick", "auto"])
@pytest.mark.parametrize("by", ["element", "rmse"])
def test_outcomes_are_judged_as_bags_are(tmp_path, align, by):
    options = Compare.model_validate(
        {"align": align, "tolerance": {"vector.*": {"abs": 0.1, "by": by}}}
    )
    judge = OutcomeJudge(CONTRACT, options)
    a = outcome(*RIGHT)
    bag = bag_of(a, tmp_path / "right")
    for number, (name, messages) in enumerate(OTHERS.items()):
        b = outcome(*messages)
        found = judge.difference(a, b, ("a", "b"))
        judged = compare(
            bag,
            bag_of(b, tmp_path / f"other_{number}"),
            topics=["/scaled"],
            align=align,
            origin_ns=SECOND,
            time_tolerance_ns=0,
            tolerance=options.tolerances(),
        )
        assert (found is None) == judged.all_match, name


def test_a_difference_tells_step_and_fields():
    judge = OutcomeJudge(CONTRACT, Compare())
    found = judge.difference(outcome(*RIGHT), outcome(*OTHERS["another value"]), ("a", "b"))
    assert (found.kind, found.step, found.port) == ("output", 4, 0)
    assert [(d.field, d.a, d.b) for d in judge.deviations(found)] == [("vector.x", "4.0", "4.2")]


@pytest.mark.parametrize(
    ("a", "b", "kind"),
    [
        (("raised", 1), ("raised", 1), "a raised and b raised"),
        (("raised", 1), ("raised", 2), "a raised and b raised"),
        (("", 0), ("raised", 2), "b raised"),
        (("hangs", 0), ("", 2), "a hangs"),
        (("hangs", 0), ("crashes", 2), "a hangs and b crashes"),
        (("crashes", 1), ("crashes", 1), "a crashes and b crashes"),
    ],
)
def test_no_end_is_the_same_unless_it_is_declared(a, b, kind):
    sides = [
        Outcome((), end, Failure(step, 9, f"in step {step}") if end else None)
        for end, step in (a, b)
    ]
    found = OutcomeJudge(CONTRACT, Compare()).difference(*sides, ("a", "b"))
    assert (found and found.kind) == kind


@pytest.mark.parametrize(
    ("declared", "sentences", "same"),
    [
        (["too small"], ("ValueError: too small", "runtime_error: too small"), True),
        (["too small"], ("ValueError: too small", "MemoryError"), False),
        ([], ("ValueError: too small", "ValueError: too small"), False),
    ],
)
def test_exceptions_of_both_in_one_step_are_the_same_only_as_declared(declared, sentences, same):
    a, b = (Outcome((), "raised", Failure(1, 9, sentence)) for sentence in sentences)
    judge = OutcomeJudge(CONTRACT, Compare(failures=declared))
    found = judge.difference(a, b, ("a", "b"))
    assert (found is None) is same
    assert same or "under compare: failures:" in found.sentence
    assert judge.difference(a, b, ("a", "a"), is_repeat=True) is None


def test_codecs_are_those_of_the_ports():
    assert isinstance(CONTRACT, Contract)
    assert [one.type for one in codecs_of(contract_of(Join).inputs)] == [VECTOR.type] * 2
