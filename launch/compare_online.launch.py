"""Compare a node with its shadow on live topics: ros2 launch lockstep_launch
compare_online.launch.py topics:=odom

Both take the same live inputs, and each puts out what it makes of them in a namespace of its own. A
node that is not given is running already. The verdict is in the log, and `ros2 launch` ends with 0
only if they match; see docs/comparator.md.
"""

from pathlib import Path

from launch import Action, LaunchContext, LaunchDescription
from launch.actions import OpaqueFunction, Shutdown
from launch.events.process import ProcessExited
from lockstep.compare import Tolerances
from lockstep.errors import DIFFERENT, RunError, UsageError
from lockstep.run.folder import create_folder
from lockstep.run.implementation import find_executable

from lockstep_launch import nodes
from lockstep_launch.arguments import (
    Executable,
    declare,
    fresh_folder,
    params_file,
    seconds_of,
    value_of,
    words_of,
)
from lockstep_launch.ending import how_it_ended, require_success, unless_shut_down
from lockstep_launch.isolation import isolate


def compare_online(context: LaunchContext) -> list[Action]:
    prefixes = value_of(context, "a_prefix"), value_of(context, "b_prefix")
    topics, tolerances = words_of(context, "topics"), words_of(context, "tolerance")
    pair = {
        name: (executable, prefix)
        for name, prefix in zip(("reference", "implementation"), prefixes, strict=True)
        if (executable := Executable.of_optional(context, name))
    }
    inputs = [tuple(text.split(":=")) for text in words_of(context, "inputs")]
    patience_s, duration_s = seconds_of(context, "patience"), seconds_of(context, "duration")
    parameters = params_file(context)
    if not topics:
        raise UsageError("give the topics to compare with topics:=")
    if not all(len(names) == 2 and all(names) for names in inputs):
        raise UsageError(f"inputs:={value_of(context, 'inputs')} is not INPUT:=TOPIC")
    for name, (executable, _) in pair.items():
        find_executable(name, str(executable))
    Tolerances.parse(tolerances)  # before anything runs
    folder = Path(value_of(context, "output")).absolute()
    create_folder(folder)

    def after_node(event: ProcessExited) -> list[Action]:
        raise RunError(f"a node ended during the comparison ({how_it_ended(event)})")

    def after_comparator(event: ProcessExited, context: LaunchContext) -> list[Action]:
        # Also after Ctrl-C, which is the ordinary end.
        if event.returncode == DIFFERENT:
            raise RunError(f"the topics differ; see {folder / 'diffs'}")
        require_success(event, "the comparator")
        return [Shutdown(reason="the comparison has ended")]

    comparator = nodes.online_comparator(
        prefixes,
        topics,
        folder / "diffs",
        tolerances,
        *("--align", value_of(context, "align"), "--patience", str(patience_s)),
        *("--duration", str(duration_s)),
        on_exit=after_comparator,
    )
    return [
        comparator,
        *(
            nodes.live_implementation(
                name,
                executable,
                prefix,
                params_file=parameters,
                remappings=inputs,
                on_exit=unless_shut_down(after_node),
            )
            for name, (executable, prefix) in pair.items()
        ),
    ]


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription(
        [
            *declare("reference", "implementation", reference="", implementation=""),
            *declare("inputs", "params_file", "a_prefix", "b_prefix"),
            *declare(
                "topics",
                topics={"description": "topics to compare in both namespaces, with spaces between"}
                | {"default_value": ""},
            ),
            *declare(
                "align",
                align={"default_value": "auto", "choices": ["auto", "stamp", "time", "tick"]},
            ),
            *declare("tolerance", "patience", "duration"),
            *declare("output", "domain_id", output=fresh_folder("online"), domain_id="as_is"),
            OpaqueFunction(function=isolate),
            OpaqueFunction(function=compare_online),
        ]
    )
