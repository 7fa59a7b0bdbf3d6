"""What runs take: processor time and memory of real processes."""

import subprocess
import sys
import time

import pytest
from lockstep.run.resources import Meter, growth

MEGABYTE = 1 << 20


def started(code: str) -> subprocess.Popen[str]:
    """A process of Python that does something for each line that it is given, and answers."""
    loop = f"import sys\nfor line in sys.stdin:\n{code}\n    print(flush=True)"
    return subprocess.Popen(
        [sys.executable, "-I", "-c", loop],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def told(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    process.stdout.readline()


def test_processor_time_is_that_of_the_process_and_not_of_its_waiting() -> None:
    with started(
        "    import time\n    end = time.process_time() + 0.1\n"
        "    while time.process_time() < end: pass"
    ) as process:
        told(process)  # it has started
        meter = Meter(process.pid)
        meter.look(0)
        for _ in range(3):
            told(process)
            time.sleep(0.05)
        found = meter.found()
        process.communicate("")
    assert found is not None
    assert found.cpu_s == pytest.approx(0.3, rel=0.1)


def test_what_a_process_has_started_counts() -> None:
    code = (
        "    import subprocess, sys\n"
        "    subprocess.run([sys.executable, '-I', '-c', 'import time\\n"
        "hold = bytearray(100 << 20)\\nwhile time.process_time() < 0.3: pass\\ninput()'])"
    )
    with started(code) as process:
        meter = Meter(process.pid)
        meter.look(0)
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
        deadline = time.monotonic() + 30
        while (found := meter.found()) is None or found.cpu_s < 0.25:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.communicate("\n")
    assert found.peak_bytes > 100 * MEGABYTE


def test_the_peak_stays_known_when_memory_was_given_back() -> None:
    with started("    hold = bytearray(200 << 20); del hold") as process:
        told(process)
        meter = Meter(process.pid)
        meter.look(0)
        found = meter.found()
        process.communicate("")
    assert found is not None
    assert found.peak_bytes > 200 * MEGABYTE
    assert found.growth_bytes is None


def test_a_process_that_is_gone_has_taken_nothing() -> None:
    with started("    pass") as process:
        process.communicate("")
    meter = Meter(process.pid)
    meter.look(0)
    assert meter.found() is None


def of_messages(resident: list[int]) -> list[tuple[int, int]]:
    """Looks at every hundredth message."""
    return [(100 * number, bytes_) for number, bytes_ in enumerate(resident)]


def test_memory_that_grows_with_each_message_is_told_by_the_message() -> None:
    grown = of_messages([50 * MEGABYTE + 100 * number * 2048 for number in range(64)])
    assert growth(grown) == pytest.approx(2048)


@pytest.mark.parametrize(
    "resident",
    [
        pytest.param([50 * MEGABYTE] * 64, id="steady"),
        pytest.param(
            [number * MEGABYTE for number in range(32)] + [32 * MEGABYTE] * 32, id="start"
        ),
        pytest.param([(50 + number % 2) * MEGABYTE for number in range(64)], id="to and fro"),
        pytest.param([50 * MEGABYTE] * 60 + [80 * MEGABYTE] * 4, id="one step"),
        pytest.param([number * MEGABYTE for number in range(8)], id="too few looks"),
        pytest.param([50 * MEGABYTE + 100 * number for number in range(64)], id="next to nothing"),
        pytest.param([], id="none"),
    ],
)
def test_memory_that_does_not_grow_all_the_time_is_no_leak(resident: list[int]) -> None:
    assert growth(of_messages(resident)) is None
