"""Everything that can be known of a verification before a run."""

from __future__ import annotations

from collections.abc import Callable

from ..bag import Bag, BagError, Topic
from ..bag.topic import codec_of
from ..compare.column_judge import ColumnJudge
from ..compare.model import Compare
from ..component import Contract
from ..component.parameter import range_objection, ros_type
from ..errors import UsageError
from ..host.protocol import resolved
from ..message.definitions import definition
from ..run.implementation import (
    asked_command,
    command_of,
    contract_of_command,
    contract_of_implementation,
)
from ..run.model import Implementation
from ..run.ports import bag_topics
from .drawn_inputs import check_sample
from .model import Verification


def silent_topics(verification: Verification, contract: Contract) -> set[str]:
    """The topics of the contract that need not carry a message."""
    inputs = {port for port in contract.inputs if port.name in verification.inputs.silent}
    outputs = {port for port in contract.outputs if port.name in verification.compare.silent}
    return {resolved(port.topic) for port in inputs | outputs}


def check(
    verification: Verification,
    ask: Callable[[str, Implementation], Contract] = contract_of_implementation,
) -> tuple[Contract, dict[str, list[str]]]:
    """Everything that can be known before a run: the contract, and where other implementations break it.

    `ask` tells the contract of an implementation that is no black box, by its name.
    """
    for name, implementation in verification.implementations.items():
        command_of(name, implementation)
    if verification.inputs.sample is None:
        bag = Bag(verification.inputs.bag)
        if bag.problem:
            raise BagError(bag.problem)
    contracts = {
        name: ask(name, implementation)
        for name, implementation in verification.implementations.items()
        if implementation.command is None
    }
    if verification.contract is not None:
        contract = contract_of_command("contract", asked_command(verification.contract))
    else:
        contract = contracts[verification.reference]
    if not contract.outputs:
        raise UsageError(f"{contract.component} has no outputs to compare")
    check_sample(verification, contract)
    if verification.inputs.sample is None:
        bag_topics(verification.inputs, contract)
    _check_parameters(verification, contract)
    _check_compare(verification.compare, contract)
    _check_remaps(verification, contract)
    differences = {name: contract.differences(other) for name, other in contracts.items()}
    return contract, {name: found for name, found in differences.items() if found}


def _check_parameters(verification: Verification, contract: Contract) -> None:
    known = {p.name: p for p in contract.parameters}
    for name, implementation in verification.implementations.items():
        for parameter, value in (verification.parameters | implementation.parameters).items():
            if parameter not in known:
                raise UsageError(
                    f"{name}: the contract has no parameter '{parameter}'; "
                    f"it has {', '.join(sorted(known)) or 'none'}"
                )
            try:
                kind = ros_type(value)
            except TypeError as error:
                raise UsageError(f"{name}: parameter '{parameter}': {error}") from error
            promised = known[parameter]
            if kind != promised.type:
                raise UsageError(
                    f"{name}: parameter '{parameter}' must be of type {promised.type}, not {kind}"
                )
            if objection := range_objection(value, promised.minimum, promised.maximum):
                raise UsageError(f"{name}: parameter '{parameter}' {objection}")


def _check_compare(options: Compare, contract: Contract) -> None:
    fields: set[str] = set()
    for port in contract.outputs:
        topic = Topic(port.name, port.type, definition(port.type), encoding="ros2msg")
        codec = codec_of(topic)
        ColumnJudge(port.name, (codec, codec), options.tolerances())  # refuses what fits no field
        found = codec.fields()
        if options.align == "stamp" and "header.stamp" not in found:
            raise UsageError(
                f"output '{port.name}' has no header to align by; align by time or tick"
            )
        fields |= found.keys()
    for pattern in options.tolerances().unused(fields):
        raise UsageError(
            f"tolerance '{pattern}' matches no field of the outputs; they have {', '.join(sorted(fields))}"
        )
    unknown = set(options.silent) - {port.name for port in contract.outputs}
    if unknown:
        raise UsageError(f"compare.silent: the contract has no output '{min(unknown)}'")


def _check_remaps(verification: Verification, contract: Contract) -> None:
    known = {port.name for port in (*contract.inputs, *contract.outputs)}
    for name, implementation in verification.implementations.items():
        if implementation.remap.keys() - known:
            raise UsageError(
                f"{name}: remap names '{min(implementation.remap.keys() - known)}', which is no port "
                f"of the contract; it has {', '.join(sorted(known))}"
            )
