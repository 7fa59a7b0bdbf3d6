"""The way of a component to C++ as a stranger goes it: scaffold, build, write, verify, mend, and
keep."""

import json
import os
import re
import subprocess

import pytest
import yaml
from lockstep.component import contract_of
from lockstep.host.python_component import load_here
from lockstep.port import scaffold, subject_of
from lockstep.run.implementation import contract_of_command
from stranger import ROOT, Stranger

NODES = {
    "lockstep_examples:VectorNormalizer": "vector_normalizer",
    "lockstep_examples:ImuComplementaryFilter": "imu_complementary_filter",
    "lockstep_examples:PdController": "pd_controller",
    "lockstep_examples:ScanSectors": "scan_sectors",
    "lockstep_examples:ImageThreshold": "image_threshold",
    "odd_component:OddIMU2Filter": "odd_imu2_filter",
}
CPP = ROOT / "src/lockstep_examples_cpp/src"


def shell(words, cwd, timeout_s=280):
    """Run a line of a prompt as it stands in the shell of a workspace."""
    line = f"[ ! -e install ] || . install/local_setup.bash; {words}"
    return subprocess.run(
        ["bash", "-c", line],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def commands(prompt):
    """The lines of the first block of shell commands of a prompt."""
    return re.search(r"```sh\n(.*?)```", prompt, re.DOTALL)[1].splitlines()


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """The scaffolds of all five examples and of an odd component, built as one project: what they
    look for is found once, and nothing is optimised.
    """
    folder = tmp_path_factory.mktemp("workspace")
    project = ["cmake_minimum_required(VERSION 3.16)", "project(all)"]
    project.append("find_package(lockstep_cpp REQUIRED)")
    for target, node in NODES.items():
        scaffold(subject_of(target), "cpp", folder / "src")
        project.append(f"add_subdirectory(src/{node}_cpp)")
    (folder / "CMakeLists.txt").write_text("\n".join(project))
    options = "-DCMAKE_BUILD_TYPE=None -DCMAKE_INSTALL_PREFIX=built"
    built = shell(f"cmake -B all {options} && cmake --build all -j 2 -t install", folder)
    assert built.returncode == 0, built.stdout + built.stderr
    assert "warning" not in (built.stdout + built.stderr).lower()
    return folder


def test_each_scaffold_builds_as_written_and_keeps_the_contract(workspace, monkeypatch):
    # Before the libraries of the examples, which have the same names.
    paths = [str(workspace / "built/lib"), os.environ.get("LD_LIBRARY_PATH", "")]
    monkeypatch.setenv("LD_LIBRARY_PATH", os.pathsep.join(paths))
    for target, node in NODES.items():
        program = [str(workspace / f"built/lib/{node}_cpp/{node}")]
        built = contract_of_command(node, program)
        assert contract_of(load_here(target)).differences(built) == []


def test_a_scaffold_fails_honestly_until_it_is_written(workspace):
    # Before the libraries of the examples, which have the same names.
    paths = {"AMENT_PREFIX_PATH": "built", "LD_LIBRARY_PATH": "built/lib"}
    found = " ".join(f"{name}=$PWD/{there}:${name}" for name, there in paths.items())
    done = shell(f"{found} python3 -m pytest -q -ra src/scan_sectors_cpp/test", workspace)
    assert done.returncode == 1
    assert "on_scan is not written yet" in done.stdout
    assert re.search(r"(\d) failed, \1 passed", done.stdout)  # of cpp, and of the reference


def test_what_exists_is_overwritten_only_by_force(workspace):
    line = "lockstep scaffold lockstep_examples:PdController --to cpp -o src"
    source = workspace / "src/pd_controller_cpp/src/pd_controller.cpp"
    before = source.read_text()
    source.write_text("// mine\n")
    done = shell(line, workspace)
    assert (done.returncode, source.read_text()) == (2, "// mine\n")
    assert "exists already; choose another folder, or overwrite it with --force" in done.stderr
    assert shell(f"{line} --force", workspace).returncode == 0
    assert source.read_text() == before


def test_the_prompts_commands_verify_a_port_that_is_written(workspace):
    prompt = shell("lockstep prompt lockstep_examples:VectorNormalizer --to cpp", workspace).stdout
    package = workspace / "src/vector_normalizer_cpp"
    _, build, _, contract, unit_tests, verify = commands(prompt)
    written = (CPP / "vector_normalizer.cpp").read_text()
    wrong = written.replace("z / length", "y / length")
    assert wrong != written
    verify = f"{verify} -o"
    verification = yaml.safe_load((package / "verify.yaml").read_text())
    verification["inputs"]["duration"] = 5.0  # of sixty seconds: it is run six times
    (package / "verify.yaml").write_text(yaml.safe_dump(verification))

    (package / "src/vector_normalizer.cpp").write_text(wrong)
    done = shell(build, workspace)
    assert (done.returncode, done.stderr) == (0, "")  # nor does the compiler warn
    assert shell(f"{verify} red", workspace).returncode == 1
    status = shell("lockstep status", workspace)
    red = "DIFFERENT: cpp of src/vector_normalizer_cpp/verify.yaml, since 20"
    assert (status.returncode, status.stdout.startswith(red)) == (0, True)
    assert shell("lockstep status --check", workspace).returncode == 1
    fix = shell("lockstep prompt --fix red", workspace).stdout
    assert "# Mend cpp of VectorNormalizer" in fix
    assert "`vector.z` is " in fix and "first at tick 0" in fix
    assert re.search(r"\d+ +result.vector.z = y / length;", fix)
    assert re.search(r"\d+ +result.vector.z = z / length", fix)
    assert "/imu/acceleration 0 t" in fix
    assert "lockstep verify src/vector_normalizer_cpp/verify.yaml" in fix

    (package / "src/vector_normalizer.cpp").write_text(written)
    for line in (build, contract, unit_tests, f"{verify} green"):
        done = shell(line, workspace)
        assert done.returncode == 0, done.stdout + done.stderr
    done = shell("lockstep prompt --fix green", workspace)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "green is green: there is nothing to mend" in done.stderr

    record = package / ".lockstep/verified/verify.json"
    kept = record.read_text()
    assert list(json.loads(kept)["implementations"]) == ["cpp"]
    assert shell(f"{verify} again", workspace).returncode == 0
    assert record.read_text() == kept
    done = shell("lockstep status --check src/vector_normalizer_cpp", workspace)
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("VERIFIED: cpp of src/vector_normalizer_cpp/verify.yaml since 20")

    (package / "src/vector_normalizer.cpp").write_text(wrong)
    done = shell("lockstep status --check src/vector_normalizer_cpp", workspace)
    assert done.returncode == 1
    assert "is not what it was: its sources (src/vector_normalizer.cpp)" in done.stdout


def test_the_tests_of_a_scaffold_say_what_the_reference_does(stranger: Stranger):
    module = stranger.cwd / "scan_widths.py"
    text = (
        "from lockstep.component import Component, Input, Output, Timer\n"
        "from lockstep.distributions import Distribution, FrameId, Integers, Scan\n"
        "from lockstep.distributions import Timestamps, Uniform\n"
        "from sensor_msgs.msg import LaserScan, Range\n\n"
        "SCANS = Distribution({\n"
        "    '*': Scan(rays=Integers(90, 90), range=Uniform(0.0, 12.0),\n"
        "              nan_rate=0.1, inf_rate=0.1),\n"
        "    'header.stamp': Timestamps(rate_hz=10.0),\n"
        "    'header.frame_id': FrameId('laser'),\n"
        "})\n\n\n"
        "class LastRange(Component):\n"
        "    scan = Input(LaserScan, dist=SCANS)\n"
        "    last = Output(Range)\n"
        "    copied = Output(LaserScan)\n\n"
        "    def on_scan(self, msg):\n"
        "        last = msg.ranges[-1] if msg.ranges else 0.5\n"
        "        self.last.publish(Range(header=msg.header, range=last))\n"
        "        self.copied.publish(msg)\n"
    )
    module.write_text(text)
    done = stranger.run("scaffold", "scan_widths:LastRange", "-o", "src")
    assert done.code == 0, done.err
    words = ("--implementations", "python", "src/last_range_cpp/test")
    program = ("python3", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    done = stranger.run(*words, program=program)
    assert (done.code, "2 passed" in done.out) == (0, True), done.out
    module.write_text(text.replace("0.5", "0.25"))
    done = stranger.run(*words, program=program)
    assert "range is 0.25, expected 0.5" in done.out


def test_a_folder_without_a_verdict_is_refused(stranger: Stranger):
    done = stranger.run("prompt", "--fix", stranger.cwd)
    assert done.code == 2
    assert "holds no verdict (result.json)" in done.error


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["lockstep_examples:PdController", "--to", "cobol"], "'cobol' is unknown; choose cpp"),
        (["lockstep_examples:PdController", "--budget", "100"], "a budget of 100 tokens is too"),
        (["lockstep_examples:Nothing"], "cannot load 'lockstep_examples:Nothing'"),
        (["faulty:NotThere"], "cannot load 'faulty:NotThere'"),
        ([], "give a COMPONENT, as MODULE:CLASS, or --fix RUN"),
        (["lockstep_examples:PdController", "--verify", "no.yaml"], "cannot read no.yaml"),
        (
            [
                "lockstep_examples:PdController",
                "--verify",
                str(ROOT / "src/lockstep_examples/verify/scan_sectors.yaml"),
            ],
            "scan_sectors.yaml is not PdController; give another file with --verify",
        ),
    ],
)
def test_bad_input_of_prompt_is_one_sentence(stranger: Stranger, words, sentence):
    done = stranger.run("prompt", *words)
    assert (done.code, done.out) == (2, "")
    assert sentence in done.error


