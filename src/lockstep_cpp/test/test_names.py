"""A component's parts may have the same names and topics in both languages, and those of ROS."""

import itertools
import re
from pathlib import Path

from lockstep.component.names import HOOKS, TAKEN, topic_objection
from rclpy.exceptions import InvalidTopicNameException
from rclpy.expand_topic_name import expand_topic_name
from rclpy.validate_full_topic_name import validate_full_topic_name

SOURCE = Path(__file__).resolve().parents[1] / "src" / "component" / "names.cpp"


def words_in_cpp(name):
    """The texts of an array of the source."""
    array = re.search(rf" {name} = \{{(.*?)\}};", SOURCE.read_text(), re.DOTALL)
    return re.findall(r'"(\w+)"', array[1])


def is_ros_topic(topic):
    try:
        return validate_full_topic_name(expand_topic_name(topic, "node", "/"))
    except (InvalidTopicNameException, ValueError):
        return False


def test_the_same_names_are_taken():
    assert sorted(words_in_cpp("TAKEN")) == sorted(TAKEN)
    assert sorted(words_in_cpp("HOOKS")) == sorted(HOOKS)


def test_a_topic_may_have_the_names_that_ros_takes():
    for length in range(1, 6):
        for characters in itertools.product("a_1/~ {", repeat=length):
            topic = "".join(characters)
            if re.match("~(?!/)", topic) is None:  # which ROS takes, but nobody means
                accepted = not topic_objection("output", "port", topic)
                assert accepted == is_ros_topic(topic), topic
