"""Which topics are played, by the rules of `ros2 bag play`."""

import pytest
from lockstep.bag import Bag, BagError, BagWriter
from lockstep.errors import UsageError
from lockstep.nodes.playing.selection import Selection, choose
from made_bags import STRING, STRING_DEFINITION, string_cdr

CLOCK = "rosgraph_msgs/msg/Clock"
TIME = "builtin_interfaces/msg/Time"
TOPICS = {
    "/clock": CLOCK,
    "/camera/left": STRING,
    "/camera/right": STRING,
    "/scan": TIME,
    "/add/_service_event": STRING,
}


@pytest.fixture
def bag(tmp_path):
    with BagWriter(tmp_path / "bag") as writer:
        for name, type_name in TOPICS.items():
            writer.add_topic(name, type_name, STRING_DEFINITION)
            writer.write(name, string_cdr(b"x"), 1)
    with Bag(tmp_path / "bag") as bag:
        yield bag


@pytest.mark.parametrize(
    ("selection", "targets"),
    [
        (Selection(), ["/add/_service_event", "/camera/left", "/camera/right", "/scan"]),
        (Selection(topics=["/scan"]), ["/scan"]),
        (Selection(regex="/camera"), None),
        (Selection(regex="/camera/.*"), ["/camera/left", "/camera/right"]),
        (
            Selection(regex="/camera/.*", topics=["/scan"]),
            ["/camera/left", "/camera/right", "/scan"],
        ),
        (Selection(regex="/.*", exclude_regex=".*(left|clock|event)"), ["/camera/right", "/scan"]),
        (Selection(topics=["/scan"], exclude_topics=["/scan"]), None),
        (Selection(types=[TIME]), ["/scan"]),
        (Selection(exclude_types=[STRING]), ["/scan"]),
        (Selection(services=["/add"]), ["/add/_service_event"]),
        (Selection(exclude_services=["/add"], types=[STRING]), ["/camera/left", "/camera/right"]),
    ],
)
def test_names_patterns_and_types_choose_and_exclusions_win(bag, selection, targets):
    if targets is None:
        with pytest.raises(UsageError, match="no topic is left to play"):
            choose([bag], selection)
    else:
        assert sorted(choose([bag], selection).targets) == targets


def test_topics_are_played_under_other_names(bag):
    selection = Selection(topics=["/scan:=/laser", "/camera/left"], remap=["/camera/left:=/image"])
    assert choose([bag], selection).targets == {"/scan": "/laser", "/camera/left": "/image"}


def test_what_has_no_effect_is_told(bag):
    selection = Selection(exclude_topics=["/cmd"], remap=["/odom:=/o"], exclude_types=["a/msg/B"])
    assert choose([bag], selection).remarks == [
        f"{bag.path} has nothing to exclude /cmd",
        f"{bag.path} has nothing to remap /odom",
        f"{bag.path} has nothing to exclude a/msg/B",
    ]


def test_a_name_that_is_not_there_is_refused_with_those_that_are(bag):
    with pytest.raises(BagError, match="has no topic /x; it has /add/_service_event, /camera"):
        choose([bag], Selection(topics=["/x"]))


@pytest.mark.parametrize(
    ("selection", "sentence"),
    [
        (Selection(regex="["), "'\\[' is no regular expression: "),
        (Selection(remap=["/scan"]), "'/scan' is no rule to remap; give OLD:=NEW"),
    ],
)
def test_what_cannot_be_read_is_refused(bag, selection, sentence):
    with pytest.raises(UsageError, match=sentence):
        choose([bag], selection)
