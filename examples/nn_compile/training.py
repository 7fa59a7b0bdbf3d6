"""Training a network for the control law with PyTorch, and writing it as ONNX."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import torch
from lockstep.dataset import Dataset
from lockstep.dataset.dataset import Progress
from onnx import TensorProto, helper, numpy_helper

COLUMNS = {"/state": ["data"], "/wrench": ["wrench.force.x", "wrench.torque.z"]}
STATE_SCALE = (3.0, 4.0, 15.0, 25.0)
WRENCH_SCALE = (60.0, 20.0)
HIDDEN = 32
BATCH = 128
LEARNING_RATE = 0.02
OPSET, IR_VERSION = 17, 8
"""As old as will do, so that old runtimes load it, too."""


class Network(torch.nn.Module):
    """Error states (n, 4) → forces in N and torques in Nm (n, 2).

    Three layers with ReLU: the law is linear in parts (clamped), and so is such a network.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(4, HIDDEN),
            torch.nn.ReLU(),
            torch.nn.Linear(HIDDEN, HIDDEN),
            torch.nn.ReLU(),
            torch.nn.Linear(HIDDEN, 2),
        )
        self.register_buffer("state_scale", torch.tensor(STATE_SCALE))
        self.register_buffer("wrench_scale", torch.tensor(WRENCH_SCALE))

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        return self.layers(states / self.state_scale) * self.wrench_scale


def train(
    dataset: Dataset, seed: int, steps: int, progress: Progress, start: Network | None = None
) -> Network:
    """Fit a network, a new one or further `start`, to a dataset of `/state` and `/wrench`, tick by
    tick.

    The same seed gives the same network.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    samples = dataset.to_torch(COLUMNS)
    network = start or Network()
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for number in range(1, steps + 1):
        batch = samples[torch.randint(len(samples), (BATCH,))]
        error = (network(batch["/state"]) - batch["/wrench"]) / network.wrench_scale
        loss = error.square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        progress(number, steps)
    return network


def export(network: Network, parameters: Mapping[str, float], file: Path) -> None:
    """Write the network as ONNX, with the parameters that it has learnt as metadata. The same
    weights give the same bytes."""
    values = {name: np.array(value) for name, value in network.state_dict().items()}
    nodes = [helper.make_node("Div", ["state", "state_scale"], ["0"])]
    for number, layer in enumerate(network.layers, 1):
        before, after = str(number - 1), str(number)
        if isinstance(layer, torch.nn.Linear):
            weights = [f"layers.{number - 1}.weight", f"layers.{number - 1}.bias"]
            nodes.append(helper.make_node("Gemm", [before, *weights], [after], transB=1))
        else:
            nodes.append(helper.make_node("Relu", [before], [after]))
    last = str(len(network.layers))
    nodes.append(helper.make_node("Mul", [last, "wrench_scale"], ["wrench"]))
    graph = helper.make_graph(
        nodes,
        "control_law",
        [helper.make_tensor_value_info("state", TensorProto.FLOAT, ["n", 4])],
        [helper.make_tensor_value_info("wrench", TensorProto.FLOAT, ["n", 2])],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )
    helper.set_model_props(model, {"parameters": json.dumps(dict(parameters))})
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, file)
