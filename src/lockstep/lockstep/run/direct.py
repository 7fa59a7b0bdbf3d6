"""Direct runs of whole bags: inputs from a bag to a component's process and its outputs into a bag,
without DDS."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import numpy.typing as npt

from ..bag import BagWriter
from ..errors import CallbackError, RunError
from ..host.protocol import ACKNOWLEDGEMENT_TOPIC, TIMER_PORTS
from ..progress import Progress
from .direct_process import DirectProcess
from .direct_program import DirectProgram
from .recording import Recording
from .request import RunRequest
from .resources import Meter
from .result import Failure, RunResult, check_counts
from .step_frames import StepFrames


def run_direct(
    request: RunRequest, program: DirectProgram, progress: Progress | None = None
) -> RunResult:
    """Run a program on the inputs and record its outputs into `folder`/bag; afterwards it has
    ended.

    A callback that raises ends the run, whose result then has a `failure`. Raises RunError, with
    the tail of the log concerned, if the process crashes, hangs, or breaks the protocol or its
    contract.
    """
    name, bag = request.name, request.folder / "bag"
    failure: Failure | None = None
    process = program.process
    if differences := request.contract.differences(process.contract):
        raise RunError(f"{name} does not keep the contract: {'; '.join(differences)}")
    inputs = StepFrames(request.inputs, process.contract, progress)
    with BagWriter(bag) as writer:
        recording = Recording(writer, process.contract, with_cause=request.with_cause)
        start_s = time.perf_counter()
        meter = Meter(program.start().child.pid)
        try:
            recording.write(process.start(request.parameters), 0)
            meter.look(0)
            for outputs in process.run(inputs.chunks()):
                recording.write([outputs], process.consumed)
                meter.look(process.consumed)
            wall_s = time.perf_counter() - start_s
            resources = meter.found()
            process.end()
            process.close()
        except CallbackError as error:
            resources = meter.found()
            wall_s = time.perf_counter() - start_s
            failure = Failure(error.step or 0, request.inputs.steps(), str(error))
        recorded = writer.counts
    program.end()
    recorded.pop(ACKNOWLEDGEMENT_TOPIC, None)
    if failure is None:
        check_counts(name, inputs.sent, recorded, request.silent)
    return RunResult(
        name=name,
        bag=bag,
        sent=inputs.sent,
        recorded=recorded,
        first_input_ns=inputs.first_ns,
        wall_s=wall_s,
        resources=resources,
        failure=failure,
        **_times(process),
    )


def _times(process: DirectProcess) -> dict[str, Any]:
    of_inputs = [times for port, times in process.durations_ns.items() if port < TIMER_PORTS]
    if not of_inputs:
        return {"median_ns": None, "p99_ns": None}
    durations: npt.NDArray[np.uint32] = np.concatenate(of_inputs)
    median_ns, p99_ns = np.percentile(durations, [50, 99]).tolist()
    return {"median_ns": median_ns, "p99_ns": p99_ns}
