from lockstep.component import Schedule


def fired(schedule: Schedule, *times: int) -> list[tuple[int, int]]:
    calls: list[tuple[int, int]] = []
    for time in times:
        schedule.advance(time, lambda index: calls.append((index, schedule.now_ns)))
    return calls


def test_a_timer_first_fires_one_period_after_the_first_time_seen():
    assert fired(Schedule([10]), 100, 109, 110) == [(0, 110)]


def test_a_step_over_many_periods_skips_and_merges_none():
    assert fired(Schedule([10]), 100, 135) == [(0, 110), (0, 120), (0, 130)]


def test_timers_fire_in_the_order_of_due_time_then_declaration():
    assert fired(Schedule([20, 10]), 100, 120) == [(1, 110), (0, 120), (1, 120)]


def test_time_zero_means_that_no_time_is_known():
    schedule = Schedule([10])
    assert fired(schedule, 0, 5, 14, 15) == [(0, 15)]


def test_the_same_time_again_fires_nothing_twice():
    assert fired(Schedule([10]), 100, 110, 110, 110) == [(0, 110)]


def test_time_that_steps_back_starts_every_timer_anew():
    assert fired(Schedule([10]), 100, 115, 50, 59, 60) == [(0, 110), (0, 60)]


def test_timers_start_again_after_a_restart():
    schedule = Schedule([10])
    fired(schedule, 100)
    schedule.restart()
    assert (schedule.now_ns, schedule.next_due_ns) == (0, None)
    assert fired(schedule, 1_000_000) == []
    assert schedule.next_due_ns == 1_000_010


def test_next_due_is_known_once_time_is():
    schedule = Schedule([30, 10])
    assert schedule.next_due_ns is None
    fired(schedule, 100)
    assert schedule.next_due_ns == 110


def test_without_timers_time_still_advances():
    schedule = Schedule([])
    assert fired(schedule, 100, 200) == []
    assert (schedule.now_ns, schedule.next_due_ns) == (200, None)
