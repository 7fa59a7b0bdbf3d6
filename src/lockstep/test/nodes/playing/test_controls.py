"""What services and keys do."""

import pytest
from lockstep.errors import UsageError
from lockstep.nodes.playing.controls import Controls
from lockstep.nodes.playing.keyboard import press
from lockstep.nodes.playing.pace import Pace


@pytest.fixture
def controls():
    return Controls(Pace(1.0, paused=True))


def test_bursts_are_told_how_many_were_played_when_they_are_done(controls):
    told = []
    controls.burst(2, told.append)
    controls.burst(0, told.append)
    for _ in range(5):
        assert controls.bursting
        controls.played()
    assert told == [2]
    controls.end_bursts()
    assert told == [2, 3]
    assert not controls.bursting


def test_single_messages_need_a_pause(controls):
    controls.resume()
    with pytest.raises(UsageError, match="pause before playing single messages"):
        controls.burst(1, print)


def test_the_keys_of_rosbag2_do_what_they_do_there(controls):
    press("\x1b[C", controls)
    assert controls.bursting
    press(" ", controls)
    assert not controls.paused and not controls.bursting
    press("\x1b[A\x1bOAq\x1b[C", controls)
    assert controls.rtf == 1.2
    press("\x1b[B" * 30, controls)
    assert controls.rtf == 0.1
    press(" ", controls)
    assert controls.paused
