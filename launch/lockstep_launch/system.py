"""A launch file as one node under test: `ros2 run lockstep_launch system PACKAGE FILE`.

Whoever runs it passes ROS arguments as to a node: remappings, parameters and a namespace hold for
every node of the launch file, and Ctrl-C ends all of them.
"""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from launch import Action, LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription, RegisterEventHandler, SetLaunchConfiguration
from launch.event_handlers import OnProcessExit
from launch.events.process import ProcessExited
from launch.launch_description_sources import AnyLaunchDescriptionSource
from launch_ros.actions import PushRosNamespace, SetParameter, SetParametersFromFile, SetRemap
from lockstep.errors import FAILED, USAGE, LockstepError, UsageError
from lockstep.nodes.option_parser import OptionParser
from lockstep.run.implementation import find_executable

from .arguments import Executable
from .ending import require_success, unless_shut_down
from .nodes import END_WITH_LAUNCH

_EXAMPLES = """examples:
  ros2 run lockstep_launch system my_robot bringup.launch.py use_lidar:=false
  ros2 run lockstep_launch system ./bringup.launch.xml --ros-args -r scan:=/front/scan
"""


def installed(package: str, name: str) -> Path:
    """The launch file of a package; raises UsageError."""
    try:
        share = Path(get_package_share_directory(package))
    except (PackageNotFoundError, ValueError) as error:
        raise UsageError(
            f"package '{package}' is in no folder of AMENT_PREFIX_PATH; build it and source its "
            "workspace"
        ) from error
    found = [path for path in share.rglob("*") if path.name == name and path.is_file()]
    if len(found) != 1:
        what = f"{len(found)} files" if found else "no file"
        raise UsageError(f"package '{package}' has {what} '{name}' below {share}")
    return found[0]


def program_of(name: str, executable: Executable) -> Path:
    """The file of what an argument names, launch file or not; raises UsageError."""
    if executable.is_launch_file:
        return installed(executable.package, executable.program)
    return find_executable(name, str(executable))


def description(words: Sequence[str]) -> LaunchDescription:
    """What a command line asks for; raises UsageError."""
    asked = _parsed(words)
    names = [word for word in asked.words if ":=" not in word]
    if not 1 <= len(names) <= 2:
        raise UsageError("give PACKAGE FILE or the path of a launch file; see --help")
    file = installed(*names) if len(names) == 2 else Path(names[0]).expanduser().absolute()
    if not file.is_file():
        raise UsageError(f"{file} is no launch file; give PACKAGE FILE or a path")
    return LaunchDescription(
        [
            SetLaunchConfiguration("launch-prefix", END_WITH_LAUNCH),
            RegisterEventHandler(OnProcessExit(on_exit=unless_shut_down(_require_success))),
            *_for_all_nodes(asked),
            IncludeLaunchDescription(
                AnyLaunchDescriptionSource(str(file)),
                launch_arguments=[_pair("", word) for word in asked.words if ":=" in word],
            ),
        ]
    )


def _parsed(words: Sequence[str]) -> Namespace:
    parser = OptionParser("ros2 run lockstep_launch system", __doc__ or "", _EXAMPLES)
    parser.add_argument("words", nargs="*", metavar="PACKAGE FILE [NAME:=VALUE …]")
    ros = parser.add_argument_group("ROS arguments")
    ros.add_argument("--ros-args", action="store_true", help="may stand before the others")
    ros.add_argument("--params-file", action="append", default=[], metavar="FILE")
    ros.add_argument("-p", "--param", action="append", default=[], metavar="NAME:=VALUE")
    ros.add_argument("-r", "--remap", action="append", default=[], metavar="FROM:=TO")
    return parser.parse_intermixed_args(words)


def _for_all_nodes(asked: Namespace) -> Iterator[Action]:
    for file in asked.params_file:
        yield SetParametersFromFile(file)
    for word in asked.param:
        yield SetParameter(*_pair("-p ", word))
    for word in asked.remap:
        name, value = _pair("-r ", word)
        yield PushRosNamespace(value) if name == "__ns" else SetRemap(name, value)


def _pair(option: str, word: str) -> tuple[str, str]:
    name, sign, value = word.partition(":=")
    if not sign or not name:
        raise UsageError(f"{option}{word} is not NAME:=VALUE")
    return name, value


def _require_success(event: ProcessExited) -> list[Action]:
    require_success(event, event.process_name)
    return []


def main() -> None:
    """Run until Ctrl-C, or until a process fails: then exit with 3; with 2 for bad words."""
    os.environ.setdefault("OVERRIDE_LAUNCH_PROCESS_OUTPUT", "both")
    try:
        described = description(sys.argv[1:])
    except LockstepError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(USAGE)
    service = LaunchService(noninteractive=True)
    service.include_launch_description(described)
    sys.exit(FAILED if service.run() else 0)
