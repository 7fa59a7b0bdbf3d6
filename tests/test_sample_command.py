"""`lockstep sample`, `lockstep fit`, and verifications on inputs that are drawn."""

from __future__ import annotations

import json

import pytest
import yaml
from lockstep.bag import Bag
from rosbags.highlevel import AnyReader
from stranger import ROOT, Stranger

EXAMPLES = {
    "VectorNormalizer": {"/vector"},
    "ImuComplementaryFilter": {"/imu"},
    "PdController": {"/command", "/odometry"},
    "ScanSectors": {"/scan"},
    "ImageThreshold": {"/image"},
}
OWN = '''
from geometry_msgs.msg import Vector3Stamped
from lockstep.component import component


@component(output="scaled")
def scale(vector: Vector3Stamped, *, factor: float = 2.0) -> Vector3Stamped:
    """Make a vector longer."""
    vector.vector.x *= factor
    return vector


'''
DIST = {
    "vector": {
        "header": {"stamp": {"timestamps": 50}, "frame_id": {"constant": "a"}},
        "vector": {"normal": [0, 1]},
    }
}


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_example_is_sampled_and_others_read_the_bag(stranger: Stranger, example: str):
    words = ("sample", f"lockstep_examples:{example}", "-n", "1000", "-o", "bag")
    done = stranger.run(*words, "--histogram", "all.png", "--json")
    assert (done.code, done.err) == (0, "")
    told = json.loads(done.out)
    assert (told["n"], told["seed"], sum(told["topics"].values())) == (1000, 0, 1000)
    assert told["topics"].keys() == EXAMPLES[example]
    assert (stranger.cwd / "all.png").read_bytes().startswith(b"\x89PNG")
    with AnyReader([stranger.cwd / "bag"]) as reader:
        messages = [reader.deserialize(raw, c.msgtype) for c, _, raw in reader.messages()]
    assert len(messages) == 1000


def test_the_same_seed_writes_the_same_file_and_another_one_does_not(stranger: Stranger):
    for name, seed in (("a", "7"), ("b", "7"), ("c", "8")):
        words = ("sample", "lockstep_examples:PdController", "-n", "500", "--seed", seed)
        assert stranger.run(*words, "-o", f"{name}/bag.mcap").code == 0
    a, b, c = ((stranger.cwd / name / "bag.mcap").read_bytes() for name in "abc")
    assert a == b != c


def test_nothing_is_replaced_without_force(stranger: Stranger):
    words = ("sample", "lockstep_examples:VectorNormalizer", "-o", "bag", "--histogram", "h.png")
    assert stranger.run(*words, "-n", "10").code == 0
    done = stranger.run(*words, "-n", "20")
    assert (done.code, done.out) == (2, "")
    assert done.err == "error: h.png exists already; choose another file or give --force\n"
    done = stranger.run(*words[:4], "-n", "20")
    assert done.err.startswith("error: bag exists already; choose another place or give --force")
    assert Bag(stranger.cwd / "bag").count == 10
    assert stranger.run(*words, "-n", "20", "--force").code == 0
    assert Bag(stranger.cwd / "bag").count == 20


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["own:scale"],
            "input 'vector' (geometry_msgs/msg/Vector3Stamped) has no distribution for",
        ),
        (["own:nothing"], "cannot load 'own:nothing'"),
        (["nowhere.yaml"], "cannot read nowhere.yaml: No such file"),
        (["lockstep_examples:PdController", "-n", "0"], "0 messages cannot be drawn; give a whole"),
        (["lockstep_examples:PdController", "-n", "1000000000"], "1000000000 messages cannot be"),
        (["lockstep_examples:PdController", "--seed", "-1"], "-1 is no seed; give a whole number"),
        (["lockstep_examples:PdController", "--seed", "x"], "Input should be a valid integer"),
    ],
)
def test_bad_usage_is_one_sentence_and_leaves_nothing(stranger: Stranger, words, sentence):
    (stranger.cwd / "own.py").write_text(OWN)
    before = sorted(stranger.cwd.iterdir())
    done = stranger.run("sample", *words, "-o", "bag")
    assert (done.code, done.out) == (2, "")
    assert sentence in done.err
    assert "Traceback" not in done.err
    assert [p for p in sorted(stranger.cwd.iterdir()) if p.name != "__pycache__"] == before