def test_a_prompt_without_a_clipboard_says_so(stranger: Stranger):
    words = ["prompt", "lockstep_examples:ScanSectors", "--copy"]
    done = stranger.run(*words, env={"DISPLAY": "", "WAYLAND_DISPLAY": ""})
    assert done.code == 2
    assert "no clipboard can be reached" in done.error


def test_status_tells_models_and_damaged_records(stranger: Stranger, write_verification):
    (stranger.cwd / "model.onnx").write_bytes(b"weights")
    (stranger.cwd / "weights").mkdir()
    (stranger.cwd / "weights/net.pt").write_bytes(b"net")
    (stranger.cwd / "scaler.py").write_text(
        "from geometry_msgs.msg import Vector3Stamped\n"
        "from lockstep.component import Component, Input, Output, Parameter\n\n\n"
        "class Same(Component):\n"
        "    vector = Input(Vector3Stamped)\n"
        "    out = Output(Vector3Stamped)\n"
        "    model = Parameter('')\n"
        "    net = 'net.pt'\n\n"
        "    def on_vector(self, msg):\n"
        "        self.out.publish(msg)\n"
    )
    file = write_verification(
        {
            "a": {"component": "scaler:Same"},
            "b": {"component": "scaler:Same", "parameters": {"model": "model.onnx"}},
        },
        duration=1.0,
        run={"mode": "direct"},
    )
    assert stranger.run("verify", file).code == 0
    assert stranger.run("status", "--check").code == 0
    sources = json.loads((stranger.cwd / ".lockstep/verified/verify.json").read_text())
    assert list(sources["implementations"]["b"]["sources"]) == ["scaler.py", "weights/net.pt"]
    (stranger.cwd / "weights/net.pt").write_bytes(b"other")
    done = stranger.run("status", "--check")
    assert (done.code, "its sources (weights/net.pt)" in done.out) == (1, True)
    (stranger.cwd / "model.onnx").write_bytes(b"other weights")
    done = stranger.run("status", "--check")
    assert (done.code, "its models (model.onnx)" in done.out) == (1, True)
    assert stranger.run("status").code == 0
    (stranger.cwd / ".lockstep/verified/verify.json").write_text("{}")
    done = stranger.run("status")
    assert (done.code, "is no record of a verification" in done.error) == (2, True)


