"""With --direct a host reads inputs and writes outputs as frames (docs/direct-protocol.md)."""

import itertools
import json
import os
import re
import signal
import struct
import subprocess
import threading
import time
import zlib
from dataclasses import dataclass

import pytest
from builtin_interfaces.msg import Time
from live_graph import PROBE
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rclpy.serialization import deserialize_message, serialize_message
from std_msgs.msg import Header, String
from test_lockstep_run import Run

PARAMETER, START, INPUT, ADVANCE, END = range(1, 6)
CONTRACT, OUTPUT, DONE, TIMES, FAILED, FINISHED = range(129, 135)
TEXT, HEADER = 0, 1
ECHO, TICKS, STATE = 0, 1, 2
S = 10**9
MS = 10**6


@dataclass
class Frame:
    kind: int
    payload: bytes = b""
    port: int = 0
    step: int = 0
    time_ns: int = 0

    def head(self, magic=b"LKD1", zero=0, length=None):
        length = len(self.payload) if length is None else length
        fields = (magic, self.kind, zero, self.port, self.step, self.time_ns, length)
        head = struct.pack("<4sBBHQqI", *fields)
        return head + struct.pack("<I", zlib.crc32(head))

    def __bytes__(self):
        return self.head() + self.payload

    @property
    def message(self):
        return deserialize_message(self.payload, (String, Header, String)[self.port])


def text(data, step, time_ns):
    return Frame(INPUT, serialize_message(String(data=data)), TEXT, step, time_ns)


def header(frame_id, step, time_ns):
    return Frame(INPUT, serialize_message(Header(frame_id=frame_id)), HEADER, step, time_ns)


def advance(step, time_ns):
    return Frame(ADVANCE, step=step, time_ns=time_ns)


def parameter(name, **value):
    message = Parameter(name=name, value=ParameterValue(**value))
    return Frame(PARAMETER, serialize_message(message))


def gain(value):
    return parameter("gain", type=ParameterType.PARAMETER_DOUBLE, double_value=value)


