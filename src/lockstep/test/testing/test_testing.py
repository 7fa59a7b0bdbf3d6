"""The pytest plugin as a user's suite meets it: each test here runs pytest on files of its own."""

import os
import stat
import sys
import uuid
from pathlib import Path

import pytest
import yaml
from lockstep.testing import implementations, live
from std_msgs.msg import String

pytest_plugins = ["pytester"]

PYTHON = {"component": "probes:Probe"}
EXECUTABLE = {"executable": "probe_pkg/probe"}
BLACK_BOX = {"command": ["true"]}
# What a suite in this process finds imported, it need not import anew.
IMPORTED = (implementations, live, String)
HEAD = """
import pytest
from std_msgs.msg import String
from lockstep.errors import CallbackError, RunError, UsageError

pytestmark = pytest.mark.lockstep("verify.yaml")
MS = 1_000_000

def do(component, text, time_ns=None):
    component.command.send(String(data=text), time_ns)

def said(component):
    return [message.data for message in component.said.messages]

"""


@pytest.fixture(autouse=True)
def installed(monkeypatch, tmp_path_factory):
    """A workspace that has the component `probe` as an executable, and `other`,
    which breaks its contract.
    """
    prefix = tmp_path_factory.mktemp("install")
    (prefix / "share" / "probe_pkg").mkdir(parents=True)
    (prefix / "lib" / "probe_pkg").mkdir(parents=True)
    for name, target in {"probe": "probes:Probe", "other": "probes:Deaf"}.items():
        program = prefix / "lib" / "probe_pkg" / name
        program.write_text(
            f'#!/bin/sh\nexec {sys.executable} -m lockstep.nodes.host {target} "$@"\n'
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(prefix), prepend=os.pathsep)


@pytest.fixture
def suite(pytester):
    """Runs pytest on tests of the implementations `python` and `exe`, or of what
    a verify.yaml says.
    """

    def run(tests, *options, implementations=None, head=HEAD, **more):
        verification = {
            "implementations": implementations or {"python": PYTHON, "exe": EXECUTABLE},
            "reference": "python",
            "inputs": {"bag": "none", "topics": {"command": "/x"}},
            "run": {"mode": "live", "rtf": 1.0, "timeout": 5.0},
            **more,
        }
        (pytester.path / "verify.yaml").write_text(yaml.safe_dump(verification, sort_keys=False))
        (pytester.path / "test_probe.py").write_text(head + tests)
        if "--live" in options:
            return pytester.runpytest_subprocess("-rA", *options)
        return pytester.runpytest_inprocess("-rA", *options)

    return run


def lines(result, *patterns):
    result.stdout.fnmatch_lines([f"*{pattern}*" for pattern in patterns])


