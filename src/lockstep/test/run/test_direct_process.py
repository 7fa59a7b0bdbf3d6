"""Both sides of the direct protocol, with real processes: what goes well, and
all that can go wrong.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from lockstep.cdr.codec import codec
from lockstep.component import contract_of
from lockstep.errors import CallbackError, RunError, UsageError
from lockstep.host.frames import FrameParser, frame
from lockstep.host.protocol import TIMER_PORTS, Kind
from lockstep.message.definitions import definition
from lockstep.run.direct_process import DirectProcess
from lockstep.run.processes import Processes
from probes import Probe

STRING = codec("std_msgs/msg/String", definition("std_msgs/msg/String"))
COMMAND, SILENT = 0, 1
SAID, ECHO = 0, 1
S = 1_000_000_000


def host(component="Probe"):
    return [sys.executable, "-m", "lockstep.host.direct_run", f"probes:{component}", "--direct"]


def script(*lines):
    """A program that speaks for itself; it has what frames are made of."""
    head = [
        "import os, sys, time",
        "from lockstep.component import contract_of",
        "from lockstep.host.frames import frame",
        "from lockstep.host.protocol import Kind",
        "from probes import Probe",
        "def send(*a, **k): os.write(1, frame(*a, **k))",
        "contract = contract_of(Probe).to_json().encode()",
    ]
    return [sys.executable, "-c", "\n".join([*head, *lines])]


@contextmanager
def running(tmp_path, command=None, timeout_s=10.0) -> Iterator[DirectProcess]:
    with Processes(dict(os.environ)) as processes:
        child = processes.start("probe", command or host(), tmp_path / "probe.log", pipes=True)
        yield DirectProcess(child, timeout_s)


def cdr(text):
    return STRING.encode({"data": text})


def told(blocks):
    """(step, output, time in ns, text) of each output."""
    return [
        (
            int(frames.step[i]),
            int(frames.port[i]),
            int(frames.time_ns[i]),
            STRING.decode(frames.payload(i)).data,
        )
        for frames in blocks
        for i in range(len(frames))
    ]


def do(process, text, time_ns=1):
    return told(process.deliver(COMMAND, time_ns, cdr(text)))


def start(process, **parameters):
    return told(process.start(parameters))


def commands(*texts, time_ns=1):
    """A chunk of steps for `run`."""
    data = [frame(Kind.INPUT, cdr(text), COMMAND, step, time_ns) for step, text in enumerate(texts)]
    return len(data), b"".join(data)


# What goes well


def test_the_contract_comes_before_anything_runs(tmp_path):
    with running(tmp_path) as process:
        assert process.contract == contract_of(Probe)


def test_outputs_come_in_the_order_of_publishing_with_their_step_and_time(tmp_path):
    with running(tmp_path) as process:
        assert start(process) == []
        assert do(process, "twice a", 5) == [
            (0, SAID, 5, "a"),
            (0, ECHO, 5, "a"),
            (0, SAID, 5, "a"),
        ]
        assert told(process.deliver(SILENT, 6, cdr("b"))) == []
        assert do(process, "say c", 7) == [(2, SAID, 7, "c")]
        assert process.consumed == 3


def test_timers_fire_before_the_message_each_at_its_own_due_time(tmp_path):
    with running(tmp_path) as process:
        start(process)
        assert told(process.advance(1 * S)) == []
        assert do(process, "say now", 1 * S + 250_000_000) == [
            (1, SAID, 1 * S + 100_000_000, "fast"),
            (1, SAID, 1 * S + 200_000_000, "slow"),
            (1, SAID, 1 * S + 200_000_000, "fast"),
            (1, SAID, 1 * S + 250_000_000, "now"),
        ]
        # Time that steps back starts the timers anew, and 0 leaves it as it is.
        assert do(process, "say back", 10) == [(2, SAID, 10, "back")]
        assert do(process, "say still", 0) == [(3, SAID, 10, "still")]
        assert len(told(process.advance(10 + 200_000_000))) == 3


def test_what_on_start_publishes_belongs_to_step_0_and_time_0(tmp_path):
    with running(tmp_path) as process:
        assert told(process.start({"start.do": "say hello"})) == [(0, SAID, 0, "hello")]


def test_a_run_of_many_steps_keeps_their_order(tmp_path):
    count = 20_000
    with running(tmp_path) as process:
        start(process)
        chunk = commands(*(f"say {i}" for i in range(count)))
        assert told(process.run([chunk])) == [(i, SAID, 1, str(i)) for i in range(count)]
        process.end()
        assert len(process.durations_ns[COMMAND]) == count


def test_a_run_without_steps_is_a_run(tmp_path):
    with running(tmp_path) as process:
        start(process)
        assert told(process.run([])) == []
        process.end()
        process.close()


def test_pipes_that_are_full_on_both_sides_stop_nobody(tmp_path):
    """Each step sends 2 MB and is answered with 20 MB: more than the pipes hold."""
    ballast = "echo " + 2_000_000 * "x"
    with running(tmp_path) as process:
        start(process)
        count, data = commands(*(["many 10 2000000", ballast] * 10))
        sizes = [int(size) for frames in process.run([(count, data)]) for size in frames.length]
        assert len(sizes) == 10 * 10 + 10
        assert min(sizes) > 1_999_000


def test_a_message_of_64_mb_goes_both_ways(tmp_path):
    text = 64_000_000 * "x"
    with running(tmp_path) as process:
        start(process)
        ((_, output, _, answer),) = do(process, f"echo {text}")
        assert (output, answer == text) == (ECHO, True)


def test_a_message_larger_than_a_frame_may_be_is_refused_before_it_is_sent(tmp_path):
    with running(tmp_path) as process:
        start(process)
        with pytest.raises(RunError, match="larger than the 256 MiB of a direct run's frame"):
            list(process.deliver(COMMAND, 1, bytes((1 << 28) + 1)))
        assert do(process, "say still here") == [(0, SAID, 1, "still here")]


def test_parameters_have_their_values_before_on_start(tmp_path):
    with running(tmp_path) as process:
        values = {"factor": 0.5, "count": -(2**63), "names": ["x"], "start.do": "tell"}
        assert told(process.start(values)) == [(0, SAID, 0, f"0 0.5 {-(2**63)} ['x']")]
        process.end()
        assert told(process.start({"names": [], "start.do": "tell"})) == [
            (0, SAID, 0, "0 2.0 3 []")
        ]


def test_a_process_makes_one_run_after_another_each_with_a_new_component(tmp_path):
    with running(tmp_path) as process:
        for _ in range(3):
            start(process, factor=0.25)
            do(process, "say x", 5 * S)
            assert do(process, "tell", 6 * S)[-1] == (1, SAID, 6 * S, "2 0.25 3 ['a', 'b']")
            process.end()
            assert len(process.durations_ns[COMMAND]) == 2
            assert len(process.durations_ns[TIMER_PORTS]) == 5  # slow
            assert len(process.durations_ns[TIMER_PORTS + 1]) == 10
            assert process.durations_ns[COMMAND].dtype == np.uint32
        start(process)
        assert do(process, "tell", 1) == [(0, SAID, 1, "1 2.0 3 ['a', 'b']")]
        process.end()
        process.close()


def test_what_a_component_prints_and_logs_goes_to_the_log(tmp_path):
    with running(tmp_path) as process:
        start(process)
        assert do(process, "print printed") == []
        assert do(process, "say fine") == [(1, SAID, 1, "fine")]
        log = (tmp_path / "probe.log").read_text()
    assert {"printed", "written", "echoed"} <= set(log.splitlines())
    assert re.search(r"^\[WARN\] \[\d+\.\d{9}\] \[probe\]: logged$", log, re.MULTILINE)


def test_a_component_that_reads_stdin_finds_it_empty(tmp_path):
    with running(tmp_path) as process:
        start(process)
        count, data = commands("read", "say next")
        assert told(process.run([(count, data)])) == [(0, SAID, 1, "b''"), (1, SAID, 1, "next")]


# What goes wrong in the component


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"speed": 1.0}, "parameter 'speed' is not declared"),
        ({"factor": 1}, "parameter 'factor' must be of type double, not integer"),
        ({"factor": -1.0}, "parameter 'factor' must be at least 0.0, not -1.0"),
        ({"count": 2**63}, "parameter 'count': no rcl_interfaces/msg/Parameter"),
        ({"names": [1, 2.0]}, "parameter 'names': [1, 2.0] is no parameter value"),
        ({"speed": []}, "parameter 'speed': [] is no parameter value"),
    ],
)
def test_parameters_that_cannot_be_are_a_mistake_of_the_caller(tmp_path, parameters, sentence):
    with running(tmp_path) as process, pytest.raises(UsageError, match=re.escape(sentence)):
        list(process.start(parameters))


def test_a_callback_that_raises_is_told_with_its_step_after_all_that_came_before(tmp_path):
    seen = []
    with running(tmp_path) as process:
        start(process)
        with pytest.raises(CallbackError) as caught:
            for frames in process.run([commands("say a", "fail broken", "say never", time_ns=2)]):
                seen += told([frames])
    assert seen == [(0, SAID, 2, "a"), (1, SAID, 2, "before")]
    assert caught.value.step == 1
    assert str(caught.value).startswith("on_command failed at 0.000000002 s: ValueError: broken (/")
    assert "probes.py:" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "what"), [("quit 0", "SystemExit: 0"), ("nonsense", "AttributeError: 'Probe' object")]
)
def test_whatever_a_callback_raises_is_told(tmp_path, text, what):
    with running(tmp_path) as process:
        start(process)
        with pytest.raises(CallbackError, match=f"on_command failed at 0.000000001 s: {what}"):
            do(process, text)


def test_on_start_and_constructors_may_fail_too(tmp_path):
    with running(tmp_path) as process, pytest.raises(CallbackError) as caught:
        list(process.start({"start.do": "fail at once"}))
    assert caught.value.step == 0
    assert str(caught.value).startswith("on_start failed at 0.000000000 s: ValueError: at once")
    (tmp_path / "b").mkdir()
    with (
        running(tmp_path / "b", host("Stubborn")) as process,
        pytest.raises(RunError, match=r"exit code 3[\s\S]*stubborn: ValueError: no such device"),
    ):
        list(process.start({}))


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("exit 0", r"ended during the run \(exit code 0\)[\s\S]*goodbye"),
        ("exit 2", r"ended during the run \(exit code 2\)[\s\S]*goodbye"),
        ("crash", r"ended during the run \(SIGSEGV\)"),
        ("kill", r"ended during the run \(SIGKILL\)"),
    ],
)
def test_a_process_that_dies_in_a_callback_fails_the_run(tmp_path, text, how):
    with running(tmp_path) as process:
        start(process)
        do(process, "print last words")
        with pytest.raises(RunError, match=how) as caught:
            do(process, text)
    assert "last words" in str(caught.value)


def test_a_component_that_hangs_is_told_after_the_timeout(tmp_path):
    with running(tmp_path, timeout_s=0.3) as process:
        start(process)
        with pytest.raises(RunError, match="probe hangs: nothing came"):
            do(process, "hang")


def test_a_component_that_closes_every_descriptor_fails_the_run(tmp_path):
    with running(tmp_path) as process:
        start(process)
        with pytest.raises(RunError, match="ended during the run"):
            do(process, "close")


def test_a_component_without_inputs_can_step_in_time(tmp_path):
    with running(tmp_path, host("Deaf")) as process:
        start(process)
        assert told(process.advance(5)) == []
        with pytest.raises(RunError, match="a message came for input 0, but there are 0 inputs"):
            do(process, "say x")


@pytest.mark.parametrize("where", ["thread", "exit", "destructor"])
def test_what_is_published_after_the_end_fails_the_run(tmp_path, where):
    with running(tmp_path) as process:
        start(process)
        do(process, f"publish_in {where}")
        process.end()
        with pytest.raises(RunError, match="failed after the end of its last run") as caught:
            process.close()
    assert "output 'said' was published after the end of the run" in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_a_component_of_a_run_before_publishes_nothing_in_the_next(tmp_path):
    with running(tmp_path) as process:
        start(process)
        do(process, "publish_in thread")
        process.end()
        start(process)
        with pytest.raises(RunError, match="published after the end of the run"):
            do(process, "hang")


# Programs that are no component


@pytest.mark.parametrize(
    ("command", "how"),
    [
        (
            ["cat", "/dev/zero"],
            r"sent bytes that are no frame of the direct protocol: b'\\x00\\x00",
        ),
        (["yes"], "sent bytes that are no frame"),
        (["echo", "hello"], r"ended during the run \(exit code 0\)"),
        (["true"], r"ended during the run \(exit code 0\)"),
        (["sh", "-c", "echo no such option >&2; exit 2"], "no such option"),
        (["sh", "-c", "exec >&-; sleep 60"], "closed its stdout during the run"),
        (script("send(Kind.DONE)"), "did not begin with its contract"),
        (script("send(Kind.CONTRACT, b'{}')"), "sent no contract"),
        (script("send(Kind.CONTRACT, b'\\xff')"), "sent no contract"),
    ],
)
def test_a_program_that_is_no_component_is_told(tmp_path, command, how):
    with pytest.raises((RunError, UsageError), match=how), running(tmp_path, command) as process:
        list(process.start({}))


@pytest.mark.parametrize(
    ("answer", "how"),
    [
        ("send(Kind.DONE, step=9)", "answered step 9, which was not sent yet"),
        ("send(Kind.OUTPUT, port=2)", "published on output 2, which its contract does not have"),
        ("send(Kind.INPUT)", "sent a frame of unknown kind 3"),
        ("send(Kind.CONTRACT, contract)", "sent a frame of unknown kind 129"),
        ("os.write(1, b'x' * 40)", "sent bytes that are no frame"),
        ("os.write(1, frame(Kind.DONE, step=1) + frame(Kind.DONE))", "answered step 0 again"),
        ("send(Kind.TIMES, b'abc')", "told times of 3 bytes"),
        ("send(Kind.FINISHED, step=1)", "hangs"),
        ("send(Kind.FAILED, b'\\xffoops')", "oops"),
        ("os.write(1, frame(Kind.OUTPUT, bytes(100))[:50]); os._exit(0)", "exit code 0"),
        ("time.sleep(60)", "hangs"),
    ],
)
def test_an_answer_that_breaks_the_protocol_is_told(tmp_path, answer, how):
    lines = ["send(Kind.CONTRACT, contract)", "os.read(0, 1000)", "send(Kind.DONE)"]
    program = script(*lines, "os.read(0, 1000)", answer, "time.sleep(60)")
    with running(tmp_path, program, timeout_s=0.5) as process:
        start(process)
        with pytest.raises(RunError, match=how):
            do(process, "say x")


def test_a_program_that_does_not_read_hangs(tmp_path):
    program = script(
        "send(Kind.CONTRACT, contract)", "os.read(0, 1000); send(Kind.DONE)", "time.sleep(60)"
    )
    with running(tmp_path, program, timeout_s=0.3) as process:
        start(process)
        with pytest.raises(RunError, match="hangs: nothing came"):
            list(process.run([commands(*(10 * ["say " + 1_000_000 * "x"]))]))


@pytest.mark.parametrize("late", ["frame(Kind.OUTPUT)", "b'garbage'", "frame(Kind.TIMES)"])
@pytest.mark.parametrize("when", ["at once", "as it exits"])
def test_a_program_that_says_more_after_its_last_frame_fails_the_run(tmp_path, late, when):
    wait = "" if when == "at once" else "os.read(0, 1000);"
    program = script(
        "send(Kind.CONTRACT, contract)",
        "os.read(0, 1000); send(Kind.DONE)",
        f"os.read(0, 1000); send(Kind.FINISHED); {wait} os.write(1, {late}); os._exit(0)",
    )
    with running(tmp_path, program) as process:
        start(process)
        with pytest.raises(RunError, match=r"after the END of the run|no frame"):
            process.end()
            process.close()


def test_a_program_that_does_not_end_with_its_last_run_is_told(tmp_path):
    program = script(
        "send(Kind.CONTRACT, contract)",
        "os.read(0, 1000); send(Kind.DONE)",
        "os.read(0, 1000); send(Kind.FINISHED)",
        "os.read(0, 1000); sys.exit(1)",
    )
    with running(tmp_path, program) as process:
        start(process)
        process.end()
        with pytest.raises(RunError, match="exit code 1"):
            process.close()


# What the host makes of bytes that break the protocol


def converse(data, component="Probe"):
    """Exit code, kinds of the frames that came, and stderr."""
    done = subprocess.run(host(component), input=data, capture_output=True, timeout=60, check=False)
    frames = FrameParser().feed(done.stdout)
    kinds = [] if frames is None else [Kind(kind) for kind in frames.kind.tolist()]
    return done.returncode, kinds, done.stderr.decode()


START, END = frame(Kind.START), frame(Kind.END)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "stdin ended before the run did"),
        (START, "stdin ended before the run did"),
        (START + END + START, "stdin ended before the run did"),
        (START + END + START[:10], "stdin ended before the run did"),
        (b"hello, how are you? I am no frame", "bytes that are no frame of the direct protocol"),
        (START[:-1] + b"\0", "bytes that are no frame of the direct protocol"),
        (END, "END came before START"),
        (frame(Kind.ADVANCE), "a step came before START"),
        (START + START, "START came before the END of the run"),
        (START + END + END, "END came before START"),
        (START + END + frame(Kind.ADVANCE), "a step came before START"),
        (START + frame(Kind.PARAMETER), "a PARAMETER came after START"),
        (frame(Kind.PARAMETER, b"\0\1\0\0abc"), "a PARAMETER came that is no valid one"),
        (START + frame(Kind.ADVANCE, step=1), "step 0 should have come, but step 1 came"),
        (START + frame(Kind.INPUT, cdr("x"), 7), "input 7, but there are 2 inputs"),
        (START + frame(Kind.INPUT, cdr("hello")[:9]), "step 0 is no valid std_msgs/msg/String"),
        (START + frame(Kind.INPUT, b""), "step 0 is no valid std_msgs/msg/String"),
        (START + frame(Kind.DONE), "a frame of kind 131 came, which no harness sends"),
        (START + frame(Kind.ADVANCE, b"x"), "ADVANCE came with 1 bytes, but it has no payload"),
        (frame(Kind.START, b"x"), "START came with 1 bytes, but it has no payload"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_host_says_in_one_line_what_breaks_the_protocol(data, sentence):
    code, _, err = converse(data)
    (line,) = err.splitlines()
    assert code == 3
    assert line.startswith("probe: ")
    assert sentence in line


def test_the_end_of_stdin_between_runs_lets_the_host_exit():
    assert converse(2 * (START + END)) == (
        0,
        [Kind.CONTRACT, *2 * [Kind.DONE, Kind.FINISHED]],
        "",
    )


def test_the_host_says_done_now_and_then_and_consumes_before_it_fails():
    count = 1000
    data = b"".join(frame(Kind.ADVANCE, step=step, time_ns=1) for step in range(count))
    code, kinds, _ = converse(START + data + END)
    assert code == 0
    assert kinds.count(Kind.DONE) >= count // 64
    code, kinds, err = converse(START + frame(Kind.INPUT, cdr("say x"), time_ns=1) + b"garbage" * 9)
    assert code == 3
    assert "no frame" in err


def test_a_host_whose_harness_is_gone_ends(tmp_path):
    with (tmp_path / "log").open("w") as log:
        child = subprocess.Popen(host(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        assert child.stdin is not None and child.stdout is not None
        child.stdout.read(1)
        child.stdout.close()
        child.stdin.write(START)
        child.stdin.flush()
        assert child.wait(30) == 3
        child.stdin.close()
    assert (tmp_path / "log").read_text() == "probe: nobody reads the frames of this run\n"


@pytest.mark.parametrize("seed", range(4))
def test_bytes_that_were_changed_on_the_way_never_confuse_the_host(seed):
    random = np.random.default_rng(seed)
    data = bytearray(START + commands("say x", "echo y")[1] + END)
    for _ in range(3):
        data[random.integers(len(data))] = random.integers(256)
    code, _, err = converse(bytes(data))
    assert code in (0, 3)
    assert len(err.splitlines()) == (code == 3)
