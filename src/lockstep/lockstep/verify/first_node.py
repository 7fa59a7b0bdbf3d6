"""Which node of a system is the first that does something else."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ..compare import Comparison, KeyComparison
from ..run.result import NodeTopics, RunResult


def first_node(comparison: Comparison, a: RunResult, b: RunResult) -> list[str]:
    """The node of B that differs first from A's, whose own inputs were the same until then; a
    line, or none where there is none or no system."""
    times = {
        topic: at for topic, key in comparison.keys.items() if (at := _first_ns(key)) is not None
    }
    origins = [
        (at, topic) for topic, at in times.items() if not _comes_of_another(topic, times, b.nodes)
    ]
    if len(b.nodes) < 2 or not times:
        return []
    at, topic = min(origins or [(at, topic) for topic, at in times.items()])
    ours, theirs = _publishers(topic, b.nodes), _publishers(topic, a.nodes)
    instead = "" if ours == theirs else f", where {comparison.name_a} has {theirs or 'nobody'}"
    given = "; what it hears is the same until then" if origins else ""
    node = f"{ours or 'nobody'}{instead}"
    return [f"first in the graph: {node}, by {topic} at {at / 1e9:.9f} s{given}"]


def _publishers(topic: str, nodes: Mapping[str, NodeTopics]) -> str:
    return " and ".join(node for node, of in nodes.items() if topic in of.publishes)


def _comes_of_another(
    topic: str, times: Mapping[str, int], nodes: Mapping[str, NodeTopics]
) -> bool:
    """Whether who publishes a topic hears one that differs no later."""
    heard: set[str] = set()
    for of in nodes.values():
        if topic in of.publishes:
            heard.update(of.subscribes)
    return _any_by(heard - {topic}, times, times[topic])


def _any_by(topics: Collection[str], times: Mapping[str, int], until_ns: int) -> bool:
    return any(topic in times and times[topic] <= until_ns for topic in topics)


def _first_ns(key: KeyComparison) -> int | None:
    """When a topic differs first, in ns since the first input; None if it does not."""
    if key.matches:
        return None
    aligned = key.aligned
    found = [int(times[:, 1].min()) for times in (aligned.only_a, aligned.only_b) if len(times)]
    if len(aligned.reordered) and len(aligned.times_ns[0]):
        found.append(int(aligned.times_ns[0][aligned.reordered[:, 0]].min()))
    if key.judged.first is not None:
        found.append(key.judged.first.time_ns)
    return min(found, default=0)
