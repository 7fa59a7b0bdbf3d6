"""The launch arguments, declared once, and their values checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launch import LaunchContext
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare
from lockstep.errors import UsageError
from lockstep.nodes.playing.pace import checked_rtf
from lockstep.run.folder import default_folder

_GAZEBO = FindPackageShare("lockstep_launch"), "gazebo"
"""Where the world is and what goes with it."""

_DECLARED: dict[str, dict[str, Any]] = {
    "reference": {
        "default_value": "lockstep_examples/imu_complementary_filter",
        "description": "what the implementation must do as well, PACKAGE/EXECUTABLE or "
        "PACKAGE/FILE.launch.py",
    },
    "implementation": {
        "default_value": "lockstep_examples_cpp/imu_complementary_filter",
        "description": "the node under test, PACKAGE/EXECUTABLE, or several, "
        "PACKAGE/FILE.launch.py",
    },
    "implementations": {
        "default_value": "lockstep_examples_cpp/imu_complementary_filter",
        "description": "the nodes under test, each PACKAGE/EXECUTABLE, with spaces between",
    },
    "bag": {
        "default_value": "bags/husky_gps_imu_odom",
        "description": (
            "rosbag2 folder or .mcap file; relative to the current folder or to this workspace"
        ),
    },
    "topics": {
        "default_value": "/imu/data:=/imu",
        "description": "topics of the bag to play, each NAME or NAME:=TARGET, with spaces between",
    },
    "outputs": {
        "default_value": "",
        "description": "topics to record, each NAME:TYPE, with spaces between, such as "
        "/orientation:geometry_msgs/msg/QuaternionStamped; none: all outputs of the contract",
    },
    "inputs": {
        "default_value": "",
        "description": "live topics for all nodes, each INPUT:=TOPIC, with spaces between; none: "
        "their own names",
    },
    "a_prefix": {"default_value": "/reference", "description": "namespace of the reference"},
    "b_prefix": {"default_value": "/shadow", "description": "namespace of the implementation"},
    "patience": {
        "default_value": "2.0",
        "description": "seconds that a message waits for its partner before it is missing or extra",
    },
    "duration": {
        "default_value": "inf",
        "description": "seconds to compare; inf: until Ctrl-C",
    },
    "rtf": {
        "default_value": "inf",
        "description": "real-time factor: 1 is recorded speed, inf as fast as the node keeps up",
    },
    "window": {
        "default_value": "100",
        "description": (
            "messages in flight in lockstep; 0: no lockstep, for nodes that are no components "
            "(give outputs)"
        ),
    },
    "clock": {
        "default_value": "auto",
        "choices": ["auto", "bag", "times", "none"],
        "description": "where /clock comes from: the bag's own if it has one, only the bag's own, "
        "the times of its messages, or no /clock",
    },
    "align": {
        "default_value": "time",
        "choices": ["time", "stamp", "tick"],
        "description": "what makes two messages belong together",
    },
    "tolerance": {
        "default_value": "*=1e-9",
        "description": "each FIELD=ABS, FIELD=ABS,REL or FIELD=ignore, with spaces between; "
        "* stands for any text",
    },
    "params_file": {
        "default_value": "",
        "description": "parameters of the nodes under test, as ROS 2 parameter file; none: "
        "their own defaults",
    },
    "world": {
        "default_value": PathJoinSubstitution([*_GAZEBO, "diff_drive.sdf"]),
        "description": "SDF file with one world",
    },
    "bridge": {
        "default_value": PathJoinSubstitution([*_GAZEBO, "bridge.yaml"]),
        "description": "configuration of ros_gz_bridge: the topics that are in the ROS graph",
    },
    "record": {
        "default_value": "",
        "description": "topics to record, with spaces between; none: all that are bridged",
    },
    "simulator": {
        "default_value": "auto",
        "choices": ["auto", "gz", "ign"],
        "description": "gz: `gz sim` (Harmonic), ign: `ign gazebo` (Fortress), auto: what there is",
    },
    "controller": {
        "default_value": "",
        "description": "a node that controls the robot, PACKAGE/EXECUTABLE; none: the script alone",
    },
    "seed": {
        "default_value": "1",
        "description": "of the noise of sensors; Fortress has none",
    },
    "rendering": {
        "default_value": "headless",
        "choices": ["headless", "display", "none"],
        "description": "of camera and lidar: without a display (EGL, ogre2), on the display of "
        "DISPLAY, or not at all, so that they are silent",
    },
    "render_engine": {"default_value": "ogre2", "description": "ogre2 or ogre"},
    "velocities": {
        "default_value": "0:0.5,0 4:0.5,0.4 12:0.5,-0.4 18:0,0",
        "description": "scripted velocities, each SECONDS:LINEAR,ANGULAR in simulated time, m/s "
        "and rad/s, with spaces between; none: nobody drives",
    },
    "velocity_topic": {
        "default_value": "/cmd_vel",
        "description": "where the scripted velocities are published, geometry_msgs/msg/Twist",
    },
    "steps": {
        "default_value": "0",
        "description": "step the world by so many steps of its physics at a time and wait for all "
        "commands between; 0: let it run",
    },
    "answers": {
        "default_value": "1",
        "description": "how many commands the node in the loop gives after each of these steps",
    },
    "log_time": {
        "default_value": "simulation",
        "choices": ["simulation", "wall"],
        "description": "the log times of the bag",
    },
    "loop": {
        "default_value": "open",
        "choices": ["open", "closed"],
        "description": "open: recorded topics are played into both implementations; closed: each "
        "controls the robot of the same world, one after the other",
    },
    "compare": {
        "default_value": "/odom",
        "description": "topics to compare of a closed loop, with spaces between",
    },
    "launch_arguments": {
        "default_value": "",
        "description": "arguments of launch files under test, each NAME:=VALUE, with spaces "
        "between",
    },
    "output": {"description": "folder to create for bags, reports and diffs"},
    "shutdown": {
        "default_value": "true",
        "choices": ["true", "false"],
        "description": "end the whole launch when this is done; false: what was launched beside it "
        "goes on",
    },
    "domain_id": {
        "default_value": "auto",
        "description": (
            "auto: a ROS_DOMAIN_ID that nobody uses; 0 to 232: this one; both reach no other "
            "machine. "
            "as_is: the graph of this shell, so that the replay may drive a robot"
        ),
    },
}

_SIMULATION = (
    *("world", "bridge", "record", "simulator", "seed", "duration", "rtf", "rendering"),
    *("render_engine", "velocities", "velocity_topic", "steps", "answers", "log_time"),
)


def declared_simulation(**changes: str | dict[str, Any]) -> list[DeclareLaunchArgument]:
    """The arguments of a simulation, declared."""
    of_simulation: dict[str, str | dict[str, Any]] = {
        "duration": {"default_value": "20", "description": "seconds to simulate"},
        "rtf": {
            "default_value": "none",
            "description": "real-time factor that the simulator aims at, inf: as fast as it can; "
            "none: the world's own",
        },
    }
    return declare(*_SIMULATION, **{**of_simulation, **changes})


def declare(*names: str, **changes: str | dict[str, Any]) -> list[DeclareLaunchArgument]:
    """Declare the named arguments; `changes` replaces the usual default values, or whatever
    else."""
    changed = {
        name: value if isinstance(value, dict) else {"default_value": value}
        for name, value in changes.items()
    }
    return [
        DeclareLaunchArgument(name, **{**_DECLARED[name], **changed.get(name, {})})
        for name in names
    ]


def fresh_folder(stem: str) -> str:
    """A default for `output` that does not exist yet."""
    return str(default_folder(stem))


def value_of(context: LaunchContext, name: str) -> str:
    """The value of an argument."""
    text: str = LaunchConfiguration(name).perform(context)
    return text


def words_of(context: LaunchContext, name: str) -> list[str]:
    """The value of an argument that is a list with spaces between; `none` is an empty one.

    `ros2 launch` refuses `name:=`, so that a default could not be emptied otherwise.
    """
    words = value_of(context, name).split()
    return [] if words == ["none"] else words


@dataclass(frozen=True)
class Executable:
    """An executable of a package, given as PACKAGE/EXECUTABLE."""

    package: str
    program: str

    @classmethod
    def of(cls, context: LaunchContext, name: str) -> Executable:
        """The executable that an argument names."""
        return cls.parse(name, value_of(context, name))

    @classmethod
    def parse(cls, name: str, text: str) -> Executable:
        """PACKAGE/EXECUTABLE, as given to the argument `name`."""
        package, _, program = text.partition("/")
        if not package or not program or "/" in program:
            raise UsageError(f"{name}:={text} is not PACKAGE/EXECUTABLE")
        return cls(package, program)

    @classmethod
    def of_optional(cls, context: LaunchContext, name: str) -> Executable | None:
        """The same, or None if the argument is empty or `none`."""
        return cls.of(context, name) if words_of(context, name) else None

    @property
    def is_launch_file(self) -> bool:
        """Whether it is a launch file of the package, whose nodes are run as if they were one."""
        return self.program.endswith((".launch.py", ".launch.xml", ".launch.yaml"))

    def __str__(self) -> str:
        return f"{self.package}/{self.program}"


@dataclass(frozen=True)
class Replay:
    """What to play and how; `topics` are NAME or NAME:=TARGET, in lockstep unless `window` is 0."""

    bag: Path
    topics: tuple[str, ...]
    rtf: float
    window: int
    clock: str
    params_file: Path | None
    launch_arguments: tuple[str, ...]

    @classmethod
    def of(cls, context: LaunchContext, *, window: int | None = None) -> Replay:
        """The replay that the arguments describe; raises UsageError."""
        window = number_of(context, "window", int) if window is None else window
        return cls(
            bag=_found(value_of(context, "bag"), "bag"),
            topics=tuple(words_of(context, "topics")),
            rtf=checked_rtf(number_of(context, "rtf", float)),
            window=window,
            clock=value_of(context, "clock"),
            params_file=params_file(context),
            launch_arguments=tuple(words_of(context, "launch_arguments")),
        )


def seconds_of(context: LaunchContext, name: str) -> float:
    """A time in seconds, greater than 0; raises UsageError."""
    seconds: float = number_of(context, name, float)
    if not seconds > 0:
        raise UsageError(f"{name}:={value_of(context, name)} is not greater than 0")
    return seconds


def number_of(context: LaunchContext, name: str, kind: type) -> Any:
    """A number of a kind, int or float; raises UsageError."""
    text = value_of(context, name)
    try:
        return kind(text)
    except ValueError as error:
        raise UsageError(f"{name}:={text} is not a number") from error


def params_file(context: LaunchContext) -> Path | None:
    """The parameter file of the nodes under test, if there is one; raises UsageError."""
    words = words_of(context, "params_file")
    return _found(value_of(context, "params_file"), "params_file") if words else None


def _found(text: str, name: str) -> Path:
    """A path that exists, looked for in the current folder and then in the folders around this
    file."""
    path = Path(text).expanduser()
    for folder in (Path.cwd(), *Path(__file__).resolve().parents):
        if (folder / path).exists():
            return folder / path
    raise UsageError(f"{text} does not exist; give {name}:=PATH")
