"""Which cases a suite has."""

from itertools import chain

import pytest
import yaml
from lockstep.errors import UsageError
from lockstep.suite.case import verification_of
from lockstep.suite.expansion import cases_of, shard_of
from lockstep.suite.model import load_suite

RECORDED = {
    "implementations": {
        "python": {"component": "planted:Scale"},
        "cpp": {"executable": "pkg/scale"},
        "rust": {"executable": "pkg/rust", "parameters": {"epsilon": 0.5}},
    },
    "reference": "python",
    "inputs": {"bag": "drive.mcap", "topics": {"vector": "/v"}},
    "run": {"rtf": 2.0, "window": 10},
}
DRAWN = {
    "implementations": {
        "python": {"component": "planted:Scale"},
        "cpp": {"executable": "pkg/scale"},
    },
    "reference": "python",
    "inputs": {"sample": {"n": 10, "seed": 3}},
    "run": {"mode": "direct"},
}


@pytest.fixture
def suite_of(tmp_path):
    """What writes verify files and a suite, and gives its cases."""
    (tmp_path / "bags").mkdir()
    for name in ("a.mcap", "b.mcap"):
        (tmp_path / "bags" / name).touch()

    def cases(files=None, **suite):
        for name, data in (files or {"imu": RECORDED}).items():
            path = tmp_path / f"{name}.yaml"
            path.parent.mkdir(exist_ok=True)
            path.write_text(yaml.safe_dump(data))
        file = tmp_path / "suite.yaml"
        file.write_text(yaml.safe_dump({"verify": ["**/*.yaml"], **suite}))
        return cases_of(load_suite(file))

    return cases


def names(cases):
    return [case.name for case in cases]


def test_without_a_matrix_each_implementation_is_a_case(suite_of):
    assert names(suite_of()) == ["imu/cpp", "imu/rust"]


def test_the_matrix_multiplies_what_it_fits(suite_of, tmp_path):
    cases = suite_of(
        {"imu": RECORDED, "deep/scan": DRAWN},
        matrix={
            "bags": ["bags/*.mcap"],
            "implementations": ["cpp"],
            "seeds": [7, 8],
            "modes": ["direct"],
        },
    )
    assert names(cases) == [
        "deep/scan/cpp/seed-7/direct",
        "deep/scan/cpp/seed-8/direct",
        "imu/cpp/a/direct",
        "imu/cpp/b/direct",
    ]
    drawn, _, recorded, _ = map(verification_of, cases)
    assert drawn.inputs.sample.seed == 7
    assert recorded.inputs.bag == tmp_path / "bags/a.mcap"
    assert (recorded.run.mode, recorded.run.window) == ("direct", 100)  # which only graphs have
    assert list(recorded.implementations) == ["python", "cpp"]


def test_the_bag_of_the_file_is_found_from_the_folder_of_the_file(suite_of, tmp_path):
    (case,) = suite_of({"deep/imu": RECORDED}, matrix={"implementations": ["cpp"]})
    assert verification_of(case).inputs.bag == tmp_path / "deep/drive.mcap"


def test_parameters_of_the_matrix_go_over_those_of_the_file(suite_of):
    data = {**RECORDED, "parameters": {"epsilon": 1.0}}
    sets = {"plain": {}, "wide": {"epsilon": 2.0}}
    matrix = {"parameters": sets, "implementations": ["cpp"]}
    plain, wide = suite_of({"imu": data}, matrix=matrix)
    assert (plain.name, wide.name) == ("imu/cpp/plain", "imu/cpp/wide")
    assert verification_of(plain).parameters == {"epsilon": 1.0}
    assert verification_of(wide).parameters == {"epsilon": 2.0}


def test_a_parameter_that_would_have_no_effect_is_refused(suite_of):
    with pytest.raises(UsageError, match="imu/rust/wide: parameter 'epsilon' of the matrix has no"):
        suite_of(matrix={"parameters": {"wide": {"epsilon": 2.0}}})


