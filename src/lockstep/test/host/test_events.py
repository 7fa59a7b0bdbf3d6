"""What processes of a run tell their harness arrives as it was told."""

import pytest
from lockstep.errors import (
    BagError,
    CallbackError,
    Crash,
    Hang,
    LockstepError,
    Loss,
    RunError,
    UsageError,
)
from lockstep.host.events import EVENTS, tell_error, tell_progress, told_error, told_progress


@pytest.fixture
def events(tmp_path, monkeypatch):
    monkeypatch.setenv(EVENTS, str(tmp_path / "node.events"))
    return tmp_path / "node.events"


@pytest.mark.parametrize("kind", [UsageError, RunError, Hang, Crash, Loss, CallbackError])
def test_an_error_arrives_as_its_kind_with_its_sentence(events, kind):
    tell_error(kind("on_scan failed:\n“no”"), "on_scan failed: “no”")
    told = told_error(events)
    assert type(told) is kind
    assert str(told) == "on_scan failed: “no”"


def test_an_error_of_another_kind_arrives_as_that_of_its_base(events):
    class Lost(Loss):
        pass

    tell_error(Lost(), "lost")
    assert type(told_error(events)) is Loss
    tell_error(ZeroDivisionError(), "unforeseen")
    assert type(told_error(events)) is RunError
    tell_error(BagError("no bag"), "no bag", refused=True)
    assert type(told_error(events)) is UsageError


def test_progress_is_that_told_last(events):
    assert told_progress(events) is None
    tell_progress(1, 20)
    tell_progress(7, 20)
    assert told_progress(events) == (7, 20)
    assert told_error(events) is None


def test_progress_is_found_at_the_end_of_a_long_file(events):
    for done in range(2000):
        tell_progress(done, 2000)
    assert told_progress(events) == (1999, 2000)
    tell_error(Loss(), "lost")
    tell_progress(2000, 2000)
    assert type(told_error(events)) is Loss


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\xfe\n",
        b"[]\n",
        b'{"event": "progress", "done": "1", "total": 2}\n',
        b'{"event": "error", "kind": "loss"}\n',
        b'{"event": "error", "kind": "loss", "message": "not wh',
    ],
)
def test_what_is_no_event_is_passed_over(events, line):
    tell_progress(3, 9)
    with events.open("ab") as stream:
        stream.write(line)
    assert told_progress(events) == (3, 9)
    assert told_error(events) is None


def test_a_kind_that_nobody_knows_is_a_failed_run(events):
    events.write_text('{"event": "error", "kind": "melted", "message": "too hot"}\n')
    told = told_error(events)
    assert isinstance(told, LockstepError)
    assert (type(told), str(told)) == (RunError, "too hot")


def test_nothing_is_told_where_nobody_asks(monkeypatch, tmp_path):
    monkeypatch.delenv(EVENTS, raising=False)
    monkeypatch.chdir(tmp_path)
    tell_progress(1, 2)
    assert list(tmp_path.iterdir()) == []
