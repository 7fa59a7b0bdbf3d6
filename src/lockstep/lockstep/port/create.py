"""Making prompts of components, or of specifications by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .prompt import BUDGET, Prompt
from .sections import sections
from .specification import specified
from .subject import subject_of


def create_prompt(
    component: Any = None,
    target_language: str = "cpp",
    *,
    verification: str | Path | None = None,
    drawn: bool = False,
    budget: int = BUDGET,
    requirements: list[str] | None = None,
    name: str = "",
    description: str = "",
    inputs: Mapping[str, str] | None = None,
    outputs: Mapping[str, str] | None = None,
    parameters: Mapping[str, Any] | None = None,
    timers: Mapping[str, float] | None = None,
    source: str = "",
) -> Prompt:
    """The prompt for porting a component, or for writing one from a specification by hand.

    `component` is a class, an instance, a `@component` function or MODULE:NAME; `verification` its verify.yaml, which is
    otherwise looked for in its package, unless inputs are to be `drawn` from its distributions. By hand: `name` and `description`, message types such as
    "sensor_msgs/msg/Imu" by name of `inputs` and `outputs`, default values of `parameters`, periods of `timers` in
    seconds, and perhaps the `source` of a function to port. `requirements` are sentences to add to the task.

    Raises PortError for an unknown language or a component without source, and UsageError, BagError or RunError if the
    reference cannot be run on its dataset.
    """
    if component is not None:
        file = Path(verification) if verification is not None else None
        subject = subject_of(component, file, drawn=drawn)
    else:
        subject = specified(name, description, inputs, outputs, parameters, timers)
    found = sections(subject, target_language, requirements or [], source)
    return Prompt(f"Port {subject.contract.component} to {found.language}", found.sections, budget)
