import math
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lockstep.dataset import DataPlayback, Dataset, DatasetError, Record

T0 = 1_700_000_000_000_000_000
MS = 1_000_000
Config = DataPlayback.Config


def dataset(count: int, period_ms: int = 10) -> Dataset:
    made = Dataset.create()
    for tick in range(count):
        made.append("x", tick, T0 + tick * period_ms * MS)
    return made


def played(playback: DataPlayback) -> list[Any]:
    values: list[Any] = []
    assert playback.play_realtime(lambda record: values.append(record.value)) == len(values)
    return values


def in_thread(play: Callable[[], Any]) -> threading.Thread:
    thread = threading.Thread(target=play, daemon=True)
    thread.start()
    return thread


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_values_are_never_early_and_pacing_does_not_drift() -> None:
    late: list[float] = []

    def slow(record: Record) -> None:
        late.append(time.monotonic() - before - (record.stamp_ns - T0) / 2e9)
        time.sleep(0.002)  # pacing by sleeping between values would add this up to 0.2 s

    playback = DataPlayback(dataset(100), Config(rate=2.0))
    before = time.monotonic()
    assert playback.play_realtime(slow) == 100
    assert min(late) >= 0
    assert min(late[50:]) < 0.1  # a busy machine delays single values, but not all of the last


def test_without_a_rate_there_is_no_waiting() -> None:
    assert played(DataPlayback(dataset(1000, 10_000), Config(rate=math.inf))) == list(range(1000))


def test_a_part_is_played() -> None:
    made = dataset(10)
    made.append("y", "other", T0 + 20 * MS)
    config = Config(rate=math.inf, start_offset=0.02, duration=0.03, keys=["x"])
    assert played(DataPlayback(made, config)) == [2, 3, 4]


def test_callbacks_get_their_keys() -> None:
    made = Dataset.create()
    for tick in range(4):
        made.append("ab"[tick % 2], tick, T0)
    heard: list[tuple[str, Any]] = []
    playback = DataPlayback(made, Config(rate=math.inf))
    playback.on("a", lambda r: heard.append(("a", r.value)))
    playback.on(None, lambda r: heard.append(("all", r.value)))
    playback.play_realtime()
    assert heard == [("a", 0), ("all", 0), ("all", 1), ("a", 2), ("all", 2), ("all", 3)]
    with pytest.raises(DatasetError, match="no key c to play; there is a, b"):
        playback.on("c", print)


def test_a_loop_goes_on_until_it_is_stopped() -> None:
    playback = DataPlayback(dataset(3, 1), Config(loop=True, rate=10))
    values: list[Any] = []

    def take(record: Record) -> None:
        values.append(record.value)
        if len(values) == 8:
            playback.stop()

    assert playback.play_realtime(take) == 8
    assert values == [0, 1, 2, 0, 1, 2, 0, 1]


def test_stop_ends_promptly_while_it_waits() -> None:
    playback = DataPlayback(dataset(2, 3_600_000))
    thread = in_thread(playback.play_realtime)
    wait_until(lambda: playback.position_s == 0 and playback.latest_s > 0)
    before = time.monotonic()
    playback.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert time.monotonic() - before < 1


def test_it_is_paused_stepped_and_resumed_from_another_thread() -> None:
    playback = DataPlayback(dataset(10), Config(paused=True))
    values: list[Any] = []
    thread = in_thread(lambda: playback.play_realtime(lambda r: values.append(r.value)))
    time.sleep(0.05)
    assert values == []
    playback.step()
    wait_until(lambda: values == [0])
    playback.step(3)
    wait_until(lambda: values == [0, 1, 2, 3])
    time.sleep(0.05)
    assert values == [0, 1, 2, 3]
    playback.resume()
    thread.join(10)
    assert values == list(range(10))


def test_a_pause_does_not_count_as_time() -> None:
    playback = DataPlayback(dataset(3, 400))
    times: list[float] = []

    def take(record: Record) -> None:
        times.append(time.monotonic())
        if record.value == 1:
            playback.pause()
            threading.Timer(0.4, playback.resume).start()

    playback.play_realtime(take)
    assert times[2] - times[1] > 0.6  # 0.8, but for what value 1 was late


def test_seeking_goes_back_and_forth() -> None:
    playback = DataPlayback(dataset(10, 1))
    values: list[Any] = []

    def take(record: Record) -> None:
        values.append(record.value)
        if values == [0, 1, 2]:
            playback.seek(0.008)
        elif values == [0, 1, 2, 8, 9]:
            playback.seek(0.004)

    playback.play_realtime(take)
    assert values == [0, 1, 2, 8, 9, 4, 5, 6, 7, 8, 9]


def test_the_rate_changes_while_it_plays() -> None:
    playback = DataPlayback(dataset(3, 3_600_000))
    thread = in_thread(playback.play_realtime)
    wait_until(lambda: playback.latest_s > 0)
    playback.set_rate(math.inf)
    thread.join(10)
    assert not thread.is_alive()
    assert playback.position_s == 7200


def test_an_error_in_a_callback_ends_the_playing() -> None:
    playback = DataPlayback(dataset(10), Config(rate=math.inf))
    with pytest.raises(ZeroDivisionError):
        playback.play_realtime(lambda record: 1 // record.value)
    assert played(playback) == list(range(10))


def test_a_bag_is_played_by_its_path(bags: Path) -> None:
    config = Config(rate=math.inf, keys=["/fix"])
    with DataPlayback(bags / "husky_gps_imu_odom", config) as playback:
        assert len(played(playback)) == 989


def test_mistakes_are_told_in_a_sentence() -> None:
    for rate in (0, -1, math.nan):
        with pytest.raises(DatasetError, match="is no rate"):
            DataPlayback(dataset(1), Config(rate=rate))
    with pytest.raises(DatasetError, match="no key y"):
        DataPlayback(dataset(1), Config(keys=["y"]))
    with pytest.raises(DatasetError, match="only a paused"):
        DataPlayback(dataset(1)).step()
    playback = DataPlayback(dataset(1))
    with pytest.raises(DatasetError, match="playing already"):
        playback.play_realtime(lambda _: playback.play_realtime())


def test_an_empty_dataset_plays_nothing() -> None:
    assert played(DataPlayback(Dataset.create(), Config(loop=True))) == []
