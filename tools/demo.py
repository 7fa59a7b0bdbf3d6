"""The demo: verifies the examples on real recordings and shows what green and red verdicts look
like."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from lockstep.cli.ending import end_well
from lockstep.cli.show import console, print_table, print_verdict, progress_bars
from lockstep.run.folder import default_folder
from lockstep.verify.model import load
from lockstep.verify.verify import verify
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
VERIFY = ROOT / "src/lockstep_examples/verify"

# verify file → what it shows, and the exit code it must come to
STEPS = {
    "imu_complementary_filter": ("a real robot's IMU, Python against C++", 0),
    "imu_complementary_filter_f32": ("the same filter, accumulated in float32 by mistake", 1),
    "scan_sectors": ("laser scans with NaN and infinities", 0),
    "image_threshold": ("colour, grey and depth images", 0),
    "imu_complementary_filter_gazebo": ("a Gazebo run, whose own /clock drives the time", 0),
    "vector_normalizer_node": ("an ordinary rclpy node, unmodified, against its port to C++", 0),
}


def main() -> int:
    """Run every step; 0 if each comes to the verdict that it should."""
    folder = default_folder("demo")
    started = time.monotonic()
    verdicts = []
    surprises = []
    for number, (name, (title, expected)) in enumerate(STEPS.items(), start=1):
        console.print(Text.assemble((f"\n{number}. {name}", "bold"), f": {title}"), soft_wrap=True)
        with progress_bars() as watch:
            verdict = verify(load(VERIFY / f"{name}.yaml"), folder / name, watch)
        print_verdict(console, verdict)
        verdicts.append(verdict)
        if verdict.exit_code != expected:
            surprises.append(name)
    console.print()
    print_table(console, verdicts)
    console.print(
        f"{len(STEPS)} verifications in {time.monotonic() - started:.0f} s; bags, logs and diffs:"
    )
    for verdict in verdicts:
        console.print(f"  {verdict.folder}", soft_wrap=True)
    for name in surprises:
        console.print(f"{name} did not come to the verdict that it should", style="bold red")
    return 1 if surprises else 0


if __name__ == "__main__":
    end_well(lambda: sys.exit(main()))