def test_a_choice_that_does_not_fit_is_refused_before_anything_runs(suite_of):
    implementations = {**RECORDED["implementations"], "box": {"node": "a:B"}}
    data = {**RECORDED, "implementations": implementations, "run": {"mode": "direct"}}
    with pytest.raises(UsageError, match=r"imu/box/live: run: 'box' is a node and acknowledges no"):
        suite_of({"imu": data}, matrix={"modes": ["live"]})


def test_include_and_exclude_choose_by_name(suite_of):
    matrix = {"bags": ["bags/*.mcap"]}
    chosen = suite_of(matrix=matrix, include=["*/a"], exclude=["*rust*"])
    assert names(chosen) == ["imu/cpp/a"]


def test_a_suite_without_cases_is_refused(suite_of):
    with pytest.raises(UsageError, match="the suite has no cases: of 2 in the matrix"):
        suite_of(exclude=["*"])


@pytest.mark.parametrize(
    ("suite", "sentence"),
    [
        ({"verify": ["none/*.yaml"]}, "verify: 'none/*.yaml' matches no verify file"),
        ({"matrix": {"bags": ["bags/*.db3"]}}, "matrix.bags: 'bags/*.db3' matches nothing"),
    ],
)
def test_a_pattern_that_matches_nothing_is_refused(suite_of, suite, sentence):
    with pytest.raises(UsageError) as error:
        suite_of(**suite)
    assert sentence in str(error.value)


def test_a_matrix_of_a_million_is_refused_with_its_size_unless_asked_for(suite_of):
    sets = {f"set-{number}": {} for number in range(1000)}
    matrix = {"seeds": list(range(1000)), "parameters": sets}
    with pytest.raises(UsageError, match="the matrix has 1,000,000 cases, and 10,000 are allowed"):
        suite_of({"scan": DRAWN}, matrix=matrix)
    few = {"seeds": list(range(11))}
    with pytest.raises(UsageError, match=r"has 11 cases, and 10 are .* give most: 11 "):
        suite_of({"scan": DRAWN}, matrix=few, most=10)
    assert len(suite_of({"scan": DRAWN}, matrix=few, most=11)) == 11


def test_rules_give_limits_and_priorities(suite_of):
    cpp, rust = suite_of(
        limits={"time": 60},
        rules=[{"cases": "*", "memory": "1 GB"}, {"cases": "*/cpp", "time": 5, "priority": -1}],
    )[::-1]
    assert (cpp.name, cpp.time_s, cpp.memory_bytes) == ("imu/cpp", 5, 10**9)
    assert (rust.name, rust.time_s, rust.memory_bytes) == ("imu/rust", 60, 10**9)


def test_shards_have_all_cases_between_them_and_keep_a_reference_together(suite_of):
    cases = suite_of(matrix={"bags": ["bags/*.mcap"]})
    shards = [shard_of(cases, number, 2) for number in (1, 2)]
    assert [{case.bag_name for case in shard} for shard in shards] == [{"a"}, {"b"}]
    assert sorted(names(chain(*shards))) == sorted(names(cases))
    fine = [shard_of(cases, number, 4) for number in (1, 2, 3, 4)]
    assert sorted(names(chain(*fine))) == sorted(names(cases))
    with pytest.raises(UsageError, match="shard 5/5 has no cases: the suite has 4"):
        shard_of(cases, 5, 5)


def test_a_bag_may_be_behind_a_url(suite_of):
    bags = ["s3://bucket/logs/drive.mcap", "bags/a.mcap"]
    remote, _ = suite_of(matrix={"bags": bags, "implementations": ["cpp"]})
    assert remote.name == "imu/cpp/drive"
    assert verification_of(remote).inputs.bag == "s3://bucket/logs/drive.mcap"


def test_two_bags_of_one_name_stay_two_cases(suite_of, tmp_path):
    (tmp_path / "more").mkdir()
    (tmp_path / "more/a.mcap").touch()
    matrix = {"bags": ["bags/a.mcap", "more/a.mcap"], "implementations": ["cpp"]}
    first, second = suite_of(matrix=matrix)
    assert first.name == "imu/cpp/a"
    assert second.name.endswith("more/a")
    assert (first.bag, second.bag) == (str(tmp_path / "bags/a.mcap"), str(tmp_path / "more/a.mcap"))
