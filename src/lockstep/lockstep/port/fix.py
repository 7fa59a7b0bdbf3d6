"""The prompt that follows a red verdict: what differs first, why, and which lines have a part in
it."""

from __future__ import annotations

import ast
import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..compare.simplest_law import Diagnosis, Extent
from ..compare.words import explanation
from ..component.source import Source, SourceModule, source_of
from ..errors import PortError
from ..verify.fingerprints import source_files
from ..verify.inputs_before import FILE_NAME
from ..verify.ledger import remembered
from ..verify.model import Verification, load
from .prompt import Prompt
from .section import BUDGET, Section
from .workspace import class_of

_DIFF_LINES = 60
_INPUT_LINES = 120
_LINES = 60
_CONTEXT = 1
_SHORT_FILE = 150
_MESSAGE = re.compile(r"/\S+ \d+ t -?[\d.]+")
_CODE = (".cpp", ".cc", ".cxx", ".hpp", ".h", ".hh", ".py", ".rs")


def fix_prompt(run: Path, verification: Path | None = None, *, budget: int = BUDGET) -> Prompt:
    """The prompt for what a verification has shown in the folder that it wrote.

    `verification` is its verify.yaml, where the folder does not tell. Raises PortError if there is
    no verdict or nothing to mend.
    """
    result = _result(run)
    component = json.loads((run / "contract.json").read_text("utf-8"))["component"]
    file = verification or remembered(run)
    declared = load(file) if file is not None and file.is_file() else None
    red = {name: c for name, c in result["comparisons"].items() if c["verdict"] == "differs"}
    broken = result["contract_mismatches"]
    if not (red or broken):
        stale = [why for c in result["comparisons"].values() for why in c["objections"]]
        if stale:
            raise PortError(f"{run} holds no verdict ({'; '.join(stale)})")
        raise PortError(f"{run} is green: there is nothing to mend")
    sections = [_task(component, result["reference"], [*red, *broken], file, run)]
    for name, differences in broken.items():
        text = "\n".join(f"* {difference}" for difference in differences)
        sections.append(Section(f"Contract of {name}", (text,), required=True))
    for name, comparison in red.items():
        sections += _red(run, result, name, comparison, declared, file)
    return Prompt(f"Mend {', '.join([*red, *broken])} of {component}", tuple(sections), budget)


