"""The command line of the recorder: the names of `ros2 bag record`, and what only this one has."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ...errors import UsageError
from ..option_parser import OptionParser
from .choice import Choice
from .destination import Storing

_MCAP_PRESETS = {
    "none": "zstd",
    "fastwrite": "none",
    "zstd_fast": "zstd",
    "zstd_small": "zstd_small",
}
"""By what chunks are compressed."""
_SQLITE3_PRESETS = ("none", "resilient")
_CACHE_BYTES = 100 << 20
_QUIET_S = 0.05
_EXAMPLES = """\
examples:
  recorder drive                                         all topics, services and actions
  recorder drive --topics /odom /imu                     two topics
  recorder drive --regex '/camera/.*' --exclude-regex compressed
  recorder --all-topics --exclude-topic-types sensor_msgs/msg/Image
  recorder drive --max-bag-size 1000000000 --max-bag-duration 60
  recorder drive --snapshot-mode --max-cache-size 500000000     then call ~/snapshot
  recorder drive --use-sim-time --topic /odom            log times of /clock
  recorder drive --start-paused --node-name rosbag2_recorder    then call ~/resume
"""


@dataclass(frozen=True)
class Options:
    """What to record, where to and how; times in seconds. `topic_types` are those that were given
    with the names of topics."""

    folder: Path
    choice: Choice
    topic_types: Mapping[str, str]
    storing: Storing
    node_name: str
    in_lockstep: bool
    with_cause: bool
    quiet_s: float
    quiet_at_most_s: float
    discovers: bool
    polling_s: float
    include_unpublished: bool
    ignore_leaves: bool
    qos_overrides: str | None
    start_paused: bool
    use_sim_time: bool
    report: str | None
    until_gone: bool
    at_most_s: float | None

    def expanded(self, full: Callable[[str], str]) -> Options:
        """With the full names of what is given by name."""
        choice = self.choice
        names: dict[str, Any] = {}
        for kind in ("topics", "services", "actions"):
            for group in (kind, f"exclude_{kind}"):
                names[group] = tuple(map(full, getattr(choice, group)))
        types = {full(name): type_name for name, type_name in self.topic_types.items()}
        return replace(self, choice=replace(choice, **names), topic_types=types)


def parse_options(arguments: Sequence[str]) -> Options:
    """Raises UsageError; prints the help and exits where that is asked for."""
    args = _parser().parse_args(arguments)
    topics = dict(_typed(text) for text in (*args.topic, *args.topics))
    _check(args)
    everything = args.all or not (
        topics
        or args.services
        or args.actions
        or args.topic_types
        or args.regex
        or args.all_topics
        or args.all_services
        or args.all_actions
    )
    return Options(
        folder=Path(_folder(args)),
        choice=Choice(
            topics=tuple(topics),
            services=args.services,
            actions=args.actions,
            types=args.topic_types,
            all_topics=everything or args.all_topics,
            all_services=everything or args.all_services,
            all_actions=everything or args.all_actions,
            regex=args.regex,
            exclude_regex=args.exclude_regex,
            exclude_topics=args.exclude_topics,
            exclude_services=args.exclude_services,
            exclude_actions=args.exclude_actions,
            exclude_types=args.exclude_topic_types,
            include_hidden=args.include_hidden_topics,
        ),
        topic_types={name: type_name for name, type_name in topics.items() if type_name},
        storing=Storing(
            max_file_bytes=args.max_bag_size,
            max_file_s=args.max_bag_duration,
            cache_bytes=0 if args.lockstep else args.max_cache_size,
            storage=args.storage,
            compression=_chunk_compression(args),
            resilient=args.storage_preset_profile == "resilient",
            compress_files=args.compression_mode == "file",
            compress_messages=args.compression_mode == "message",
            snapshot=args.snapshot_mode,
            custom_data=dict(_pair(text) for text in args.custom_data),
        ),
        node_name=args.node_name,
        in_lockstep=args.lockstep,
        with_cause=args.cause,
        quiet_s=args.quiet,
        quiet_at_most_s=args.quiet_at_most,
        discovers=not args.no_discovery,
        polling_s=args.polling_interval * 1e-3,
        include_unpublished=args.include_unpublished_topics,
        ignore_leaves=args.ignore_leaf_topics,
        qos_overrides=args.qos_profile_overrides_path,
        start_paused=args.start_paused,
        use_sim_time=args.use_sim_time,
        report=args.report,
        until_gone=args.until_gone,
        at_most_s=args.at_most,
    )


def _parser() -> argparse.ArgumentParser:
    parser = OptionParser(
        "recorder",
        "Record topics, services and actions into a rosbag2 folder.",
        _EXAMPLES,
    )
    parser.add_argument("bag", nargs="*", help="folder to create; topics go after --topics")
    parser.add_argument("-o", "--output", metavar="FOLDER", help="the same")
    _add_choice(parser.add_argument_group("what to record (default: all)"))
    _add_graph(parser.add_argument_group("graph"))
    _add_storage(parser.add_argument_group("bag"))
    _add_lockstep(parser.add_argument_group("beside a host in lockstep, and for programs"))
    return parser


def _add_choice(group: argparse._ArgumentGroup) -> None:
    group.add_argument("-a", "--all", action="store_true", help="topics, services and actions")
    for kind in ("topics", "services", "actions"):
        group.add_argument(f"--all-{kind}", action="store_true", help=f"all {kind}")
    group.add_argument(
        "--topic",
        action="append",
        default=[],
        metavar="NAME[:TYPE]",
        help="topic to record (repeatable)",
    )
    for kind in ("topics", "services", "actions"):
        name = "NAME[:TYPE]" if kind == "topics" else "NAME"
        group.add_argument(
            f"--{kind}", nargs="+", action="extend", default=[], metavar=name, help=f"{kind}"
        )
        group.add_argument(
            f"--exclude-{kind}",
            nargs="+",
            action="extend",
            default=[],
            metavar="NAME",
            help=f"{kind} to leave out",
        )
    for option, what in (("--topic-types", "topics of"), ("--exclude-topic-types", "but not of")):
        group.add_argument(
            option, nargs="+", action="extend", default=[], metavar="TYPE", help=f"{what} a type"
        )
    group.add_argument(
        "-e", "--regex", default="", metavar="PATTERN", help="in whose names a pattern is found"
    )
    group.add_argument("--exclude-regex", default="", metavar="PATTERN", help="but not this one")
    group.add_argument(
        "--include-hidden-topics", action="store_true", help="topics with a _ before a name, too"
    )


def _add_graph(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--node-name", default="lockstep_recorder", metavar="NAME")
    group.add_argument(
        "--no-discovery", action="store_true", help="only topics that are there at the start"
    )
    group.add_argument(
        *("-p", "--polling-interval"),
        type=_positive,
        default=100,
        metavar="MS",
        help="how often to look for new topics",
    )
    group.add_argument(
        "--include-unpublished-topics", action="store_true", help="topics without a publisher, too"
    )
    group.add_argument(
        "--ignore-leaf-topics", action="store_true", help="no topics without another subscriber"
    )
    group.add_argument(
        "--qos-profile-overrides-path", metavar="FILE", help="QoS to ask for instead, as YAML"
    )
    group.add_argument(
        "--use-sim-time",
        action="store_true",
        help="log times of /clock; nothing is recorded before the first",
    )
    group.add_argument("--start-paused", action="store_true", help="see ~/resume")
    group.add_argument(
        "--disable-keyboard-controls", action="store_true", help="as always: there are services"
    )


def _add_storage(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "-s", "--storage", choices=["mcap", "sqlite3"], default="mcap", help="default: mcap"
    )
    group.add_argument(
        *("-b", "--max-bag-size"),
        type=_count,
        default=0,
        metavar="BYTES",
        help="of a file, before the next is begun",
    )
    group.add_argument(
        "-d", "--max-bag-duration", type=_count, default=0, metavar="S", help="of a file"
    )
    group.add_argument(
        "--max-cache-size",
        type=_count,
        default=_CACHE_BYTES,
        metavar="BYTES",
        help="of messages that may wait for the disk before some are lost (default: 100 MiB); 0: "
        "the recorder waits, and publishers that keep all with it",
    )
    group.add_argument(
        "--snapshot-mode",
        action="store_true",
        help="hold the last --max-cache-size bytes and write them when ~/snapshot is called",
    )
    group.add_argument(
        "--storage-preset-profile",
        default="none",
        metavar="PRESET",
        help="of mcap: chunks compressed by zstd (none, zstd_fast), slowly (zstd_small), not "
        "(fastwrite); of sqlite3: none, or resilient against a loss of power",
    )
    group.add_argument(
        "--compression-mode",
        choices=["none", "file", "message"],
        default="none",
        help="compress each file when it is ended, or each message",
    )
    group.add_argument("--compression-format", default="", metavar="zstd")
    group.add_argument(
        "--custom-data",
        nargs="*",
        action="extend",
        default=[],
        metavar="KEY=VALUE",
        help="what metadata.yaml shall tell, too",
    )


def _add_lockstep(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--lockstep",
        action="store_true",
        help="take times and order from a host's acknowledgements",
    )
    group.add_argument(
        "--cause",
        action="store_true",
        help="with --lockstep, record the acknowledgements too: which step each message answers",
    )
    group.add_argument(
        "--quiet",
        type=float,
        default=_QUIET_S,
        metavar="S",
        help="when asked to stop, go on until nothing has come for so long",
    )
    group.add_argument(
        "--quiet-at-most",
        type=float,
        default=0.0,
        metavar="S",
        help="wait twice as long as messages of a topic were apart, if that is more than --quiet "
        "and not more than this",
    )
    group.add_argument("--report", metavar="FILE", help="write what was recorded as JSON")
    group.add_argument(
        "--until-gone",
        action="store_true",
        help="end when topics given as NAME:TYPE have been published and nobody does any more",
    )
    group.add_argument(
        "--at-most", type=float, metavar="S", help="end so long after the first message"
    )


def _check(args: argparse.Namespace) -> None:
    """Refuse what cannot be together."""
    if args.cause and not args.lockstep:
        raise UsageError("--cause needs --lockstep: only then are there acknowledgements")
    presets = tuple(_MCAP_PRESETS) if args.storage == "mcap" else _SQLITE3_PRESETS
    if args.storage_preset_profile not in presets:
        raise UsageError(
            f"--storage-preset-profile {args.storage_preset_profile} is none of {args.storage}, "
            f"which has {', '.join(presets)}"
        )
    if args.compression_format not in ("", "zstd"):
        raise UsageError(f"--compression-format {args.compression_format} is not written; use zstd")
    if args.compression_format and args.compression_mode == "none":
        raise UsageError(
            "--compression-format needs --compression-mode file or message; for chunks of MCAP "
            "there is --storage-preset-profile"
        )
    if args.use_sim_time and args.no_discovery:
        raise UsageError(
            "--use-sim-time hears latched topics when time has begun; leave out --no-discovery"
        )
    if args.snapshot_mode and not args.max_cache_size:
        raise UsageError("--snapshot-mode holds --max-cache-size bytes; give more than 0")
    alone = ("snapshot_mode", "start_paused", "use_sim_time", "no_discovery", "max_bag_size")
    for name in (*alone, "max_bag_duration"):
        if args.lockstep and getattr(args, name):
            option = name.replace("_", "-")
            raise UsageError(
                f"in lockstep, all is recorded as the host tells; leave out --{option}"
            )


def _folder(args: argparse.Namespace) -> str:
    given = [*args.bag, *([args.output] if args.output else [])]
    if len(given) > 1:
        raise UsageError(
            f"{' and '.join(given)} are two folders; give one, and topics after --topics"
        )
    return given[0] if given else datetime.now().strftime("rosbag2_%Y_%m_%d-%H_%M_%S")


def _chunk_compression(args: argparse.Namespace) -> str:
    """What is compressed as a whole is not compressed before."""
    return (
        "none"
        if args.compression_mode != "none"
        else _MCAP_PRESETS.get(args.storage_preset_profile, "")
    )


def _typed(text: str) -> tuple[str, str]:
    name, _, type_name = text.partition(":")
    return name, type_name


def _pair(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign:
        raise UsageError(f"--custom-data {text} is no KEY=VALUE")
    return key, value


def _count(text: str) -> int:
    if (count := int(text)) < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return count


def _positive(text: str) -> int:
    if not (count := _count(text)):
        raise argparse.ArgumentTypeError(f"{text} is not greater than 0")
    return count


_count.__name__ = _positive.__name__ = "number"
