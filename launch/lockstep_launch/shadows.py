"""Nodes on the same live inputs, each in a namespace of its own, compared while they run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from launch import Action, LaunchContext
from launch.events.process import ProcessExited
from lockstep.compare import Tolerances
from lockstep.errors import DIFFERENT, RunError, UsageError
from lockstep.run.folder import create_folder

from . import nodes
from .arguments import Executable, declare, params_file, seconds_of, value_of, words_of
from .ending import Job, how_it_ended, require_success, unless_shut_down
from .system import program_of

Namespaced = tuple["Executable | None", str]
"""A node and the namespace of its outputs; without a node it is running already."""


def declared() -> list[Action]:
    """The arguments that every comparison of live nodes has, but for the nodes themselves."""
    return [
        *declare("inputs", "params_file", "launch_arguments"),
        *declare(
            "topics",
            topics={"description": "topics to compare in all namespaces, with spaces between"}
            | {"default_value": ""},
        ),
        *declare(
            "align",
            align={"default_value": "auto", "choices": ["auto", "stamp", "time", "tick"]},
        ),
        *declare("tolerance", "patience", "duration"),
    ]


def compare_shadows(
    context: LaunchContext, job: Job, reference: Namespaced, others: Sequence[Namespaced]
) -> list[Action]:
    """Start what is not running yet, and compare the reference with each of the others; the text
    diffs go to OUTPUT/diffs, or to one folder in it for each if there are several."""
    topics, tolerances = words_of(context, "topics"), words_of(context, "tolerance")
    inputs = [tuple(text.split(":=")) for text in words_of(context, "inputs")]
    patience_s, duration_s = seconds_of(context, "patience"), seconds_of(context, "duration")
    parameters = params_file(context)
    if not topics:
        raise UsageError("give the topics to compare with topics:=")
    if not all(len(names) == 2 and all(names) for names in inputs):
        raise UsageError(f"inputs:={value_of(context, 'inputs')} is not INPUT:=TOPIC")
    started = [
        (executable, prefix)
        for executable, prefix in (reference, *others)
        if executable is not None
    ]
    for executable, prefix in started:
        program_of(prefix, executable)
    Tolerances.parse(tolerances)  # before anything runs
    folder = Path(value_of(context, "output")).absolute()
    create_folder(folder)
    diffs = folder / "diffs"
    ended: dict[str, bool] = {}  # namespace → whether it matches

    def after_node(event: ProcessExited) -> list[Action]:
        raise RunError(f"a node ended during the comparison ({how_it_ended(event)})")

    def after_comparator(
        event: ProcessExited, context: LaunchContext, *, prefix: str
    ) -> list[Action]:
        # Also after Ctrl-C, which is the ordinary end.
        if event.returncode != DIFFERENT:
            require_success(event, "the comparator")
        ended[prefix] = event.returncode != DIFFERENT
        if len(ended) < len(others):
            return []
        differing = [prefix for prefix, matches in ended.items() if not matches]
        whose = f" of {', '.join(differing)}" if len(others) > 1 else ""
        return job.completed(
            context,
            matches=not differing,
            output=folder,
            difference=f"the topics{whose} differ; see {diffs}" if differing else "",
        )

    comparators = [
        nodes.online_comparator(
            (reference[1], prefix),
            topics,
            diffs / prefix.strip("/") if len(others) > 1 else diffs,
            tolerances,
            *("--align", value_of(context, "align"), "--patience", str(patience_s)),
            *("--duration", str(duration_s)),
            on_exit=partial(after_comparator, prefix=prefix),
        )
        for _, prefix in others
    ]
    return [
        *comparators,
        *(
            nodes.live_implementation(
                prefix.strip("/").replace("/", "_"),
                executable,
                prefix,
                params_file=parameters,
                launch_arguments=tuple(words_of(context, "launch_arguments")),
                remappings=inputs,
                on_exit=unless_shut_down(after_node),
            )
            for executable, prefix in started
        ),
    ]
