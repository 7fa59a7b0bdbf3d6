import pytest
from geometry_msgs.msg import Twist, Vector3
from nav_msgs.msg import Odometry

pytestmark = pytest.mark.lockstep("../verify/pd_controller.yaml")

MS = 1_000_000


@pytest.mark.parameters(max_force=10.0)
def test_the_controller_answers_at_its_own_rate_and_within_its_limits(component):
    component.command.send(Twist(linear=Vector3(x=1.0)), 1_000 * MS)
    component.odometry.send(Odometry(child_frame_id="base"), 1_001 * MS)
    component.advance(1_100 * MS)
    assert component.wrench.times_ns == [ms * MS for ms in (1_020, 1_040, 1_060, 1_080, 1_100)]
    answer = component.wrench.last
    assert (answer.wrench.force.x, answer.header.frame_id) == (10.0, "base")
    assert answer.header.stamp.nanosec == 100 * MS


def test_the_controller_is_silent_until_it_knows_how_fast_it_is(component):
    component.command.send(Twist(linear=Vector3(x=1.0)), 1_000 * MS)
    component.advance(1_100 * MS)
    assert component.wrench.messages == []
