"""Prompts: all that someone who sees nothing else needs to write a component in another
language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..component import Contract
from ..errors import PortError
from .contents import contents
from .section import BUDGET, Section
from .specification import specified
from .subject import Subject, subject_of
from .tokens import tokens

_MARKS = 8  # of the title, and between what was shortened and what was left out


@dataclass(frozen=True)
class Prompt:
    """The text that goes to an engineer or a coding agent, and what it is made of.

    Sections come in the order of their importance; what does not fit into `budget` tokens is
    shortened or left out from the end on, and the text says so. What stands in them is also there
    as it is: `target_language` as it was asked for ("cpp"), `io_specs` with the inputs, outputs,
    parameters and timers, `source_code` of the reference, `api_docs` of the target library,
    `examples` of inputs with what the reference publishes for them, one step each, and
    `dataset_path` of the recording that the port is verified with. They are empty where there is
    none, as in a prompt that follows a verdict.
    """

    title: str
    sections: tuple[Section, ...]
    budget: int = BUDGET
    target_language: str = ""
    io_specs: Contract | None = None
    source_code: str = ""
    api_docs: str = ""
    examples: tuple[str, ...] = ()
    dataset_path: Path | str | None = None

    @classmethod
    def from_component(cls, component: Any, target_language: str = "cpp", **options: Any) -> Prompt:
        """The prompt of a component: a class, an instance, a `@component` function or MODULE:NAME.

        See `create_prompt` for the options.
        """
        return create_prompt(component, target_language, **options)

    def to_markdown(self) -> str:
        """The text, within the budget; raises PortError if not even what is required fits."""
        chosen = self._chosen()
        parts = [f"# {self.title}\n"]
        parts += [
            section.to_markdown(variant)
            for section, variant in zip(self.sections, chosen, strict=True)
            if variant is not None
        ]
        note = self._note(chosen)
        return "\n".join([*parts, note] if note else parts)

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write the text to a new file; raises PortError if there is one already, unless `force` is
        given."""
        file = Path(path)
        text = self.to_markdown()
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("w" if force else "x", encoding="utf-8") as stream:
                stream.write(text)
        except FileExistsError as error:
            raise PortError(
                f"{file} exists already; choose another file, or overwrite it with --force"
            ) from error
        except OSError as error:
            raise PortError(f"cannot write {file}: {error.strerror}") from error
        return file

    def _chosen(self) -> list[int | None]:
        """Which variant of each section fits: first everything as short as it goes, then the first
        ones in full."""
        used = tokens(self.title) + tokens(self._note([None] * len(self.sections))) + _MARKS
        costs = [[tokens(s.to_markdown(i)) for i in range(len(s.variants))] for s in self.sections]
        chosen: list[int | None] = [None] * len(self.sections)
        required = [i for i, section in enumerate(self.sections) if section.required]
        least = used + sum(min(costs[i]) for i in required)
        if least > self.budget:
            raise PortError(
                f"a budget of {self.budget} tokens is too small: the contract and the task alone "
                f"take {least}; give --budget a larger number"
            )
        order = [*required, *(i for i in range(len(chosen)) if i not in required)]
        for index in order:
            shortest = len(costs[index]) - 1
            if used + costs[index][shortest] <= self.budget:
                chosen[index] = shortest
                used += costs[index][shortest]
        for index, variant in enumerate(chosen):
            if variant is None:
                continue
            rest = used - costs[index][variant]
            best = next(i for i in range(variant + 1) if rest + costs[index][i] <= self.budget)
            chosen[index] = best
            used = rest + costs[index][best]
        return chosen

    def _note(self, chosen: list[int | None]) -> str:
        left_out = [
            s.title for s, variant in zip(self.sections, chosen, strict=True) if variant is None
        ]
        shortened = [s.title for s, variant in zip(self.sections, chosen, strict=True) if variant]
        said = []
        if left_out:
            said.append(f"left out: {', '.join(left_out)}")
        if shortened:
            said.append(f"shortened: {', '.join(shortened)}")
        if not said:
            return ""
        return f"---\nTo fit {self.budget} tokens, {'; '.join(said)}.\n"


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

    `component` is a class, an instance, a `@component` function or MODULE:NAME; `verification` its
    verify.yaml, which is otherwise looked for in its package, unless inputs are to be `drawn` from
    its distributions. By hand: `name` and `description`, message types such as
    "sensor_msgs/msg/Imu" by name of `inputs` and `outputs`, default values of `parameters`, periods
    of `timers` in seconds, and perhaps the `source` of a function to port. `requirements` are
    sentences to add to the task.

    Raises PortError for an unknown language or a component without source, and UsageError, BagError
    or RunError if the reference cannot be run on its dataset.
    """
    if component is not None:
        file = Path(verification) if verification is not None else None
        subject = subject_of(component, file, drawn=drawn)
    else:
        subject = specified(name, description, inputs, outputs, parameters, timers)
    return prompt_of(
        subject, target_language, budget=budget, requirements=requirements, source=source
    )


def prompt_of(
    subject: Subject,
    target_language: str,
    *,
    budget: int = BUDGET,
    requirements: list[str] | None = None,
    source: str = "",
) -> Prompt:
    """The prompt for what is to be ported; see `create_prompt`."""
    found = contents(subject, target_language, requirements or [], source)
    return Prompt(
        f"Port {subject.contract.component} to {found.language}",
        found.sections,
        budget,
        target_language,
        subject.contract,
        found.source_code,
        found.api_docs,
        found.examples,
        subject.dataset_path,
    )
