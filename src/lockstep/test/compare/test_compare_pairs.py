"""Bags of several topics are compared in one pass over each, whatever the
order of their messages.
"""

import tracemalloc

import numpy as np
import pytest
from lockstep.bag import Bag, BagWriter
from lockstep.cdr.codec import codec
from lockstep.compare import compare
from lockstep.compare.align import align_ticks
from lockstep.compare.side_by_side import paired_topics
from lockstep.compare.why import explain

TYPE, DEFINITION = "test_msgs/msg/Block", "int64 number\nuint8[] data\n"
ENCODE = codec(TYPE, DEFINITION).encode
TOPICS = ("/a", "/b", "/c")
PERIOD_NS = 10_000_000


class ReadBag(Bag):
    """A bag that counts how often it is read, and of how many topics."""

    def batches(self, topics=None, *args, **kwargs):
        self.passes = [*getattr(self, "passes", []), len(topics or self.topics)]
        return super().batches(topics, *args, **kwargs)


def write(folder, order, *, size=100, number=int, chunk_bytes=4096):
    """A bag of messages in this order: (topic, tick)."""
    with BagWriter(folder, chunk_bytes=chunk_bytes, compression="none") as writer:
        for topic in TOPICS:
            writer.add_topic(topic, TYPE, DEFINITION)
        for topic, tick in order:
            message = {"number": number(tick), "data": np.full(size, tick % 251, np.uint8)}
            writer.write(topic, ENCODE(message), tick * PERIOD_NS)
    return folder


def by_time(count):
    return [(topic, tick) for tick in range(count) for topic in TOPICS]


def by_topic(count):
    return [(topic, tick) for topic in TOPICS for tick in range(count)]


def test_each_bag_is_read_once_for_all_topics(tmp_path):
    a = ReadBag(write(tmp_path / "a", by_time(500)))
    b = ReadBag(write(tmp_path / "b", by_time(500), chunk_bytes=5000))
    comparison = compare(a, b)
    assert (comparison.grade, comparison.samples) == ("identical bytes", 1500)
    assert a.passes == b.passes == [3]


def test_what_differs_in_all_topics_is_explained_in_one_more_pass(tmp_path):
    a = ReadBag(write(tmp_path / "a", by_time(500)))
    b = ReadBag(write(tmp_path / "b", by_time(500), number=lambda tick: tick + 3))
    comparison = compare(a, b)
    assert [key.explained.diagnoses["number"].law for key in comparison.keys.values()] == [
        "offset"
    ] * 3
    assert a.passes == b.passes == [3, 3]


def test_topics_whose_messages_are_missing_are_compared_in_one_more_pass(tmp_path):
    a = ReadBag(write(tmp_path / "a", by_time(500)))
    b = ReadBag(write(tmp_path / "b", [(t, tick) for t, tick in by_time(500) if tick != 77]))
    comparison = compare(a, b)
    assert [key.aligned.only_a[:, 0].tolist() for key in comparison.keys.values()] == [[77]] * 3
    assert comparison.samples == 3 * 499
    assert a.passes == b.passes == [3, 3]


def test_too_much_to_explain_at_once_is_explained_one_after_the_other(tmp_path, monkeypatch):
    monkeypatch.setattr(explain, "ALL_BYTES", 1000)
    a = ReadBag(write(tmp_path / "a", by_time(500)))
    b = write(tmp_path / "b", by_time(500), number=lambda tick: -tick)
    comparison = compare(a, b)
    assert [key.explained.diagnoses["number"].law for key in comparison.keys.values()] == [
        "sign"
    ] * 3
    assert a.passes[0:2] == [3, 3] and a.passes[-1] == 1


@pytest.mark.parametrize("budget", [0, 20_000, 1 << 30])
def test_every_pair_comes_once_and_in_order_whatever_may_wait(tmp_path, budget):
    a = Bag(write(tmp_path / "a", by_time(300)))
    b = Bag(write(tmp_path / "b", by_topic(300)))
    aligned = {topic: align_ticks(300, 300) for topic in TOPICS}
    ticks = {topic: [] for topic in TOPICS}
    for topic, side_a, side_b in paired_topics(a, b, aligned, budget=budget):
        assert side_a.ticks.tolist() == side_b.ticks.tolist()
        for row in range(len(side_a.ticks)):
            assert bytes(side_a.payload(row)) == bytes(side_b.payload(row))
        ticks[topic] += side_a.ticks.tolist()
    assert ticks == {topic: list(range(300)) for topic in TOPICS}


def test_memory_stays_within_the_budget_where_one_bag_is_ordered_by_topic(tmp_path):
    count, size = 300, 20_000
    a = Bag(write(tmp_path / "a", by_time(count), size=size, chunk_bytes=100_000))
    b = Bag(write(tmp_path / "b", by_topic(count), size=size, chunk_bytes=100_000))
    aligned = {topic: align_ticks(count, count) for topic in TOPICS}
    peaks = []
    for budget in (1 << 20, 1 << 30):
        tracemalloc.start()
        found = sum(len(side.ticks) for _, side, _ in paired_topics(a, b, aligned, budget=budget))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert found == 3 * count
    assert peaks[0] < 3 << 20
    assert peaks[1] > 3 * peaks[0], "it would have been more"
