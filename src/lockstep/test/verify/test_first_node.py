"""The first node of a graph that does something else."""

import numpy as np
from lockstep.compare import Comparison, KeyComparison, Tolerances
from lockstep.compare.key_comparison import Aligned
from lockstep.run.result import NodeTopics, RunResult
from lockstep.verify.first_node import first_node


def run(nodes):
    topics = {name: NodeTopics(tuple(says), tuple(hears)) for name, (says, hears) in nodes.items()}
    return RunResult("", "", {}, {}, 0, None, None, None, nodes=topics)


CHAIN = run({"/x": (["/a"], ["/in"]), "/y": (["/b"], ["/a"]), "/z": (["/c"], ["/b"])})


def comparison(first_ns):
    """Of topics that have a message more from a time on, in ns, by topic."""
    keys = {
        topic: KeyComparison(
            topic,
            "std_msgs/msg/String",
            aligned=Aligned(count_b=1, only_b=np.array([[0, at]], np.int64)),
        )
        for topic, at in first_ns.items()
    }
    return Comparison("old", "new", "time", Tolerances({}), keys=keys)


def test_the_origin_is_the_node_whose_inputs_do_not_differ():
    same_time = comparison({"/c": 5, "/b": 5, "/a": 5})
    (line,) = first_node(same_time, CHAIN, CHAIN)
    assert line.startswith("first in the graph: /x, by /a at 0.000000005 s; what it hears is")


def test_who_differs_before_its_inputs_do_is_an_origin_of_its_own():
    (line,) = first_node(comparison({"/a": 9, "/b": 5, "/c": 5}), CHAIN, CHAIN)
    assert line.startswith("first in the graph: /y, by /b")


def test_in_a_circle_the_earliest_counts():
    circle = run({"/x": (["/a"], ["/b"]), "/y": (["/b"], ["/a"])})
    (line,) = first_node(comparison({"/a": 7, "/b": 7}), circle, circle)
    assert line == "first in the graph: /x, by /a at 0.000000007 s"


def test_of_one_node_alone_nothing_is_said():
    alone = run({"/x": (["/a"], ["/in"])})
    assert first_node(comparison({"/a": 7}), alone, alone) == []
