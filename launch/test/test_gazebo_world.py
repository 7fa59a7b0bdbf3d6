"""Worlds of Gazebo and configurations of its bridge, as files; no simulator is needed."""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree import ElementTree

import pytest
from lockstep.errors import UsageError

from lockstep_launch.gazebo_world import read_bridge, read_world

TYPES = "ros_type_name: geometry_msgs/msg/Twist, gz_type_name: gz.msgs.Twist"
GAZEBO = Path(__file__).resolve().parents[1] / "gazebo"


def plugins(path: Path) -> dict[str, str]:
    return {one.get("filename"): one.get("name") for one in ElementTree.parse(path).iter("plugin")}


def test_the_world_that_is_installed_is_one():
    world = read_world(GAZEBO / "diff_drive.sdf")
    assert (world.name, world.step_s) == ("yard", 0.005)


def test_harmonic_gets_the_world_as_it_is(tmp_path):
    read_world(GAZEBO / "diff_drive.sdf").write(
        tmp_path / "world.sdf", fortress=False, rendering=True, rtf=None
    )
    assert plugins(tmp_path / "world.sdf") == plugins(GAZEBO / "diff_drive.sdf")
    assert "gz::sim::systems::DiffDrive" in plugins(tmp_path / "world.sdf").values()
    assert read_world(tmp_path / "world.sdf").step_s == 0.005


def test_fortress_gets_its_own_names_of_plugins(tmp_path):
    read_world(GAZEBO / "diff_drive.sdf").write(
        tmp_path / "world.sdf", fortress=True, rendering=True, rtf=None
    )
    found = plugins(tmp_path / "world.sdf")
    assert found["ignition-gazebo-diff-drive-system"] == "ignition::gazebo::systems::DiffDrive"
    assert not [name for name in found if name.startswith("gz-")]
    assert len(found) == len(plugins(GAZEBO / "diff_drive.sdf"))


def test_without_rendering_only_that_plugin_is_left_out(tmp_path):
    read_world(GAZEBO / "diff_drive.sdf").write(
        tmp_path / "world.sdf", fortress=False, rendering=False, rtf=None
    )
    left_out = plugins(GAZEBO / "diff_drive.sdf").keys() - plugins(tmp_path / "world.sdf").keys()
    assert left_out == {"gz-sim-sensors-system"}


@pytest.mark.parametrize(("rtf", "text"), [(2.5, "2.5"), (math.inf, "0")])
def test_another_real_time_factor_is_written(tmp_path, rtf, text):
    read_world(GAZEBO / "diff_drive.sdf").write(
        tmp_path / "world.sdf", fortress=False, rendering=True, rtf=rtf
    )
    tree = ElementTree.parse(tmp_path / "world.sdf")
    assert tree.findtext("world/physics/real_time_factor") == text


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, r"cannot be read \(No such file or directory\); give world:=PATH"),
        ("<sdf>", "is no SDF: no element found"),
        ("<sdf/>", "holds no world with a name; give a file with one"),
        ("<sdf><world/></sdf>", "holds no world with a name; give a file with one"),
        ("<sdf><world name='a'/><world name='b'/></sdf>", "holds 2 worlds"),
        (
            "<sdf><world name='a'><physics><max_step_size>0</max_step_size></physics></world>"
            + "</sdf>",
            "max_step_size 0 is no step",
        ),
    ],
)
def test_a_file_that_is_no_world_is_refused_in_one_sentence(tmp_path, content, sentence):
    path = tmp_path / "world.sdf"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError, match=sentence) as refused:
        read_world(path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_bridge_that_is_installed_has_all_of_the_robot():
    topics = read_bridge(GAZEBO / "bridge.yaml").topics
    sensors = {"/imu", "/scan", "/image", "/odom", "/tf", "/joint_states"}
    assert set(topics) == {"/clock", "/cmd_vel", *sensors}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot be read"),
        ("{a: [", "cannot be read"),
        ("a: b", "is no list of topics to bridge"),
        ("[]", "is no list of topics to bridge"),
        ("- {ros_type_name: x, gz_type_name: y}", "is no list of topics to bridge"),
        ("- {topic_name: /a, ros_type_name: x}", "each with .* gz_type_name"),
        ("- a", "is no list of topics to bridge"),
    ],
)
def test_a_file_that_is_no_bridge_is_refused_in_one_sentence(tmp_path, content, sentence):
    path = tmp_path / "bridge.yaml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError, match=sentence) as refused:
        read_bridge(path)
    assert "\n" not in str(refused.value)


def test_each_way_to_name_a_topic_is_understood(tmp_path):
    path = tmp_path / "bridge.yaml"
    names = ("topic_name: a", "gz_topic_name: /b", "ros_topic_name: c, gz_topic_name: d")
    path.write_text("".join(f"- {{{name}, {TYPES}}}\n" for name in names))
    assert read_bridge(path).topics == ("/a", "/b", "/c")


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        ("ros_topic_name: /cmd_vel, gz_topic_name: /model/robot/cmd_vel", "/model/robot/cmd_vel"),
        ("topic_name: cmd_vel, direction: ROS_TO_GZ", "/cmd_vel"),
        ("ros_topic_name: cmd_vel, direction: BIDIRECTIONAL", "/cmd_vel"),
    ],
)
def test_commands_come_back_by_the_name_and_type_that_they_have_in_gazebo(tmp_path, entry, name):
    path = tmp_path / "bridge.yaml"
    path.write_text(f"- {{topic_name: /imu, {TYPES}}}\n- {{{entry}, {TYPES}}}\n")
    assert read_bridge(path).back("/cmd_vel", "/gazebo/cmd_vel") == {
        "ros_topic_name": "/gazebo/cmd_vel",
        "gz_topic_name": name,
        "ros_type_name": "geometry_msgs/msg/Twist",
        "gz_type_name": "gz.msgs.Twist",
        "direction": "GZ_TO_ROS",
    }


@pytest.mark.parametrize("entry", ["topic_name: /cmd_vel, direction: GZ_TO_ROS", "topic_name: /x"])
def test_a_bridge_without_commands_to_gazebo_is_refused_for_steps(tmp_path, entry):
    path = tmp_path / "bridge.yaml"
    path.write_text(f"- {{{entry}, {TYPES}}}\n")
    with pytest.raises(UsageError, match="carries no /cmd_vel to Gazebo, which a world in steps"):
        read_bridge(path).back("/cmd_vel", "/gazebo/cmd_vel")
