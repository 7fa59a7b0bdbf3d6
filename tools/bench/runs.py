"""Contestants that run components, from a bag to a bag, in the workspace: `lockstep_examples` and
its twins in C++.

Each returns a Contest as those in `contestants` do.
"""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

from .bags import scratch
from .contestants import Check, Contest, Task

_PORTS = {
    "geometry_msgs/msg/Vector3Stamped": ("VectorNormalizer", "vector", "normalized"),
    "sensor_msgs/msg/Imu": ("ImuComplementaryFilter", "imu", "orientation"),
}


def direct_cpp(task: Task) -> Contest:
    """A direct run of the component in C++."""
    return _direct(task, "cpp")


def direct_python(task: Task) -> Contest:
    """A direct run of the component in Python, which has a process of its own."""
    return _direct(task, "python")


def in_process(task: Task) -> Contest:
    """The component in Python, called in this process for each message of the bag."""
    from lockstep.bag import Bag, BagWriter
    from lockstep.host.execution import InProcess
    from lockstep.host.python_component import load, make
    from lockstep.message.definitions import definition, type_hash

    name, _, _ = _named(task)
    component = make(load(f"lockstep_examples:{name}"))
    (output,) = _contract(task).outputs
    folder = _folder()

    def work() -> Path:
        with closing(Bag(task.path)) as bag, BagWriter(folder / "bag") as writer:
            described = definition(output.type), type_hash(output.type)
            writer.add_topic(f"/{output.topic}", output.type, *described)
            run = InProcess(
                component,
                {},
                lambda _, time_ns, data: writer.write(f"/{output.topic}", data, time_ns),
            )
            for message in bag.messages([task.topic]):
                run.deliver(0, message.log_time_ns, message.data)
        return folder / "bag"

    return Contest(work, _outputs)


def _direct(task: Task, implementation: str) -> Contest:
    from lockstep.bag import Bag
    from lockstep.run.direct import run_direct
    from lockstep.run.direct_program import DirectProgram, direct_environment
    from lockstep.run.implementation import direct_command
    from lockstep.run.inputs import RunInputs
    from lockstep.run.model import Implementation, Run
    from lockstep.run.processes import Processes
    from lockstep.run.request import RunRequest

    name, port, _ = _named(task)
    declared = (
        Implementation(component=f"lockstep_examples:{name}")
        if implementation == "python"
        else Implementation(executable=f"lockstep_examples_cpp/{_snake(name)}")
    )
    contract = _contract(task)
    options = Run(mode="direct")
    folder = _folder()

    def work() -> Path:
        with closing(Bag(task.path)) as bag, Processes(direct_environment()) as processes:
            command = direct_command(implementation, declared)
            log = folder / "node.log"
            program = DirectProgram(implementation, command, log, processes, options.timeout)
            inputs = RunInputs(bag, {task.topic: f"/{port}"})
            request = RunRequest(implementation, declared, contract, inputs, {}, options, folder)
            return Path(run_direct(request, program).bag)

    return Contest(work, _outputs)


def _outputs(path: Path) -> Check:
    """How many messages came out, and how many bytes."""
    from lockstep.bag import Bag

    count = size = 0
    with closing(Bag(path)) as bag:
        for batch in bag.batches():
            count += len(batch)
            size += int(batch.length.sum())
    shutil.rmtree(path.parent)
    return count, float(size)


def _named(task: Task) -> tuple[str, str, str]:
    assert task.plan is not None
    return _PORTS[task.plan.type]


def _contract(task: Task) -> Any:
    from lockstep.component import contract_of
    from lockstep.host.python_component import load

    return contract_of(load(f"lockstep_examples:{_named(task)[0]}"))


def _snake(name: str) -> str:
    from lockstep.host.python_component import node_name

    return node_name(name)


def _folder() -> Path:
    folder = scratch(os.getpid())
    folder.mkdir(parents=True)
    return folder
