"""Searches find planted faults in real processes, and shrink them to the
smallest input that shows them.
"""

import math

import pytest
from lockstep.cdr.codec import codec
from lockstep.errors import RunError, UsageError
from lockstep.message.definitions import definition
from lockstep.search import counterexample
from lockstep.search.fuzz import Budget, fuzz
from lockstep.verify.model import Verification, load
from lockstep.verify.verify import verify


def verification(other, reference="Scale", **sections):
    return Verification.model_validate(
        {
            "implementations": {
                "right": {"component": f"planted:{reference}"},
                "other": {"component": f"planted:{other}"},
            },
            "reference": "right",
            "inputs": {"sample": {"n": 200}},
            "run": {"mode": "direct", "timeout": 0.5},
            "compare": {"tolerance": {"*": {"abs": 1e-9}}},
        }
        | sections
    )


HEADER = {"header.stamp": {"timestamps": 50}, "header.frame_id": {"constant": "imu"}}


def searched(tmp_path, other, reference="Scale", budget=None, vector=None, **options):
    """Searches `other`; all vectors have the value `vector`, or else those that are declared."""
    dist = {} if vector is None else {"vector": {**HEADER, "vector": {"constant": vector}}}
    inputs = {"sample": {"n": 200, "dist": dist}}
    folder = tmp_path / f"logs_{len(list(tmp_path.iterdir()))}"
    budget = budget or Budget(seconds=120)
    return fuzz(verification(other, reference, inputs=inputs), folder, budget=budget, **options)


def vectors(search):
    kind = codec("geometry_msgs/msg/Vector3Stamped", definition("geometry_msgs/msg/Vector3Stamped"))
    messages = [kind.decode(step.data) for step in search.finding.steps]
    assert all(message.header.frame_id == "" for message in messages)
    return [(m.vector.x, m.vector.y, m.vector.z) for m in messages]


def test_a_fault_for_nan_shrinks_to_one_message_with_one_nan_and_is_kept(tmp_path):
    search = searched(tmp_path, "WrongForNan", examples=tmp_path / "examples")
    assert search.exit_code == 1
    ((x, y, z),) = vectors(search)
    assert (x, z) == (0.0, 0.0)
    assert math.isnan(y)
    assert {deviation.field for deviation in search.finding.deviations} == {
        "vector.x",
        "vector.y",
        "vector.z",
    }
    again = searched(tmp_path, "WrongForNan", seed=1, examples=tmp_path / "examples")
    assert again.sequences == 1
    assert again.finding.steps == search.finding.steps


def test_a_fault_below_epsilon_shrinks_to_one_short_vector(tmp_path):
    search = searched(tmp_path, "WrongForShort")
    ((x, y, z),) = vectors(search)
    assert sorted(map(abs, (x, y, z)))[:2] == [0.0, 0.0]
    assert 0.0005 <= abs(x + y + z) < 0.001


def test_a_fault_in_the_third_message_shrinks_to_three_empty_ones_at_one_time(tmp_path):
    search = searched(tmp_path, "WrongThird")
    assert vectors(search) == [(0.0, 0.0, 0.0)] * 3
    assert [step.time_ns for step in search.finding.steps] == [1_000_000_000] * 3
    assert search.finding.found > 3
    assert search.finding.difference.step == 2
    assert search.finding.difference.b is None


def test_a_fault_that_needs_state_shrinks_to_the_messages_that_make_it(tmp_path):
    search = searched(tmp_path, "JoinsTheFirst", "Join")
    assert [step.port for step in search.finding.steps] == [0, 0, 1]
    values = [value for vector in vectors(search) for value in vector if value]
    assert values == [1.0]


def test_a_counterexample_is_a_bag_that_verify_agrees_on(tmp_path):
    search = searched(tmp_path, "JoinsTwice", "Join")
    assert [step.port for step in search.finding.steps] == [1]
    counterexample.write(search, tmp_path)
    file = load(tmp_path / counterexample.FILE)
    assert file.inputs.silent == ["force"]
    verdict = verify(file, tmp_path / "out")
    assert verdict.exit_code == 1
    (key,) = verdict.comparisons["other"].keys.values()
    assert (key.judged.differing, key.judged.first.fields[0].field) == (1, "wrench.torque.z")
    text = (tmp_path / counterexample.TEXT).read_text()
    assert "step 0: torque at t 0.000000000\n" in text
    assert "-wrench.torque.z: 1.0\n+wrench.torque.z: 2.0    # off by 1," in text
    data = counterexample.as_data(search)
    assert data["match"] is False
    assert data["counterexample"]["messages"] == 1


def test_an_error_of_one_alone_is_found(tmp_path):
    search = searched(tmp_path, "RaisesWhenNegative")
    assert search.finding.difference.kind == "other raised"
    assert "ValueError: x is negative" in search.finding.difference.sentence
    assert vectors(search) == [(-1.0, 0.0, 0.0)]


def test_errors_in_the_same_step_are_the_same_if_they_are_declared(tmp_path):
    sides = "RaisesWhenNegativeToo", "RaisesWhenNegative"
    declared = verification(*sides, compare={"failures": ["negative"]})
    search = fuzz(declared, tmp_path / "logs", budget=Budget(seconds=None, runs=30))
    assert (search.exit_code, search.sequences) == (0, 30)
    assert search.messages > 400
    assert search.most_that_differ == pytest.approx(0.095, abs=0.001)


def test_errors_in_the_same_step_that_nobody_declared_are_no_verdict(tmp_path):
    search = searched(tmp_path, "RaisesWhenNegativeToo", "RaisesWhenNegative")
    assert search.exit_code == 3
    assert search.finding.difference.kind == "right raised and other raised"
    assert "under compare: failures:" in search.finding.difference.sentence
    assert vectors(search) == [(-1.0, 0.0, 0.0)]


def test_a_crash_is_found_and_the_next_process_goes_on(tmp_path):
    search = searched(tmp_path, "CrashesForInfinity")
    assert search.finding.difference.kind == "other crashes"
    assert "exit code 7" in search.finding.difference.sentence
    ((x, y, z),) = vectors(search)
    assert (x, y, z) == (0.0, 0.0, math.inf)


def test_a_hang_is_found(tmp_path):
    search = searched(tmp_path, "HangsForZero", vector=0)
    assert search.finding.difference.kind == "other hangs"
    assert vectors(search) == [(0.0, 0.0, 0.0)]


@pytest.mark.parametrize("fault", ["KeepsState", "LeftToChance"])
def test_what_does_not_depend_on_inputs_alone_is_no_verdict(tmp_path, fault):
    with pytest.raises(RunError, match="depends on more than its inputs"):
        searched(tmp_path, fault)


def test_what_cannot_be_searched_is_refused(tmp_path):
    box = verification("Scale", run={"mode": "live", "rtf": 1.0})
    implementations = {**box.implementations, "box": {"command": ["true"]}}
    data = box.model_dump(exclude_unset=True) | {"implementations": implementations}
    with pytest.raises(RunError, match="box ended without being a node"):
        fuzz(Verification.model_validate(data), tmp_path / "box")
    alone = verification("Scale").model_copy(
        update={"implementations": {"right": box.implementations["right"]}}
    )
    with pytest.raises(UsageError, match="needs another implementation"):
        fuzz(alone, tmp_path / "out")
    distributions = verification("Scale", compare={"align": "none"})
    with pytest.raises(UsageError, match=r"compare\.align is none"):
        fuzz(distributions, tmp_path / "out")
    assert not (tmp_path / "out").exists()
