"""What is to be ported: a component, its contract, and what it is called in the other language."""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..component import Component, Contract, component_of, contract_of
from ..component.source import origin_of, source_of
from ..distributions import DistError
from ..distributions.model import drawing_of
from ..errors import PortError
from ..host.python_component import load_here, node_name
from ..verify.model import Verification
from .workspace import find_verification, package_folders, verification_of

DRAWN: dict[str, Any] = {
    "inputs": {"sample": {"n": 10_000, "seed": 0}},
    "run": {"mode": "direct"},
}
"""The part of a verify.yaml that says what is verified, where no other file says it."""


@dataclass(frozen=True)
class Subject:
    """A component that is to be ported.

    `target` is MODULE:NAME of the reference; without a reference (a specification by hand) it is
    empty. `file` is the verify.yaml that has the component as reference; where there is none,
    `verification` is of inputs that are drawn. `has_inputs` is whether there are any before
    somebody plays them: a bag, or distributions to draw from.
    """

    contract: Contract
    description: str
    component: type[Component] | None = None
    target: str = ""
    file: Path | None = None
    verification: Verification | None = None
    has_inputs: bool = False

    @property
    def node(self) -> str:
        """The name of the executable and of the files: the class name in snake_case."""
        return node_name(self.contract.component)

    @property
    def dataset_path(self) -> Path | str | None:
        """The recording that is verified with; None if inputs are drawn, or there are none."""
        if self.verification is None or not self.verification.inputs.is_recorded:
            return None
        return self.verification.inputs.bag

    def package(self, language: str) -> str:
        """The name of the package that holds the port."""
        return f"{self.node}_{language}"


def subject_of(component: Any, verification: Path | None = None, *, drawn: bool = False) -> Subject:
    """A component class, an instance, a function made with `@component`, or MODULE:NAME.

    Without a `verification` it looks for one in the component's package, unless its inputs are to
    be `drawn`.

    Raises PortError for what has no source or is no component, UsageError if the verify.yaml does
    not fit.
    """
    found = load_here(component) if isinstance(component, str) else component
    if isinstance(found, Component):
        found = type(found)
    cls = component_of(found)
    if cls is None:
        raise PortError(f"{component!r} is no component; give MODULE:CLASS or a Component")
    source_of(cls)
    origin = origin_of(cls)
    file = verification or (None if drawn else find_verification(cls))
    target = f"{_importable(component, origin.__module__)}:{origin.__name__}"
    contract = contract_of(cls)
    declared = verification_of(cls, file) if file is not None else _drawn(target)
    return Subject(
        contract=contract,
        description=_sentence(cls),
        component=cls,
        target=target,
        file=file,
        verification=declared,
        has_inputs=_has_inputs(declared, contract, target),
    )


def where_verified(subject: Subject) -> str:
    """Which verify.yaml says how a component is verified, or that there is none and what that
    means: a sentence."""
    if subject.file is not None:
        return f"verified as {subject.file} says"
    looked = ""
    if subject.component is not None:
        folders = " and ".join(map(str, package_folders(subject.component)))
        looked = f" (looked for one with it as reference in {folders}, unless with --drawn)"
    return (
        f"no verify.yaml is taken for {subject.contract.component}{looked}: inputs are drawn, and "
        "every field is compared exactly; give one with --verify"
    )


def _drawn(target: str) -> Verification:
    """What is verified where no verify.yaml says it."""
    return Verification.model_validate(
        {"implementations": {"python": {"component": target}}, "reference": "python", **DRAWN}
    )


def _has_inputs(verification: Verification, contract: Contract, target: str) -> bool:
    """Whether there are inputs: a bag, or a sample for which every distribution is declared."""
    if verification.inputs.sample is None:
        return verification.inputs.is_recorded
    try:
        drawing_of(verification.inputs.sample, contract, target)
    except DistError:
        return False
    return True


def _importable(component: Any, module: str) -> str:
    """The module to import it from: as given, else the package that offers it, else the one it is
    defined in."""
    if isinstance(component, str):
        return component.partition(":")[0]
    package = module.partition(".")[0]
    offered = getattr(sys.modules.get(package), component_name(component), None)
    return package if offered is not None else module


def component_name(component: Any) -> str:
    """The name of a class, of a function, or of the class of an instance."""
    named = (
        component
        if inspect.isclass(component) or inspect.isfunction(component)
        else type(component)
    )
    return named.__name__


def _sentence(cls: type[Component]) -> str:
    text = inspect.cleandoc(cls.__doc__ or "") if "__doc__" in vars(cls) else ""
    return text.split("\n\n")[0].replace("\n", " ") if text else f"{cls.__name__}."


def with_verification(subject: Subject) -> Verification:
    """The verification of a subject; raises UsageError if there is none."""
    if subject.verification is None:
        raise PortError(
            f"{subject.contract.component} was specified by hand, so there is nothing to verify it "
            "with"
        )
    return subject.verification


def reference_of(subject: Subject) -> type[Component]:
    """The reference of a subject; raises PortError for a specification by hand, which has none."""
    if subject.component is None:
        raise PortError(f"{subject.contract.component} was specified by hand and has no reference")
    return subject.component
