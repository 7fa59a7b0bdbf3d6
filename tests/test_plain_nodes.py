"""What a user does with an ordinary rclpy node, as it is: all that a component is good for."""

import json
import os
import sys

import pytest
from lockstep.component import contract_of
from lockstep.errors import Crash, RunError, UsageError
from lockstep.run.model import Implementation
from lockstep.run.nodes.differences import contradictions
from lockstep.run.nodes.registered import registered_contracts
from lockstep.search.fuzz import Budget, fuzz
from lockstep.verify.model import load
from lockstep.verify.verify import verify
from smoother_component import Fixed, Smoother
from verifications import CPP

NODE = {"node": "plain_nodes:Smoother"}
COMPONENT = {"component": "smoother_component:Smoother"}
MS = 10**6


@pytest.fixture
def verified(write_verification, tmp_path):
    """Verifies implementations, the first of which is right, on real accelerations."""

    def done(implementations, align="cause", **sections):
        sections = {"run": {"mode": "direct"}, "compare": {"align": align}} | sections
        file = write_verification(implementations, duration=2.0, **sections)
        return verify(load(file), tmp_path / "out")

    return done


def test_a_node_tells_its_contract_as_a_component_does(stranger):
    told = json.loads(stranger.run("contract", "plain_nodes:Smoother").out)
    assert told == json.loads(contract_of(Smoother).to_json())


def test_contracts_of_nodes_are_compared_by_topic(stranger):
    same = stranger.run("contract", "plain_nodes:Smoother", "smoother_component:Smoother")
    assert (same.code, "have the same contract" in same.out) == (0, True)
    other = stranger.run("contract", "smoother_component:Fixed", "plain_nodes:Smoother")
    assert other.code == 1
    assert [line.partition(": ")[2] for line in other.out.strip().splitlines()] == [
        "it does publish /counted, which the other does not",
        "parameter 'gain' is 0.5 by default, not 0.25",
    ]


def test_a_parameter_that_is_given_has_no_default_that_could_differ():
    ours, theirs = contract_of(Fixed), contract_of(Smoother)
    assert contradictions(ours, theirs, ["gain"]) == []
    assert contradictions(ours, theirs, []) == ["parameter 'gain' is 0.5 by default, not 0.25"]
    assert contradictions(theirs, ours, ["gain"]) == []  # what is missing may come later


def test_a_node_is_verified_against_components_by_cause(verified):
    eager = {"component": "smoother_component:Eager"}
    verdict = verified({"old": NODE, "new": COMPONENT, "eager": eager})
    assert verdict.comparisons["new"].all_match
    assert verdict.comparisons["new"].keys["/counted"].aligned.count_a == 19
    assert not verdict.comparisons["eager"].keys["/counted"].matches
    assert verdict.comparisons["eager"].keys["/smoothed"].matches


def test_a_node_is_verified_against_another_node_by_cause(verified):
    weak = {**NODE, "parameters": {"gain": 0.25}}
    verdict = verified({"old": NODE, "same": NODE, "weak": weak})
    assert verdict.comparisons["same"].all_match
    assert verdict.comparisons["weak"].keys["/counted"].matches
    assert not verdict.comparisons["weak"].keys["/smoothed"].matches


def test_a_node_that_breaks_the_contract_of_a_component_is_told_before_it_runs(verified):
    contract = {"component": "smoother_component:Fixed"}
    verdict = verified({"fixed": contract, "old": NODE})
    assert verdict.mismatched_contracts == {"old": ["parameter 'gain' is 0.5 by default, not 0.25"]}


def test_topics_that_are_alike_have_ports_that_are_told_apart():
    contract = registered_contracts({"c": Implementation(node="plain_nodes:Clashing")})["c"]
    assert [(port.name, port.topic) for port in contract.inputs] == [
        ("left__speed", "left/speed"),
        ("left_speed", "left_speed"),
    ]
    assert [port.name for port in contract.outputs] == ["left_speed_out"]


