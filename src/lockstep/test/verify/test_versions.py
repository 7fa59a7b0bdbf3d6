"""The registry of implementations: which versions there were, and what changed between them."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lockstep.errors import UsageError
from lockstep.verify.commit import commit_of
from lockstep.verify.field_results import FieldResult
from lockstep.verify.history import change, lines_of, step_of
from lockstep.verify.versions import (
    Against,
    Version,
    read_versions,
    version_id,
    versions_of,
)

AGAINST = Against("python", "0" * 12, "c", "d", "t")
WRONG = FieldResult("/out", "vector.x", 3, 0.25, "a sign")
GREEN = Version(
    id="aaaa00000000",
    implementation="cpp",
    component="VectorNormalizer",
    at="2026-11-30T00:00:00Z",
    verdict="match",
    parts={"sources": {"a.cpp": "1"}},
    commit="1" * 40,
    against=AGAINST,
    grade="identical bytes",
    samples=10,
)
RED = replace(
    GREEN,
    id="bbbb00000000",
    parent=GREEN.id,
    verdict="differs",
    parts={"sources": {"a.cpp": "2"}},
    commit="2" * 40,
    grade="wrong values",
    wrong=3,
    fields=(WRONG,),
)
REDDER = replace(RED, id="cccc00000000", commit="3" * 40, fields=(replace(WRONG, differing=9),))


def registered(folder: Path, *versions: Version) -> Path:
    place = folder / ".lockstep/versions/normalizer.jsonl"
    place.parent.mkdir(parents=True)
    lines = [json.dumps({"version": 1, **as_dict(one)}) + "\n" for one in versions]
    place.write_text("".join(lines), "utf-8")
    return place


def as_dict(version: Version) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(version)


def test_what_is_built_again_of_the_same_sources_is_the_same_version():
    parts = {"sources": {"a.cpp": "1"}, "binary": {"a": "2"}, "parameters": {}}
    assert version_id(parts) == version_id({**parts, "binary": {"a": "3"}})
    assert version_id(parts) != version_id({**parts, "sources": {"a.cpp": "4"}})


def test_a_program_without_sources_is_another_version_when_it_is_another_file():
    assert version_id({"binary": {"a": "2"}}) != version_id({"binary": {"a": "3"}})


def test_a_model_is_a_version_as_a_binary_is():
    parts = {"sources": {"a.py": "1"}, "models": {"nn.onnx": "1"}}
    assert version_id(parts) != version_id({**parts, "models": {"nn.onnx": "2"}})


def test_what_runs_as_an_untracked_command_has_no_version():
    assert version_id({"not_tracked": True}) == ""


def test_versions_survive_their_file(tmp_path: Path):
    assert read_versions(registered(tmp_path, GREEN, RED)) == [GREEN, RED]


def test_a_line_that_was_cut_off_is_none_and_a_merge_that_was_not_resolved_is_named(
    tmp_path: Path,
):
    place = registered(tmp_path, GREEN, RED)
    text = place.read_text()
    place.write_text(text[:-20])
    assert read_versions(place) == [GREEN]
    place.write_text(f"<<<<<<< ours\n{text}")
    with pytest.raises(UsageError, match=r"normalizer\.jsonl:1 is no version .* both sides"):
        read_versions(place)


def test_a_line_of_versions_has_a_step_for_each_and_knows_what_was_reverted_to(tmp_path: Path):
    again = replace(GREEN, against=replace(AGAINST, dataset="e"))
    registered(tmp_path, GREEN, again, RED, GREEN)
    (line,) = lines_of("VectorNormalizer", tmp_path)
    assert (line.file, line.implementation) == (tmp_path / "normalizer.yaml", "cpp")
    assert [(step.number, len(step.verdicts), step.again) for step in line.steps] == [
        (1, 2, None),
        (2, 1, None),
        (3, 1, 1),
    ]
    assert line.turned_bad is None
    assert step_of([line], "bbbb")[1].number == 2
    assert step_of([line], "cpp:3")[1].number == 3
    assert step_of([line], "aaaa")[1].number == 1
    with pytest.raises(UsageError, match="'dddd' is none of its versions"):
        step_of([line], "dddd")


@pytest.mark.parametrize("word", ["VectorNormalizer", "normalizer"])
def test_the_first_bad_version_is_the_one_after_the_last_that_matched(tmp_path: Path, word: str):
    registered(tmp_path, RED, GREEN, RED, REDDER)
    (line,) = lines_of(word, tmp_path)
    assert line.turned_bad == (GREEN, RED)


def test_one_that_never_matched_has_no_first_bad(tmp_path: Path):
    registered(tmp_path, RED, REDDER)
    assert lines_of("normalizer", tmp_path)[0].turned_bad is None


def test_what_changed_between_two_versions_is_told_by_part_verdict_and_field():
    found = change(GREEN, RED)
    assert found.parts == ("its sources (a.cpp)",)
    assert (found.ground, found.verdict) == ((), "match → differs")
    assert found.fields == ("new: /out vector.x: 3 messages differ, at most 0.25 off: a sign",)
    assert change(RED, GREEN).fields[0].startswith("no more: /out vector.x")
    told = "{}: /out vector.x: {} messages differ, at most 0.25 off: a sign"
    expected = "; ".join((told.format("was", 3), told.format("is", 9)))
    assert change(RED, REDDER).fields == (expected,)


def test_a_verdict_by_another_measure_is_told_to_be_that():
    other = replace(GREEN, against=replace(AGAINST, compare="u", version="1" * 12))
    assert change(GREEN, other).ground == (
        "another version of the reference",
        "other tolerances or options of comparing",
    )


def test_a_component_that_is_not_registered_is_told_with_those_that_are(tmp_path: Path):
    with pytest.raises(UsageError, match=r"is registered below .*; run lockstep verify"):
        lines_of("Filter", tmp_path)
    registered(tmp_path, GREEN)
    with pytest.raises(UsageError, match="there is VectorNormalizer"):
        lines_of("Filter", tmp_path)


def test_the_file_of_versions_stands_beside_the_verify_file():
    assert versions_of(Path("src/a/verify.yaml")) == Path("src/a/.lockstep/versions/verify.jsonl")


def test_a_commit_whose_files_were_edited_is_marked(tmp_path: Path):
    assert commit_of(tmp_path) is None
    (tmp_path / "a").write_text("1")
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    for words in (("init", "-q"), ("add", "a"), (*identity, "commit", "-qm", "first")):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    clean = commit_of(tmp_path)
    assert clean is not None
    assert len(clean) == 40
    (tmp_path / "a").write_text("2")
    assert commit_of(tmp_path) == f"{clean}+"
