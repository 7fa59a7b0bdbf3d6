import math

import pytest
from lockstep.compare import Tolerance
from lockstep.errors import UsageError
from lockstep.verify.model import load

GOOD = """\
implementations:
  python: {component: "my_pkg:MyNode"}
  cpp: {executable: my_pkg_cpp/my_node}
reference: python
inputs:
  bag: bags/drive
  topics: {imu: /imu/data}
compare:
  align: stamp
  tolerance:
    quaternion.*: {abs: 1e-9}
    header.frame_id: ignore
    count: exact
"""


def write(tmp_path, text):
    path = tmp_path / "verify.yaml"
    path.write_text(text)
    return path


def test_a_good_file_has_sensible_defaults(tmp_path):
    verification = load(write(tmp_path, GOOD))
    assert verification.inputs.bag == tmp_path / "bags/drive"
    assert math.isinf(verification.run.rtf)
    assert (verification.run.window, verification.inputs.clock) == (100, "auto")
    assert verification.compare.tolerances().by_pattern == {
        "quaternion.*": Tolerance(abs=1e-9),
        "header.frame_id": Tolerance(ignore=True),
        "count": Tolerance(),
    }


def test_a_bag_behind_a_url_is_no_file_beside_the_verify_file(tmp_path):
    url = "s3://bucket/logs/drive.mcap"
    verification = load(write(tmp_path, GOOD.replace("bags/drive", url)))
    assert verification.inputs.bag == url


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("  align: stamp", "  algin: stamp", "verify.yaml:9: unknown key 'algin' in compare"),
        ("reference: python", "referenc: python", "verify.yaml:1: key 'reference' is missing"),
        (
            "  align: stamp",
            "  align: clock",
            "verify.yaml:9: compare.align: Input should be 'auto'",
        ),
        ("{abs: 1e-9}", "{abs: -1}", "verify.yaml:11: compare.tolerance.quaternion.*.abs"),
        ("{abs: 1e-9}", "{abs: .nan}", "verify.yaml:11: compare.tolerance.quaternion.*.abs"),
        ("{abs: 1e-9}", "{absolute: 1}", "verify.yaml:11: unknown key 'absolute'"),
        ("{abs: 1e-9}", "{abs: yes}", "verify.yaml:11: compare.tolerance.quaternion.*.abs"),
        ("  align: stamp", "  time_tolerance: .inf", "verify.yaml:9: compare.time_tolerance"),
        ("  align: stamp", "  ? [a]: 1", "verify.yaml"),
        ("reference: python", "reference: 2024-13-45", "verify.yaml"),
        ("count: exact", "count: eksact", "verify.yaml:13: compare.tolerance.count"),
        ("reference: python", "reference: rust", "verify.yaml:4: reference: 'rust' is none of"),
        ("my_pkg_cpp/my_node", "my_node", "verify.yaml:3: implementations.cpp.executable"),
        (
            "{executable: my_pkg_cpp/my_node}",
            "{}",
            (
                "verify.yaml:3: implementations.cpp: give exactly one of component, "
                "executable, node, command, launch and nodes"
            ),
        ),
        (
            "{executable: my_pkg_cpp/my_node}",
            "{component: 'a:B', remap: {imu: /imu}}",
            "verify.yaml:3: implementations.cpp: remap is for nodes",
        ),
        (
            "{executable: my_pkg_cpp/my_node}",
            "{command: [my_node]}",
            "'cpp' is a node and acknowledges nothing in mode live",
        ),
        ("  bag: bags/drive\n", "", "verify.yaml:5: inputs: give either bag and topics, or sample"),
        (
            "  align: stamp",
            "  align: stamp\n  align: tick",
            "verify.yaml:10: key 'align' is given twice",
        ),
        ("  topics: {imu: /imu/data}", "  topics: {}", "verify.yaml:7: inputs.topics"),
        ("  align: stamp", "\talign: stamp", "verify.yaml:9: found character"),
        ("reference: python", "reference: [python", "verify.yaml:5:"),
    ],
)
def test_a_mistake_is_named_with_its_key_and_line(tmp_path, old, new, sentence):
    assert old in GOOD
    with pytest.raises(UsageError) as error:
        load(write(tmp_path, GOOD.replace(old, new)))
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("box", ["command: [my_node]", "launch: [my_pkg, my.launch.py]"])
def test_outputs_of_a_black_box_cannot_be_aligned_by_cause(tmp_path, box):
    text = GOOD.replace("executable: my_pkg_cpp/my_node", box)
    text = text.replace("align: stamp", "align: cause") + "run: {rtf: 1.0}\n"
    sentence = r"verify\.yaml:8: compare: 'cpp' is a node and acknowledges nothing in mode live"
    with pytest.raises(UsageError, match=sentence):
        load(write(tmp_path, text))


def test_each_output_may_be_aligned_in_its_own_way(tmp_path):
    by_output = GOOD.replace("align: stamp", "align: {odom: stamp}")
    options = load(write(tmp_path, by_output)).compare
    assert (options.align_of("odom"), options.align_of("tf")) == ("stamp", "time")
    assert options.align_of("tf", in_lockstep=False) == "auto"
    assert options.any_align("stamp")
    assert not options.any_align("cause")


@pytest.mark.parametrize("text", ["", "42", "[]", "hello", "implementations: 3"])
def test_a_file_that_is_no_verification_is_refused(tmp_path, text):
    with pytest.raises(UsageError, match=r"verify\.yaml"):
        load(write(tmp_path, text))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"cannot read .*nothing\.yaml: No such file"):
        load(tmp_path / "nothing.yaml")


def test_a_file_that_runs_code_is_refused(tmp_path):
    with pytest.raises(UsageError, match="could not determine a constructor"):
        load(write(tmp_path, "reference: !!python/object/apply:os.system ['true']\n"))


@pytest.mark.parametrize(
    ("run", "sentence"),
    [
        ("{rtf: 0}", "run.rtf"),
        ("{rtf: -1}", "run.rtf"),
        ("{rtf: fast}", "run.rtf"),
        ("{window: 0}", "run.window"),
        ("{window: 1001}", "run.window"),
        ("{timeout: 0}", "run.timeout"),
        ("{mode: dierct}", "run.mode"),
    ],
)
def test_how_to_run_is_checked(tmp_path, run, sentence):
    with pytest.raises(UsageError, match=rf"verify\.yaml:14: {sentence}"):
        load(write(tmp_path, f"{GOOD}run: {run}\n"))
