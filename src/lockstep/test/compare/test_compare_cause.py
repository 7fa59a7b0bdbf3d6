"""Outputs are aligned by the step that they answer, which the acknowledgements in a bag tell."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lockstep.bag import BagError, BagWriter
from lockstep.cdr.codec import codec
from lockstep.compare import CompareError, compare
from lockstep.compare.align import align_steps
from lockstep.compare.comparison import summary
from lockstep.compare.text_diff import text_diff

ACKNOWLEDGEMENT = "/lockstep/acknowledgement"
TYPE = "lockstep_interfaces/msg/Acknowledgement"
OUT = "test_msgs/msg/Out"
TIME = f"{'=' * 80}\nMSG: builtin_interfaces/Time\nint32 sec\nuint32 nanosec\n"
MESSAGE = Path(__file__).resolve().parents[3] / "lockstep_interfaces/msg/Acknowledgement.msg"
SECOND = 1_000_000_000


def write(folder, published, *, per_acknowledgement=2, told=None, field="published_step"):
    """A bag of messages (topic, step, value) as a host published them, and of its
    acknowledgements.
    """
    told = published if told is None else told
    definition = MESSAGE.read_text("utf-8").replace("published_step", field) + TIME
    acknowledgement, out = codec(TYPE, definition), codec(OUT, "float64 x\n")
    topics = sorted({topic for topic, _, _ in published} | {"/out"})
    with BagWriter(folder) as writer:
        writer.add_topic(ACKNOWLEDGEMENT, TYPE, definition)
        for topic in topics:
            writer.add_topic(topic, OUT, "float64 x\n")
        for start in range(0, len(told), per_acknowledgement):
            some = told[start : start + per_acknowledgement]
            message = {
                "node": "/node",
                "ready": True,
                "steps": some[-1][1] + 1,
                "topics": topics,
                "published_topic": [topics.index(topic) for topic, _, _ in some],
                "published_stamp": [{"sec": step, "nanosec": 0} for _, step, _ in some],
                field: [step for _, step, _ in some],
                "duration_ns": [],
            }
            writer.write(ACKNOWLEDGEMENT, acknowledgement.encode(message), some[-1][1] * SECOND)
        for topic, step, value in published:
            writer.write(topic, out.encode({"x": value}), step * SECOND)
    return folder


def answers(steps, topic="/out"):
    return [(topic, step, float(step)) for step in steps]


def test_equal_answers_to_the_same_steps_match(tmp_path):
    a = write(tmp_path / "a", answers([0, 0, 1, 3, 3, 3, 4]))
    b = write(tmp_path / "b", answers([0, 0, 1, 3, 3, 3, 4]), per_acknowledgement=7)
    comparison = compare(a, b, align="cause")
    assert (comparison.grade, list(comparison.keys)) == ("identical bytes", ["/out"])
    assert comparison.keys["/out"].aligned.count == 7
    assert "aligned by cause" in list(summary(comparison))[-1]


def test_an_extra_answer_is_named_at_its_step_and_disturbs_no_other(tmp_path):
    a = write(tmp_path / "a", answers(range(10)))
    b = write(tmp_path / "b", answers([*range(5), 4, *range(5, 10)]))
    comparison = compare(a, b, align="cause", names=("good", "bad"))
    key = comparison.keys["/out"]
    assert (key.aligned.count, key.judged.differing, key.aligned.only_b.tolist()) == (
        10,
        0,
        [[5, 4 * SECOND]],
    )
    assert "@@ tick 5, step 4, t = 4.000000000 s @@\n+only in bad" in "\n".join(
        text_diff(comparison, key)
    )
    assert "  first only in bad: tick 5, step 4, t = 4.000000000 s" in summary(comparison)


def test_a_missing_answer_is_named_at_its_step(tmp_path):
    a = write(tmp_path / "a", answers(range(10)))
    b = write(tmp_path / "b", answers([step for step in range(10) if step != 6]))
    key = compare(a, b, align="cause").keys["/out"]
    assert (key.aligned.count, key.judged.differing, key.aligned.only_a[:, 0].tolist()) == (
        9,
        0,
        [6],
    )


def test_times_that_are_shown_stay_those_of_the_log(tmp_path):
    a = write(tmp_path / "a", answers(range(10)))
    b = write(
        tmp_path / "b", [(topic, step, value + 1) for topic, step, value in answers(range(10))]
    )
    key = compare(a, b, align="cause", origin_ns=-SECOND).keys["/out"]
    assert [(d.tick_a, d.time_ns) for d in key.judged.kept] == [
        (i, (i + 1) * SECOND) for i in range(10)
    ]


def test_each_topic_has_entries_of_its_own(tmp_path):
    both = sorted(answers(range(20)) + answers(range(0, 20, 3), "/slow"), key=lambda m: m[1])
    a, b = write(tmp_path / "a", both), write(tmp_path / "b", both, per_acknowledgement=5)
    comparison = compare(a, b, align="cause")
    assert {name: key.aligned.count for name, key in comparison.keys.items()} == {
        "/out": 20,
        "/slow": 7,
    }
    assert comparison.all_match


def test_messages_of_the_run_itself_are_compared_only_if_they_are_asked_for(tmp_path):
    a = write(tmp_path / "a", answers(range(10)))
    b = write(tmp_path / "b", answers(range(10)), per_acknowledgement=5)
    assert list(compare(a, b).keys) == ["/out"]
    assert not compare(a, b, topics=["/out", ACKNOWLEDGEMENT], align="tick").all_match
    with pytest.raises(CompareError, match="answers no steps; align it by time or tick"):
        compare(a, b, topics=[ACKNOWLEDGEMENT], align="cause")


def test_a_bag_without_causes_says_how_to_record_them(tmp_path):
    a = write(tmp_path / "a", answers(range(3)))
    b = write(tmp_path / "b", answers(range(3)), field="another")
    with pytest.raises(CompareError, match=r"b does not tell .*compare: \{align: cause\}"):
        compare(a, b, align="cause")
    assert compare(a, b).all_match


@pytest.mark.parametrize("wrong", [answers(range(9)), answers(range(11))])
def test_a_bag_whose_acknowledgements_tell_of_other_messages_is_not_whole(tmp_path, wrong):
    a = write(tmp_path / "a", answers(range(10)))
    b = write(tmp_path / "b", answers(range(10)), told=wrong)
    sentence = f"b is not whole: its acknowledgements tell of {len(wrong)} messages of /out"
    with pytest.raises(BagError, match=sentence):
        compare(a, b, align="cause")


STEPS = st.lists(st.integers(0, 6), max_size=30)


@given(STEPS, STEPS)
def test_each_message_goes_with_the_one_of_the_same_rank_for_its_step(steps_a, steps_b):
    sides = [np.array(steps, np.int64) for steps in (steps_a, steps_b)]
    found = align_steps(*sides)

    def ranks(steps):
        return [(step, steps[:tick].count(step)) for tick, step in enumerate(steps)]

    of_a, of_b = ranks(steps_a), ranks(steps_b)
    together = [*zip(found.a.tolist(), found.b.tolist(), strict=True), *found.reordered.tolist()]
    assert {of_a[i] for i, _ in together} == set(of_a) & set(of_b)
    assert all(of_a[i] == of_b[j] for i, j in together)
    assert [of_a[i] for i in found.only_a] == [rank for rank in of_a if rank not in of_b]
    assert [of_b[i] for i in found.only_b] == [rank for rank in of_b if rank not in of_a]
    assert (np.diff(found.a) > 0).all() and (np.diff(found.b) > 0).all()