ALIKE = """
def test_a_message_is_consumed_when_send_returns(component):
    assert component.now_ns == 0
    do(component, "twice a", 5)
    assert said(component) == ["a", "a"]
    assert component.said.times_ns == [5, 5]
    assert component.echo.last.data == "a"
    component.said.clear()
    assert (said(component), component.said.times_ns) == ([], [])
    assert component.now_ns == 5

def test_time_is_1_ms_after_now_unless_it_is_given(component):
    do(component, "say x")
    do(component, "say y")
    do(component, "say z", 0)
    assert component.said.times_ns == [MS, 2 * MS, 2 * MS]
    assert component.now_ns == 2 * MS

def test_timers_fire_on_the_time_of_messages(component):
    component.advance(1000 * MS)
    do(component, "say now", 1250 * MS)
    assert said(component) == ["fast", "slow", "fast", "now"]
    assert component.said.times_ns == [1100 * MS, 1200 * MS, 1200 * MS, 1250 * MS]
    component.advance(10)
    assert component.now_ns == 10

def test_every_test_has_a_new_component(component):
    do(component, "tell")
    assert said(component) == ["1 2.0 7 ['a', 'b']"]  # count is that of the verify.yaml

@pytest.mark.parameters({"start.do": "tell"}, factor=0.5, names=["z"])
def test_parameters_have_their_values_before_on_start(component):
    assert said(component) == ["0 0.5 7 ['z']"]
    assert component.said.times_ns == [0]
    component.restart(factor=4.0)
    assert said(component) == ["0 4.0 7 ['z']"]
    component.restart()
    assert said(component) == ["0 0.5 7 ['z']"]
    assert component.now_ns == 0

def test_what_a_callback_raises_is_raised_here(component):
    do(component, "say first")
    failure = "on_command failed at 0.000000009 s: ValueError: oh"
    with pytest.raises(CallbackError, match=failure) as e:
        do(component, "fail oh", 9)
    assert said(component)[0] == "first"
    with pytest.raises(RuntimeError, match=r"the run is over \\(on_command failed.*restart"):
        do(component, "say more")
    component.restart({"start.do": "say again"})
    assert said(component) == ["again"]

def test_on_start_may_be_tested_to_fail(component):
    with pytest.raises(CallbackError, match="on_start failed at 0.000000000 s: ValueError: early"):
        component.restart({"start.do": "fail early"})

def test_parameters_that_cannot_be_are_refused(component):
    for wrong in ({"factor": 1}, {"factor": -1.0}, {"nonsense": 1}):
        with pytest.raises(UsageError, match=f"parameter '{next(iter(wrong))}'"):
            component.restart(wrong)
    component.restart(factor=1.5)
    do(component, "tell")
    assert said(component) == ["1 1.5 7 ['a', 'b']"]

def test_the_wall_times_of_callbacks_end_the_run(component):
    do(component, "say x")
    do(component, "say y")
    component.silent.send(String())
    times = component.durations_ns
    assert (len(times["command"]), len(times["silent"])) == (2, 1)
    assert all(0 < ns < 1e9 for ns in times["command"])
    assert component.durations_ns == times
    with pytest.raises(RuntimeError, match="durations_ns were read"):
        component.advance(5)

def test_mistakes_are_told_in_one_sentence(component):
    for mistake, error, sentence in (
        (lambda: component.said.last, AssertionError, "nothing was published on output 'said'"),
        (lambda: component.command.send("x"), TypeError,
         "input 'command' takes std_msgs/msg/String, not str"),
        (lambda: component.nothing, AttributeError,
         "Probe has no port 'nothing'; its inputs are command, silent, its outputs said, echo"),
        (lambda: component.inputs["said"], KeyError,
         "there is no input 'said', but command, silent"),
        (lambda: component.advance(1e9), TypeError,
         "whole number of nanoseconds, not 1000000000.0"),
        (lambda: component.advance(-1), ValueError, "time_ns is from 0"),
        (lambda: setattr(component, "factor", 1.0), AttributeError, "factor"),
    ):
        with pytest.raises(error) as caught:
            mistake()
        assert sentence in str(caught.value)
    bad = String()
    bad._data = 5
    with pytest.raises(ValueError, match="input 'command': no std_msgs/msg/String"):
        component.command.send(bad)
    do(component, "say well")
    assert said(component) == ["well"]

def test_ports_are_found_by_name_too(component):
    component.inputs["command"].send(String(data="say x"))
    assert component.outputs["said"] is component.said
    assert list(component.outputs) == ["said", "echo"]
    assert component.contract.component == "Probe"
    assert component.implementation in ("python", "exe")

def test_the_environment_is_that_of_the_suite(component):
    import os
    assert os.environ["ROS_DOMAIN_ID"] == "77"
"""
ALIKE_COUNT = ALIKE.count("\ndef test_")


@pytest.fixture
def a_domain(monkeypatch):
    monkeypatch.setenv("ROS_DOMAIN_ID", "77")


def test_a_suite_runs_alike_for_every_implementation(suite, a_domain):
    result = suite(ALIKE, parameters={"count": 7})
    result.assert_outcomes(passed=2 * ALIKE_COUNT)
    lines(result, "PASSED*test_every_test_has_a_new_component?python?", "PASSED*new_component?exe?")


def test_a_suite_runs_alike_on_the_real_graph(suite, a_domain):
    result = suite(ALIKE, "--live", "--implementations", "exe", parameters={"count": 7})
    result.assert_outcomes(passed=ALIKE_COUNT)


CHANGING = """
def test_parameters_change_while_it_runs(component):
    do(component, "say x", 5)
    component.set_parameters(factor=3.0, names=[])
    component.set_parameters({"count": 4})
    for wrong in ({"factor": 1.0, "count": 2.0}, {"nonsense": 1}, {"factor": -1.0}):
        with pytest.raises(UsageError, match="parameter '(count|nonsense|factor)'"):
            component.set_parameters(wrong)
    do(component, "tell")
    assert said(component) == ["x", "factor 3.0", "factor 3.0", "2 3.0 4 []"]
    assert component.said.times_ns == [5, 5, 5, 5 + MS]

def test_after_it_nothing_is_different(component):
    do(component, "tell")
    assert said(component) == ["1 2.0 3 ['a', 'b']"]
"""


