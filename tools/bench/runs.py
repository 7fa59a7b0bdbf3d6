"""Contestants that run components, from a bag to a bag, in the workspace: `lockstep_examples` and
its twins in C++.

Each returns a Contest as those in `contestants` do.
"""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .bags import scratch
from .contestants import Check, Contest, Task

if TYPE_CHECKING:
    from lockstep.run.model import Implementation

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


def direct_node(task: Task) -> Contest:
    """A direct run of an rclpy node that hands on what it gets, from its start to its end."""
    from lockstep.run.model import Implementation

    return _nodes(task, Implementation(node="bench.relay_node:Relay"))


def direct_node_cpp(task: Task) -> Contest:
    """The same of a node in C++."""
    return _relay(task, "imu")


def direct_node_images(task: Task) -> Contest:
    """The same with images."""
    return _relay(task, "image")


def direct_system(task: Task) -> Contest:
    """The same through five processes, of which one asks another: six deliveries a message."""
    from lockstep.run.model import Implementation, SystemNode

    names = ("First", "Second", "Asker", "Server", "Last")
    every = [SystemNode(node=f"bench.system_nodes:{name}") for name in names]
    return _nodes(task, Implementation(nodes=every))


def _relay(task: Task, kind: str) -> Contest:
    from lockstep.run.model import Implementation

    program = Path("build/rmw_lockstep_cpp/test/relay_node").resolve()
    if not program.is_file():
        raise SystemExit(f"{program} is not there; run make build")
    return _nodes(task, Implementation(command=[str(program), kind]), "/in")


def _nodes(task: Task, implementation: Implementation, topic: str = "/imu") -> Contest:
    """Of nodes that hand messages on from a topic to /out."""
    from lockstep.bag import Bag
    from lockstep.component import Contract
    from lockstep.run.inputs import RunInputs
    from lockstep.run.model import Run
    from lockstep.run.nodes.registered import registered_contract
    from lockstep.run.nodes.run_node import run_node
    from lockstep.run.processes import Processes
    from lockstep.run.request import RunRequest

    told = registered_contract("nodes", implementation)
    outputs = tuple(port for port in told.outputs if port.topic == "/out")
    contract = Contract(told.component, told.inputs, outputs, (), ())
    options = Run(mode="direct")
    folder = _folder()

    def work() -> Any:
        with closing(Bag(task.path)) as bag, Processes(os.environ) as processes:
            inputs = RunInputs(bag, {task.topic: topic})
            request = RunRequest("nodes", implementation, contract, inputs, {}, options, folder)
            return run_node(request, processes)

    return Contest(
        work,
        lambda result: _outputs(Path(result.bag)),
        lambda result: float(result.wall_s),
        lambda result: float(result.resources.cpu_s),
    )


def live_cpp(task: Task) -> Contest:
    """A live run of the component in C++, in lockstep."""
    return _live(task, "cpp")


def live_python(task: Task) -> Contest:
    """The same in Python."""
    return _live(task, "python")


def in_process(task: Task) -> Contest:
    """The component in Python, called in this process for each message of the bag."""
    from lockstep.bag import Bag, BagWriter
    from lockstep.host.in_process import InProcess
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
    from lockstep.run.model import Run
    from lockstep.run.processes import Processes
    from lockstep.run.request import RunRequest

    _, port, _ = _named(task)
    declared = _declared(task, implementation)
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


def _live(task: Task, implementation: str) -> Contest:
    """From the first step to the last acknowledgement."""
    from lockstep.bag import Bag
    from lockstep.run.inputs import RunInputs
    from lockstep.run.live import LiveRun
    from lockstep.run.model import Run
    from lockstep.run.processes import Processes, fork_server
    from lockstep.run.request import RunRequest

    _, port, _ = _named(task)
    declared = _declared(task, implementation)
    contract = _contract(task)
    folder = _folder()

    def work() -> Any:
        with (
            closing(Bag(task.path)) as bag,
            Processes(os.environ) as processes,
            fork_server(processes) as forks,
        ):
            inputs = RunInputs(bag, {task.topic: f"/{port}"})
            request = RunRequest(implementation, declared, contract, inputs, {}, Run(), folder)
            run = LiveRun(request, forks)
            try:
                run.play()
                return run.finish()
            finally:
                run.end()

    return Contest(
        work, lambda result: _outputs(Path(result.bag)), lambda result: float(result.wall_s)
    )


def _declared(task: Task, implementation: str) -> Any:
    from lockstep.run.model import Implementation

    name, _, _ = _named(task)
    if implementation == "python":
        return Implementation(component=f"lockstep_examples:{name}")
    return Implementation(executable=f"lockstep_examples_cpp/{_snake(name)}")


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