class Harness:
    """A host in direct mode; a thread reads what it says."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [PROBE, "--direct", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        self.frames = []
        self.reads = threading.Event()
        self.reads.set()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        data = bytearray()
        while part := self.process.stdout.read(1 << 20):
            data += part
            at = 0
            while len(data) >= at + 32:
                *fields, length, checksum = struct.unpack_from("<4sBBHQqII", data, at)
                if len(data) < at + 32 + length:
                    break
                magic, kind, zero, port, step, time_ns = fields
                assert (magic, zero) == (b"LKD1", 0)
                assert checksum == zlib.crc32(data[at : at + 28])
                payload = bytes(data[at + 32 : at + 32 + length])
                self.frames.append(Frame(kind, payload, port, step, time_ns))
                at += 32 + length
            del data[:at]
            self.reads.wait()
        assert not data

    def send(self, *frames):
        view = memoryview(b"".join(map(bytes, frames)))
        while view:
            view = view[self.process.stdin.write(view) :]

    def wait_for(self, kind, step):
        end = time.monotonic() + 20
        while not any(frame.kind == kind and frame.step == step for frame in self.frames):
            assert self.process.poll() is None and time.monotonic() < end, self.frames[-3:]
            time.sleep(0.001)

    def result(self):
        """Say that no more comes; the exit code and what it wrote to stderr."""
        self.process.stdin.close()
        timer = threading.Timer(20, self.process.kill)
        timer.start()
        err = self.process.stderr.read().decode()
        self._reader.join()
        timer.cancel()
        return self.process.wait(), err

    def of(self, *kinds):
        return [frame for frame in self.frames if frame.kind in kinds]

    def echoes(self):
        return [frame.message.data for frame in self.of(OUTPUT) if frame.port == ECHO]

    def ticks(self):
        frames = [frame for frame in self.of(OUTPUT) if frame.port == TICKS]
        return [(frame.message.frame_id, frame.time_ns, frame.step) for frame in frames]


@pytest.fixture
def direct():
    """Start the probe in direct mode."""
    harnesses = []

    def start(*arguments):
        harnesses.append(Harness(*arguments))
        return harnesses[-1]

    yield start
    for harness in harnesses:
        harness.reads.set()
        if harness.process.poll() is None:
            harness.process.kill()
            harness.process.wait()


@pytest.fixture
def run_directly(direct):
    """Send frames all at once; the harness, which ended with 0 and said nothing on stderr."""

    def run(*frames):
        harness = direct()
        harness.send(*frames)
        assert harness.result() == (0, "")
        return harness

    return run


# --- what a run does ------------------------------------------------------------------------------


def test_contract_comes_first_before_anything_is_read(direct):
    harness = direct()
    harness.wait_for(CONTRACT, 0)
    expected = subprocess.run([PROBE, "--contract"], capture_output=True, check=True).stdout
    assert json.loads(harness.frames[0].payload) == json.loads(expected)
    assert len(harness.frames) == 1


def test_what_on_start_publishes_belongs_to_step_0_and_comes_before_done_0(direct):
    harness = direct()
    harness.send(Frame(START))
    harness.wait_for(DONE, 0)
    outputs = harness.of(OUTPUT, DONE)
    assert [(f.kind, f.port, f.step, f.time_ns) for f in outputs] == [
        (OUTPUT, ECHO, 0, 0),
        (OUTPUT, TICKS, 0, 0),
        (DONE, 0, 0, 0),
    ]
    assert harness.echoes() == ["started with gain 0.500000"]


def test_inputs_are_consumed_in_the_order_of_the_steps(run_directly):
    steps = []
    for i in range(100):
        steps += [text(f"text {i}", 2 * i, 10 + i), header(f"header {i}", 2 * i + 1, 10 + i)]
    harness = run_directly(Frame(START), *steps, Frame(END))
    expected = []
    for i in range(100):
        expected += [f"text {i} at {10 + i} with gain 0.500000", f"header {i} at {10 + i}"]
    assert harness.echoes()[1:] == expected
    echoes = [frame for frame in harness.of(OUTPUT) if frame.port == ECHO][1:]
    assert [(f.step, f.time_ns) for f in echoes] == [(i, 10 + i // 2) for i in range(200)]
    assert harness.frames[-1] == Frame(FINISHED, step=200, time_ns=harness.frames[-1].time_ns)


def test_timers_fire_on_the_time_of_the_steps(run_directly):
    harness = run_directly(
        Frame(START), advance(0, S), text("a", 1, S + 25 * MS), advance(2, S + 30 * MS), Frame(END)
    )
    assert harness.ticks() == [
        ("start", 0, 0),
        ("fast", S + 10 * MS, 1),
        ("slow", S + 20 * MS, 1),
        ("fast", S + 20 * MS, 1),
        ("fast", S + 30 * MS, 2),
    ]
    kinds = [(f.kind, f.port) for f in harness.of(OUTPUT) if f.step == 1]
    assert kinds == [(OUTPUT, TICKS)] * 3 + [(OUTPUT, ECHO)]


def test_timers_start_anew_where_time_steps_back_and_0_leaves_it(run_directly):
    times = [0, S, S + 10 * MS, 0, S + 20 * MS, 5 * MS, 15 * MS, 15 * MS]
    harness = run_directly(
        Frame(START), *(text(str(i), i, times[i]) for i in range(len(times))), Frame(END)
    )
    assert harness.ticks() == [
        ("start", 0, 0),
        ("fast", S + 10 * MS, 2),
        ("slow", S + 20 * MS, 4),
        ("fast", S + 20 * MS, 4),
        ("fast", 15 * MS, 6),
    ]
    told = [echo.split()[2] for echo in harness.echoes()[1:]]
    expected = [0, S, S + 10 * MS, S + 10 * MS, S + 20 * MS, 5 * MS, 15 * MS, 15 * MS]
    assert told == [str(time_ns) for time_ns in expected]


def test_a_run_in_lockstep_publishes_the_same_bytes(start, run_directly):
    times = [S, S + 7 * MS, S + 21 * MS, S + 21 * MS, S + 90 * MS, S, S + 15 * MS]
    harness = run_directly(
        Frame(START),
        *(text(str(i), i, times[i]) for i in range(len(times))),
        Frame(END),
    )
    live = Run()
    try:
        start("--lockstep")
        live.record()
        live.wait_until_ready()
        for i, time_ns in enumerate(times):
            live.texts.publish(String(data=str(i)))
            live.step(time_ns, "/text")
        outputs = harness.of(OUTPUT)
        live.wait_for(steps=len(times), messages=len(outputs))
        for topic, port in (("/echo", ECHO), ("/ticks", TICKS)):
            recorded = [serialize_message(msg) for name, msg in live.recorded if name == topic]
            assert recorded == [frame.payload for frame in outputs if frame.port == port]
    finally:
        live.close()


def test_the_same_frames_give_the_same_bytes_however_they_arrive(run_directly, direct):
    frames = [
        gain(2.0),
        Frame(START),
        *(text("a" * (i % 7), i, S + i * MS) for i in range(300)),
        Frame(END),
    ]
    harness = run_directly(*frames)
    by_byte = direct()
    for byte in b"".join(map(bytes, frames[:20])):
        by_byte.send(bytes([byte]))
    by_byte.send(*frames[20:])
    assert by_byte.result() == (0, "")
    assert by_byte.of(OUTPUT) == harness.of(OUTPUT)


def test_done_comes_when_it_would_wait_and_every_64_steps(direct):
    harness = direct()
    harness.send(Frame(START))
    for i in range(5):
        harness.send(advance(i, S + i))
        harness.wait_for(DONE, i + 1)
    harness.send(*(advance(5 + i, 2 * S + i) for i in range(1000)))
    harness.wait_for(DONE, 1005)
    done = [frame.step for frame in harness.of(DONE)]
    assert done[:6] == list(range(6))
    assert all(0 < b - a <= 64 for a, b in itertools.pairwise(done))


def test_times_of_all_callbacks_come_after_end(run_directly):
    count = 40_000
    harness = run_directly(
        Frame(START),
        *(text("a", i, S + i * MS) for i in range(count)),
        header("b", count, S + (count - 1) * MS),
        Frame(END),
    )
    times = {}
    for frame in harness.of(TIMES):
        values = struct.unpack(f"<{len(frame.payload) // 4}I", frame.payload)
        times.setdefault(frame.port, []).extend(values)
    assert {port: len(values) for port, values in times.items()} == {
        TEXT: count,
        HEADER: 1,
        32768: (count - 1) // 20,  # slow
        32769: (count - 1) // 10,  # fast
    }
    assert 0 < max(times[TEXT]) < 20 * S
    kinds = [frame.kind for frame in harness.frames]
    assert set(kinds[kinds.index(TIMES) :]) == {TIMES, FINISHED}


def test_one_step_may_publish_more_than_any_buffer_holds(run_directly):
    harness = run_directly(
        Frame(START), text("burst", 0, S), text("x" * 2_000_000, 1, S), Frame(END)
    )
    assert [name for name, _, step in harness.ticks() if step == 0][1:] == [
        str(i) for i in range(10_500)
    ]
    assert harness.echoes()[-1].startswith("x" * 2_000_000 + " at ")


def test_nothing_is_lost_where_pipes_are_full(direct):
    count = 100_000
    harness = direct()
    harness.reads.clear()
    sender = threading.Thread(
        target=lambda: harness.send(
            Frame(START), *(text("a" * 100, i, S + i) for i in range(count)), Frame(END)
        )
    )
    sender.start()
    time.sleep(0.5)
    assert sender.is_alive()  # the host is held back, and holds back the sender
    harness.reads.set()
    sender.join()
    assert harness.result() == (0, "")
    assert len(harness.echoes()) == count + 1
    assert [frame.step for frame in harness.of(OUTPUT)[2:]] == list(range(count))


def test_one_process_makes_several_runs_each_with_a_new_component(run_directly):
    first = [gain(2.0), Frame(START), text("a", 0, S), advance(1, S + 10 * MS), Frame(END)]
    second = [Frame(START), text("b", 0, 5), Frame(END)]
    harness = run_directly(*first, *second, *first)
    one, two, three = (
        [f.payload for f in part if f.kind == OUTPUT]
        for part in split(harness.frames[1:], FINISHED)
    )
    assert one == three
    assert [deserialize_message(payload, String).data for payload in two[::2]] == [
        "started with gain 0.500000",
        "b at 5 with gain 0.500000",
    ]
    assert [frame.step for frame in harness.of(FINISHED)] == [2, 1, 2]


def split(frames, last):
    parts = [[]]
    for frame in frames:
        parts[-1].append(frame)
        if frame.kind == last:
            parts.append([])
    return parts[:-1]


# --- parameters -----------------------------------------------------------------------------------


def test_parameters_are_set_before_on_start(run_directly):
    harness = run_directly(gain(1.0), gain(1.5), Frame(START), Frame(END))
    assert harness.echoes() == ["started with gain 1.500000"]


@pytest.mark.parametrize(
    ("frame", "objection"),
    [
        (parameter("gain"), "parameter 'gain' .*(double.*)?no(t| )"),
        (
            parameter("gain", type=ParameterType.PARAMETER_INTEGER, integer_value=1),
            "parameter 'gain' must be of type double, not integer",
        ),
        (
            parameter("none", type=ParameterType.PARAMETER_BOOL),
            "parameter 'none' is not declared",
        ),
        (
            parameter("use_sim_time", type=ParameterType.PARAMETER_BOOL),
            "parameter 'use_sim_time' is not declared",
        ),
        (
            parameter("share", type=ParameterType.PARAMETER_DOUBLE, double_value=1.5),
            "parameter 'share' must be from 0.0 to 1.0, not 1.5",
        ),
    ],
)
def test_a_parameter_that_the_component_cannot_have_is_an_error_of_the_user(
    direct, frame, objection
):
    harness = direct()
    harness.send(frame, Frame(START))
    code, err = harness.result()
    assert code == 2
    assert re.fullmatch(f"probe: {objection}.*\n", err)
    assert [frame.kind for frame in harness.frames] == [CONTRACT]


# --- what ends a run ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (advance(1, S).head(magic=b"LKD2"), "LKD"),
        (bytes(32), "frame"),
        (bytes(advance(1, S))[:-1] + b"\0", "frame"),
        (advance(1, S).head(length=(256 << 20) + 1), ""),
        (Frame(99, step=1), "a frame of kind 99 came"),
        (Frame(OUTPUT, step=1), "a frame of kind 130 came"),
        (Frame(START), "START came before the END of the run"),
        (gain(1.0), "PARAMETER came"),
        (Frame(INPUT, serialize_message(String()), 2, 1, S), "a message came for input 2"),
        (Frame(INPUT, serialize_message(String()), 65535, 1, S), "a message came for input 65535"),
        (text("a", 0, S), "step 1 should have come, but step 0 came"),
        (advance(2, S), "step 1 should have come, but step 2 came"),
        (advance(2**64 - 1, S), f"step 1 should have come, but step {2**64 - 1} came"),
    ],
)
def test_a_frame_that_breaks_the_protocol_ends_the_run(direct, data, what):
    harness = direct()
    harness.send(Frame(START), text("a", 0, S), data, text("b", 1, S))
    code, err = harness.result()
    assert code == 3
    assert re.fullmatch(f"probe: .*{what}.*\n", err)
    assert not harness.of(FAILED, FINISHED)


@pytest.mark.parametrize("frame", [text("a", 0, S), advance(0, S), Frame(END)])
def test_nothing_but_parameters_comes_before_start(direct, frame):
    harness = direct()
    harness.send(frame)
    code, err = harness.result()
    assert code == 3
    assert re.fullmatch("probe: .* came before START\n", err)


def test_each_truncation_of_a_message_ends_the_run(direct):
    whole = serialize_message(Header(stamp=Time(sec=1, nanosec=2), frame_id="some frame"))
    for size in range(len(whole)):
        harness = direct()
        harness.send(Frame(START), advance(0, S), Frame(INPUT, whole[:size], HEADER, 1, S))
        code, err = harness.result()
        assert code == 3
        sentence = "input 'header': message of step 1 is no valid std_msgs/msg/Header"
        assert re.fullmatch(f"probe: {sentence}.*\n", err)


@pytest.mark.parametrize(
    "payload",
    [
        b"\0\1\0\0\xff\xff\xff\xff",  # a string of 4 GiB
        b"\0\7\0\0" + serialize_message(String(data="abc"))[4:],  # another encapsulation
    ],
)
def test_what_is_no_message_ends_the_run(direct, payload):
    harness = direct()
    harness.send(Frame(START), Frame(INPUT, payload, TEXT, 0, S))
    code, err = harness.result()
    assert code == 3
    sentence = "input 'text': message of step 0 is no valid std_msgs/msg/String"
    assert re.fullmatch(f"probe: {sentence}.*\n", err)


def test_messages_may_be_big_endian_and_longer_than_needed(run_directly):
    big_endian = b"\0\0\0\0" + struct.pack(">I", 4) + b"big\0"
    padded = serialize_message(String(data="pad")) + b"left over"
    harness = run_directly(
        Frame(START),
        Frame(INPUT, big_endian, TEXT, 0, S),
        Frame(INPUT, padded, TEXT, 1, S),
        Frame(END),
    )
    assert [echo.split()[0] for echo in harness.echoes()[1:]] == ["big", "pad"]


@pytest.mark.parametrize(
    ("data", "what"),
    [("throw", "told to throw"), ("throw a number", "(an exception|SystemExit: 42)")],
)
def test_an_exception_of_a_callback_is_told_with_step_and_time(direct, data, what):
    harness = direct()
    harness.send(Frame(START), text("a", 0, S), text(data, 1, S + 5 * MS), text("b", 2, 2 * S))
    code, err = harness.result()
    assert code == 3
    failed = harness.frames[-1]
    assert (failed.kind, failed.step, failed.time_ns) == (FAILED, 1, S + 5 * MS)
    sentence = failed.payload.decode()
    assert re.fullmatch(rf"on_text failed at 1\.005000000 s: .*{what}.*", sentence)
    assert err == f"probe: {sentence}\n"
    assert harness.echoes()[-1].startswith("a at ")


def test_an_exception_of_on_start_is_told_as_step_0(direct):
    harness = direct()
    name = parameter("name", type=ParameterType.PARAMETER_STRING, string_value="throw")
    harness.send(name, Frame(START))
    code, _ = harness.result()
    assert code == 3
    assert (harness.frames[-1].kind, harness.frames[-1].step) == (FAILED, 0)
    sentence = harness.frames[-1].payload.decode()
    assert re.fullmatch(r"on_start failed at 0\.000000000 s: .*told to throw.*", sentence)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(Frame(START)),
        bytes(Frame(START)) + bytes(advance(0, S)),
        bytes(Frame(START)) + bytes(text("a", 0, S))[:20],
        bytes(Frame(START)) + bytes(text("a", 0, S))[:-1],
        bytes(Frame(START)) + bytes(Frame(END)) + bytes(gain(1.0)),
    ],
)
def test_end_of_stdin_within_a_run_is_a_failure(direct, data):
    harness = direct()
    harness.send(data)
    code, err = harness.result()
    assert code == 3
    assert re.fullmatch("probe: stdin ended .*\n", err)


def test_an_output_of_the_nodes_own_needs_no_node(direct):
    harness = direct()
    harness.send(Frame(START), text("state", 0, S), Frame(END))
    assert harness.result()[0] == 0
    (state,) = (frame for frame in harness.of(OUTPUT) if frame.port == STATE)
    assert (state.step, state.time_ns, state.message) == (0, S, String(data="state"))


def test_what_a_destructor_publishes_after_the_end_is_refused(direct):
    harness = direct()
    harness.send(Frame(START), text("farewell", 0, S), Frame(END))
    code, err = harness.result()
    assert code == 3
    assert "output 'echo' was published after the end of the run" in err
    assert "farewell" not in harness.echoes()
    assert harness.frames[-1].kind in (FINISHED, TIMES, DONE)


def test_why_a_run_failed_is_told_whatever_a_destructor_publishes(direct):
    harness = direct()
    harness.send(Frame(START), text("farewell", 0, S), text("throw", 1, S), Frame(END))
    code, err = harness.result()
    assert code == 3
    assert "told to throw" in err
    assert "after the end of the run" not in err


def test_a_harness_that_does_not_read_any_more_ends_it():
    unread, output = os.pipe()
    process = subprocess.Popen(
        [PROBE, "--direct"], stdin=subprocess.PIPE, stdout=output, stderr=subprocess.PIPE
    )
    os.close(output)
    os.read(unread, 1 << 16)  # the contract
    os.close(unread)
    _, err = process.communicate(bytes(Frame(START)), timeout=20)
    assert process.returncode == 3
    assert len(err.splitlines()) <= 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_at_once(direct, number):
    harness = direct()
    harness.send(Frame(START), text("a", 0, S))
    harness.wait_for(DONE, 1)
    harness.process.send_signal(number)
    assert harness.process.wait(timeout=20) in (-number, 128 + number)


# --- the other streams and arguments --------------------------------------------------------------


def test_what_the_component_prints_goes_to_stderr(direct):
    harness = direct()
    harness.send(Frame(START), text("print", 0, S), Frame(END))
    assert harness.result() == (0, "a printed line\n")
    assert harness.echoes()[-1].startswith("print at ")


def test_the_component_logs_to_stderr_by_level(direct):
    lines = ["a debug", "an info", "a warning", "an error"]
    for level, first in ((None, 1), ("debug", 0), ("probe:=error", 3)):
        harness = direct(*(["--ros-args", "--log-level", level] if level else []))
        harness.send(Frame(START), text("log", 0, S), Frame(END))
        code, err = harness.result()
        assert code == 0
        assert [
            re.fullmatch(r"\[[A-Z]+\] \[[0-9.]+\] \[probe\]: (.*) line", line)[1]
            for line in err.splitlines()
        ] == lines[first:]


def test_remappings_do_not_matter(direct):
    harness = direct("--ros-args", "-r", "text:=/chat", "-r", "__ns:=/robot")
    harness.send(Frame(START), text("a", 0, S), Frame(END))
    assert harness.result() == (0, "")


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["--ros-args", "-p", "gain:=1.0"], "-p and --params-file"),
        (["--lockstep"], "--lockstep"),
    ],
)
def test_arguments_that_do_not_go_with_it_are_refused(start, arguments, option):
    code, out, err = start("--direct", *arguments).result()
    assert (code, out) == (2, "")
    assert re.fullmatch(f"probe: .*{option}.*\n", err)
