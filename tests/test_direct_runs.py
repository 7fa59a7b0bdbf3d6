"""Direct runs: the same verdicts, the same bytes and the same failures as on
the live graph, without DDS.
"""

import json
import os
import signal
import time

import pytest
import yaml
from lockstep.bag import Bag
from stranger import ROOT, Stranger
from verifications import CPP, PYTHON

VERIFY = ROOT / "src/lockstep_examples/verify"
DIRECT = {"mode": "direct"}


def faulty(name):
    return {"component": f"faulty:{name}"}


@pytest.fixture
def direct(tmp_path):
    """Writes the verify.yaml of an example for direct runs."""

    def write(name, **run):
        content = yaml.safe_load((VERIFY / f"{name}.yaml").read_text("utf-8"))
        content["inputs"]["bag"] = str((VERIFY / content["inputs"]["bag"]).resolve())
        content["run"] = {**DIRECT, **run}
        path = tmp_path / f"{name}.yaml"
        path.write_text(yaml.safe_dump(content), "utf-8")
        return path

    return write


def test_the_faulty_variant_differs(stranger: Stranger, direct):
    done = stranger.run("verify", direct("imu_complementary_filter_f32"), "-o", "out")
    assert done.code == 1, done.err
    assert "why: b is a but for the precision of float32" in done.out


def test_a_run_says_what_it_recorded(stranger: Stranger, write_verification):
    done = stranger.run("run", write_verification(run=DIRECT), "cpp", "-o", "out")
    assert done.code == 0, done.err
    assert done.out.splitlines()[0] == "121 messages in, 121 out"


def test_memory_that_grows_with_each_message_is_told_and_no_difference(stranger: Stranger, direct):
    file = direct("vector_normalizer")
    content = yaml.safe_load(file.read_text("utf-8"))
    content["implementations"]["cpp"] = faulty("Leaks")
    file.write_text(yaml.safe_dump(content), "utf-8")
    done = stranger.run("verify", file, "-o", "out")
    assert done.code == 0, done.err
    runs = json.loads((stranger.cwd / "out/result.json").read_text("utf-8"))["runs"]
    growth = runs["cpp"]["resources"]["growth_bytes"]
    assert growth == pytest.approx(8192, rel=0.1)
    assert runs["python"]["resources"]["growth_bytes"] is None
    assert f"cpp takes {growth / 1e3:.3g} kB more memory with each message" in done.out


@pytest.mark.parametrize(
    ("name", "code", "sentence"),
    [
        ("CrashInTheMiddle", 3, "failed in step 49: on_vector failed at"),
        ("CrashAtStart", 3, "RuntimeError: there is no calibration"),
        ("ExitInTheMiddle", 3, "other ended during the run (exit code 7)"),
        ("SegfaultInTheMiddle", 3, "other ended during the run (SIGSEGV)"),
        ("AbortInTheMiddle", 3, "terminate called after throwing an instance of 'std::bad_alloc'"),
        ("Hang", 3, "other hangs: nothing came for 1 s"),
        ("HangAtStart", 3, "other hangs: nothing came for 1 s"),
        ("HangsWithAChild", 3, "other hangs: nothing came for 1 s"),
        ("Silent", 3, "other never answered"),
        ("ImportFails", 2, "libcalibration.so: cannot open shared object file"),
        ("DropsOne", 1, ""),
        ("Doubles", 1, ""),
        ("WrongDefault", 1, ""),
    ],
)
def test_what_goes_wrong_is_never_a_match(
    stranger: Stranger, write_verification, name, code, sentence
):
    file = write_verification(
        {"python": PYTHON, "other": faulty(name)}, run={**DIRECT, "timeout": 1.0}
    )
    done = stranger.run("verify", file, "-o", "out")
    assert done.code == code, done.out + done.err
    assert sentence in done.err
    stranger.assert_nothing_left()


def test_the_same_failure_is_a_failed_run(stranger: Stranger, write_verification):
    file = write_verification(
        {"python": faulty("CrashInTheMiddle"), "other": faulty("CrashInTheMiddle")}, run=DIRECT
    )
    done = stranger.run("verify", file, "-o", "out", "--junit", "out.xml", "--github")
    assert (done.code, done.out) == (3, "")
    assert "python failed in step 49: on_vector failed at" in done.error
    assert "name a text of both exceptions under compare: failures:" in done.error
    assert not (stranger.cwd / ".lockstep").exists()
    assert not (stranger.cwd / "out.xml").exists()


@pytest.mark.parametrize("other", ["CrashOtherwise", "RunOutOfMemory"])
def test_another_failure_in_the_same_step_than_is_declared_is_a_failed_run(
    stranger: Stranger, write_verification, other
):
    file = write_verification(
        {"python": faulty("CrashInTheMiddle"), "other": faulty(other)},
        run=DIRECT,
        compare={"failures": ["is not to my taste"]},
    )
    done = stranger.run("verify", file, "-o", "out")
    assert (done.code, done.out) == (3, "")
    assert "other failed in step 49" in done.error


