"""Which topics are recorded."""

import pytest
from lockstep.errors import UsageError
from lockstep.nodes.recording.choice import Choice

IMAGE = "sensor_msgs/msg/Image"
GRAPH = {
    "/odom": "nav_msgs/msg/Odometry",
    "/camera/image": IMAGE,
    "/camera/_depth": IMAGE,
    "/add/_service_event": "example_interfaces/srv/AddTwoInts_Event",
    "/dock/_action/feedback": "example_interfaces/action/Fibonacci_FeedbackMessage",
    "/dock/_action/status": "action_msgs/msg/GoalStatusArray",
    "/dock/_action/send_goal/_service_event": "example_interfaces/action/Fibonacci_SendGoal_Event",
    "/lockstep/steps": "lockstep_interfaces/msg/Steps",
}
ACTION = {name for name in GRAPH if name.startswith("/dock/")}


@pytest.mark.parametrize(
    ("choice", "taken"),
    [
        (Choice(all_topics=True), {"/odom", "/camera/image"}),
        (
            Choice(all_topics=True, include_hidden=True),
            {"/odom", "/camera/image", "/camera/_depth"},
        ),
        (Choice(all_services=True), {"/add/_service_event"}),
        (Choice(all_actions=True), ACTION),
        (Choice(services=["/add"]), {"/add/_service_event"}),
        (
            Choice(actions=["/dock"], exclude_regex="goal"),
            ACTION - {"/dock/_action/send_goal/_service_event"},
        ),
        (
            Choice(topics=["/lockstep/steps", "/camera/_depth"]),
            {"/lockstep/steps", "/camera/_depth"},
        ),
        (Choice(types=[IMAGE]), {"/camera/image"}),
        (Choice(regex="cam|add"), {"/camera/image", "/add/_service_event"}),
        (Choice(all_topics=True, exclude_types=[IMAGE]), {"/odom"}),
        (Choice(all_topics=True, exclude_topics=["/odom"]), {"/camera/image"}),
        (Choice(all_topics=True, exclude_regex="^/cam"), {"/odom"}),
        (Choice(all_services=True, exclude_services=["/add"]), set()),
        (Choice(all_actions=True, exclude_actions=["/dock"]), set()),
        (Choice(topics=["/odom"], exclude_regex="odom"), set()),
    ],
)
def test_topics_services_and_actions_are_chosen_by_the_rules_of_ros2_bag_record(choice, taken):
    assert {name for name, kind in GRAPH.items() if choice.takes(name, kind)} == taken


def test_a_pattern_that_is_none_is_refused():
    with pytest.raises(UsageError, match=r"'\(' is no regular expression: missing \)"):
        Choice(regex="(")
