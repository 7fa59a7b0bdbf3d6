"""A soak of ordinary nodes: the same runs again and again, on processors and at priorities drawn at
random, while others want them. All must give one digest, and none may hang; see `make soak`.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src/lockstep/test"), str(ROOT / "tests")]

from lockstep.bag import Bag, BagWriter
from lockstep.cdr.codec import codec
from lockstep.message.definitions import definition, type_hash
from lockstep.temporary_folder import TemporaryFolder
from machine_load import load
from rich.console import Console
from rich.progress import Progress
from sensor_msgs.msg import Imu
from stranger import Done, Stranger
from verifications import writer_into

IMU = "sensor_msgs/msg/Imu"
START_NS, EVERY_NS, MESSAGES = 1_700_000_000 * 10**9, 10_000_000, 100
SYSTEM = ("first", "second", "third", "server", "asker")
STYLES = ("clocks", "executor", "asynchronous", "services")
MOST_BURNERS = 3
PATIENCE_S = 300.0


@dataclass
class Seen:
    """How the runs of one workload ended."""

    digests: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def main() -> int:
    """Run the soak; 0 if each workload gave one digest in all its runs."""
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--runs", type=int, default=200, help="how many (default: 200)")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    seen: dict[str, Seen] = {}
    console = Console(width=None if sys.stdout.isatty() else 120)
    with (
        TemporaryFolder("lockstep-soak-") as folder,
        Progress(console=Console(stderr=True), transient=True) as progress,
    ):
        done = progress.add_task("runs", total=args.runs)
        for _ in soaked(folder.path, args.runs, args.seed, seen):
            progress.advance(done)
    is_one = True
    for name, runs in seen.items():
        count = sum(runs.digests.values())
        console.print(
            f"{name}: {count} runs, {len(runs.digests)} digest(s), {len(runs.failures)} failed, "
            f"at most {max(runs.seconds):.1f} s",
            markup=False,
        )
        for failure in runs.failures:
            console.print(f"  {failure}", markup=False)
        is_one = is_one and len(runs.digests) == 1 and not runs.failures
    print(f"seed {args.seed}: {'one digest each' if is_one else 'NOT the same in all runs'}")
    return 0 if is_one else 1


def soaked(folder: Path, count: int, seed: int, seen: dict[str, Seen]) -> Iterator[None]:
    """The workloads in turn; notes in `seen` how they end."""
    rng = random.Random(seed)
    bag = imu_bag(folder / "imu")
    files = {
        name: writer_into(folder)(
            {"node": implementation},
            name=f"{name}.yaml",
            contract="ordinary_contracts:Watcher",
            inputs={"bag": str(bag), "topics": {"imu": "/imu"}},
            run={"mode": "direct", "timeout": 60.0},
            compare={},
        )
        for name, implementation in workloads().items()
    }
    for number in range(count):
        name = list(files)[number % len(files)]
        runs = seen.setdefault(name, Seen())
        begin_s = time.monotonic()
        with load(rng.randrange(MOST_BURNERS + 1)):
            digest, told = one(folder / f"{number}", files[name], rng)
        runs.seconds.append(time.monotonic() - begin_s)
        if digest:
            runs.digests[digest] += 1
        else:
            runs.failures.append(f"run {number}: {told}")
        yield


def workloads() -> dict[str, dict[str, Any]]:
    """Implementations by name: single nodes, and five processes of which some ask others."""
    nodes = {
        style: {"command": [sys.executable, str(ROOT / "tests/ordinary_nodes.py"), style]}
        for style in STYLES
    }
    system = [
        {"command": [sys.executable, str(ROOT / "tests/system_nodes.py"), name]} for name in SYSTEM
    ]
    return {"system": {"nodes": system}, **nodes}


def one(folder: Path, file: Path, rng: random.Random) -> tuple[str, str]:
    """The digest of one run, or why there is none."""
    folder.mkdir()
    stranger = Stranger(folder)
    processors = sorted(os.sched_getaffinity(0))
    chosen = rng.sample(processors, rng.randint(1, len(processors)))
    where = ("taskset", "--cpu-list", ",".join(map(str, chosen)))
    priority = ("nice", "-n", str(rng.randrange(15)))
    words = ("run", file, "node", "-o", folder / "out")
    path = os.pathsep.join((str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")))
    command = stranger.start(
        *words, env={"PYTHONPATH": path}, program=(*where, *priority, "lockstep")
    )
    try:
        out, err = command.child.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        return "", f"hangs for {PATIENCE_S:g} s"
    finally:
        stranger.end_all()
    done = Done(command.child.returncode, out, err)
    if done.code != 0:
        return "", f"exit code {done.code}: {(err or out).strip()[-300:]}"
    return digest_of(folder / "out/bag"), ""


def digest_of(path: Path) -> str:
    """Of all messages with their times and topics."""
    digest = hashlib.sha256()
    with Bag(path) as bag:
        for message in bag.messages():
            digest.update(f"{message.log_time_ns} {message.topic} {len(message.data)} ".encode())
            digest.update(message.data)
    return digest.hexdigest()


def imu_bag(path: Path) -> Path:
    """Imu at 100 Hz."""
    encode = codec(IMU, definition(IMU)).encode
    imu = Imu()
    with BagWriter(path) as writer:
        writer.add_topic("/imu", IMU, definition(IMU), type_hash(IMU))
        for number in range(MESSAGES):
            imu.angular_velocity.x = float(number)
            writer.write("/imu", encode(imu), START_NS + number * EVERY_NS)
    return path


if __name__ == "__main__":
    sys.exit(main())