@pytest.mark.parametrize(
    ("implementation", "error", "sentence"),
    [
        (
            {"node": "nowhere:Node"},
            UsageError,
            "n: cannot load 'nowhere:Node': ModuleNotFoundError",
        ),
        ({"node": "plain_nodes:Named"}, UsageError, "(missing a required argument: 'name')"),
        ({"node": "plain_nodes:Broken"}, Crash, "Broken' failed: ValueError: no such device ("),
        (
            {**NODE, "parameters": {"gain": 2.0}},
            UsageError,
            "failed: InvalidParameterValueException: Invalid parameter value (2.0)",
        ),
        (
            {**NODE, "parameters": {"gain": "much"}},
            UsageError,
            "failed: InvalidParameterTypeException: Trying to set parameter 'gain' to 'much'",
        ),
        ({"command": ["false"]}, Crash, "n ended without being a node (exit code 1); it printed n"),
    ],
)
def test_what_cannot_be_a_node_is_told_in_one_sentence(implementation, error, sentence):
    with pytest.raises(error) as raised:
        registered_contracts({"n": Implementation(**implementation)})
    assert sentence in str(raised.value)
    assert "lockstep-contract-" not in str(raised.value)  # its log is gone


def test_a_node_that_publishes_nothing_is_no_match(verified):
    zero = {**NODE, "parameters": {"gain": 0.0}}
    with pytest.raises(RunError, match="nothing is known of output 'smoothed'"):
        verified({"zero": zero, "again": zero})


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A workspace whose package plain_pkg has a node as an executable."""
    program = tmp_path / "install/lib/plain_pkg/smoother"
    program.parent.mkdir(parents=True)
    program.write_text(
        f"#!{sys.executable}\nimport rclpy\nfrom plain_nodes import Smoother\n\n"
        "rclpy.init()\nrclpy.spin(Smoother())\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path / "install"), prepend=os.pathsep)
    return "plain_pkg/smoother"


def test_an_executable_that_is_no_component_is_a_node(verified, installed, write_verification):
    executable = {"executable": installed, "remap": {"smoothed": "smoothed"}}
    assert verified({"new": COMPONENT, "old": executable}).comparisons["old"].all_match
    live = {"run": {"mode": "live"}, "compare": {}}
    with pytest.raises(UsageError, match=r"'old' .* is an ordinary node, no component: use run"):
        verify(load(write_verification({"new": COMPONENT, "old": executable}, **live)), None)
    remapped = {**CPP, "remap": {"vector": "other"}}
    with pytest.raises(UsageError, match="'old': remap is for nodes; components have the contract"):
        verify(load(write_verification({"new": COMPONENT, "old": remapped})), None)


def test_a_search_finds_and_shrinks_what_a_component_does_otherwise(write_verification, tmp_path):
    every = {"old": NODE, "eager": {"component": "smoother_component:Eager"}}
    file = write_verification(
        every, duration=0.14, run={"mode": "direct"}, compare={"align": "cause"}
    )
    search = fuzz(load(file), tmp_path / "found", budget=Budget(runs=1))
    assert search.finding is not None
    assert (search.finding.reference, search.finding.name) == ("old", "eager")
    assert len(search.finding.steps) == 2  # the timer fires before the second


def test_time_never_steps_back_in_a_search_with_nodes(write_verification, tmp_path):
    """For a component it may, and a node does not know that: so it would be a difference."""
    every = {"old": NODE, "new": COMPONENT}
    file = write_verification(
        every, duration=0.14, run={"mode": "direct"}, compare={"align": "cause"}
    )
    search = fuzz(load(file), tmp_path / "found", budget=Budget(runs=4), seed=1)
    assert (search.exit_code, search.sequences) == (0, 4)


def test_a_launch_file_cannot_be_searched(write_verification, tmp_path):
    live = {"run": {"rtf": 1.0}, "compare": {}, "contract": "smoother_component:Smoother"}
    file = write_verification({"a": {"launch": ["a.launch.py"]}, "b": COMPONENT}, **live)
    with pytest.raises(UsageError, match="'a' is a launch file, which starts several processes"):
        fuzz(load(file), tmp_path / "found")
