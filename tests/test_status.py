"""What `lockstep status` makes of verdicts: green, red, outdated, and none at all."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest
from stranger import Stranger

COMPONENT = """from geometry_msgs.msg import Vector3Stamped
from lockstep.component import Component, Input, Output


class Same(Component):
    vector = Input(Vector3Stamped)
    out = Output(Vector3Stamped)

    def on_vector(self, msg):
        self.out.publish(msg)


class Other(Same):
    def on_vector(self, msg):
        msg.vector.x *= FACTOR
        self.out.publish(msg)


FACTOR = 1.0
"""


@pytest.fixture
def file(stranger: Stranger, write_verification):
    """The verify.yaml of a package whose second component does what the first does."""
    package = stranger.cwd / "scaling"
    package.mkdir()
    (package / "__init__.py").write_text(COMPONENT)
    return write_verification(
        {"a": {"component": "scaling:Same"}, "b": {"component": "scaling:Other"}},
        duration=1.0,
        run={"mode": "direct"},
        folder=package,
        compare={},
    )


def test_a_red_verdict_is_kept_and_fails_the_check_until_a_green_one(stranger: Stranger, file):
    module = stranger.cwd / "scaling/__init__.py"
    module.write_text(COMPONENT.replace("FACTOR = 1.0", "FACTOR = 2.0"))
    assert stranger.run("verify", file).code == 1
    record = json.loads((file.parent / ".lockstep/verified/verify.json").read_text())
    assert record["implementations"]["b"]["verdict"] == "differs"
    done = stranger.run("status", "--check")
    assert (done.code, done.err) == (1, "")
    assert done.out.startswith("DIFFERENT: b of scaling/verify.yaml, since 20")
    assert stranger.run("status").code == 0

    module.write_text(COMPONENT)
    done = stranger.run("status", "--check")
    assert (done.code, "changed since: " in done.out) == (1, True)
    assert stranger.run("verify", file).code == 0
    done = stranger.run("status", "--check")
    assert (done.code, done.out.startswith("VERIFIED: b of scaling/verify.yaml")) == (0, True)


def test_history_tells_each_version_once_and_what_changed_between_them(stranger: Stranger, file):
    module = stranger.cwd / "scaling/__init__.py"
    assert stranger.run("verify", file).code == 0
    registry = file.parent / ".lockstep/versions/verify.jsonl"
    before = registry.read_bytes()
    assert stranger.run("verify", file).code == 0
    assert registry.read_bytes() == before
    module.write_text(COMPONENT.replace("FACTOR = 1.0", "FACTOR = 2.0"))
    assert stranger.run("verify", file).code == 1
    done = stranger.run("history", "Same", "--json")
    (line,) = (one for one in json.loads(done.out) if one["implementation"] == "b")
    (good,), (bad,) = (step["verdicts"] for step in line["steps"])
    assert (good["verdict"], bad["verdict"], bad["parent"]) == ("match", "differs", good["id"])
    assert (line["last_good"], line["first_bad"]) == (good["id"], bad["id"])
    assert [one["field"] for one in bad["fields"]] == ["vector.x"]
    assert bad["speed"]["median_ns"] > 0
    done = stranger.run("history", "Same", "b:1", "b:2")
    assert (done.code, done.err) == (0, "")
    assert "changed: its sources (__init__.py)" in done.out
    assert "new: /out vector.x: " in done.out
    done = stranger.run("history", "Other")
    assert (done.code, "no version of Other is registered below .; there is " in done.error) == (
        2,
        True,
    )


def test_a_file_that_was_never_verified_fails_the_check_unless_it_is_left_out(
    stranger: Stranger, file
):
    done = stranger.run("status", "--check")
    assert (done.code, done.out) == (1, "NEVER VERIFIED: scaling/verify.yaml\n")
    assert stranger.run("verify", file).code == 0
    (file.parent / "nightly.yaml").write_text(file.read_text())
    done = stranger.run("status", "--check", "--json")
    assert (done.code, [one["verdict"] for one in json.loads(done.out)]) == (
        1,
        ["match", "never verified"],
    )
    assert stranger.run("status", "--check", "--exclude", "*/nightly.yaml").code == 0
    assert stranger.run("status", "--check", "--exclude", "nothing.yaml").code == 1


def test_neither_a_readme_nor_another_verify_file_is_a_source(stranger: Stranger, file):
    assert stranger.run("verify", file).code == 0
    (file.parent / "README").write_text("how to use it")
    (file.parent / "nightly.yaml").write_text(file.read_text())
    done = stranger.run("status", "--check", "--exclude", "*/nightly.yaml")
    assert (done.code, done.out.count("\n")) == (0, 1), done.out
    (file.parent / "gains.yaml").write_text("gain: 1.0\n")
    done = stranger.run("status", "--check", "--exclude", "*/nightly.yaml")
    assert (done.code, "its sources (gains.yaml)" in done.out) == (1, True)


def test_a_contract_that_differs_is_kept_as_red(stranger: Stranger, file):
    module = stranger.cwd / "scaling/__init__.py"
    module.write_text(
        COMPONENT.replace(
            "class Other(Same):", "class Other(Same):\n    extra = Output(Vector3Stamped)\n"
        )
    )
    assert stranger.run("verify", file).code == 1
    done = stranger.run("status", "--check")
    assert (done.code, done.out.startswith("DIFFERENT: b of scaling/verify.yaml")) == (1, True)


def test_what_is_edited_after_the_install_is_not_recorded(stranger: Stranger, file):
    """The installed copy runs; the source tree beside verify.yaml is what people read."""
    tree = stranger.cwd / "ws/src/scaling"
    (tree / "scaling").mkdir(parents=True)
    (tree / "package.xml").write_text("<package><name>scaling</name></package>")
    source = tree / "scaling/__init__.py"
    source.write_text(COMPONENT)
    beside = file.rename(tree / "verify.yaml")
    assert stranger.run("verify", beside).code == 0
    source.write_text(COMPONENT.replace("FACTOR = 1.0", "FACTOR = 2.0"))
    done = stranger.run("status", "--check")
    assert (done.code, "its sources have changed since (scaling/__init__.py)" in done.out) == (
        1,
        True,
    )
    record = tree / ".lockstep/verified/verify.json"
    record.unlink()
    done = stranger.run("verify", beside, "-o", "out", "--json", "--junit", "junit.xml", "--github")
    why = "b: scaling:Other is installed and its sources have changed since (scaling/__init__.py)"
    assert (done.code, f"not recorded: {why}" in done.err) == (3, True)
    assert not record.exists()
    printed, _, commands = done.out.partition("\n::")
    for result in (json.loads(printed), json.loads((stranger.cwd / "out/result.json").read_text())):
        assert (result["match"], result["verdict"]) == (False, "no verdict")
        assert result["comparisons"]["b"]["match"] is False
        assert result["comparisons"]["b"]["verdict"] == "no verdict"
        assert result["comparisons"]["b"]["objections"][1].startswith(why)
    assert commands.startswith("error title=b vs a::a: scaling:Same is installed and its sources")
    assert "notice" not in commands
    suites = ET.parse(stranger.cwd / "junit.xml").getroot()
    assert suites.get("failures") == "1"
    assert why in suites.find(".//failure").text
    summary = (stranger.cwd / "out/summary.txt").read_text()
    assert summary.startswith("NO VERDICT: a: scaling:Same is installed")
    report = (stranger.cwd / "out/report.html").read_text()
    assert "<title>no verdict: " in report
    assert f"NO VERDICT: {why}" in report
    assert "MATCH: " not in report.partition("<noscript>")[2].partition("</noscript>")[0]