def test_golden_bags_are_green_for_the_reference_and_red_for_the_faulty_variant(
    stranger: Stranger,
):
    words = ["lockstep_examples:ImuComplementaryFilter", ROOT / "bags/husky_gps_imu_odom"]
    done = stranger.run("regress", *words, "--messages", "100", "-o", "test")
    assert done.code == 0, done.err
    assert re.search(r"\d golden bags with \d+ messages tell 1\d\d of 1\d\d planted", done.out)
    assert "imu_complementary_filter:" in done.out  # where a fault was planted that nothing tells
    again = stranger.run("regress", *words, "-o", "test")
    assert (again.code, "exists already" in again.error) == (2, True)

    pytest_ = ("python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test")
    assert stranger.run(program=pytest_).code == 0
    faulty = ROOT / "src/lockstep_examples/verify/imu_complementary_filter_f32.yaml"
    done = stranger.run("--verify", faulty, program=pytest_)
    assert (done.code, "1 passed" in done.out) == (1, True)
    assert re.search(r"FAILED .*\[cpp_f32-01\]", done.out)


@pytest.mark.parametrize(
    ("bag", "more", "sentence"),
    [
        ("husky_acceleration", [], "has 0 topics of sensor_msgs/msg/Imu; say which is for input"),
        ("husky_gps_imu_odom", ["-t", "imu"], "topic 'imu' is not INPUT:=TOPIC"),
        ("husky_gps_imu_odom", ["-t", "other:=/imu/data"], "has no input 'other'"),
        ("husky_gps_imu_odom", ["-t", "imu:=/nothing"], "has no topic /nothing"),
        ("nowhere", [], "does not exist"),
    ],
)
def test_bad_input_of_regress_is_one_sentence(stranger: Stranger, bag, more, sentence):
    component = "lockstep_examples:ImuComplementaryFilter"
    done = stranger.run("regress", component, ROOT / "bags" / bag, "-o", "test", *more)
    assert (done.code, done.out) == (2, "")
    assert sentence in done.error
    assert not (stranger.cwd / "test").exists()
