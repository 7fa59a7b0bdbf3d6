"""Every run of every host stands on one Execution; lockstep_cpp's execution.cpp is its twin."""

import pytest
from lockstep.component import Component, Input, Parameter, Timer
from lockstep.errors import CallbackError
from lockstep.host.execution import Execution
from std_msgs.msg import String


class Diary(Component):
    text = Input(String)
    gain = Parameter(1.0)
    slow = Timer(0.2)
    fast = Timer(0.1)

    def __init__(self):
        self.entries = []

    def on_start(self):
        self.entries.append("start")

    def on_parameters_changed(self):
        self.entries.append("parameters_changed")

    def on_text(self, msg):
        if msg.data == "throw":
            raise ValueError("told to throw")
        self.entries.append(msg.data)

    def on_slow(self):
        self.entries.append("slow")

    def on_fast(self):
        self.entries.append("fast")


def test_timers_fire_on_the_way_and_are_told_of():
    diary, fired = Diary(), []
    execution = Execution(diary, timer_fired=lambda name, _: fired.append(name))
    execution.start()
    execution.advance(10**9)
    execution.advance(10**9 + 2 * 10**8)
    execution.deliver("text", String(data="hello"))
    assert diary.entries == ["start", "fast", "slow", "fast", "hello"]
    assert fired == ["fast", "slow", "fast"]
    assert (execution.now_ns, execution.next_due_ns) == (1_200_000_000, 1_300_000_000)


def test_a_component_that_has_not_started_is_not_told_of_parameters():
    diary = Diary()
    execution = Execution(diary)
    execution.parameters_changed()
    execution.start()
    execution.parameters_changed()
    assert diary.entries == ["start", "parameters_changed"]


def test_timers_start_again_where_time_has_another_source():
    diary = Diary()
    execution = Execution(diary)
    execution.advance(10**9)
    execution.restart()
    assert execution.next_due_ns is None
    execution.advance(50 * 10**9)
    assert diary.entries == []
    assert execution.next_due_ns == 50_100_000_000


def test_a_stop_comes_between_two_timers():
    class Enough(BaseException):
        pass

    diary = Diary()

    def check_stop():
        if len(diary.entries) == 2:
            raise Enough

    execution = Execution(diary, check_stop)
    execution.advance(10**9)
    with pytest.raises(Enough):
        execution.advance(2 * 10**9)
    assert diary.entries == ["fast", "slow"]


def test_an_error_says_which_callback_failed_and_when():
    execution = Execution(Diary())
    execution.advance(12_345_000_000)
    with pytest.raises(
        CallbackError, match=r"^on_text failed at 12\.345000000 s: ValueError: told"
    ):
        execution.deliver("text", String(data="throw"))
