"""A campaign of faults: random signals to random processes of verifications, and mutated bags.

None of them may end in a green verdict that is not true, nor in a red one; see `make faults`.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src/lockstep/test"), str(ROOT / "tests")]

from lockstep.bag import Bag, BagError, BagWriter
from lockstep.compare import compare
from lockstep.errors import CompareError
from lockstep.temporary_folder import TemporaryFolder
from made_bags import (
    STRING,
    STRING_DEFINITION,
    string_cdr,
    write_db3_strings,
    write_rosbag1_strings,
)
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from stranger import Left, Stranger
from verifications import CPP, PYTHON, writer_into

MESSAGES, DURATION_S = 61, 2.0
BOX = {
    "command": ["python3", str(ROOT / "tests/black_box_node.py")],
    "remap": {"vector": "acceleration", "normalized": "direction"},
}
WRONG = {"parameters": {"epsilon": 1000.0}}
"""Of an implementation that gives zero vectors."""
MODES: dict[str, tuple[dict[str, Any], dict[str, Any], float]] = {
    "direct": ({"python": PYTHON, "cpp": CPP}, {"mode": "direct", "repeat": 2}, 1.5),
    "live": ({"python": PYTHON, "cpp": CPP}, {}, 5.0),
    "live, C++ first": ({"cpp": CPP, "python": PYTHON}, {}, 5.0),
    "black box": ({"cpp": CPP, "box": BOX}, {"rtf": 4.0}, 9.0),
}
"""By name: the implementations, the section `run`, and how many seconds a run takes or so."""
SIGNALS = (
    signal.SIGKILL,
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGSEGV,
    signal.SIGABRT,
    signal.SIGPIPE,
    signal.SIGSTOP,
)
INTERRUPTED = 0.2
"""How many of the signals go to the command itself."""
PATIENCE_S = 60.0
RIGHT = ("true verdict", "failed (3)", "interrupted", "refused (2)")
WRONG_ENDS = ("false green", "false red", "traceback", "hangs", "left running", "other")


@dataclass(frozen=True)
class Fault:
    """What was done to whom, and how the run ended."""

    mode: str
    victim: str
    number: signal.Signals
    after_s: float
    end: str
    told: str


def main() -> int:
    """Run the campaign; 0 if no verdict lied."""
    parser = argparse.ArgumentParser(prog="faults", description=__doc__)
    parser.add_argument("--runs", type=int, default=200, help="runs with signals (default: 200)")
    parser.add_argument("--bags", type=int, default=10_000, help="mutants of each storage")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 120)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        done = progress.add_task("mutated bags", total=args.bags * len(STORAGES))
        mutants = tried(args.bags, args.seed, lambda: progress.advance(done))
        done = progress.add_task("runs with signals", total=args.runs)
        faults = []
        for fault in campaign(args.runs, args.seed):
            faults.append(fault)
            progress.advance(done)
    console.print(mutants_table(mutants))
    console.print(runs_table(faults))
    bad = [fault for fault in faults if fault.end in WRONG_ENDS]
    for fault in bad:
        console.print(
            f"{fault.mode}: {fault.number.name} to {fault.victim} after {fault.after_s:.2f} s: "
            f"{fault.end}: {fault.told}",
            markup=False,
        )
    lies = sum(count for (_, end), count in mutants.items() if end in WRONG_ENDS)
    print(f"seed {args.seed}: {len(bad) + lies} of {len(faults) + args.bags * len(STORAGES)} lied")
    return 1 if bad or lies else 0


# Runs.


def campaign(count: int, seed: int) -> Iterator[Fault]:
    """Runs in all modes in turn; every other verification has a wrong implementation."""
    rng = random.Random(seed)
    # A direct run takes a fifth of the time of others, so there are more of them.
    modes = [*MODES, "direct", "direct"]
    for index in range(count):
        with TemporaryFolder("lockstep-faults-") as folder:
            stranger = Stranger(folder.path)
            try:
                mode = modes[index % len(modes)]
                yield one(stranger, mode, index // len(modes) % 2 == 1, rng)
            finally:
                stranger.end_all()


def one(stranger: Stranger, mode: str, is_wrong: bool, rng: random.Random) -> Fault:
    """One run, and one signal to one of its processes."""
    implementations, run, usual_s = MODES[mode]
    if is_wrong:
        last = list(implementations)[-1]
        implementations = {**implementations, last: {**implementations[last], **WRONG}}
    file = writer_into(stranger.cwd)(
        implementations, duration=DURATION_S, run={"timeout": 2.0, **run}
    )
    after_s = rng.uniform(0.0, usual_s)
    number = rng.choice(SIGNALS)
    goes_on_s = rng.choice([None, rng.uniform(0, 3)])
    out = stranger.cwd / "out"
    command = stranger.start("verify", file, "-o", out, "--no-record")
    deadline = time.monotonic() + after_s
    while time.monotonic() < deadline and command.child.poll() is None:
        time.sleep(0.01)
    victims = stranger.processes()
    if not victims:
        return Fault(mode, "nobody any more", number, after_s, "true verdict", "")
    others = [process for process in victims if process.pid != command.child.pid]
    victim = rng.choice(sorted(others or victims, key=lambda process: process.pid))
    if rng.random() < INTERRUPTED:
        victim = next((one for one in victims if one.pid == command.child.pid), victim)
    strike(victim, number)
    if number == signal.SIGSTOP and (goes_on_s is not None or victim.pid == command.child.pid):
        time.sleep(goes_on_s or 1.0)
        strike(victim, signal.SIGCONT)
    is_command = victim.pid == command.child.pid
    try:
        said, error = command.child.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        return Fault(mode, role(victim), number, after_s, "hangs", f"for {PATIENCE_S:g} s")
    end = judged(command.child.returncode, error, out, is_wrong, is_command)
    deadline = time.monotonic() + 10
    while (left := stranger.processes()) and time.monotonic() < deadline:
        time.sleep(0.05)
    if left:
        end, error = "left running", ", ".join(process.command for process in left)
    return Fault(mode, role(victim), number, after_s, end, (error or said).strip()[-300:])


def strike(victim: Left, number: signal.Signals) -> None:
    """Send a signal, if it is not too late."""
    try:
        os.kill(victim.pid, number)
    except ProcessLookupError:
        return


def judged(code: int, error: str, out: Path, is_wrong: bool, is_command: bool) -> str:
    """What an exit code is worth."""
    if "Traceback" in error:
        return "traceback"
    if code in (0, 1):
        result = json.loads((out / "result.json").read_text("utf-8"))
        compared = [
            key["aligned"]
            for comparison in result["comparisons"].values()
            for key in comparison["keys"].values()
        ]
        if (code == 1) == is_wrong and compared == [MESSAGES]:
            return "true verdict"
        return "false red" if code else "false green"
    if code == 3:
        return "failed (3)"
    if is_command and (code < 0 or code in (130, 143)):
        return "interrupted"
    return "refused (2)" if code == 2 and not out.exists() else "other"


def role(victim: Left) -> str:
    """What a process is for, by its command line."""
    words = {
        "lockstep.player": "player",
        "lockstep.record": "recorder",
        "fork_server": "fork server",
        "--contract": "a contract",
        "black_box_node": "node (black box)",
        "lockstep.nodes.host": "node (Python)",
        "lockstep.nodes.prepared_host": "node (Python)",
        "direct_run": "node (Python)",
        "vector_normalizer": "node (C++)",
        "read -r group": "guardian",
        " verify ": "lockstep verify",
    }
    return next((name for word, name in words.items() if word in victim.command), "another")


def runs_table(faults: list[Fault]) -> Table:
    """Whom the signals hit, and how it ended."""
    table = Table(title=f"{len(faults)} runs with a signal each")
    found = Counter((fault.mode, fault.victim, fault.end) for fault in faults)
    seen = {end for _, _, end in found} | {"false green", "false red"}
    ends = [end for end in (*RIGHT, *WRONG_ENDS) if end in seen]
    for column in ("mode", "signal to", *ends):
        table.add_column(column)
    for mode, victim in sorted({key[:2] for key in found}):
        counts = [found[mode, victim, end] for end in ends]
        table.add_row(mode, victim, *(str(count or "") for count in counts))
    totals = Counter(fault.end for fault in faults)
    table.add_row("all", "", *(str(totals[end]) for end in ends), style="bold")
    return table


# Bags.


def texts() -> list[tuple[str, int, bytes]]:
    """What the bags hold: (topic, time in ns, text)."""
    return [(("/a", "/b")[n % 3 == 0], 1000 + n, b"%03d" % n + b"x" * (n % 7)) for n in range(40)]


def write_mcap(path: Path, **options: Any) -> None:
    """A bag as lockstep writes it."""
    with BagWriter(path, **options) as writer:
        for topic in ("/a", "/b"):
            writer.add_topic(topic, STRING, STRING_DEFINITION)
        for topic, time_ns, text in texts():
            writer.write(topic, string_cdr(text), time_ns)


def write_db3(path: Path) -> None:
    """A bag of rosbag2's SQLite storage."""
    write_db3_strings(
        path, [(topic, time_ns, string_cdr(text)) for topic, time_ns, text in texts()]
    )


