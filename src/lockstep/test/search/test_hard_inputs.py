"""Which inputs are recorded of those on which implementations disagree, and what with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from geometry_msgs.msg import PointStamped
from lockstep.bag import Bag
from lockstep.compare import compare
from lockstep.compare.disagreement import Disagreement, disagreements
from lockstep.dataset import Dataset
from lockstep.search.hard_inputs import SCORE, Hard, Hardest, hardest, record

S = 1_000_000_000


def points(values: list[float], key: str = "/in", at: int = 0) -> Dataset:
    """A message each second, whose stamp tells the second, too."""
    dataset = Dataset.create()
    for second, value in enumerate(values, at):
        message = PointStamped()
        message.header.stamp.sec = second
        message.point.x = value
        dataset.append(key, message, second * S)
    return dataset


def stored(dataset: Dataset, place: Path) -> Dataset:
    return dataset.save(place)


def at(*seconds: float, scores: list[float] | None = None) -> dict[str, Disagreement]:
    times = np.array([round(one * S) for one in seconds], np.int64)
    return {"/out": Disagreement(times, np.array(scores or [1.0] * len(times)), times * 0)}


def seconds(found: Hardest) -> list[int]:
    return [one.time_ns // S for one in found.chosen]


def test_the_score_of_a_message_is_its_error_as_a_share_of_the_largest(tmp_path: Path):
    a, b = (tmp_path / name for name in "ab")
    points([0.0, 0.0, 0.0, 0.0]).save(a).close()
    points([0.0, 1.0, 1e-3, -4.0, 7.0]).save(b).close()
    with Bag(a) as bag_a, Bag(b) as bag_b:
        comparison = compare(bag_a, bag_b, tolerance={"point.x": {"abs": 0.01}})
        (found,) = disagreements(comparison, (bag_a, bag_b)).values()
    assert found.tick.tolist() == [1, 3, -1]
    assert found.score.tolist() == [0.25, 1.0, 1.0]
    assert found.time_ns.tolist() == [S, 3 * S, 4 * S]


def test_topics_that_agree_have_no_disagreement(tmp_path: Path):
    points([0.0, 1.0]).save(tmp_path / "a").close()
    with Bag(tmp_path / "a") as bag:
        assert disagreements(compare(bag, bag), (bag, bag)) == {}


def test_a_topic_that_one_side_lacks_disagrees_at_each_of_its_messages(tmp_path: Path):
    points([0.0, 1.0]).merge(points([5.0], "/more")).save(tmp_path / "a").close()
    points([0.0, 1.0]).save(tmp_path / "b").close()
    with Bag(tmp_path / "a") as bag_a, Bag(tmp_path / "b") as bag_b:
        found = disagreements(compare(bag_a, bag_b), (bag_a, bag_b))
    assert {topic: one.time_ns.tolist() for topic, one in found.items()} == {"/more": [0]}


def test_an_output_is_put_down_to_the_last_input_before_it():
    found = hardest(points([1.0, 2.0, 3.0]), {"cpp": at(1.0, 1.7), "rust": at(1.5)})
    assert found.chosen == (Hard(S, 1.0, ("cpp", "rust"), ("/out",)),)
    assert found.of == 1


def test_the_worst_are_chosen_and_kept_in_order_of_time():
    scored = {"cpp": at(0, 1, 2, 3, scores=[0.2, 0.9, 0.1, 0.5])}
    found = hardest(points([1.0, 2.0, 3.0, 4.0]), scored, most=2)
    assert (seconds(found), found.of) == ([1, 3], 4)


def test_inputs_that_say_the_same_but_for_their_stamps_are_recorded_once(tmp_path: Path):
    inputs = stored(points([5.0, 5.0, 7.0, 5.0]), tmp_path / "in")
    found = hardest(inputs, {"cpp": at(0, 1, 2, 3)})
    assert (seconds(found), found.repeated) == ([0, 2], 2)
    # With what came before it, none of them is like another.
    found = hardest(inputs, {"cpp": at(1, 2, 3)}, context_s=1.0)
    assert (seconds(found), found.repeated) == ([1, 2, 3], 0)


def test_what_is_recorded_has_context_outputs_and_scores(tmp_path: Path):
    inputs = points([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    outputs = {"python": points([float(n) for n in range(6)], "/out")}
    found = hardest(inputs, {"cpp": at(2.0, 5.0, scores=[0.5, 1.0])}, context_s=1.0)
    with Dataset.create("mcap", tmp_path / "hard.mcap") as target:
        assert record(target, inputs, outputs, found) == 10
    with Dataset.load(tmp_path / "hard.mcap") as hard:
        assert hard["/in"].column("point.x").tolist() == [1.0, 2.0, 4.0, 5.0]
        assert hard["/python/out"].column("point.x").tolist() == [1.0, 2.0, 4.0, 5.0]
        assert list(hard[SCORE]) == [0.5, 1.0]
        assert hard[SCORE].times().tolist() == [2 * S, 5 * S]


def test_windows_that_touch_are_one_and_latched_inputs_come_with_them():
    inputs = points([float(n) for n in range(8)]).merge(points([9.0], "/map"))
    found = hardest(inputs.select("/in"), {"cpp": at(4, 5, 6)}, context_s=1.0)
    assert (found.windows() // S).tolist() == [[3, 6]]
    target = Dataset.create()
    record(target, inputs, {}, found, latched=["/map"])
    assert target["/map"].times().tolist() == [0]
    assert (target["/in"].times() // S).tolist() == [3, 4, 5, 6]


def test_where_nobody_disagrees_nothing_is_recorded():
    target = Dataset.create()
    found = hardest(points([1.0]), {"cpp": {}})
    assert (found.chosen, record(target, points([1.0]), {}, found)) == ((), 0)