def _result(run: Path) -> dict[str, Any]:
    try:
        data: dict[str, Any] = json.loads((run / "result.json").read_text("utf-8"))
        if data["version"] != 1:
            raise PortError(f"{run} is of another version of Lockstep; verify again")
        _ = data["contract_mismatches"], data["reference"], data["runs"]
        _ = [(c["verdict"], c["objections"]) for c in data["comparisons"].values()]
    except FileNotFoundError as error:
        raise PortError(
            f"{run} holds no verdict (result.json); give a folder that lockstep verify has "
            "written, and mind that a run that failed gives none"
        ) from error
    except OSError as error:
        raise PortError(f"cannot read {run / 'result.json'}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise PortError(f"{run / 'result.json'} is no result of lockstep verify") from error
    return data


def _task(
    component: str, reference: str, names: Sequence[str], file: Path | None, run: Path
) -> Section:
    where = os.path.relpath(file) if file is not None else "verify.yaml"
    return Section(
        "Task",
        (
            (
                f"{' and '.join(names)} of the component {component} does not do what the "
                f"reference {reference} does. Find the cause and mend it in the port, not in the "
                "reference and not by a wider tolerance. What follows is the first difference, the "
                "inputs just before it, and the lines that have a part in it.\n\n"
                "Then build, and verify again:\n\n"
                "```sh\ncolcon build --base-paths src\nsource install/setup.bash\n"
                f"lockstep verify {where}\n```\n\n"
                "Done is when that ends with exit code 0, and the unit tests still pass."
            ),
        ),
        required=True,
    )


def _red(
    run: Path,
    result: dict[str, Any],
    name: str,
    comparison: dict[str, Any],
    declared: Verification | None,
    file: Path | None,
) -> Iterator[Section]:
    reference = result["reference"]
    folder = run / f"{name}_vs_{reference}"
    red = {topic: key for topic, key in comparison["keys"].items() if not key["match"]}
    told = [line for topic, key in red.items() for line in _difference(topic, key, reference, name)]
    told += [f"* {why}" for why in comparison["objections"]]
    for one in (reference, name):
        failure = result["runs"].get(one, {}).get("failure")
        if failure:
            told.append(f"* {one} ended at step {failure['step']}: {failure['sentence']}")
    yield Section(f"First difference of {name}", ("\n".join(told),), required=True)
    why = [line for key in red.values() for line in _diagnosis(key)]
    if why:
        yield Section("Diagnosis", ("\n".join(["a is the reference, b the port.", "", *why]),))
    before = _lines(folder / FILE_NAME)
    if before:
        yield Section(
            "Inputs before the first difference",
            tuple(_fenced(_last_messages(before, most)) for most in (_INPUT_LINES, _LINES)),
        )
    fields = sorted({field for key in red.values() for field in _fields(key)})
    if declared is not None and file is not None:
        yield from _lines_involved(declared, name, file, fields)
    hunks = [line for diff in sorted(folder.glob("*.diff")) for line in _lines(diff)[:_DIFF_LINES]]
    if hunks:
        yield Section(
            "Text diff, from its start",
            (_fenced(hunks, "diff"), _fenced(hunks[: _DIFF_LINES // 3], "diff")),
        )


def _difference(topic: str, key: dict[str, Any], reference: str, name: str) -> Iterator[str]:
    yield (
        f"* {topic} ({key['type']}): {key['grade']}; {key['messages'][0]} messages of {reference}, "
        f"{key['messages'][1]} of {name}, {key['aligned']} aligned by {key['align']}, "
        f"{key['differing']} differ, {key['missing']} are missing, {key['extra']} are too many"
    )
    if key["problem"]:
        yield f"  * {key['problem']}"
    first, clear = key["first_difference"], key.get("first_beyond_rounding")
    hidden = clear if first and clear and clear["ticks"] != first["ticks"] else None
    for words, one in (("first", first), ("first beyond rounding", hidden)):
        if not one:
            continue
        error = "" if one["error"] is None else f" (off by {one['error']:.6g})"
        yield (
            f"  * {words} at tick {one['ticks'][0]}, {one['time_ns'] * 1e-9:.9f} s after the "
            f"first input: `{one['field']}` is {one['found']}, expected "
            f"{one['expected']}{error}; tolerance {one['tolerance']}"
        )
    largest = key["largest_error"]
    if largest and largest["error"] is not None:
        where = f"tick {largest['tick']}: `{largest['field']}`, {largest['error']:.6g}"
        words = "largest difference, within tolerance," if largest.get("within_tolerance") else ""
        yield f"  * {words or 'largest error'} at {where}"


def _diagnosis(key: dict[str, Any]) -> Iterator[str]:
    for field, law in key["diagnoses"].items():
        known = key.get("diagnosed", {}).get(field)
        extent = Extent(*known["ticks"], *known["differing"]) if known else None
        found = law and Diagnosis(
            law["law"],
            law["sentence"],
            law["explains"] or 0.0,
            predicts=law["explains"] is not None,
        )
        yield f"* `{field}`: {explanation(found, extent)}"


def _fields(key: dict[str, Any]) -> list[str]:
    wrong = [path for path, found in key["fields"].items() if not found["match"]]
    first = key["first_difference"]
    return wrong or ([first["field"]] if first else [])


def _lines_involved(
    declared: Verification, name: str, file: Path, fields: list[str]
) -> Iterator[Section]:
    """The lines of both sides that name the fields that differ, and in the reference what those are
    computed from."""
    names = {re.sub(r"\[\d*\]", "", field).split(".")[-1] for field in fields}
    parents = {part for field in fields for part in re.sub(r"\[\d*\]", "", field).split(".")[-2:-1]}
    reference = declared.implementations[declared.reference]
    target = reference.component or reference.node
    if target is not None:
        source = source_of(class_of(target))
        lines = list(_reference_lines(source, names))
        if lines:
            whole = _fenced([line for part in source.modules for line in _whole(part)], "python")
            yield Section("Lines of the reference", (whole, _fenced(lines, "python")))
    lines, whole_lines = (
        list(_port_lines(name, declared, file, names, parents, short)) for short in (0, _SHORT_FILE)
    )
    if lines:
        yield Section(f"Lines of {name}", (_fenced(whole_lines), _fenced(lines)))


def _whole(part: SourceModule) -> Iterator[str]:
    """The statements of a part of the source, as they stand in their module."""
    yield f"# {part.module.name}"
    text = part.module.text.splitlines()
    for statement in part.statements():
        for number in range(statement.lineno, (statement.end_lineno or statement.lineno) + 1):
            yield f"{number:4d}  {text[number - 1]}"


def _reference_lines(source: Source, names: set[str]) -> Iterator[str]:
    """The statements that store the fields, and, going back, those that store what they use; in
    file order."""
    for part in source.modules:
        simple = [
            node
            for statement in part.statements()
            for node in ast.walk(statement)
            if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Return))
        ]
        wanted, chosen = set(names), set()
        while True:
            fresh = {
                index
                for index, node in enumerate(simple)
                if index not in chosen and _stored(node) & wanted
            }
            if not fresh:
                break
            chosen |= fresh
            for index in fresh:
                value = getattr(simple[index], "value", None)
                wanted |= _read_by(value) if value is not None else set()
        text = part.module.text.splitlines()
        if chosen:
            yield f"# {part.module.name}"
        for index in sorted(chosen, key=lambda i: simple[i].lineno)[:_LINES]:
            node = simple[index]
            for number in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                yield f"{number:4d}  {text[number - 1]}"


def _stored(node: ast.stmt) -> set[str]:
    """The names and attributes that a statement stores to, and the fields of messages that it
    makes."""
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    calls = [inner for inner in ast.walk(node) if isinstance(inner, ast.Call)]
    found = {keyword.arg for call in calls for keyword in call.keywords if keyword.arg}
    for target in targets:
        for inner in ast.walk(target) if target is not None else ():
            if isinstance(inner, (ast.Name, ast.Attribute)) and not isinstance(inner.ctx, ast.Load):
                found.add(inner.id if isinstance(inner, ast.Name) else inner.attr)
            elif isinstance(inner, ast.Subscript) and isinstance(inner.value, ast.Attribute):
                found.add(inner.value.attr)
    return found


def _read_by(value: ast.expr) -> set[str]:
    """The variables, and attributes of self, that an expression reads."""
    found = set()
    for inner in ast.walk(value):
        if isinstance(inner, ast.Name):
            found.add(inner.id)
        elif isinstance(inner, ast.Attribute) and ast.unparse(inner.value) == "self":
            found.add(inner.attr)
    return found - {"self", "msg"}


def _port_lines(
    name: str,
    declared: Verification,
    file: Path,
    names: set[str],
    parents: set[str],
    short: int,
) -> Iterator[str]:
    """The lines of the port's sources in which the fields occur, with the lines around them.

    Sources of at most `short` lines are given whole.
    """
    pattern = re.compile(
        rf"(?:\.|->)({'|'.join(map(re.escape, sorted(names)))})\b|"
        rf"\b({'|'.join(map(re.escape, sorted(parents)))})\b(?=.*[=({{])"
        if parents
        else rf"(?:\.|->)({'|'.join(map(re.escape, sorted(names)))})\b"
    )
    left = _LINES
    implementation = declared.implementations[name]
    sources = source_files(implementation, declared.folder)
    for path in _related(sources, implementation.executable or ""):
        text = path.read_text("utf-8", "replace").splitlines()
        hits = [number for number, line in enumerate(text) if pattern.search(line)]
        shown = sorted(
            {
                near
                for number in hits
                for near in range(max(0, number - _CONTEXT), min(len(text), number + _CONTEXT + 1))
            }
        )[:left]
        if len(text) <= short:
            shown = list(range(len(text)))
        else:
            left -= len(shown)
        if shown:
            yield f"// {path.name}"
            yield from (f"{number + 1:4d}  {text[number]}" for number in shown)


def _related(files: list[Path], executable: str) -> list[Path]:
    """The sources of an executable: those of its name and what they include; all where none has its
    name."""
    code = [path for path in files if path.suffix in _CODE]
    program = executable.rpartition("/")[2]
    chosen = [path for path in code if path.stem == program]
    for path in chosen:
        text = path.read_text("utf-8", "replace")
        included = set(re.findall(r'#include "(?:[^"]*/)?([^"/]+)"', text))
        chosen += [other for other in code if other.name in included and other not in chosen]
    return chosen or code


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8", "replace").splitlines() if path.is_file() else []


def _last_messages(lines: list[str], most: int) -> list[str]:
    """The last of some messages in text, as many as fit; of one that does not fit, its start."""
    starts = [number for number, line in enumerate(lines) if _MESSAGE.fullmatch(line)] or [0]
    fitting = [start for start in starts if len(lines) - start <= most]
    if fitting:
        return lines[fitting[0] :]
    last = lines[starts[-1] :]
    return [*last[:most], f"… {len(last) - most} more lines of this message"]


def _fenced(lines: Sequence[str], language: str = "") -> str:
    return f"```{language}\n" + "\n".join(lines) + "\n```"