def test_a_declared_failure_is_the_same_and_all_say_on_what_it_rests(
    stranger: Stranger, write_verification
):
    file = write_verification(
        {"python": faulty("CrashInTheMiddle"), "other": faulty("CrashInTheMiddle")},
        run={**DIRECT, "repeat": 2},
        compare={"failures": ["is not to my taste"]},
    )
    done = stranger.run("verify", file, "-o", "out", "--junit", "out.xml", "--github")
    assert done.code == 0, done.err
    assert "49 aligned, 0 differ" in done.out
    result = json.loads((stranger.cwd / "out/result.json").read_text())
    total = sum(result["runs"]["python"]["sent"].values())
    assert total > 49
    rests = f"rests on 49 of {total} steps"
    assert f"{rests}: both failed in step 49, as is declared" in done.out
    assert f"::warning title=other vs python::{rests}" in done.out
    assert rests in (stranger.cwd / "out.xml").read_text()
    assert result["comparisons"]["other"]["rests_on"] == [49, total]
    record = json.loads((stranger.cwd / ".lockstep/verified/verify.json").read_text())
    assert record["implementations"]["other"]["rests_on"] == [49, total]
    assert rests in stranger.run("status").out
    assert "the 50th vector is not to my taste" in (stranger.cwd / "out/summary.txt").read_text()
    assert (
        json.loads((stranger.cwd / "out/result.json").read_text())["runs"]["other"]["failure"][
            "step"
        ]
        == 49
    )


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        (faulty("CrashInTheMiddle"), "python failed in step 49"),
        (faulty("CrashLater"), "python failed in step 50"),
        (PYTHON, "python did not fail"),
    ],
)
def test_another_failure_is_a_failed_run(
    stranger: Stranger, write_verification, reference, sentence
):
    other = "CrashLater" if reference == faulty("CrashInTheMiddle") else "CrashInTheMiddle"
    file = write_verification({"python": reference, "other": faulty(other)}, run=DIRECT)
    done = stranger.run("verify", file, "-o", "out")
    assert done.code == 3
    assert sentence in done.error
    assert "other failed in step" in done.error


def test_what_a_component_prints_disturbs_nothing(stranger: Stranger, write_verification):
    file = write_verification({"python": faulty("Printing"), "cpp": CPP}, run=DIRECT)
    done = stranger.run("verify", file, "-o", "out")
    assert done.code == 0, done.err
    assert "LKD1 is no frame" in (stranger.cwd / "out/python/node.log").read_text()


@pytest.mark.parametrize(
    ("sections", "sentence"),
    [
        ({"run": {**DIRECT, "rtf": 1.0}}, "rtf has no meaning in mode direct"),
        ({"run": {**DIRECT, "window": 1}}, "window has no meaning in mode direct"),
        ({"run": {"mode": "dierct"}}, "run.mode"),
    ],
)
def test_a_mode_that_cannot_be_is_refused(
    stranger: Stranger, write_verification, sections, sentence
):
    done = stranger.run("verify", write_verification(**sections), "-o", "out")
    assert (done.code, done.out) == (2, "")
    assert sentence in done.error


def test_a_program_that_knows_no_frames_is_told(stranger: Stranger, write_verification, tmp_path):
    file = write_verification({"python": PYTHON, "cpp": CPP}, run=DIRECT)
    prefix = tmp_path / "prefix"
    program = prefix / "lib/lockstep_examples_cpp/vector_normalizer"
    program.parent.mkdir(parents=True)
    contract = stranger.run("contract", "lockstep_examples:VectorNormalizer").out
    (tmp_path / "contract.json").write_text(contract)
    program.write_text(
        "#!/bin/sh\n"
        f'[ "$1" = --contract ] && exec cat {tmp_path}/contract.json\n'
        "echo 'hello, I am a node of another kind, and this is no frame at all'\n"
    )
    program.chmod(0o755)

    path = f"{prefix}:{os.environ['AMENT_PREFIX_PATH']}"
    done = stranger.run("verify", file, "-o", "out", env={"AMENT_PREFIX_PATH": path})
    assert done.code == 3
    assert "cpp sent bytes that are no frame of the direct protocol: b'hello, I am" in done.err


def test_ctrl_c_leaves_a_readable_bag_and_no_process(stranger: Stranger, write_verification):

    file = write_verification({"python": faulty("Slow"), "cpp": CPP}, run=DIRECT, duration=30.0)
    command = stranger.start("verify", file, "-o", "out")
    bag = stranger.cwd / "out/python/bag"
    command.wait_until(lambda: bag.exists() and stranger.processes("direct_run"), "the run")

    time.sleep(2)
    command.signal_group(signal.SIGINT)
    done = command.end()
    assert done.code == 130
    stranger.assert_nothing_left(within_s=5)
    with Bag(bag) as found:
        assert found.problem is None
        assert 0 < len(list(found.messages())) < 3000
