"""Distributions as data: what verify.yaml holds, and back."""

import math

import pytest
import yaml
from lockstep.distributions import (
    Array,
    Box,
    Choice,
    Constant,
    Covariance,
    DistError,
    Distribution,
    Edges,
    Empirical,
    FrameId,
    ImageNoise,
    Integers,
    Mixture,
    Normal,
    OrnsteinUhlenbeck,
    Piecewise,
    PointCloud,
    Scan,
    Steps,
    Text,
    Timestamps,
    Uniform,
    Unit,
    UnitQuaternion,
    declaration,
)
from lockstep.distributions.declaration import (
    data_of,
    distribution_of_data,
    in_folder,
    python_of,
    rule_of_data,
)
from lockstep.errors import UsageError
from lockstep.verify.model import load

RULES = [
    ("uniform: [-1, 1]", Uniform(-1, 1)),
    ("normal: {mean: 0, std: 2}", Normal(0, 2)),
    ("constant: 0", Constant(0)),
    ("constant: [1, 2]", Constant([1, 2])),
    ("choice: [a, b]", Choice("a", "b")),
    ("choice: {values: [1, 2], weights: [0.5, 0.5]}", Choice(1, 2, weights=[0.5, 0.5])),
    ("frame_id: [imu, base_link]", FrameId("imu", "base_link")),
    ("timestamps: 50", Timestamps(50)),
    ("timestamps: {rate_hz: 50, jitter_s: 0.001}", Timestamps(50, 0.001)),
    (
        "array: {of: {uniform: [0, 1]}, length: {integers: [0, 9]}}",
        Array(Uniform(0, 1), Integers(0, 9)),
    ),
    ("array: [{uniform: [0, 1]}, 5]", Array(Uniform(0, 1), 5)),
    (
        "mixture: [[0.9, {normal: [0, 1]}], [0.1, edges]]",
        Mixture((0.9, Normal(0, 1)), (0.1, Edges())),
    ),
    ("unit: [deg, {uniform: [-90, 90]}]", Unit("deg", Uniform(-90, 90))),
    ("covariance: {std: {uniform: [1, 2]}}", Covariance(Uniform(1, 2))),
    ("steps: {levels: [0, 1], every_s: 2}", Steps((0, 1), 2)),
    ("steps: [0, 1]", Steps((0, 1))),
    ("piecewise: {0: 0, 5: 1}", Piecewise({0: 0, 5: 1})),
    ("piecewise: {points: {0: 0, 5: 1}, repeat: true}", Piecewise({0: 0, 5: 1}, repeat=True)),
    ("ornstein_uhlenbeck: {std: 0.1}", OrnsteinUhlenbeck(std=0.1)),
    ("scan: {rays: 10, nan_rate: 0.1}", Scan(rays=10, nan_rate=0.1)),
    ("point_cloud: {points: {integers: [1, 5]}}", PointCloud(points=Integers(1, 5))),
    ("image_noise: {width: {integers: [1, 9]}}", ImageNoise(width=Integers(1, 9))),
    ("text: {length: 5}", Text(5)),
    ("empirical: [bags/drive, /imu]", Empirical("bags/drive", "/imu")),
    ("box: {min: 0, max: 1}", Box(0, 1)),
    ("unit_quaternion", UnitQuaternion()),
    ("edges", Edges()),
    ("edges: {huge: 5}", Edges(5)),
]


@pytest.mark.parametrize(("text", "rule"), RULES, ids=[text for text, _ in RULES])
def test_a_rule_is_read_and_told_again(text, rule):
    assert rule_of_data(yaml.safe_load(text)) == rule
    assert rule_of_data(yaml.safe_load(yaml.safe_dump(data_of(rule)))) == rule
    assert eval(python_of(rule), dict(vars(declaration))) == rule


def test_every_rule_has_a_name():
    import lockstep.distributions

    others = {"Distribution", "DataDistMixin", "DistError", "data_dist", "data_dist_of"}
    named = {cls.__name__ for cls in declaration.NAMES.values()}
    assert named == set(lockstep.distributions.__all__) - others


def test_a_distribution_of_scipy_is_named_with_its_arguments():
    rule = rule_of_data({"scipy": ["gamma", 2.0, {"scale": 3}]})
    assert rule.frozen.mean() == pytest.approx(6.0)
    again = rule_of_data(data_of(rule))
    assert again.frozen.mean() == pytest.approx(6.0)
    assert python_of(rule) == "stats.gamma(2.0, scale=3.0)"


