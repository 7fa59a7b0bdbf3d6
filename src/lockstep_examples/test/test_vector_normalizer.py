import pytest
from geometry_msgs.msg import Vector3, Vector3Stamped
from std_msgs.msg import Header

pytestmark = pytest.mark.lockstep("../verify/vector_normalizer.yaml")


def test_a_vector_is_scaled_to_unit_length_and_keeps_its_header(component):
    message = Vector3Stamped(header=Header(frame_id="imu"), vector=Vector3(x=3.0, y=-4.0))
    component.vector.send(message)
    answer = component.normalized.last
    assert answer.vector == Vector3(x=0.6, y=-0.8)
    assert answer.header == message.header


@pytest.mark.parameters(epsilon=0.1)
def test_a_vector_shorter_than_epsilon_becomes_zero(component):
    component.vector.send(Vector3Stamped(vector=Vector3(z=0.05)))
    assert component.normalized.last.vector == Vector3()
