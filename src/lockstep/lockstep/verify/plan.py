"""The plan of a verification: everything that can be known before a run, resolved once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..bag import Bag, BagError, Topic
from ..bag.topic import codec_of
from ..compare import Tolerances
from ..compare.column_judge import ColumnJudge
from ..compare.index import stamp_paths
from ..compare.meant import opened_in
from ..compare.model import Compare
from ..component import Contract
from ..component.parameter import range_objection, ros_type
from ..distributions.model import drawing_of
from ..errors import UsageError
from ..host.protocol import resolved
from ..message.definitions import definition
from ..run.implementation import asked_command, commands_of, contract_of_command, contracts_of
from ..run.inputs import RunInputs, ports_of, run_inputs
from ..run.model import Implementation
from ..run.nodes.differences import as_promised, contradictions
from ..run.nodes.registered import registered_contracts
from ..run.nodes.targets import known
from ..run.request import RunRequest
from ..run.service_requests import asked_only, has_services, with_services
from .model import Verification

Ask = Callable[[Mapping[str, Implementation]], Mapping[str, Contract]]
"""Tells the contracts of implementations that are no black boxes, by name."""


@dataclass(frozen=True)
class Plan:
    """What to run and to compare; `mismatched` tells, by name, how contracts differ from the one
    that counts.

    `bag` is open; there is none where inputs are drawn, or come from an external player.
    `component` is MODULE:CLASS of the Python component whose distributions count where the file
    declares none.
    """

    verification: Verification
    contract: Contract
    mismatched: Mapping[str, list[str]]
    bag: Bag | None
    component: str | None
    tolerances: Tolerances

    @property
    def outputs(self) -> list[str]:
        """The topics to compare."""
        return [resolved(port.topic) for port in self.contract.outputs]

    def request(self, name: str, inputs: RunInputs, folder: Path) -> RunRequest:
        """What a run of an implementation is asked for."""
        declared = self.verification
        implementation = declared.implementations[name]
        return RunRequest(
            name=name,
            implementation=implementation,
            contract=self.contract,
            inputs=inputs,
            parameters=declared.parameters | implementation.parameters,
            options=declared.run,
            folder=folder,
            silent=self._silent,
            with_cause=declared.compare.any_align("cause"),
        )

    @property
    def _silent(self) -> frozenset[str]:
        """The topics that need not carry a message."""
        declared = self.verification
        inputs = {port for port in self.contract.inputs if port.name in declared.inputs.silent}
        outputs = {port for port in self.contract.outputs if port.name in declared.compare.silent}
        return frozenset(resolved(port.topic) for port in inputs | outputs)


@contextmanager
def plan(verification: Verification, ask: Ask = contracts_of) -> Iterator[Plan]:
    """Resolve a verification; its bag is closed in the end.

    Raises UsageError, BagError or DistError for what cannot be run or compared, RunError if a
    contract is not told.
    """
    for name, implementation in verification.implementations.items():
        commands_of(name, implementation)
    with ExitStack() as stack:
        bag = None
        if verification.inputs.is_recorded:
            bag = stack.enter_context(Bag(verification.inputs.bag))
            if bag.problem:
                raise BagError(bag.problem)
        every = verification.implementations
        told = ask({name: one for name, one in every.items() if not one.is_node})
        registered = _registered(verification)
        contract = _contract(verification, told, registered)
        contract = _with_services(verification, contract, bag)
        if not contract.outputs:
            raise UsageError(f"{contract.component} has no outputs to compare")
        component = component_of(verification)
        if verification.inputs.sample is not None:
            drawing_of(verification.inputs.sample, contract, component)  # refuses what does not fit
        elif bag is not None:
            run_inputs(verification.inputs, bag, contract)  # the same
        else:
            ports_of(verification.inputs, contract)  # the same
        topics = {port.name: resolved(port.topic) for port in contract.outputs}
        tolerances = verification.compare.tolerances(topics)
        _check_parameters(verification, contract)
        _check_compare(verification.compare, contract)
        _check_remaps(verification, contract)
        differences = {name: contract.differences(other) for name, other in told.items()}
        differences |= {
            name: _contradictions(verification, name, contract, own)
            for name, own in registered.items()
        }
        mismatched = {name: found for name, found in differences.items() if found}
        yield Plan(verification, contract, mismatched, bag, component, tolerances)


def _with_services(verification: Verification, contract: Contract, bag: Bag | None) -> Contract:
    contract = with_services(contract, verification.inputs.services, bag)
    nodes = [name for name, one in verification.implementations.items() if one.is_node]
    if nodes and has_services(contract) and verification.run.mode == "live":
        raise UsageError(
            f"'{nodes[0]}' is an ordinary node, whose services are asked in direct runs only; use "
            "run: {mode: direct}"
        )
    return contract


def asked_contract(verification: Verification) -> Contract:
    """The contract that counts, without a plan."""
    if verification.contract is not None:
        return _contract(verification, {}, {})
    verification = with_nodes(verification)
    name = who_tells(verification)
    one = verification.implementations[name]
    if one.is_node:
        return _contract(verification, {}, registered_contracts({name: _plain(verification, name)}))
    return contracts_of({name: one})[name]


def who_tells(verification: Verification) -> str:
    """The implementation whose contract counts where the file names none: the reference; or, if
    that is an ordinary node, the first component, if there is one."""
    every, reference = verification.implementations, verification.reference
    if not every[reference].is_node:
        return reference
    return next((name for name, one in every.items() if not one.is_node), reference)


def with_nodes(verification: Verification) -> Verification:
    """The same, with executables that are no components known as ordinary nodes.

    Raises UsageError for what is then said of it that cannot be.
    """
    every = {name: known(name, one) for name, one in verification.implementations.items()}
    for name, one in every.items():
        if one.executable is None:
            continue
        if one.is_node and verification.run.mode == "live":
            raise UsageError(
                f"'{name}' ({one.executable}) is an ordinary node, no component: use run: {{mode: "
                "direct}, or give it as command: for a run as a black box"
            )
        if one.remap and not one.is_node:
            raise UsageError(f"'{name}': remap is for nodes; components have the contract's topics")
    return verification.model_copy(update={"implementations": every})


def _registered(verification: Verification) -> dict[str, Contract]:
    """What ordinary nodes register when they start, where that can be known; with the topics as
    they call them."""
    every = verification.implementations
    if verification.run.mode == "live":
        return {}
    return registered_contracts(
        {name: _plain(verification, name) for name, one in every.items() if one.is_node}
    )


def _plain(verification: Verification, name: str) -> Implementation:
    """A node with all its parameters."""
    declared = verification.implementations[name]
    return declared.model_copy(update={"parameters": verification.parameters | declared.parameters})


def _contradictions(
    verification: Verification, name: str, contract: Contract, own: Contract
) -> list[str]:
    implementation = verification.implementations[name]
    if contract is own:
        return []
    registered = as_promised(own, contract, implementation.remap)
    return contradictions(contract, registered, verification.parameters | implementation.parameters)


def component_of(verification: Verification) -> str | None:
    """The Python component (MODULE:CLASS) whose distributions count where the file declares
    none."""
    reference = verification.implementations[verification.reference]
    every = [verification.contract, reference.component]
    every += [one.component for one in verification.implementations.values()]
    return next((target for target in every if target is not None), None)


def _contract(
    verification: Verification,
    told: Mapping[str, Contract],
    registered: Mapping[str, Contract],
) -> Contract:
    if verification.contract is None:
        name = who_tells(verification)
        if name in told:
            return told[name]
        return asked_only(registered[name], verification.inputs)
    for name, contract in told.items():  # nobody is asked twice
        if verification.implementations[name].component == verification.contract:
            return contract
    return contract_of_command("contract", asked_command(verification.contract))


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
    tolerances = options.tolerances()
    fields: dict[str, Collection[str]] = {}
    for port in contract.outputs:
        topic = Topic(port.name, port.type, definition(port.type), encoding="ros2msg")
        codec = codec_of(topic)
        ColumnJudge(port.name, (codec, codec), tolerances)  # refuses what fits no field
        found = codec.fields()
        if options.align_of(port.name) == "stamp" and not stamp_paths(found):
            raise UsageError(
                f"output '{port.name}' has no header to align by; align by time or tick"
            )
        fields[port.name] = found.keys()
    opened = opened_in(path for paths in fields.values() for path in paths)
    for pattern in tolerances.unused(fields, opened):
        raise UsageError(
            f"tolerance '{pattern}' matches no field of the outputs; {tolerances.known(fields)}"
        )
    by_output = options.align if isinstance(options.align, dict) else {}
    for key, names in (("silent", options.silent), ("align", by_output)):
        unknown = set(names) - {port.name for port in contract.outputs}
        if unknown:
            raise UsageError(f"compare.{key}: the contract has no output '{min(unknown)}'")


def _check_remaps(verification: Verification, contract: Contract) -> None:
    known = {port.name for port in (*contract.inputs, *contract.outputs)}
    for name, implementation in verification.implementations.items():
        if implementation.remap.keys() - known:
            raise UsageError(
                f"{name}: remap names '{min(implementation.remap.keys() - known)}', which is no "
                "port "
                f"of the contract; it has {', '.join(sorted(known))}"
            )
