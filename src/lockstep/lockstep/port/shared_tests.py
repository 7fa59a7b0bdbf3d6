"""The unit tests that go with a port: those of the reference, or else some made of what the
reference does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from ..cdr.codec import installed_codec
from ..compare import Tolerance
from ..component import Contract
from ..errors import RunError
from ..message.rosidl import message_class
from ..verify.model import Verification
from .message_code import MessageCode, shortened
from .reference_run import reference_run
from .samples import steps_of
from .subject import Subject, reference_of
from .workspace import unit_tests

_FIRST_NS = 1_000_000_000
_AFTER_NS = 100_000_000
_TICKS = 5
_MESSAGES = 6
_SEARCHED = 200
_MARK = re.compile(r"(mark\.lockstep\()[^)]*\)")
_HELPER = '''\
def assert_published(output, expected):
    """All that was published, in order: (time in ns, message)."""
    assert output.times_ns == [time_ns for time_ns, _ in expected]
    for message, (_, wanted) in zip(output.messages, expected, strict=True):
        comparison = diffdiff(wanted, message, tol=TOLERANCES.at(output.name))
        assert comparison.all_match, comparison.summary()
'''


@dataclass
class _Case:
    """One test: what is sent, as (input, time in ns, message), and what the reference publishes."""

    name: str
    doc: str
    sent: list[tuple[str, int, bytes]]
    ends_ns: int
    published: dict[str, list[tuple[int, bytes]]] = field(default_factory=dict)
    failed: bool = False
    """Whether the reference raises, and so is no model."""


def shared_tests(subject: Subject) -> str:
    """A test module for the fixture `component`, whose verify.yaml is one folder above."""
    for text in unit_tests(reference_of(subject), subject.file).values():
        if _MARK.search(text):
            return _MARK.sub(r'\1"../verify.yaml")', text)
    return _module(subject, list(_cases(subject)))


def _cases(subject: Subject) -> Iterator[_Case]:
    """A new message on each input, and the first messages of the dataset."""
    for port in subject.contract.inputs:
        empty = installed_codec(port.type).encode(message_class(port.type)())
        yield _done(
            subject,
            _Case(
                f"a_new_message_on_{port.name}",
                f"A {port.type} with nothing set, then time goes on.",
                [(port.name, _FIRST_NS, empty)],
                _FIRST_NS + _after_ns(subject.contract),
            ),
        )
    sent = list(_recorded(subject)) if subject.has_inputs else []
    if sent:
        yield _done(
            subject,
            _Case(
                "the_first_messages_of_the_recording",
                "Sequences are cut to their first elements.",
                sent,
                sent[-1][1] + _after_ns(subject.contract),
            ),
        )


def _after_ns(contract: Contract) -> int:
    """How far time goes on after the last message: some ticks of the fastest timer."""
    return min([_AFTER_NS, *(_TICKS * timer.period_ns for timer in contract.timers)])


def _recorded(subject: Subject) -> Iterator[tuple[str, int, bytes]]:
    """The first messages of the dataset, every input among them if it has one soon."""
    types = {port.name: installed_codec(port.type) for port in subject.contract.inputs}
    missing, count = set(types), 0
    for step in steps_of(subject, _SEARCHED):
        if not step.port or (count >= _MESSAGES - len(missing) and step.port not in missing):
            continue
        missing.discard(step.port)
        count += 1
        kind = types[step.port]
        yield step.port, step.time_ns, kind.encode(shortened(kind.type, kind.decode(step.data)))
        if count == _MESSAGES:
            return


def _done(subject: Subject, case: _Case) -> _Case:
    """The case with what the reference publishes."""
    case.published = {port.name: [] for port in subject.contract.outputs}
    names = list(case.published)
    ports = [port.name for port in subject.contract.inputs]

    def publish(index: int, time_ns: int, data: bytes) -> None:
        case.published[names[index]].append((time_ns, data))

    try:
        with reference_run(subject, parameters_of(subject.verification), publish) as host:
            for name, time_ns, data in case.sent:
                host.deliver(ports.index(name), time_ns, data)
            host.advance(case.ends_ns)
    except RunError:
        case.failed = True
    return case


def parameters_of(verification: Verification | None) -> dict[str, Any]:
    """The parameters with which the reference is verified."""
    if verification is None:
        return {}
    return {
        **verification.parameters,
        **verification.implementations[verification.reference].parameters,
    }


def _module(subject: Subject, cases: list[_Case]) -> str:
    code = MessageCode()
    tests = [_test(subject.contract, case, code) for case in cases if not case.failed]
    tolerance = tolerance_code(subject.verification)
    by_module: dict[str, list[str]] = {
        "lockstep.compare": [
            *(["Tolerance"] if tolerance != "{}" else []),
            "Tolerances",
            "diffdiff",
        ]
    }
    for name in sorted(code.imports):
        package, kind, message = name.split("/")
        by_module.setdefault(f"{package}.{kind}", []).append(message)
    imports = [f"from {name} import {', '.join(by_module[name])}" for name in sorted(by_module)]
    head = [
        f'"""What {subject.contract.component} does, for every implementation in verify.yaml.',
        "",
        "What is expected is what the reference did when this file was generated.",
        '"""',
        "",
        *(["from math import inf, nan", ""] if code.non_finite else []),
        "import pytest",
        *imports,
        "",
        'pytestmark = pytest.mark.lockstep("../verify.yaml")',
        f"TOLERANCES = Tolerances({tolerance})",
    ]
    return "\n".join(head) + "\n\n\n" + "\n\n".join([_HELPER, *tests])


def _test(contract: Contract, case: _Case, code: MessageCode) -> str:
    types = {port.name: port.type for port in (*contract.inputs, *contract.outputs)}

    def message(port: str, data: bytes) -> str:
        return code.expression(types[port], installed_codec(types[port]).decode(data))

    lines = [f"def test_{case.name}(component):", f'    """{case.doc}"""']
    for name, time_ns, data in case.sent:
        lines.append(
            f'    component.inputs["{name}"].send({message(name, data)}, time_ns={time_ns})'
        )
    lines.append(f"    component.advance({case.ends_ns})")
    for name, published in case.published.items():
        lines.append("    assert_published(")
        lines.append(f'        component.outputs["{name}"],')
        lines.append("        [")
        lines += [f"            ({time_ns}, {message(name, data)})," for time_ns, data in published]
        lines += ["        ],", "    )"]
    return "\n".join(lines) + "\n"


def tolerance_code(verification: Verification | None) -> str:
    """The rules of the verify.yaml as Python, without what is as by default."""
    rules = verification.compare.tolerances().by_pattern if verification is not None else {}
    return "{" + ", ".join(f'"{name}": {_rule(rule)}' for name, rule in rules.items()) + "}"


def _rule(rule: Tolerance) -> str:
    given = [
        f"{one.name}={getattr(rule, one.name)!r}"
        for one in fields(rule)
        if getattr(rule, one.name) != one.default
    ]
    return f"Tolerance({', '.join(given)})"