def test_parameters_change_in_process_and_live_and_are_skipped_for_executables(suite):
    result = suite(CHANGING)
    result.assert_outcomes(passed=3, skipped=1)
    lines(result, "SKIPPED*exe takes parameters only at its start in direct mode; use --live*")
    suite(CHANGING, "--live").assert_outcomes(passed=4)


DYING = """
def test_a(component):
    do(component, "print last words")
    do(component, "crash")

def test_b(component):
    do(component, "say alive")
    assert said(component) == ["alive"]

def test_c(component):
    do(component, "hang")

def test_d(component):
    do(component, "tell")
    assert said(component) == ["1 2.0 3 ['a', 'b']"]

def test_e(component):
    do(component, "fail oh")

def test_f(component):
    with pytest.raises(RunError, match="SIGSEGV"):
        do(component, "crash")

def test_g(component):
    do(component, "exit 2")

def test_h(component):
    do(component, "say alive")
"""


@pytest.mark.parametrize("mode", [(), ("--live",)], ids=["direct", "live"])
def test_a_process_that_dies_or_hangs_fails_its_own_test_only(suite, mode):
    run = {"mode": "live", "rtf": 1.0, "timeout": 1.0}
    result = suite(DYING, *mode, "--implementations", "exe", run=run)
    result.assert_outcomes(passed=4, failed=4)
    lines(
        result,
        "exe ended during the run (SIGSEGV); its log*ends with:",
        "last words",
        "exe*1 s*",
        "CallbackError: on_command failed at 0.001000000 s: ValueError: oh",
        "goodbye",
    )
    assert "direct_process.py" not in result.stdout.str()  # the traceback is that of the test


JOINED = """
import contextlib, os, subprocess, sys, time
from pathlib import Path
from lockstep.run.participants import descendants

STRANGER = '''
import socket, sys
sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
for held, port in zip(sockets, (40, 41)):  # of a participant, in the numbers of RTPS
    held.bind(("", 7400 + 250 * int(sys.argv[1]) + port))
sys.stdin.read()
'''

def domains():
    for pid in descendants(os.getpid()) - {os.getpid()}:
        with contextlib.suppress(OSError):
            environment = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\\0")
            yield from (line[14:] for line in environment if line.startswith("ROS_DOMAIN_ID="))

def test_a(component):
    do(component, "say alone")
    (domain,) = set(domains())
    command = ["sh", "-c", 'exec 3<&0; "$@" <&3 & ', "sh", sys.executable, "-c", STRANGER, domain]
    stranger = subprocess.Popen(command, stdin=subprocess.PIPE)
    with pytest.raises(RunError, match=f"joined ROS_DOMAIN_ID {domain} of this run"):
        for _ in range(1000):
            do(component, "say still alone")
            time.sleep(0.01)
    stranger.communicate()
"""


def test_whoever_joins_the_domain_of_a_live_test_fails_it(suite):
    suite(JOINED, "--live", "--implementations", "exe").assert_outcomes(passed=1)


@pytest.mark.parametrize("mode", [(), ("--live",)], ids=["direct", "live"])
def test_an_implementation_that_breaks_the_contract_is_told_what_differs(suite, mode):
    other = {"python": PYTHON, "other": {"executable": "probe_pkg/other"}}
    result = suite("def test_a(component): pass", *mode, implementations=other)
    result.assert_outcomes(passed=1, errors=1)
    lines(result, "'other' does not keep the contract of verify.yaml: input 'command' is missing;*")


def test_implementations_are_chosen_by_name(suite):
    tests = "def test_a(component): pass\n"
    three = {"python": PYTHON, "exe": EXECUTABLE, "box": BLACK_BOX}
    result = suite(tests, "--collect-only", "-q", implementations=three)
    lines(result, "test_a?python?", "test_a?exe?", "2 tests collected")
    result = suite(tests, "--collect-only", "-q", "--implementations", "exe")
    lines(result, "test_a?exe?", "1 test collected")
    for name, sentence in (
        ("exe,c++", "ERROR: --implementations: there is no 'c++', but python, exe"),
        ("box", "ERROR: --implementations: 'box' is a black box; only components *"),
    ):
        result = suite(tests, "--implementations", name, implementations=three)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines([sentence])


def test_a_file_that_has_none_of_the_chosen_implementations_is_skipped(suite, pytester):
    (pytester.path / "more").mkdir()
    more = {"implementations": {"python": PYTHON}, "reference": "python"}
    more["inputs"] = {"bag": "none", "topics": {"command": "/x"}}
    (pytester.path / "more" / "verify.yaml").write_text(yaml.safe_dump(more))
    (pytester.path / "more" / "test_more.py").write_text(HEAD + "def test_b(component): pass")
    result = suite("def test_a(component): pass", "--implementations", "exe")
    result.assert_outcomes(passed=1, skipped=1)
    lines(result, "SKIPPED*verify.yaml has python only")