def write_bag(path: Path) -> None:
    """A bag of ROS 1."""
    write_rosbag1_strings(path, texts(), None, chunk_bytes=400)


STORAGES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "MCAP": ("x.mcap", write_mcap),
    "SQLite": ("x.db3", write_db3),
    "ROS 1": ("x.bag", write_bag),
}


def tried(count: int, seed: int, advance: Callable[[], None]) -> Counter[tuple[str, str]]:
    """How comparisons of a bag with mutants of it ended: (storage, end) → how many."""
    ends: Counter[tuple[str, str]] = Counter()
    with (
        TemporaryFolder("lockstep-mutants-") as folder,
        multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool,
    ):
        jobs = [(name, seed + index, folder.path) for name in STORAGES for index in range(count)]
        for name, end in pool.imap_unordered(mutant, jobs, chunksize=100):
            ends[name, end] += 1
            advance()
    return ends


_whole: dict[str, tuple[Path, bytes, dict[str, list[bytes]]]] = {}


def values(bag: Bag) -> dict[str, list[bytes]]:
    """What a comparison by tick goes by: the values of each topic, one after the other.

    The last two bytes before them, CDR's options, say nothing to anybody.
    """
    found: dict[str, list[bytes]] = {topic: [] for topic in bag.topics}
    for message in bag.messages(strict=False):
        found[message.topic].append(message.data[:2] + message.data[4:])
    return found