def test_a_distribution_is_rules_by_pattern():
    text = """
header: {stamp: {timestamps: 10}, frame_id: {frame_id: imu}}
"*.covariance": {constant: 0}
x: edges
at: {timestamps: {rate_hz: 20}}
correlation: [[a, b, 0.5]]
"""
    found = distribution_of_data(yaml.safe_load(text))
    assert found.rules["*.covariance"] == Constant(0)
    assert found.rules["header"].rules == {"stamp": Timestamps(10), "frame_id": FrameId("imu")}
    assert found.at == Timestamps(20)
    assert found.correlations.pairs == {("a", "b"): 0.5}
    again = distribution_of_data(data_of(found))
    assert data_of(again) == data_of(found)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("unifrom: [0, 1]", "'unifrom' is no distribution; use one of array, box"),
        ("uniform: [1]", "uniform does not take that .* it takes low, high"),
        ("uniform: [0, 1, 2]", "uniform does not take that"),
        ("normal: {mu: 0}", "normal does not take that .*mu.* it takes mean, std"),
        ("uniform: [2, 1]", "is empty; give low <= high"),
        ("3", "3 is no distribution"),
        ("{uniform: [0, 1], normal: [0, 1]}", "is neither|is no distribution"),
        ("mixture: [1, 2]", "give a list of \\[weight, distribution\\]"),
        ("scipy: nothing", "scipy.stats has no distribution 'nothing'"),
        ("scipy: [gamma, -1]", "out of range"),
        ("scipy: [gamma, {b: 1}]", "scipy.stats.gamma does not take"),
        ("steps: 3", "steps cannot be made of 3"),
        ("array: {length: 3, of: {nonsense: 1}}", "'nonsense' is no distribution"),
        ("{x: {uniform: [2, 1]}}", "'x': Uniform\\(2, 1\\) is empty"),
        ("correlation: [[a, b]]", "is neither a rule"),
    ],
)
def test_what_declares_nothing_is_refused(text, sentence):
    with pytest.raises(DistError, match=sentence):
        distribution_of_data(yaml.safe_load(text))


def test_paths_are_relative_to_the_folder_of_the_file(tmp_path):
    data = {
        "*": {"empirical": ["bags/a", "/x"]},
        "y": {"mixture": [[1, {"empirical": {"bag": "b", "topic": "/x"}}], [1, "edges"]]},
        "z": {"empirical": ["s3://bucket/bag", "/x"]},
    }
    found = in_folder(data, tmp_path)
    assert found["*"] == {"empirical": [str(tmp_path / "bags/a"), "/x"]}
    assert found["y"]["mixture"][0][1]["empirical"]["bag"] == str(tmp_path / "b")
    assert found["z"] == data["z"]


VERIFY = """\
implementations:
  python: {component: "lockstep_examples:VectorNormalizer"}
reference: python
inputs:
  sample:
    n: 1000
    seed: 3
    dist:
      vector:
        header: {stamp: stamp, frame_id: {frame_id: imu}}
        vector.x: {uniform: [-1, 1]}
        vector: {box: [0, 1]}
        at: {timestamps: 50}
"""


def written(tmp_path, text):
    path = tmp_path / "verify.yaml"
    path.write_text(text)
    return path


def test_a_sample_of_a_verification(tmp_path):
    sample = load(written(tmp_path, VERIFY)).inputs.sample
    assert (sample.n, sample.seed) == (1000, 3)
    found = sample.distributions["vector"]
    assert found.rules["vector.x"] == Uniform(-1, 1)
    assert found.at == Timestamps(50)
    again = type(sample).model_validate_json(sample.model_dump_json())
    assert data_of(again.distributions["vector"]) == data_of(found)


def test_a_single_rule_is_for_all_of_an_input(tmp_path):
    text = VERIFY[: VERIFY.index("      vector:")] + "      vector: {empirical: [bag, /v]}\n"
    found = load(written(tmp_path, text)).inputs.sample.distributions["vector"]
    assert found.rules == {"*": Empirical(str(tmp_path / "bag"), "/v")}


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("n: 1000", "n: 0", ":6: inputs.sample.n: Input should be greater than or equal to 1"),
        (
            "n: 1000",
            "n: 1000000000",
            ":6: inputs.sample.n: Input should be less than or equal to 1",
        ),
        ("n: 1000", "count: 3", ":6: unknown key 'count' in inputs.sample"),
        ("seed: 3", "seed: three", ":7: inputs.sample.seed: Input should be a valid integer"),
        (
            "{uniform: [-1, 1]}",
            "{uniform: [1, -1]}",
            ":11: inputs.sample.dist.vector.vector.x: Uniform(1, -1) is",
        ),
        (
            "{uniform: [-1, 1]}",
            "{unifrom: [1]}",
            ":11: inputs.sample.dist.vector.vector.x: 'unifrom' is no",
        ),
        ("{box: [0, 1]}", "0.5", ":12: inputs.sample.dist.vector.vector: 0.5 is no distribution"),
        (
            "{timestamps: 50}",
            "{timestamps: 0}",
            ":13: inputs.sample.dist.vector.at: rate_hz of Timestamps is 0",
        ),
        ("{timestamps: 50}", "{normal: [0, 1]}", ":9: inputs.sample.dist.vector: at= is Normal"),
        (
            "    n: 1000\n",
            "    n: 1000\n    correlation: [[a, b]]\n",
            ":7: inputs.sample.correlation",
        ),
        (
            "  sample:\n",
            "  bag: x\n  sample:\n",
            ":4: inputs: give either bag and topics, or sample",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path, old, new, sentence):
    assert old in VERIFY
    with pytest.raises(UsageError) as error:
        load(written(tmp_path, VERIFY.replace(old, new)))
    assert sentence in str(error.value)


def test_numbers_that_are_not_finite_are_told_as_python():
    assert python_of(Choice(math.inf)) == 'Choice(float("inf"))'
    assert (
        python_of(Distribution(x=Constant(math.nan)))
        == 'Distribution({"x": Constant(float("nan"))})'
    )
