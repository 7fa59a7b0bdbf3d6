"""What a user does with an ordinary rclpy node, as it is: all that a component is good for."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import plain_nodes
import pytest
from geometry_msgs.msg import Vector3, Vector3Stamped
from lockstep.cdr.codec import installed_codec
from lockstep.compare import Tolerances
from lockstep.component import contract_of
from lockstep.errors import Crash, RunError, UsageError
from lockstep.port import prompt_of, scaffold, subject_of
from lockstep.port.fix import fix_prompt
from lockstep.port.shared_tests import shared_tests
from lockstep.run.model import Implementation
from lockstep.run.nodes.differences import contradictions
from lockstep.run.nodes.registered import registered_contracts
from lockstep.search.fuzz import Budget, fuzz
from lockstep.search.killing import Given, InProcesses, Original
from lockstep.search.mutants import mutants
from lockstep.verify.model import load
from lockstep.verify.verify import verify
from smoother_component import Fixed, Smoother
from verifications import CPP

NODE = {"node": "plain_nodes:Smoother"}
COMPONENT = {"component": "smoother_component:Smoother"}
MS = 10**6
HERE = Path(__file__).parent


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
    mending = fix_prompt(verdict.folder, verdict.folder.parent / "verify.yaml").to_markdown()
    assert "self.counted.publish(Float64(data=float(self.count)))" in mending


def test_a_node_is_verified_against_another_node_by_cause(verified):
    weak = {**NODE, "parameters": {"gain": 0.25}}
    twice = {"mode": "direct", "repeat": 2}
    verdict = verified({"old": NODE, "same": NODE, "weak": weak}, run=twice)
    assert [again.all_match for again in (*verdict.noise, *verdict.repeats["same"])] == [True, True]
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
        (
            {"command": ["false"]},
            Crash,
            "n ended without being a node (exit code 1), as what unsets LD_PRELOAD, is linked",
        ),
    ],
)
def test_what_cannot_be_a_node_is_told_in_one_sentence(implementation, error, sentence):
    with pytest.raises(error) as raised:
        registered_contracts({"n": Implementation(**implementation)})
    assert sentence in str(raised.value)
    assert "lockstep-contract-" not in str(raised.value)  # its log is gone


def test_a_node_that_publishes_nothing_is_no_match(verified):
    mute = {"node": "plain_nodes:Mute"}
    with pytest.raises(UsageError, match="Mute has no outputs to compare"):
        verified({"mute": mute, "again": mute})
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
    with pytest.raises(
        UsageError, match="'a' is several processes, which can be verified but not searched"
    ):
        fuzz(load(file), tmp_path / "found")


def test_what_a_port_of_a_node_starts_from_is_read_from_the_node(tmp_path):
    subject = subject_of("plain_nodes:Smoother", HERE / "plain_nodes.yaml")
    scaffold(subject, "cpp", tmp_path)
    header = (tmp_path / "smoother_cpp/include/smoother_cpp/smoother.hpp").read_text()
    for line in (
        'Input<Vector3Stamped> vector{this, "vector", &Smoother::on_vector};',
        'Output<Float64> counted{this, "counted"};',
        'Timer tick{this, "tick", 0.1, &Smoother::on_tick};',
        'gain{this, "gain", 0.5, "Weight of what is new.", Minimum{0.0}, Maximum{1.0}};',
    ):
        assert line in header
    declared = load(tmp_path / "smoother_cpp/verify.yaml")
    assert declared.implementations["node"].node == "plain_nodes:Smoother"
    assert declared.implementations["cpp"].executable == "smoother_cpp/smoother"
    tests = (tmp_path / "smoother_cpp/test/test_smoother.py").read_text()
    assert "def test_outputs_have_the_time_of_what_caused_them(component)" in tests
    prompt = prompt_of(subject, "cpp").to_markdown()
    for text in (
        "Port the rclpy node Smoother to C++17. Puts out the smoothed length of vectors",
        "a timer of 0.1 s: `on_tick` is its callback",
        "self.length += gain * (math.sqrt(v.x * v.x + v.y * v.y + v.z * v.z) - self.length)",
        "<- counted at",
    ):
        assert text in prompt


def test_tests_are_made_of_what_a_node_does(tmp_path):
    subject = subject_of("plain_nodes:Smoother", HERE / "plain_nodes.yaml")
    module = shared_tests(replace(subject, file=tmp_path / "other.yaml", has_inputs=False))
    compile(module, "test_smoother.py", "exec")
    assert "(1100000000, Float64(data=1.0))" in module
    assert 'component.outputs["smoothed"],\n        [\n        ],' in module


def test_faults_are_planted_into_what_a_node_computes(tmp_path):
    every = {mutant.fault: mutant for mutant in mutants(plain_nodes.Smoother)}
    assert not [fault for fault in every if "create_" in fault or "declare_" in fault]
    encode = installed_codec("geometry_msgs/msg/Vector3Stamped").encode
    vector = encode(Vector3Stamped(vector=Vector3(x=3.0, y=4.0)))
    inputs = [Given(0, 10**9 + number * 60 * MS, vector) for number in range(3)]
    runs = InProcesses("plain_nodes:Smoother", contract_of(Smoother), {}, tmp_path)
    original = Original(runs, inputs, Tolerances())
    assert original.killed_at(every["`self.count += 1` is missing"]) == 2  # the timer's step
    assert original.killed_at(every["`*` became `/`"]) == 0
    assert original.killed_at(every["`>` became `>=`"]) is None


def test_what_is_verified_of_a_node_is_remembered_until_its_source_changes(
    stranger, write_verification
):
    source = stranger.cwd / "own_node.py"
    source.write_text((HERE / "plain_nodes.py").read_text())
    file = write_verification(
        {"old": {"node": "own_node:Smoother"}, "new": COMPONENT},
        duration=0.5,
        run={"mode": "direct"},
        compare={"align": "cause"},
        folder=stranger.cwd,
    )
    assert stranger.run("verify", file).code == 0
    status = stranger.run("status", "--check")
    assert (status.code, "VERIFIED" in status.out) == (0, True), status
    source.write_text(source.read_text().replace("0.1, self.on_tick", "0.2, self.on_tick"))
    changed = stranger.run("status", "--check")
    assert (changed.code, "CHANGED" in changed.out, "own_node.py" in changed.out) == (1, True, True)
