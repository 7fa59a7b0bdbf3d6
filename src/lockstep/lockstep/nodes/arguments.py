"""The command line of a component's program; lockstep_cpp's arguments.cpp is the twin."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import UsageError
from ..host.log import LOG_LEVELS
from .process import own_arguments

_USAGE = """usage: {program} [--help] [--contract] [--lockstep | --direct] [--ros-args …]

Run the component {component} as a ROS 2 node.

  --contract       print the component's contract as JSON and exit
  --lockstep       consume messages in the order of the steps on /lockstep/steps
  --direct         read inputs and write outputs as frames on stdin and stdout \
(docs/direct-protocol.md)
  --ros-args …     remappings (-r), parameters (-p, --params-file), --log-level, …

example: {program} --ros-args -p use_sim_time:=true -r __ns:=/robot"""


@dataclass(frozen=True)
class Arguments:
    """What a component's program is asked to do, apart from `--ros-args`."""

    help: bool
    contract: bool
    lockstep: bool
    direct: bool


def parse_arguments(arguments: Sequence[str]) -> Arguments:
    """Raises UsageError for an unknown argument, and for some that exclude each other."""
    own = own_arguments(arguments)
    unknown = [a for a in own if a not in ("--help", "-h", "--contract", "--lockstep", "--direct")]
    if unknown:
        raise UsageError(f"unknown argument '{unknown[0]}'; see --help")
    parsed = Arguments(
        help="--help" in own or "-h" in own,
        contract="--contract" in own,
        lockstep="--lockstep" in own,
        direct="--direct" in own,
    )
    if parsed.direct and not (parsed.help or parsed.contract):
        _check_direct(own, arguments)
    return parsed


def usage(program: str, component: str) -> str:
    """The text of `--help`."""
    return _USAGE.format(program=program, component=component)


def log_level(arguments: Sequence[str], node: str) -> str:
    """What `--log-level LEVEL` or `--log-level NODE:=LEVEL` says; "info" without them."""
    level = "info"
    for word, value in itertools.pairwise(arguments):
        name, _, of_node = value.rpartition(":=")
        if word == "--log-level" and name in ("", node):
            level = of_node.lower()
    if level not in LOG_LEVELS:
        raise UsageError(f"'{level}' is no level of a log; give one of {', '.join(LOG_LEVELS)}")
    return level


def _check_direct(own: Sequence[str], arguments: Sequence[str]) -> None:
    if "--lockstep" in own:
        raise UsageError("--direct and --lockstep exclude each other; leave out one of them")
    if any(word in ("-p", "--param", "--params-file") for word in arguments if word not in own):
        raise UsageError("with --direct parameters come as frames; leave out -p and --params-file")
