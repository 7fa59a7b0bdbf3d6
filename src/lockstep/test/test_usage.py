"""The library as its first users wrote it: everything from `lockstep` itself, imported when it is
asked for."""

import json
import math
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from lockstep.component import Component, Input, Output
from lockstep.dataset import DatasetError
from lockstep.distributions import DistError, Distribution, Normal

import lockstep
from lockstep import (
    DataDistMixin,
    DataPlayback,
    DataRecorder,
    Dataset,
    Prompt,
    create_prompt,
    diffdiff,
    sample,
    send_prompt,
)

NS = 1_000_000_000


@dataclass
class SensorMsg(DataDistMixin):
    data_dist = Distribution(Normal(0.0, 2.0))

    x: float = 0.0
    y: float = 0.0


@dataclass
class UndeclaredMsg(DataDistMixin):
    x: float = 0.0


class Doubler(Component):
    """Double what a sensor measures."""

    sensor = Input(SensorMsg)
    doubled = Output(SensorMsg)

    def on_sensor(self, msg: SensorMsg) -> None:
        self.doubled.publish(SensorMsg(2 * msg.x, 2 * msg.y))


def imported_by(code: str) -> set[str]:
    """The modules that a new interpreter has imported after some code."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport json, sys; print(json.dumps([*sys.modules]))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_values_are_recorded_saved_loaded_and_played(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    dataset = Dataset.create(backend="memory")
    recorder = DataRecorder(dataset=dataset)
    recorder.add_input("sensor", SensorMsg)
    for tick in range(3):
        recorder.record("sensor", SensorMsg(x=float(tick)), timestamp=0.5 + 0.01 * tick)
    assert dataset["sensor"].times().tolist() == [500_000_000, 510_000_000, 520_000_000]
    dataset.save("recording.pkl")

    dataset = Dataset.load("recording.pkl")
    playback = DataPlayback(dataset=dataset, config=DataPlayback.Config(rate=2.0))
    played = []
    playback.on("sensor", lambda record: played.append(record.value["x"]))
    assert playback.play_realtime() == 3
    assert played == [0.0, 1.0, 2.0]


def test_a_timestamp_is_seconds_as_a_float_and_nanoseconds_as_an_int():
    recorder = DataRecorder().add_input("sensor", SensorMsg)
    for timestamp in (0.5, 500_000_001, 1_700_000_000.25):
        recorder.record("sensor", SensorMsg(), timestamp=timestamp)
    times = recorder.dataset["sensor"].times().tolist()
    assert times == [500_000_000, 500_000_001, 1_700_000_000 * NS + NS // 4]
    for timestamp in (math.nan, math.inf, 1e300):
        with pytest.raises(DatasetError, match="is no time"):
            recorder.record("sensor", SensorMsg(), timestamp=timestamp)


def test_two_recordings_are_the_same_within_a_tolerance():
    first, second = Dataset.create(backend="memory"), Dataset.create(backend="memory")
    for dataset, error in ((first, 0.0), (second, 1e-9)):
        for tick in range(3):
            dataset.append("x", float(tick) + error, stamp_ns=1 + tick)
    assert diffdiff(first, second, tol=1e-6).all_match
    assert not diffdiff(first, second).all_match
    assert "DIFFERENT" in diffdiff(first, second).summary()
    assert diffdiff(SensorMsg(1.0), SensorMsg(1.0 + 1e-9), tol=1e-6).all_match
    assert "MATCH" in diffdiff(SensorMsg(1.0), SensorMsg(1.0)).summary()


def test_a_message_type_answers_how_it_is_distributed():
    assert SensorMsg.data_dist.rules == {"*": Normal(0.0, 2.0)}
    drawn = sample(Doubler, n=200, seed=0)["/sensor"].column("x")
    assert 1.5 < drawn.std() < 2.5
    with pytest.raises(DistError, match="UndeclaredMsg has no distribution"):
        _ = UndeclaredMsg.data_dist
    with pytest.raises(DistError, match="UndeclaredMsg has no distribution"):
        _ = UndeclaredMsg().data_dist


def test_a_ros_type_answers_through_data_dist_of(monkeypatch):
    vectors = pytest.importorskip("geometry_msgs.msg", reason="there is no ROS here")
    from lockstep.distributions import data_dist, data_dist_of, distribution

    monkeypatch.setattr(distribution, "BY_TYPE", {})
    with pytest.raises(DistError, match="Vector3 has no distribution"):
        data_dist_of(vectors.Vector3)
    data_dist(vectors.Vector3, Normal())
    assert data_dist_of(vectors.Vector3).rules == {"*": Normal()}


def test_a_prompt_is_created_and_sent(monkeypatch, tmp_path):
    examples = pytest.importorskip("lockstep_examples", reason="there is no ROS here")
    my_component = examples.VectorNormalizer()
    prompt = create_prompt(component=my_component, target_language="cpp")
    assert isinstance(prompt, Prompt)
    assert prompt.target_language == "cpp"
    assert [port.type for port in prompt.io_specs.inputs] == ["geometry_msgs/msg/Vector3Stamped"]
    assert [port.name for port in prompt.io_specs.outputs] == ["normalized"]
    assert "class VectorNormalizer(Component):" in prompt.source_code
    assert "class Component" in prompt.api_docs
    assert len(prompt.examples) == 6
    assert all("-> vector at " in example for example in prompt.examples)
    assert prompt.dataset_path.is_dir()
    text = prompt.to_markdown()
    assert prompt.source_code.strip() in text
    assert prompt.examples[0] in text

    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(lockstep.port.PortError, match="no clipboard can be reached") as said:
        send_prompt(prompt, method="clipboard")
    assert "\n" not in str(said.value)


def test_everything_that_lockstep_offers_is_there():
    for name in lockstep.__all__:
        assert callable(getattr(lockstep, name)), name
    assert set(lockstep.__all__) <= set(dir(lockstep))
    with pytest.raises(AttributeError, match="module 'lockstep' has no attribute 'teleport'"):
        _ = lockstep.teleport


def test_lockstep_alone_imports_nothing_else():
    modules = imported_by("import lockstep; dir(lockstep)")
    assert {name for name in modules if name.startswith("lockstep")} == {
        "lockstep",
        "lockstep.on_demand",
        "lockstep.version",
    }
    assert "numpy" not in modules


def test_nothing_of_ros_is_imported_before_a_message_of_ros_is_there():
    modules = imported_by("from lockstep import *\nDataset.create()")
    assert {"lockstep.dataset.dataset", "lockstep.port.prompt", "lockstep.verify"} <= modules
    assert not [name for name in modules if name.endswith("_msgs") or name.startswith("rcl")]


@pytest.mark.parametrize(
    "imports",
    [
        "from lockstep import compare\nimport lockstep.compare",
        "import lockstep.compare\nfrom lockstep import compare",
        "import lockstep\ncompare = lockstep.compare",
        "from lockstep.compare.align import align_times\nfrom lockstep import compare",
        "from lockstep.compare import compare",
    ],
)
def test_compare_is_a_function_and_a_package_whatever_was_imported_first(imports, bags: Path):
    bag = str(bags / "husky_acceleration")
    code = f"""
{imports}
assert compare({bag!r}, {bag!r}).all_match
import lockstep.compare
from lockstep.compare.tolerance import Tolerance
assert lockstep.compare.Tolerance is Tolerance
assert lockstep.compare.compare({bag!r}, {bag!r}).all_match
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "imports",
    [
        "from lockstep import verify\nimport lockstep.verify.verify",
        "import lockstep.verify.verify\nfrom lockstep import verify",
        "from lockstep.verify.verify import verify",
    ],
)
def test_verify_is_a_function_and_a_package_whatever_was_imported_first(imports, tmp_path: Path):
    code = f"""
{imports}
from pathlib import Path
from lockstep.errors import UsageError
from lockstep.verify.model import Verification
one = Verification.model_validate(
    {{
        "implementations": {{"a": {{"component": "m:C"}}}},
        "reference": "a",
        "inputs": {{"sample": {{}}}},
    }}
)
try:
    verify(one, Path({str(tmp_path)!r}))
except UsageError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    sentence = "'a' needs another implementation to compare with: add one under implementations:"
    assert done.stdout.startswith(sentence)
    assert "give `lockstep run` the file and 'a'" in done.stdout
    assert done.stderr == ""
