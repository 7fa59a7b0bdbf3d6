"""The nodes of a launch, as actions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.descriptions import Parameter

from .arguments import Executable, Replay

# Whatever becomes of `ros2 launch`, even SIGKILL, its nodes get SIGTERM then.
END_WITH_LAUNCH = ["setpriv --pdeathsig TERM ", LaunchConfiguration("launch-prefix", default="")]
_SAVING_S = "60"  # a recorder may have much to write when it is asked to stop


def player(replay: Replay, *arguments: str, **options: Any) -> Node:
    """The player of a replay."""
    return node(
        Executable("lockstep", "player"),
        str(replay.bag),
        *_repeated("--topic", replay.topics),
        *("--rtf", str(replay.rtf), "--window", str(replay.window), "--clock", replay.clock),
        *arguments,
        **options,
    )


def recorder(
    bag: Path, topics: list[str], *arguments: str, use_sim_time: bool = True, **options: Any
) -> Node:
    """A recorder of `topics`, each NAME or NAME:TYPE."""
    return node(
        Executable("lockstep", "recorder"),
        str(bag),
        *_repeated("--topic", topics),
        *arguments,
        parameters=[Parameter("use_sim_time", use_sim_time)],
        sigterm_timeout=_SAVING_S,  # a second signal ends it at once
        **options,
    )


def implementation(
    name: str, executable: Executable, replay: Replay, *arguments: str, **options: Any
) -> Node:
    """The node under test, with its parameters, on the replay's time; `name` is what the log calls
    it."""
    parameters: list[Any] = [str(replay.params_file)] if replay.params_file else []
    return node(
        *_command(executable, replay.launch_arguments),
        *arguments,
        exec_name=name,
        parameters=[*parameters, Parameter("use_sim_time", replay.clock != "none")],
        **options,
    )


def live_implementation(
    name: str,
    executable: Executable,
    namespace: str,
    *,
    params_file: Path | None,
    launch_arguments: tuple[str, ...],
    **options: Any,
) -> Node:
    """A node on live inputs whose outputs are in a namespace of their own; `name` is what the log
    calls it."""
    return node(
        *_command(executable, launch_arguments),
        exec_name=name,
        namespace=namespace,
        parameters=[str(params_file)] if params_file else [],
        **options,
    )


def controller(
    name: str,
    executable: Executable,
    *,
    params_file: Path | None,
    launch_arguments: tuple[str, ...],
    **options: Any,
) -> Node:
    """A node that controls a simulated robot, on simulated time; `name` is what the log calls
    it."""
    parameters: list[Any] = [str(params_file)] if params_file else []
    return node(
        *_command(executable, launch_arguments),
        exec_name=name,
        parameters=[*parameters, Parameter("use_sim_time", True)],
        **options,
    )


def online_comparator(
    prefixes: tuple[str, str],
    topics: list[str],
    output: Path,
    tolerances: list[str],
    *arguments: str,
    **options: Any,
) -> Node:
    """The comparator of live topics in two namespaces; text diffs go to `output`."""
    return node(
        Executable("lockstep", "comparator"),
        *("--online", "--a-prefix", prefixes[0], "--b-prefix", prefixes[1]),
        *("--output", str(output)),
        *_repeated("--topic", topics),
        *_repeated("--tolerance", tolerances),
        *arguments,
        **options,
    )


def comparator(
    a: Path, b: Path, output: Path, tolerances: list[str], *arguments: str, **options: Any
) -> Node:
    """The comparator of a reference bag and the one to judge; text diffs go to `output`."""
    return node(
        Executable("lockstep", "comparator"),
        *(str(a), str(b), "--output", str(output)),
        *_repeated("--tolerance", tolerances),
        *arguments,
        **options,
    )


def node(
    executable: Executable, *arguments: str, exec_name: str | None = None, **options: Any
) -> Node:
    """Any node, which ends with the launch."""
    return Node(
        package=executable.package,
        executable=executable.program,
        exec_name=exec_name or executable.program,
        arguments=arguments,
        prefix=END_WITH_LAUNCH,
        output="both",
        **options,
    )


def _command(
    executable: Executable, launch_arguments: tuple[str, ...]
) -> tuple[Executable | str, ...]:
    """The executable, or what runs a launch file as if it were one node, with its arguments."""
    if not executable.is_launch_file:
        return (executable,)
    system = Executable("lockstep_launch", "system")
    return (system, executable.package, executable.program, *launch_arguments)


def _repeated(option: str, values: list[str] | tuple[str, ...]) -> list[str]:
    return [word for value in values for word in (option, value)]