def write_verification(stranger: Stranger, target: str, inputs: object, **rest: object) -> None:
    implementations = {name: {"component": target} for name in ("one", "two")}
    data = {"implementations": implementations, "reference": "one", "inputs": inputs, **rest}
    (stranger.cwd / "verify.yaml").write_text(yaml.safe_dump(data))
    (stranger.cwd / "own.py").write_text(OWN)


@pytest.mark.parametrize("mode", ["direct", "live"])
def test_a_function_is_verified_on_a_sample_of_the_file(stranger: Stranger, mode: str):
    sample = {"n": 300, "seed": 5, "dist": DIST}
    write_verification(stranger, "own:scale", {"sample": sample}, run={"mode": mode})
    done = stranger.run("verify", "verify.yaml", "-o", "out", "--json", timeout_s=120)
    assert done.code == 0, done.err
    (key,) = json.loads(done.out)["comparisons"]["two"]["keys"].values()
    assert key["aligned"] == 300
    assert stranger.run("sample", "verify.yaml", "-o", "same").code == 0
    kept, same = stranger.cwd / "out/inputs.sampled", stranger.cwd / "same"
    assert list(Bag(kept).messages()) == list(Bag(same).messages())
    stranger.assert_nothing_left()


def test_a_twin_in_cpp_is_verified_on_what_the_component_declares(stranger: Stranger):
    for name in ("pd_controller", "scan_sectors", "image_threshold", "imu_complementary_filter"):
        cls = "".join(word.capitalize() for word in name.split("_"))
        data = {
            "implementations": {
                "python": {"component": f"lockstep_examples:{cls}"},
                "cpp": {"executable": f"lockstep_examples_cpp/{name}"},
            },
            "reference": "python",
            "inputs": {"sample": {"n": 300, "seed": 1}},
            "run": {"mode": "direct"},
        }
        (stranger.cwd / f"{name}.yaml").write_text(yaml.safe_dump(data))
        done = stranger.run("verify", f"{name}.yaml", "-o", name, timeout_s=120)
        assert done.code == 0, done.out + done.err


def test_a_mistake_in_the_sample_is_told_before_anything_is_written(stranger: Stranger):
    cases = (
        ({"n": 10, "dist": {"other": {"box": [0, 1]}}}, "the contract has no input 'other'"),
        ({"n": 10, "dist": {"vector": {"w": {"box": [0, 1]}}}}, "has no field 'w'; it has header"),
        ({"n": 10, "dist": {"vector": {"box": [0, 1]}}}, "no distribution for 'header.stamp'"),
        ({"n": 10, "dist": {"vector": {"box": [1, 0]}}}, "verify.yaml:"),
    )
    for sample, sentence in cases:
        write_verification(stranger, "own:scale", {"sample": sample})
        done = stranger.run("verify", "verify.yaml", "-o", "out")
        assert (done.code, sentence in done.err) == (2, True), done.err
        assert not (stranger.cwd / "out").exists()


def test_what_fit_proposes_can_be_used_as_python_and_as_yaml(stranger: Stranger):
    topic = "/imu/acceleration"
    done = stranger.run("fit", ROOT / "bags/husky_acceleration", topic)
    assert (done.code, done.err) == (0, "")
    python, _, text = done.out.partition("# YAML, for inputs.sample.dist\n")
    sample = {"n": 50, "dist": {"vector": yaml.safe_load(text)}}
    write_verification(stranger, "own:scale", {"sample": sample})
    assert stranger.run("sample", "verify.yaml", "-o", "bag").code == 0
    function = (
        "\n\n@component(dist=distribution)\ndef fitted(vector: Vector3Stamped) -> "
        "Vector3Stamped:\n    return vector\n"
    )
    (stranger.cwd / "fitted.py").write_text(OWN + python + function)
    done = stranger.run("sample", "fitted:fitted", "-n", "50", "-o", "again")
    assert done.code == 0, done.err
    assert list(Bag(stranger.cwd / "bag").messages()) == list(
        Bag(stranger.cwd / "again").messages()
    )


def test_fit_says_what_there_is_not(stranger: Stranger):
    done = stranger.run("fit", ROOT / "bags/husky_acceleration", "/nowhere")
    assert (done.code, done.out) == (2, "")
    assert "has no topic /nowhere; it has /imu/acceleration" in done.err
