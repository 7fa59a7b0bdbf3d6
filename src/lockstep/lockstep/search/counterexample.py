"""A counterexample that a search has found: as text, as data, and as a tiny bag with a verify.yaml
that shows it again."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from ..bag.text import lines_with
from ..compare.words import reason
from ..component import Contract
from ..message.time import seconds
from .fuzz import Finding, Search
from .outcome_judge import Difference
from .sequence import codecs_of, lines, write_bag

BAG, FILE, TEXT = "bag", "verify.yaml", "counterexample.txt"
_LINES_OF_A_MESSAGE = 200
_KEPT = ("timeout", "allow_uncontrolled")
"""What counts of a section run in every run."""


def write(search: Search, folder: Path) -> list[Path]:
    """Write the finding of a search to a folder; returns the files. Raises BagError if it cannot
    be."""
    finding = search.finding
    assert finding is not None
    topics = write_bag(finding.steps, search.contract, folder / BAG)
    (folder / TEXT).write_text("\n".join(text(finding, search.contract)) + "\n", "utf-8")
    content = yaml.safe_dump(_verification(search, finding, topics), sort_keys=False)
    (folder / FILE).write_text(f"# {_verdict(finding)}; found by lockstep fuzz\n{content}", "utf-8")
    return [folder / name for name in (BAG, FILE, TEXT)]


def text(finding: Finding, contract: Contract) -> Iterator[str]:
    """The inputs, and in what the implementations first differ."""
    yield from lines(finding.steps, contract)
    yield ""
    difference = finding.difference
    if any(one.is_lost for one in finding.outcomes):
        yield f"{_verdict(finding)}, in step {difference.step} at the latest:"
    else:
        yield f"{_verdict(finding)}, first in step {difference.step}:"
    if difference.kind != "output":
        yield from (f"  {line}" for line in difference.sentence.splitlines())
        return
    assert difference.port is not None
    port = contract.outputs[difference.port].name
    what = f" {difference.sentence}" if difference.sentence else ""
    yield f"--- {finding.reference}\t{port}"
    yield f"+++ {finding.name}\t{port}{what}"
    for deviation in finding.deviations:
        yield f"-{deviation.field}: {deviation.a}"
        yield f"+{deviation.field}: {deviation.b}{reason(deviation)}"
    if not finding.deviations:
        yield from _messages(difference, contract)


def as_data(search: Search) -> dict[str, Any]:
    """The result of a search for scripts (docs/fuzzing.md)."""
    finding = search.finding
    return {
        "version": 1,
        "match": finding is None and not search.mismatched_contracts,
        "seed": search.seed,
        "sequences": search.sequences,
        "messages": search.messages,
        "seconds": round(search.seconds, 3),
        "sources": list(search.sources),
        "contract_mismatches": search.mismatched_contracts,
        "differ_at_most": search.most_that_differ if finding is None else None,
        "counterexample": None if finding is None else _finding(finding, search.contract),
    }


def _finding(finding: Finding, contract: Contract) -> dict[str, Any]:
    difference = finding.difference
    port = None if difference.port is None else contract.outputs[difference.port].name
    return {
        "reference": finding.reference,
        "implementation": finding.name,
        "kind": difference.kind,
        "step": difference.step,
        "output": port,
        "sentence": difference.sentence,
        "fields": [
            {"field": one.field, "a": one.a, "b": one.b, "error": _finite(one.error)}
            for one in finding.deviations
        ],
        "found_messages": finding.found,
        "messages": len(finding.steps),
    }


def _finite(error: float | None) -> float | str | None:
    """JSON knows neither NaN nor infinity."""
    return error if error is None or abs(error) < float("inf") else str(error)


def _verdict(finding: Finding) -> str:
    difference = finding.difference
    if difference.kind == "output":
        return f"{finding.name} does not put out what {finding.reference} does"
    return difference.kind


def _messages(difference: Difference, contract: Contract) -> Iterator[str]:
    """The messages that have no partner, or that come in another order."""
    assert difference.port is not None
    written = lines_with(codecs_of(contract.outputs)[difference.port])
    for sign, one in (("-", difference.a), ("+", difference.b)):
        if one is None:
            yield f"{sign}nothing"
            continue
        yield f"{sign}a message at {seconds(one.time_ns)} s"
        yield from (f"{sign}{line}" for line in islice(written(one.data), _LINES_OF_A_MESSAGE))


def _verification(search: Search, finding: Finding, topics: dict[str, str]) -> dict[str, Any]:
    """The verify.yaml that shows the finding again: the same two implementations on the tiny bag,
    in direct mode."""
    data = search.verification.model_dump(mode="json", exclude_unset=True)
    pair = finding.reference, finding.name
    data["implementations"] = {name: data["implementations"][name] for name in pair}
    fed = {step.port for step in finding.steps}
    spoken = {one.port for outcome in finding.outcomes for one in outcome.published}
    inputs = {"bag": BAG, "topics": topics, "clock": "times"}
    silent = [port.name for at, port in enumerate(search.contract.inputs) if at not in fed]
    data["inputs"] = inputs | ({"silent": silent} if silent else {})
    kept = {key: data["run"][key] for key in _KEPT if key in data.get("run", {})}
    data["run"] = {"mode": "direct", **kept}
    quiet = [port.name for at, port in enumerate(search.contract.outputs) if at not in spoken]
    if any(not outcome.published for outcome in finding.outcomes):
        quiet = [port.name for port in search.contract.outputs]
    if quiet:
        data["compare"] = {**data.get("compare", {}), "silent": quiet}
    return data
