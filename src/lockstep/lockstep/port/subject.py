"""What is to be ported: a component or an ordinary rclpy node, its contract, and what it is called
in the other language."""

from __future__ import annotations

import copy
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
from ..host.python_component import is_node_class, named_here, node_name
from ..run.model import Implementation
from ..run.nodes.registered import registered_contract
from ..verify.model import Verification
from ..verify.plan import component_of as component_of_plan
from .workspace import find_verification, package_folders, verification_of

DRAWN: dict[str, Any] = {
    "inputs": {"sample": {"n": 10_000, "seed": 0}},
    "run": {"mode": "direct"},
}
"""The part of a verify.yaml that says what is verified, where no other file says it."""


@dataclass(frozen=True)
class Subject:
    """What is to be ported: `reference` is the class of a component, or of an ordinary node.

    `target` is MODULE:NAME of the reference; without a reference (a specification by hand) it is
    empty. `file` is the verify.yaml that has it as reference; where there is none,
    `verification` is of inputs that are drawn. `has_inputs` is whether there are any before
    somebody plays them: a bag, or distributions to draw from.
    """

    contract: Contract
    description: str
    reference: type[Any] | None = None
    target: str = ""
    file: Path | None = None
    verification: Verification | None = None
    has_inputs: bool = False

    @property
    def is_node(self) -> bool:
        """Whether the reference is an ordinary node."""
        return is_node_class(self.reference)

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
    """A component class, an instance, a function made with `@component`, a class of rclpy nodes, or
    MODULE:NAME.

    Without a `verification` it looks for one in the component's package, unless its inputs are to
    be `drawn`.

    Raises PortError for what has no source or is neither a component nor a class of nodes,
    UsageError if the verify.yaml does not fit, RunError for a node that cannot start.
    """
    found = named_here(component) if isinstance(component, str) else component
    if isinstance(found, Component):
        found = type(found)
    cls: type[Any] | None = found if is_node_class(found) else component_of(found)
    if cls is None:
        raise PortError(
            f"{component!r} is neither a component nor a class of rclpy nodes; give MODULE:CLASS, "
            "or a Component"
        )
    source_of(cls)
    origin = origin_of(cls)
    file = verification or (None if drawn else find_verification(cls))
    target = f"{_importable(component, origin.__module__)}:{origin.__name__}"
    contract = contract_of(cls) if issubclass(cls, Component) else _registered(target)
    declared = verification_of(cls, file) if file is not None else drawn_for(cls, target)
    return Subject(
        contract=contract,
        description=_sentence(cls),
        reference=cls,
        target=target,
        file=file,
        verification=declared,
        has_inputs=_has_inputs(declared, contract),
    )


def where_verified(subject: Subject) -> str:
    """Which verify.yaml says how a component is verified, or that there is none and what that
    means: a sentence."""
    if subject.file is not None:
        return f"verified as {subject.file} says"
    looked = ""
    if subject.reference is not None:
        folders = " and ".join(map(str, package_folders(subject.reference)))
        looked = f" (looked for one with it as reference in {folders}, unless with --drawn)"
    return (
        f"no verify.yaml is taken for {subject.contract.component}{looked}: inputs are drawn, and "
        "every field is compared exactly; give one with --verify"
    )


def drawn_for(reference: type[Any], target: str) -> Verification:
    """What is verified where no verify.yaml says it."""
    return Verification.model_validate(drawn(reference, target))


def drawn(reference: type[Any], target: str) -> dict[str, Any]:
    """The same as data. The clock that a node reads shows a little more with each reading, so its
    outputs are aligned by what caused them."""
    kind, compare = "component", {}
    if is_node_class(reference):
        kind, compare = "node", {"compare": {"align": "cause"}}
    one = {"implementations": {"python": {kind: target}}, "reference": "python"}
    return {**one, **copy.deepcopy(DRAWN), **compare}


def _registered(target: str) -> Contract:
    name = target.partition(":")[2]
    return registered_contract(name, Implementation(node=target))


def _has_inputs(verification: Verification, contract: Contract) -> bool:
    """Whether there are inputs: a bag, or a sample for which every distribution is declared."""
    if verification.inputs.sample is None:
        return verification.inputs.is_recorded
    try:
        drawing_of(verification.inputs.sample, contract, component_of_plan(verification))
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


def _sentence(cls: type[Any]) -> str:
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


def reference_of(subject: Subject) -> type[Any]:
    """The reference of a subject; raises PortError for a specification by hand, which has none."""
    if subject.reference is None:
        raise PortError(f"{subject.contract.component} was specified by hand and has no reference")
    return subject.reference
