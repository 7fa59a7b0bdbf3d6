"""The reference against itself: what does not do the same twice can judge nothing."""

from __future__ import annotations

import json

from stranger import Stranger
from verifications import CPP, PYTHON

FORGETFUL = {"component": "faulty:Forgetful"}


def test_a_reference_that_disagrees_with_itself_gets_no_verdict(
    stranger: Stranger, write_verification
):
    file = write_verification(
        {"unsteady": FORGETFUL, "cpp": CPP}, run={"repeat": 2}, compare={"align": "stamp"}
    )
    done = stranger.run("verify", file, "-o", "out")
    assert (done.code, done.out) == (3, "")
    assert "unsteady does not do the same again on the same inputs (" in done.error
    assert "so nothing can be judged by it; see out/unsteady_vs_itself" in done.error
    diff = (stranger.cwd / "out/unsteady_vs_itself/normalized.diff").read_text("utf-8")
    assert diff.splitlines()[1].startswith("+++ unsteady again")
    told = json.loads((stranger.cwd / "out/unsteady_vs_itself/result.json").read_text("utf-8"))
    assert not told["match"]
    assert (stranger.cwd / "out/unsteady_vs_itself/report.html").exists()
    assert not (stranger.cwd / "out/cpp").exists()
    assert not (stranger.cwd / "out/result.json").exists()


def test_noise_within_the_tolerance_is_no_disagreement(stranger: Stranger, write_verification):
    file = write_verification(
        {"unsteady": FORGETFUL, "cpp": CPP},
        run={"mode": "direct", "repeat": 2},
        compare={"align": "stamp", "tolerance": {"vector.*": {"abs": 0.1}}},
    )
    done = stranger.run("verify", file, "-o", "out", "--json")
    assert done.code == 0, done.err
    result = json.loads(done.out)
    assert [noise["grade"] for noise in result["noise_floor"]] == ["within tolerance"]
    assert result["comparisons"]["cpp"]["grade"] == "within tolerance"


def test_the_reference_runs_twice_unless_told_otherwise(stranger: Stranger, write_verification):
    run = {"mode": "direct", "repeat": 2}
    file = write_verification({"python": PYTHON, "cpp": CPP}, run=run, duration=1.0)
    file.write_text(file.read_text("utf-8").replace("  repeat: 2\n", ""), "utf-8")
    done = stranger.run("verify", file, "-o", "out", "--json")
    assert done.code == 0, done.err
    (noise,) = json.loads(done.out)["noise_floor"]
    assert noise["grade"] == "identical bytes"
    assert (stranger.cwd / "out/python.2/bag/metadata.yaml").exists()


ORDERED_BY_HASH = """from geometry_msgs.msg import Vector3Stamped
from lockstep.component import Component, Input, Output


class Steady(Component):
    vector = Input(Vector3Stamped)
    out = Output(Vector3Stamped)

    def on_vector(self, msg):
        self.out.publish(msg)


class ByHash(Steady):
    def on_vector(self, msg):
        msg.header.frame_id = " ".join({f"frame {number}" for number in range(20)})
        self.out.publish(msg)
"""


def by_hash(stranger: Stranger, write_verification, names, **sections):
    (stranger.cwd / "hashed.py").write_text(ORDERED_BY_HASH)
    components = {name.lower(): {"component": f"hashed:{name}"} for name in names}
    return write_verification(components, duration=1.0, **sections)


def test_a_reference_that_rests_on_the_order_of_hashes_is_found_whatever_the_seed_outside(
    stranger: Stranger, write_verification, monkeypatch
):
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    run = {"mode": "direct", "repeat": 2}
    file = by_hash(stranger, write_verification, ("ByHash", "Steady"), run=run)
    done = stranger.run("verify", file, "-o", "out")
    assert (done.code, done.out) == (3, "")
    assert "byhash does not do the same again on the same inputs" in done.error


