"""Verification: the same inputs through every implementation, outputs compared with those of the reference."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..compare import Comparison
from ..component import Contract
from ..errors import UsageError
from ..progress import Progress
from ..run.direct import run_direct
from ..run.folder import create_folder
from ..run.live import run_live
from ..run.result import RunResult
from .check import check
from .drawn_inputs import FOLDER, with_bag
from .judge import _compare, _noise
from .model import Verification
from .verdict import Verdict
from .write import _write

Watch = Callable[[str], Progress]


def verify(verification: Verification, folder: Path, watch: Watch | None = None) -> Verdict:
    """Run every implementation on the inputs, compare each with the reference, write everything to `folder`.

    Raises UsageError or BagError before anything runs, RunError when a run fails.
    """
    if len(verification.implementations) < 2:
        raise UsageError(f"'{verification.reference}' needs another implementation to compare with")
    contract, mismatched = check(verification)
    create_folder(folder)
    verification = with_bag(verification, folder / FOLDER, contract)
    (folder / "contract.json").write_text(contract.to_json() + "\n", "utf-8")
    runs: dict[str, RunResult] = {}
    comparisons: dict[str, Comparison] = {}
    noise: tuple[Comparison, ...] = ()
    if not mismatched:
        reference = verification.reference

        def run(name: str, what: str, into: Path) -> RunResult:
            progress = watch(f"running {what}") if watch else None
            create_folder(into)
            return run_implementation(name, verification, contract, into, progress)

        runs[reference] = run(reference, reference, folder / reference)
        noise = tuple(
            _noise(
                verification,
                contract,
                runs[reference],
                run(reference, f"{reference} again", folder / f"{reference}.{number}"),
                folder,
            )
            for number in range(2, verification.run.repeat + 1)
        )
        for name in verification.implementations:
            if name != reference:
                runs[name] = run(name, name, folder / name)
                comparisons[name] = _compare(verification, contract, runs[reference], runs[name])
    verdict = Verdict(
        folder, verification.reference, contract, mismatched, runs, comparisons, noise
    )
    _write(verification, verdict)
    return verdict


def run_implementation(
    name: str,
    verification: Verification,
    contract: Contract,
    folder: Path,
    progress: Progress | None = None,
) -> RunResult:
    """Run one implementation in the mode that verify.yaml says; see run_live and run_direct."""
    run = run_direct if verification.run.mode == "direct" else run_live
    return run(name, verification, contract, folder, progress)
