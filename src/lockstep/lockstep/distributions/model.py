"""Inputs that are drawn: `inputs: {sample: …}` of a verify.yaml, as a model and as a bag."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, cast

from pydantic import (
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
    WrapValidator,
)

from ..component import Contract
from ..errors import DistError, UsageError
from ..progress import Progress
from ..strict_yaml import StrictModel
from .limits import MOST

if TYPE_CHECKING:
    from .distribution import Distribution
    from .drawing import Drawing

# What draws is imported where it is needed, since most files of this model draw nothing.


def _placed(data: Any, info: ValidationInfo) -> Any:
    """Data in which paths are relative to the folder of the file, if the context of the validation
    tells it."""
    from .declaration import in_folder

    return in_folder(data, (info.context or {}).get("folder", Path()))


def _part(data: Any, info: ValidationInfo) -> Any:
    from .declaration import part_of_data

    return part_of_data(_placed(data, info))


def _input(data: Any, by_pattern: Any, info: ValidationInfo) -> Distribution:
    from .declaration import distribution_of_data, distribution_of_parts, is_rule
    from .distribution import as_distribution

    if is_rule(data):
        return as_distribution(distribution_of_data(_placed(data, info)))
    return distribution_of_parts(by_pattern(data))


def _as_data(distribution: Any) -> Any:
    from .declaration import data_of

    return data_of(distribution)


def _pairs(data: Any) -> dict[tuple[str, str], float]:
    from .declaration import correlation_of_data

    if not isinstance(data, list):
        raise DistError(
            f"{data!r} are no correlations; give a list of [input.field, input.field, number]"
        )
    return correlation_of_data(data)


def _listed(pairs: dict[tuple[str, str], float] | None) -> list[list[Any]]:
    return [[a, b, value] for (a, b), value in (pairs or {}).items()]


_Part: TypeAlias = Annotated[Any, PlainValidator(_part)]
_Input: TypeAlias = Annotated[dict[str, _Part], WrapValidator(_input), PlainSerializer(_as_data)]
_Pairs: TypeAlias = Annotated[Any, PlainValidator(_pairs), PlainSerializer(_listed)]


class Sample(StrictModel):
    """How many messages to draw, of all inputs together, and from what: by input, then by pattern
    of fields."""

    n: int = Field(default=10_000, ge=1, le=MOST, strict=True)
    seed: int = Field(default=0, ge=0, lt=1 << 64, strict=True)
    dist: dict[str, _Input] = Field(default={})
    correlation: _Pairs = None

    @property
    def distributions(self) -> dict[str, Distribution]:
        """The distributions by input."""
        return cast("dict[str, Distribution]", self.dist)


def sampled_bag(
    declared: Sample,
    contract: Contract,
    component: str | None,
    place: Path,
    *,
    force: bool = False,
    progress: Progress | None = None,
) -> dict[str, str]:
    """Write a bag with messages for the inputs of a contract; gives input → topic of the bag.

    `component` (MODULE:CLASS) is where the distributions of inputs come from that the file does not
    declare. Raises UsageError or DistError before anything is written, BagError if the bag cannot
    be.
    """
    drawing = drawing_of(declared, contract, component)
    drawing.to_bag(place, force=force, progress=progress)
    names = [port.name for port in contract.inputs]
    return dict(zip(names, (stream.topic for stream in drawing.streams), strict=True))


def drawing_of(declared: Sample, contract: Contract, component: str | None) -> Drawing:
    """What draws the messages; checked."""
    from ..host.python_component import load_here
    from ..message.rosidl import message_class
    from .distribution import as_distribution
    from .drawing import Drawing, SampledInput

    component_class = None if component is None else load_here(component)
    own = {} if component_class is None else component_class.inputs
    names = [port.name for port in contract.inputs]
    for name in declared.dist:
        if name not in names:
            raise UsageError(
                f"inputs.sample.dist: the contract has no input '{name}'; it has "
                f"{', '.join(names) or 'none'}"
            )
    inputs = []
    for port in contract.inputs:
        given = own[port.name].dist if port.name in own else None
        try:
            cls = own[port.name].message_type if port.name in own else message_class(port.type)
        except LookupError as error:
            raise UsageError(f"input '{port.name}': {error}") from error
        default = as_distribution({} if given is None else given)
        chosen = declared.distributions.get(port.name, default)
        inputs.append(SampledInput(port.name, port.topic, cls, chosen, port.qos))
    across = declared.correlation or getattr(component_class, "data_correlation", None)
    return Drawing(inputs, declared.n, declared.seed, correlation=across)
