import pytest
from geometry_msgs.msg import Vector3, Vector3Stamped
from std_srvs.srv import SetBool

pytestmark = pytest.mark.lockstep("../verify/vector_gate.yaml")


def test_the_gate_lets_vectors_pass_until_it_is_told_not_to(component):
    message = Vector3Stamped(vector=Vector3(x=1.0))
    component.vector.send(message)
    answer = component.set_open.call(SetBool.Request(data=False))
    assert (answer.success, answer.message) == (True, "1 passed until now")
    component.vector.send(message)
    assert component.passed.messages == [message]


@pytest.mark.parameters(starts_open=False)
def test_a_gate_that_is_closed_tells_that_closing_it_changes_nothing(component):
    assert not component.set_open.call(SetBool.Request(data=False)).success
    assert component.set_open.call(SetBool.Request(data=True), time_ns=7).success
    assert component.set_open_response.times_ns[-1] == 7