@pytest.mark.parametrize(
    ("mark", "sentence"),
    [
        ("", "test_a uses the fixture component, so say of which verify.yaml: pytestmark = *"),
        ("pytestmark = pytest.mark.lockstep()", "test_a: the mark lockstep takes one file: *"),
        ("pytestmark = pytest.mark.lockstep('no.yaml')", "cannot read *no.yaml: No such file*"),
    ],
)
def test_a_suite_without_its_verify_yaml_is_told_what_is_missing(suite, mark, sentence):
    head = f"import pytest\n{mark}\n"
    result = suite("def test_a(component): pass", head=head)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    lines(result, sentence)
    assert "Traceback" not in result.stdout.str()
    result = suite(
        "def test_a(component): pass", "--verify", "verify.yaml", "--collect-only", head=head
    )
    lines(result, "2 tests collected")


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        ({"nonsense": 1}, "unknown key 'nonsense'"),
        ({"implementations": {"python": BLACK_BOX}, "contract": "probes:Probe"}, "are nodes"),
    ],
)
def test_a_verify_yaml_that_cannot_be_tested_is_told(suite, broken, sentence):
    result = suite("def test_a(component): pass", **broken)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    lines(result, sentence)


@pytest.mark.parametrize(
    ("implementation", "sentence"),
    [
        (
            {"executable": "probe_pkg/nothing"},
            "exe: package 'probe_pkg' is installed, but has no executable 'nothing'",
        ),
        ({"component": "probes:Nothing"}, "cannot load 'probes:Nothing'"),
        ({"component": "probes:Stubborn"}, "does not keep the contract"),
    ],
)
def test_an_implementation_that_cannot_start_is_told(suite, implementation, sentence):
    both = {"python": PYTHON, "exe": implementation}
    result = suite("def test_a(component): pass", implementations=both)
    result.assert_outcomes(passed=1, errors=1)
    lines(result, sentence)


def test_marks_of_parameters_add_up_the_nearest_wins(suite):
    tests = """
@pytest.mark.parameters(factor=5.0, count=5)
class TestIt:
    @pytest.mark.parameters(count=6)
    def test_a(self, component):
        do(component, "tell")
        assert said(component) == ["1 5.0 6 ['z']"]

@pytest.mark.parameters([1])
def test_b(component): pass

@pytest.mark.parameters(speed=1.0)
def test_c(component): pass
"""
    python = {"python": {**PYTHON, "parameters": {"names": ["z"]}}}
    result = suite(tests, implementations=python)
    result.assert_outcomes(passed=1, errors=2)
    lines(
        result,
        "the mark parameters takes name=value, or a dict, not [[]1]",
        "parameter 'speed' is not declared",
    )


def test_a_fixture_component_of_somebody_else_is_left_alone(suite):
    tests = (
        "@pytest.fixture\ndef component(): return 5\ndef test_a(component): assert component == 5"
    )
    suite(tests, head="import pytest\n").assert_outcomes(passed=1)


def test_the_plugin_may_be_named_although_it_is_known_already(suite, pytester, monkeypatch):
    def collect(*options):
        result = suite("def test_a(component): pass", "--collect-only", *options)
        lines(result, "2 tests collected")

    collect("-p", "lockstep.testing.plugin")
    (pytester.path / "conftest.py").write_text('pytest_plugins = ["lockstep.testing.plugin"]')
    collect("--strict-markers")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    collect()


@pytest.mark.parametrize("mode", [(), ("--live",)], ids=["direct", "live"])
def test_no_process_is_left(suite, monkeypatch, mode):
    mark = f"PROBE_MARK={uuid.uuid4()}"
    monkeypatch.setenv(*mark.split("="))
    suite(HANGING, *mode, "--implementations", "exe").assert_outcomes(passed=1, failed=1)
    left = [path.parent.name for path in Path("/proc").glob("[0-9]*/environ") if is_in(path, mark)]
    assert set(left) <= {str(os.getpid())}


HANGING = """
def test_a(component):
    do(component, "say x")

@pytest.mark.timeout(2, func_only=True)
def test_b(component):
    do(component, "hang")
"""


def is_in(path, mark):
    try:
        return mark.encode() in path.read_bytes()
    except OSError:
        return False  # it has ended, or is another user's
