"""PdController with its control law distilled into a network.

Learnt is the law: error state → force and torque, with all gains and limits. The frame around it is
as in PdController: ports, timer, the filter of the derivative, the header.
"""

import json
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from geometry_msgs.msg import WrenchStamped
from lockstep.component import Output, to_stamp
from std_msgs.msg import Float64MultiArray

from lockstep_examples import PdController

MODELS = Path(os.environ.get("NN_COMPILE_MODELS", Path(__file__).resolve().parent / "models"))
"""The folder of the networks; the workflow names that of its own run by the environment
variable."""
LEARNT = (
    "kp_linear",
    "kd_linear",
    "kp_angular",
    "kd_angular",
    "max_force",
    "max_torque",
)
"""Parameters whose values are in the weights. The filter's time constant is not: the frame keeps to
it."""

Floats = npt.NDArray[np.floating]


class Law:
    """A network in an ONNX file: error states (n, 4) → forces in N and torques in Nm (n, 2)."""

    def __init__(self, file: Path) -> None:
        if not file.is_file():
            raise FileNotFoundError(f"there is no network {file}; train it with run --write")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = (
            1  # it is small, and then the same sums come in the same order
        )
        self._session = onnxruntime.InferenceSession(
            str(file), options, providers=["CPUExecutionProvider"]
        )
        metadata = self._session.get_modelmeta().custom_metadata_map
        self.parameters: dict[str, float] = json.loads(metadata["parameters"])

    def __call__(self, states: Floats) -> Floats:
        (wrenches,) = self._session.run(None, {"state": np.asarray(states, np.float32)})
        return wrenches


class Frame(PdController):
    """What of PdController is not learnt."""

    def error_state(self) -> list[float]:
        """At this tick of the timer: errors in m/s and rad/s, filtered accelerations in m/s² and
        rad/s²."""
        dt = 0.02
        decay = self.filter_time / (self.filter_time + dt)
        self.derivative = tuple(
            decay * derivative + (1.0 - decay) * ((measured - previous) / dt)
            for derivative, measured, previous in zip(
                self.derivative, self.measured, self.previous, strict=True
            )
        )
        self.previous = self.measured
        errors = [t - m for t, m in zip(self.target, self.measured, strict=True)]
        return [*errors, *self.derivative]


class ErrorStates(Frame):
    """The frame by itself: what the network is given, as data to train with."""

    state = Output(Float64MultiArray)

    def on_control(self) -> None:
        if self.running:
            self.state.publish(Float64MultiArray(data=self.error_state()))


class PdControllerNn(Frame):
    """The frame with a network in it; keeps the contract of PdController."""

    model = "model.onnx"

    def on_start(self) -> None:
        self.law = Law(MODELS / self.model)
        self.on_parameters_changed()

    def on_parameters_changed(self) -> None:
        for name in LEARNT:
            learnt, wanted = self.law.parameters[name], self.parameter_values[name]
            if wanted != learnt:
                raise ValueError(
                    f"{self.model} has learnt {name} {learnt:g} and knows no {wanted:g}; "
                    f"set {name} to {learnt:g}, or train another model"
                )

    def on_control(self) -> None:
        if not self.running:
            return
        ((force, torque),) = self.law(np.array([self.error_state()])).tolist()
        result = WrenchStamped()
        result.header.stamp = to_stamp(self.now())
        result.header.frame_id = self.frame_id
        result.wrench.force.x = force
        result.wrench.torque.z = torque
        self.wrench.publish(result)


class PdControllerNnFirst(PdControllerNn):
    """The network before it has learnt from its disagreements."""

    model = "first.onnx"
