"""A world of Gazebo as a file, and what a simulation of it has to know. Needs no ROS and no
Gazebo."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import yaml
from lockstep.errors import UsageError

_FORTRESS = {"gz-sim": "ignition-gazebo", "gz::sim": "ignition::gazebo"}
_RENDERING = "-sensors-system"
_TO_GAZEBO = ("ROS_TO_GZ", "BIDIRECTIONAL")


@dataclass(frozen=True)
class World:
    """A world that is read: its name and the step of its physics in s."""

    path: Path
    name: str
    step_s: float
    _tree: ElementTree.ElementTree[ElementTree.Element]

    def write(self, path: Path, *, fortress: bool, rendering: bool, rtf: float | None) -> None:
        """Write what is simulated: with the names that plugins have in Fortress if asked, without
        the sensors that render if not, and at another real-time factor (inf: as fast as can be).
        """
        for parent in list(self._tree.iter()):
            for plugin in parent.findall("plugin"):
                if not rendering and _RENDERING in plugin.get("filename", ""):
                    parent.remove(plugin)
                elif fortress:
                    _rename(plugin)
        for factor in self._tree.iter("real_time_factor"):
            if rtf is not None:
                factor.text = "0" if math.isinf(rtf) else f"{rtf:g}"
        self._tree.write(path, "utf-8", xml_declaration=True)


def read_world(path: Path) -> World:
    """The one world of an SDF file; raises UsageError if there is none."""
    try:
        tree = ElementTree.parse(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}); give world:=PATH") from error
    except ElementTree.ParseError as error:
        raise UsageError(f"{path} is no SDF: {error}") from error
    worlds = [world for world in tree.getroot().findall("world") if world.get("name")]
    if len(worlds) != 1:
        held = f"{len(worlds)} worlds" if worlds else "no world with a name"
        raise UsageError(f"{path} holds {held}; give a file with one")
    return World(path, str(worlds[0].get("name")), _step_s(path, worlds[0]), tree)


def _step_s(path: Path, world: ElementTree.Element) -> float:
    text = world.findtext("physics/max_step_size", "0.001")  # the default of SDF
    try:
        step_s = float(text)
    except ValueError:
        step_s = math.nan
    if not 0 < step_s < math.inf:
        raise UsageError(f"{path}: max_step_size {text.strip()} is no step")
    return step_s


def _rename(plugin: ElementTree.Element) -> None:
    for attribute in ("filename", "name"):
        text = plugin.get(attribute, "")
        for name, fortress in _FORTRESS.items():
            if text.startswith(name):
                plugin.set(attribute, fortress + text[len(name) :])


@dataclass(frozen=True)
class Bridge:
    """A configuration of ros_gz_bridge that is read."""

    path: Path
    topics: tuple[str, ...]
    """Their names in ROS, in its order."""
    _entries: tuple[dict[str, Any], ...]

    def back(self, topic: str, again: str) -> dict[str, Any]:
        """The entry of a bridge that gives back as `again` what comes to Gazebo of a ROS topic;
        raises UsageError if this one sends nothing of it there.

        It is for another process: a bridge does not hear what it publishes itself.
        """
        for entry in self._entries:
            to_gazebo = entry.get("direction", _TO_GAZEBO[-1]) in _TO_GAZEBO
            if to_gazebo and _name(entry, "ros_topic_name") == topic:
                return {
                    "ros_topic_name": again,
                    "gz_topic_name": _name(entry, "gz_topic_name"),
                    "ros_type_name": entry["ros_type_name"],
                    "gz_type_name": entry["gz_type_name"],
                    "direction": "GZ_TO_ROS",
                }
        raise UsageError(
            f"{self.path} carries no {topic} to Gazebo, which a world in steps needs; add it"
        )


def read_bridge(path: Path) -> Bridge:
    """A configuration of ros_gz_bridge; raises UsageError if the file is none."""
    try:
        entries: Any = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise UsageError(f"{path} cannot be read ({reason}); give bridge:=PATH") from error
    is_list = isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)
    names = [_name(entry, "ros_topic_name") for entry in entries] if is_list else []
    typed = is_list and all(
        entry.get(f"{of}_type_name") for of in ("ros", "gz") for entry in entries
    )
    if not names or not all(names) or not typed:
        raise UsageError(
            f"{path} is no list of topics to bridge, each with ros_topic_name, ros_type_name and "
            "gz_type_name"
        )
    return Bridge(path, tuple(dict.fromkeys(map(str, names))), tuple(entries))


def _name(entry: dict[str, Any], key: str) -> str | None:
    """A name of a topic in ROS or in Gazebo: that of the other, if only that is given."""
    keys = (key, "topic_name", "ros_topic_name", "gz_topic_name")
    name = next((entry[of] for of in keys if entry.get(of)), None)
    return None if name is None else "/" + str(name).lstrip("/")