def mutant(job: tuple[str, int, Path]) -> tuple[str, str]:
    """Compare a bag with one mutant of it, in a folder within the one that is given."""
    name, seed, place = job
    if name not in _whole:
        folder = Path(tempfile.mkdtemp(dir=place))
        file, write = STORAGES[name]
        write(folder / "whole" if file == "x.mcap" else folder / file)
        path = next((folder / "whole").glob("*.mcap")) if file == "x.mcap" else folder / file
        with Bag(path) as bag:
            _whole[name] = path, path.read_bytes(), values(bag)
    path, data, messages = _whole[name]
    other = path.with_name(f"mutant{path.suffix}")
    other.write_bytes(mutated(data, random.Random(seed)))
    try:
        comparison = compare(path, other, origin_ns=0)
    except (BagError, CompareError):
        return name, "failed (3)"
    if not comparison.all_match:
        return name, "true verdict"
    with Bag(other) as bag:  # which may be damaged where it has no messages
        is_whole = values(bag) == messages
    return name, "true verdict" if is_whole else "false green"


def mutated(data: bytes, rng: random.Random) -> bytes:
    """The bytes of a bag with one to three faults of media, transfers and programs."""
    bad = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        start = rng.randrange(len(bad))
        end = min(len(bad), start + rng.choice((1, 4, 64, 512, 4096)))
        match rng.randrange(7):
            case 0 | 1:
                bad[start] ^= 1 << rng.randrange(8)
            case 2:
                bad[start:end] = rng.randbytes(end - start)
            case 3:
                bad[start:end] = bytes(end - start)
            case 4:
                del bad[start:end]
            case 5:
                bad[start:start] = bad[start:end]
            case 6:
                del bad[start or 1 :]
    return bytes(bad)


def mutants_table(ends: Counter[tuple[str, str]]) -> Table:
    """How comparisons with mutants ended."""
    table = Table(title="mutated bags, each compared with the bag it was made of")
    for column in ("storage", "mutants", "told as damaged", "true verdict", "false green"):
        table.add_column(column)
    for name in STORAGES:
        counts = [ends[name, end] for end in ("failed (3)", "true verdict", "false green")]
        table.add_row(name, str(sum(counts)), *map(str, counts))
    return table


if __name__ == "__main__":
    sys.exit(main())