def test_a_port_that_does_not_do_the_same_again_is_no_match(stranger: Stranger, write_verification):
    file = by_hash(
        stranger,
        write_verification,
        ("Steady", "ByHash"),
        run={"mode": "direct", "repeat": 2},
        compare={"tolerance": {"header.frame_id": "ignore"}},
    )
    done = stranger.run("verify", file, "-o", "ignored")
    assert (done.code, "NOT THE SAME AGAIN" in done.out) == (0, False), done.err
    assert (stranger.cwd / "ignored/byhash.2/bag/metadata.yaml").exists()

    (stranger.cwd / "hashed.py").write_text(
        ORDERED_BY_HASH.replace("20)})", "20)}) if self.again() else msg.header.frame_id").replace(
            "class ByHash(Steady):",
            "class ByHash(Steady):\n"
            "    def again(self):\n"
            "        import os\n"
            "        return int(os.environ['PYTHONHASHSEED']) > 3\n",
        )
    )
    file = write_verification(
        {"steady": {"component": "hashed:Steady"}, "byhash": {"component": "hashed:ByHash"}},
        duration=1.0,
        run={"mode": "direct", "repeat": 2},
    )
    done = stranger.run("verify", file, "-o", "out", "--junit", "junit.xml")
    assert done.code == 1, done.err
    assert done.out.startswith("NOT THE SAME AGAIN: byhash does not do the same again")
    assert "MATCH" not in done.out
    result = json.loads((stranger.cwd / "out/result.json").read_text("utf-8"))["comparisons"]
    assert (result["byhash"]["match"], result["byhash"]["verdict"]) == (False, "differs")
    assert [again["match"] for again in result["byhash"]["against_itself"]] == [False]
    report = (stranger.cwd / "out/report.html").read_text("utf-8")
    assert "<title>DIFFERENT: " in report
    assert '"name":"byhash against itself"' in report
    assert "byhash does not do the same again on the same inputs" in report
    assert "byhash again vs byhash" in (stranger.cwd / "junit.xml").read_text()
    diff = (stranger.cwd / "out/byhash_vs_itself/out.diff").read_text("utf-8")
    assert "frame 1" in diff


NOISY = """import os, random
from geometry_msgs.msg import Vector3Stamped
from lockstep.component import Component, Input, Output


class Noisy(Component):
    vector = Input(Vector3Stamped)
    out = Output(Vector3Stamped)
    noise = 0.1

    def on_start(self):
        self.random = random.Random(int(os.environ["PYTHONHASHSEED"]))

    def on_vector(self, msg):
        msg.vector.x += self.random.gauss(0.0, self.noise)
        self.out.publish(msg)


class Noisier(Noisy):
    noise = 0.2
"""


def test_a_noisy_reference_judges_by_its_noise(stranger: Stranger, write_verification):
    (stranger.cwd / "noisy.py").write_text(NOISY)
    file = write_verification(
        {
            "noisy": {"component": "noisy:Noisy"},
            "same": {"component": "noisy:Noisy"},
            "noisier": {"component": "noisy:Noisier"},
        },
        duration=5.0,
        run={"mode": "direct", "repeat": 4},
        compare={"noise_margin": 0.5},
    )
    done = stranger.run("verify", file, "-o", "out", timeout_s=180)
    assert done.code == 1, done.out + done.err
    assert "noisy is noisy; these fields were judged by that" in done.out
    assert "rmse is" in done.out
    assert '"out:vector.x": {by: rmse, abs: ' in (
        stranger.cwd / "out/noisy_vs_itself/tolerance.yaml"
    ).read_text("utf-8")
    result = json.loads((stranger.cwd / "out/result.json").read_text("utf-8"))
    assert [floor["field"] for floor in result["noise"]] == ["vector.x"]
    told = result["comparisons"]
    assert (told["same"]["match"], told["noisier"]["match"]) == (True, False)
