"""What a player asks of the kernel to be on time."""

import os
import sys
import threading

import pytest
from lockstep.nodes.playing.exactness import Exactness


@pytest.fixture
def of_a_thread():
    """Calls a function in a thread of its own, and gives what it returns."""
    interval_s = sys.getswitchinterval()

    def call(function):
        results = []
        thread = threading.Thread(target=lambda: results.append(function()))
        thread.start()
        thread.join()
        return results[0]

    yield call
    sys.setswitchinterval(interval_s)


def may_go_first():
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except OSError:
        return False
    return True


def policy():
    return os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK


def test_at_recorded_speed_it_goes_first_where_it_may_and_what_it_starts_does_not(of_a_thread):
    def policies():
        Exactness(1.0)
        return policy(), of_a_thread(policy)

    own, of_what_it_starts = of_a_thread(policies)
    assert own == (os.SCHED_RR if of_a_thread(may_go_first) else os.SCHED_OTHER)
    assert of_what_it_starts == os.SCHED_OTHER


def test_who_cannot_hold_the_rate_gives_way(of_a_thread):
    def given_way():
        Exactness(1.0).give_way()
        return policy()

    assert of_a_thread(given_way) == os.SCHED_OTHER


def test_faster_than_recorded_it_is_like_others(of_a_thread):
    def faster():
        Exactness(10.0)
        return policy()

    assert of_a_thread(faster) == os.SCHED_OTHER
