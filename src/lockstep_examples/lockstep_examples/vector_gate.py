"""VectorGate: a service switches what an input does."""

from geometry_msgs.msg import Vector3Stamped
from lockstep.component import Component, Input, Output, Parameter, Service
from lockstep.distributions import Choice
from std_srvs.srv import SetBool

from .vector_normalizer import VECTORS


class VectorGate(Component):
    """Let vectors pass while the gate is open, which a service says."""

    vector = Input(Vector3Stamped, dist=VECTORS)
    set_open = Service(SetBool, dist={"data": Choice(False, True)})
    passed = Output(Vector3Stamped)
    starts_open = Parameter(True, description="whether vectors pass until the service is asked")

    def on_start(self) -> None:
        self.is_open = self.starts_open
        self.count = 0

    def on_vector(self, msg: Vector3Stamped) -> None:
        if self.is_open:
            self.count += 1
            self.passed.publish(msg)

    def on_set_open(self, request: SetBool.Request) -> SetBool.Response:
        changes = request.data != self.is_open
        self.is_open = request.data
        return SetBool.Response(success=changes, message=f"{self.count} passed until now")


def main() -> None:
    from lockstep.nodes.host import host

    host(VectorGate)
