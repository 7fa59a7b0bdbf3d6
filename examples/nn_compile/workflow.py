"""Distil PdController into a network: data, training, verification, consensus recording, and the
A/B of two networks."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from consensus import FIELDS, disagreeing, disagreements, errors
from driving import answers, course, drive, step, step_response
from figures import plot_disagreement, plot_errors, plot_steps
from lockstep.cli.ending import end_well
from lockstep.cli.show import console, print_line, print_wide, progress_bar
from lockstep.compare import Tolerances
from lockstep.component import Component
from lockstep.dataset import Dataset
from lockstep.distributions.drawing import sample
from lockstep.errors import DIFFERENT, MATCH, RunError
from lockstep.run.folder import create_folder, default_folder
from lockstep.verify.model import load
from pd_controller_nn import LEARNT, ErrorStates, PdControllerNn
from rich.table import Table
from rich.text import Text
from training import Network, export, train

from lockstep_examples import PdController

HERE = Path(__file__).resolve().parent
VERIFY = HERE / "verify.yaml"
GENTLE = {"speed": 1.0, "turn": 1.0, "hold_s": 1.0}
"""How the robot usually drives: what the first network is trained with."""
ROUGH = {"speed": 3.0, "turn": 4.0, "hold_s": 0.7, "push": 60.0}
"""Up to where the controller saturates, with something that pushes the robot."""
STEPS = (1.0, 3.0)
"""Of the commanded velocities in closed loop, m/s and rad/s."""
STEP_S = 4.0
EXAM_SEED = 1_000_000
EXAM_PASSES = 0.95
"""Share of the numbers of an exam that must be within tolerance: on rough drives a network misses
the corners of the law."""


@dataclass(frozen=True)
class Budget:
    """How much of everything. All random numbers come from the seed."""

    seed: int
    sampled: int
    drive_s: float
    steps: int
    rounds: int


@dataclass(frozen=True)
class Claim:
    """Something that the workflow shows, if it holds."""

    text: str
    holds: bool


def run(output: Path, budget: Budget) -> list[Claim]:
    """The whole workflow, in a new folder."""
    models = output / "models"
    models.mkdir()
    tolerances = load(VERIFY).compare.tolerances()

    title(1, "Data: drawn messages, and gentle drives of the controller")
    data = first_data(output, budget)
    print_line(console, f"{len(data['/state'])} pairs of error state and wrench")

    title(2, "The first network")
    network = train_to(models / "first.onnx", data, budget)
    shutil.copy(models / "first.onnx", models / "model.onnx")

    title(3, "Verification on a recording that it never saw")
    verified(VERIFY, output / "first_on_recording", models)

    title(4, "Consensus recording: rough drives with the network at the wheel")
    exam = driven_to(output / "exam", PdController, EXAM_SEED, budget)
    shares = consensus(network, models / "model.onnx", data, exam, tolerances, output, budget)
    plot_disagreement(shares, output / "disagreement.png")

    title(5, "Verification of the network that has learnt from its disagreements")
    recording = verified(VERIFY, output / "on_recording", models)

    title(6, "A/B of both networks, in the exam: rough drives that neither has learnt")
    result = verified(exam_file(output, tolerances), output / "a_b", models)
    found = a_b(output / "a_b", tolerances)
    plot_errors(found, {field: tolerances.of(field).abs for field in FIELDS}, output / "errors.png")

    title(7, "Closed loop: each controller drives the base by itself")
    apart = closed_loop(output, models)

    matches = {name: found["match"] for name, found in result["comparisons"].items()}
    return [
        Claim("on the recording, nn does what python does", recording["match"]),
        Claim(
            f"consensus recording: the exam is beyond tolerance at {shares[0]:.1%} → "
            f"{shares[-1]:.1%} of its ticks",
            shares[-1] < shares[0] / 2,
        ),
        Claim("A/B: nn passes the exam, first does not", matches == {"first": False, "nn": True}),
        Claim(
            f"closed loop: settling times of nn and python are within {apart[0] * 1000:.0f} ms, "
            f"overshoots within {apart[1]:.1%}",
            apart[0] <= 0.06 and apart[1] <= 0.01,
        ),
    ]


def title(number: int, text: str) -> None:
    """Headline of a step."""
    console.print(f"\n{number}/7 {text}", style="bold", soft_wrap=True)


def first_data(output: Path, budget: Budget) -> Dataset:
    """What the first network is trained with."""
    sampled = output / "sampled"
    sample(PdController, budget.sampled, budget.seed, path=sampled)
    gentle = output / "gentle"
    with progress_bar("driving") as progress:
        where = course(budget.seed, **GENTLE)
        driven = drive(PdController, where, 2 * budget.drive_s, budget.seed, progress)
    driven.inputs.save(gentle).close()
    return pairs(sampled).chain(pairs(gentle)).copy()


def pairs(bag: Path) -> Dataset:
    """Error states and what the controller answers to them, tick by tick, for the inputs in a
    bag."""
    return answers(ErrorStates, bag).merge(answers(PdController, bag))


def train_to(file: Path, data: Dataset, budget: Budget, start: Network | None = None) -> Network:
    """Train a network, a new one or further `start`, and write it."""
    with progress_bar("training") as progress:
        network = train(data, budget.seed, budget.steps, progress, start)
    learnt = {name: PdController.parameters[name].default for name in LEARNT}
    export(network, learnt, file)
    return network


def driven_to(bag: Path, controller: type[Component], seed: int, budget: Budget) -> Path:
    """A bag with the inputs of a controller that drives roughly."""
    with progress_bar("driving") as progress:
        driven = drive(controller, course(seed, **ROUGH), budget.drive_s, seed, progress)
    driven.inputs.save(bag).close()
    return bag


def consensus(
    network: Network,
    model: Path,
    data: Dataset,
    exam: Path,
    tolerances: Tolerances,
    output: Path,
    budget: Budget,
) -> list[float]:
    """Let the network drive, record where the controller would have done something else, train with
    that, and again.

    Returns the share of ticks of the exam at which they disagree, before and after each round.
    """
    nn = network_in(model)
    right = answers(PdController, exam)
    shares = [disagreeing(right, answers(nn, exam), tolerances)]
    for number in range(1, budget.rounds + 1):
        bag = driven_to(output / f"rough-{number}", nn, budget.seed + number, budget)
        states, expected, found = (answers(one, bag) for one in (ErrorStates, PdController, nn))
        hard, recorded = disagreements(states, expected, found, tolerances)
        recorded.save(output / f"disagreements-{number}").close()
        learnt = recorded.rename({"/python/wrench": "/wrench"}).select(["/state", "/wrench"])
        data = data.chain(learnt).copy()
        network = train_to(model, data, budget, network)
        shares.append(disagreeing(right, answers(nn, exam), tolerances))
        print_line(
            console,
            f"round {number}: they disagree at {hard.of} of {len(states['/state'])} ticks, of "
            f"which {len(hard.chosen)} are recorded and learnt; "
            f"in the exam at {shares[-2]:.1%} → {shares[-1]:.1%}",
        )
    return shares


def network_in(file: Path) -> type[PdControllerNn]:
    """The component with the network in a file."""
    return type("PdControllerNn", (PdControllerNn,), {"model": str(file)})


def exam_file(output: Path, tolerances: Tolerances) -> Path:
    """A verify.yaml for both networks on the exam."""
    limits = {
        field: {"abs": tolerances.of(field).abs, "by": "quantile", "quantile": EXAM_PASSES}
        for field in FIELDS
    }
    content = {
        "implementations": {
            "python": {"component": "lockstep_examples:PdController"},
            "first": {"component": "pd_controller_nn:PdControllerNnFirst"},
            "nn": {"component": "pd_controller_nn:PdControllerNn"},
        },
        "reference": "python",
        "inputs": {"bag": "exam", "topics": {"command": "/command", "odometry": "/odometry"}},
        "run": {"mode": "direct"},
        "compare": {"tolerance": limits},
    }
    file = output / "a_b.yaml"
    file.write_text(yaml.safe_dump(content, sort_keys=False), "utf-8")
    return file


def verified(file: Path, folder: Path, models: Path) -> dict[str, Any]:
    """`lockstep verify`, with what it prints; gives its result.json."""
    console.print(
        f"NN_COMPILE_MODELS={models} lockstep verify {file} -o {folder}",
        style="dim",
        soft_wrap=True,
    )
    done = subprocess.run(
        ["lockstep", "verify", file, "--no-record", "-o", folder],
        cwd=HERE,  # where the host finds the module of the component
        env={**os.environ, "NN_COMPILE_MODELS": str(models)},
        check=False,
    )
    if done.returncode not in (MATCH, DIFFERENT):
        raise RunError(f"lockstep verify ended with exit code {done.returncode}, see above")
    result: dict[str, Any] = json.loads((folder / "result.json").read_text("utf-8"))
    return result


def a_b(folder: Path, tolerances: Tolerances) -> dict[str, dict[str, Any]]:
    """Print how far both networks are from the controller; gives the errors by network and
    field."""
    runs = {name: Dataset.load(folder / name / "bag") for name in ("python", "first", "nn")}
    found = {name: errors(runs["python"], runs[name]) for name in ("first", "nn")}
    table = Table("", "field", "tolerance", "within", "mean error", "largest", "nearer to python")
    for field, unit in FIELDS.items():
        size = {name: np.abs(found[name][field]) for name in found}
        for name, other in (("first", "nn"), ("nn", "first")):
            limit = tolerances.of(field).abs
            table.add_row(
                name,
                field,
                f"{limit:g} {unit}",
                f"{(size[name] <= limit).mean():.1%}",
                f"{size[name].mean():.3f} {unit}",
                f"{size[name].max():.2f} {unit}",
                f"{(size[name] < size[other]).mean():.1%}",
            )
    print_wide(console, table)
    return found


def closed_loop(output: Path, models: Path) -> tuple[float, float]:
    """Print the step responses of all controllers; gives how far nn is from python in settling time
    (s) and overshoot."""
    controllers = {
        "python": PdController,
        "first": network_in(models / "first.onnx"),
        "nn": network_in(models / "model.onnx"),
    }
    table = Table("step to", "controller", "settling time", "overshoot", "final")
    apart = []
    for speed in STEPS:
        drives = {n: drive(c, step(speed, speed), STEP_S, 0) for n, c in controllers.items()}
        for axis, unit in enumerate(("m/s", "rad/s")):
            responses = {
                name: step_response(driven.seconds, driven.velocity[:, axis])
                for name, driven in drives.items()
            }
            for name, one in responses.items():
                table.add_row(
                    f"{speed:g} {unit}" if name == "python" else "",
                    name,
                    f"{one.settling_s:.2f} s",
                    f"{one.overshoot:.1%}",
                    f"{one.final:.3f} {unit}",
                )
            nn, python = responses["nn"], responses["python"]
            apart.append(
                (abs(nn.settling_s - python.settling_s), abs(nn.overshoot - python.overshoot))
            )
    plot_steps(drives, speed, output / "step.png")
    print_wide(console, table)
    return max(settling for settling, _ in apart), max(overshoot for _, overshoot in apart)


def publish(output: Path) -> None:
    """Replace the networks and figures of this folder by those of a run."""
    for pattern, place in (("models/*.onnx", HERE / "models"), ("*.png", HERE / "images")):
        place.mkdir(exist_ok=True)
        for file in output.glob(pattern):
            shutil.copy(file, place)


def at_least(minimum: float, kind: type[int] | type[float]) -> Callable[[str], float]:
    """What reads a number of the command line."""

    def number(text: str) -> float:
        value = kind(text)
        if not minimum <= value < float("inf"):
            raise argparse.ArgumentTypeError(f"{text} is no number from {minimum} on")
        return value

    return number


def main() -> int:
    """Run the workflow; 0 if every claim holds."""
    parser = argparse.ArgumentParser(
        description=(
            "Distil PdController into a network: data, training, ONNX, verification, consensus "
            "recording, A/B, closed loop. The defaults take half a minute and give the networks of "
            "this folder again."
        ),
        epilog=(
            "exit code: 0 every claim of the summary holds, 1 one does not, 2 bad usage, 3 a run "
            "failed"
        ),
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        help="new folder (default: runs/nn_compile-…)",
        default=argparse.SUPPRESS,
    )
    parser.add_argument("--seed", type=at_least(0, int), default=0, help="of all random numbers")
    parser.add_argument("--sampled", type=at_least(100, int), default=5000, help="messages to draw")
    parser.add_argument(
        "--drive", type=at_least(5, float), default=30.0, help="seconds of each drive", metavar="S"
    )
    parser.add_argument("--steps", type=at_least(1, int), default=1500, help="of each training")
    parser.add_argument("--rounds", type=at_least(1, int), default=3, help="of consensus recording")
    parser.add_argument(
        "--write", action="store_true", help="replace the networks and figures beside this file"
    )
    given = parser.parse_args()
    started = time.monotonic()
    output: Path = getattr(given, "output", None) or default_folder("nn_compile")
    create_folder(output)
    budget = Budget(given.seed, given.sampled, given.drive, given.steps, given.rounds)
    claims = run(output.resolve(), budget)
    console.print("\nSummary", style="bold")
    for claim in claims:
        mark = ("  ✓ ", "green") if claim.holds else ("  ✗ ", "red")
        console.print(Text.assemble(mark, claim.text), soft_wrap=True)
    print_line(
        console,
        f"{time.monotonic() - started:.0f} s; bags, networks, figures and reports: {output}",
    )
    if given.write:
        publish(output)
    return 0 if all(claim.holds for claim in claims) else 1


if __name__ == "__main__":
    end_well(lambda: sys.exit(main()))
