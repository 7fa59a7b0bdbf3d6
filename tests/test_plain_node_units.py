"""Unit tests written once, for an ordinary node and for the component that it became."""

import pytest
from geometry_msgs.msg import Vector3, Vector3Stamped
from lockstep.errors import UsageError

pytestmark = pytest.mark.lockstep("plain_nodes.yaml")
VECTOR = Vector3Stamped(vector=Vector3(x=3.0, y=-4.0))
S, MS = 10**9, 10**6


def test_outputs_have_the_time_of_what_caused_them(component):
    component.vector.send(VECTOR, 5 * S)
    component.vector.send(VECTOR, 5 * S + 50 * MS)
    component.advance(5 * S + 200 * MS)
    assert [message.data for message in component.smoothed.messages] == [2.5, 3.75]
    assert component.smoothed.times_ns == [5 * S, 5 * S + 50 * MS]
    assert component.counted.times_ns == [5 * S + 100 * MS, 5 * S + 200 * MS]
    assert [message.data for message in component.counted.messages] == [2.0, 2.0]


@pytest.mark.parameters(gain=1.0)
def test_parameters_are_set_at_the_start_and_while_it_runs(component):
    component.vector.send(VECTOR, 5 * S)
    assert component.smoothed.last.data == 5.0
    component.restart(gain=0.0)
    component.vector.send(VECTOR, 5 * S)
    assert component.smoothed.messages == []
    component.set_parameters(gain=0.5)
    with pytest.raises(UsageError, match="gain"):
        component.set_parameters(gain=2.0)
    component.vector.send(VECTOR, 6 * S)
    assert component.smoothed.last.data == 2.5


def test_parameters_that_are_refused_are_told(component):
    for wrong in ({"gain": 2.0}, {"gain": "much"}, {"speed": 1.0}):
        with pytest.raises(UsageError, match="parameter"):
            component.restart(**wrong)


def test_the_first_milliseconds_since_1970_are_times_as_any_other(component):
    component.vector.send(VECTOR)
    assert component.smoothed.times_ns == [MS]
