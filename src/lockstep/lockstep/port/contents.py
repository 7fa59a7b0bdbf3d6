"""What a prompt consists of, each part read from the component, its dataset and the installed
target library."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..bag.text import lines_with
from ..cdr.codec import installed_codec
from ..compare.model import Compare
from ..component.contract import Contract, listeners_of, service_of
from ..component.source import source_of
from ..component.tf_listener import OF_STATIC
from ..message.time import seconds
from ..verify.model import Verification
from .definitions import (
    all_types,
    both_languages,
    cpp_class,
    cpp_header,
    definition_text,
    file_name,
    interfaces,
    message_types,
    single_precision,
)
from .numerics import rules
from .samples import Step, steps_of
from .scaffold import verification_text
from .section import Section
from .subject import Subject, reference_of
from .targets import Target, target_of
from .workspace import unit_tests

_SAMPLES = (6, 3, 1)
_SEARCHED = (100, 2000)
_SEARCHED_BYTES = 4 << 20
_LEFT_OUT = 20
_SHOWN_LINES = 40
_ARRAY_LINE = re.compile(r"(.*)\[(\d+):(\d+)\]: ")
_WIDTH = 160
_NO_DATASET = (
    "\nThere is no dataset yet: before the last command, put a bag into `verify.yaml` "
    "(`inputs: {bag: …, topics: {…}}`), or declare the distributions of the inputs."
)


@dataclass(frozen=True)
class Contents:
    """What a prompt consists of: its sections, most important first, and what they are made of.

    `language` is the name of the language. `examples` are the first steps of the reference as text,
    each with what was published on it; none without a dataset.
    """

    language: str
    sections: tuple[Section, ...]
    source_code: str
    api_docs: str
    examples: tuple[str, ...]


def contents(subject: Subject, language: str, requirements: list[str], source: str) -> Contents:
    """All sections; raises PortError for an unknown language."""
    target = target_of(language)
    sources = _sources(subject, source)
    examples = _examples(subject)
    found = [
        _task(subject, language, target, requirements),
        _contract(subject.contract),
        *_reference_source(subject, sources),
        _numbers(subject, target),
        _package(subject, language, target),
        _api(target),
        _types(subject.contract),
    ]
    if subject.verification is not None:
        found.append(_tolerances(subject, subject.verification))
    if subject.reference is not None:
        found += [*_unit_tests(subject), *_samples(examples)]
    return Contents(
        target.title,
        tuple(found),
        "\n\n".join(sources.values()),
        target.api(False),
        tuple(text for _, text in examples.steps),
    )


def _task(subject: Subject, language: str, target: Target, requirements: list[str]) -> Section:
    name, package, node = subject.contract.component, subject.package(language), subject.node
    files = f"`src/{package}/include/{package}/{node}.hpp` and `src/{package}/src/{node}.cpp`"
    if subject.reference is None:
        intro = f"Write the component {name} in {target.title}: {subject.description}"
    else:
        what = "rclpy node" if subject.is_node else "Python component"
        intro = (
            f"Port the {what} {name} to {target.title}. {subject.description}\n\n"
            "The Python source below is the reference and is right by definition, oddities "
            "included: for the same inputs and parameters the port must publish the same messages, "
            "at the same times, in the same order. What the reference logs, log as well (no test "
            "looks at it); where it publishes nothing, publish nothing."
        )
    lines = [
        intro,
        (
            f"\nWrite {files}, each as a whole; start from the package below, whose callbacks "
            "throw until they are written. Keep the declarations of ports, parameters and timers; "
            "add state as members with the values that the reference starts with."
        ),
        *(_from_rclpy(subject.contract) if subject.is_node else ()),
        *(f"\n{requirement}" for requirement in requirements),
        *([_NO_DATASET] if subject.reference is not None and not subject.has_inputs else []),
        "\n**Commands**, from the workspace's folder:\n",
        _fenced("sh", "\n".join(_commands(subject, language))),
        "\n**Done** is when each ends with exit code 0: it builds without warnings"
        + (
            ", promises the same contract, passes the unit tests, and `lockstep verify` says MATCH "
            "(exit code 1: outputs differ, 2: bad usage, 3: it crashed, hung or lost a message). "
            "Where it says DIFFERENT, `lockstep prompt --fix RUN` tells what to mend, RUN being "
            "the folder that it names."
            if subject.reference is not None
            else ", and `--contract` prints the contract below."
        ),
    ]
    return Section("Task", ("\n".join(lines),), required=True)


def _from_rclpy(contract: Contract) -> Iterator[str]:
    """What stands in a component for what a node does."""
    yield (
        "\nThe port is no node of its own but a component, which a node hosts. What the source's "
        "constructor declares stands in the header; what else it does, such as publishing, belongs "
        "into `on_start`. In the source, and in the port:\n"
    )
    heard = [f"{name}{end}" for name in listeners_of(contract) for end in ("", OF_STATIC)]
    for name in listeners_of(contract):
        yield f"* the buffer of a TransformListener: `{name}.lookup(target, source, time_ns)`"
    for port in contract.inputs:
        if port.name in heard:
            continue
        if (service := service_of(port)) is None:
            yield f"* a subscription to {port.topic}: `on_{port.name}` is its callback"
        else:
            yield f"* the service {service[0]}: `on_{port.name}` returns its response"
    for port in contract.outputs:
        if service_of(port) is None:
            yield f"* a publisher of {port.topic}: `{port.name}.publish(message)`"
    for timer in contract.timers:
        yield f"* a timer of {timer.period_ns * 1e-9:g} s: `on_{timer.name}` is its callback"
    for parameter in contract.parameters:
        yield f"* `get_parameter('{parameter.name}')`: the parameter of that name"
    yield "* `get_clock().now()`: `now()`; `get_logger()`: `logger()`"


def _commands(subject: Subject, language: str) -> Iterator[str]:
    package, node = subject.package(language), subject.node
    if subject.reference is not None:
        scaffold = f"lockstep scaffold {subject.target} --to {language} -o src"
        yield f"{scaffold}    # once: writes src/{package}"
    yield f"colcon build --base-paths src --packages-select {package}"
    yield "source install/setup.bash"
    if subject.reference is None:
        yield f"lockstep contract {package}/{node}"
        return
    yield f"lockstep contract {subject.target} {package}/{node}"
    yield f"python3 -m pytest src/{package}/test"
    yield f"lockstep verify src/{package}/verify.yaml"


def _contract(contract: Contract) -> Section:
    intro = (
        "Both implementations promise this; it is compared before anything runs. "
        "Names and types are exact."
    )
    return Section(
        "Contract", (f"{intro}\n\n{_fenced('json', contract.to_json())}",), required=True
    )


def _sources(subject: Subject, source: str) -> dict[str, str]:
    """The source of the reference by its modules; one without a name for a specification by
    hand."""
    if subject.reference is not None:
        return {part.module.name: part.text for part in source_of(subject.reference).modules}
    return {"": textwrap.dedent(source)} if source else {}


def _reference_source(subject: Subject, sources: dict[str, str]) -> Iterator[Section]:
    parts = [
        f"{module}:\n\n{_fenced('python', text)}" if module else _fenced("python", text)
        for module, text in sources.items()
    ]
    modules = source_of(subject.reference).modules if subject.reference is not None else ()
    for part in modules:
        names = [f"`{name}`" for name in part.left_out]
        if names:
            more = f" and {len(names) - _LEFT_OUT} more" if len(names) > _LEFT_OUT else ""
            parts.append(
                f"Of {part.module.name}, {', '.join(names[:_LEFT_OUT])}{more} "
                "are not shown: nothing above uses them."
            )
    if parts:
        yield Section("Reference source", ("\n\n".join(parts),))


def _numbers(subject: Subject, target: Target) -> Section:
    lines = [f"* {rule}" for rule in target.rules]
    single = single_precision(message_types(subject.contract))
    if single:
        lines.append(f"* Fields that are float32: {', '.join(f'`{name}`' for name in single)}.")
    found = rules(source_of(subject.reference)) if subject.reference is not None else []
    brief = [*lines, *(f"* {rule.sentence}" for rule in found)]
    for rule in found:
        lines.append(f"* {rule.sentence} Here:")
        lines += [f"  * `{place}`" for place in rule.places]
    return Section("Numeric rules", ("\n".join(lines), "\n".join(brief)))


def _package(subject: Subject, language: str, target: Target) -> Section:
    package = subject.package(language)
    files = dict(target.package_files(subject))
    if subject.reference is not None:
        files["verify.yaml"] = _file_text(subject, language)
    parts = [
        f"`src/{package}/{name}`:\n\n{_fenced(_language_of(name), text)}"
        for name, text in files.items()
    ]
    code = [
        part for part, name in zip(parts, files, strict=True) if name.endswith((".hpp", ".cpp"))
    ]
    return Section("Package to start from", ("\n\n".join(parts), "\n\n".join(code)))


def _file_text(subject: Subject, language: str) -> str:
    """The verify.yaml of the port as scaffold writes it from the workspace's folder."""
    return verification_text(subject, language, Path("src", subject.package(language)).resolve())


def _language_of(name: str) -> str:
    endings = {"hpp": "cpp", "cpp": "cpp", "xml": "xml", "yaml": "yaml", "txt": "cmake"}
    return endings.get(name.rpartition(".")[2], "")


def _api(target: Target) -> Section:
    def body(brief: bool) -> str:
        return (
            "The target library, from its headers. Components need nothing else of ROS.\n\n"
            f"{target.hints}\n\n"
            f"{_fenced(target.fence, target.api(brief))}"
        )

    build = f"\n\nTo build:\n\n{_fenced('cmake', target.build_help())}"
    return Section(f"API for {target.title}", (body(False) + build, body(False), body(True)))


def _types(contract: Contract) -> Section:
    headers = [
        f'* {name}: `#include "{cpp_header(name)}"`, `{cpp_class(name)}`'
        for name in interfaces(contract)
    ]
    described = list(all_types(message_types(contract)))
    mapped = [
        f"{one.name}\n" + "\n".join(f"  {line}" for line in both_languages(one))
        for one in described
    ]
    texts = dict.fromkeys(
        f"{file_name(one.name)}\n{definition_text(one.name)}" for one in described
    )
    table = _fenced("", "\n".join(mapped))
    head = "\n".join(headers)
    fields = f"{head}\n\nFields in both languages:\n\n{table}"
    return Section(
        "Message types",
        (
            f"{fields}\n\nDefinitions:\n\n{_fenced('', chr(10).join(texts))}",
            fields,
        ),
    )


def _aligned_by(options: Compare) -> str:
    if isinstance(options.align, dict):
        by_output = ", ".join(f"{way} on '{name}'" for name, way in options.align.items())
        return f"{by_output}; all others by time"
    return options.align_of("")


def _tolerances(subject: Subject, verification: Verification) -> Section:
    options = verification.compare
    patterns = options.tolerances().by_pattern
    if subject.file is None:
        source = "* no verify.yaml was taken, so these are the defaults"
    else:
        source = f"* as `{subject.file.name}` says"
    lines = [source, *(f"* `{pattern}`: {rule}" for pattern, rule in patterns.items())]
    rest = "every other field" if patterns else "every field"
    lines.append(f"* {rest}: exact, NaN equals NaN")
    lines.append(f"* messages are aligned by {_aligned_by(options)}")
    values = {
        **verification.parameters,
        **verification.implementations[verification.reference].parameters,
    }
    if values:
        given = ", ".join(f"{name} = {value!r}" for name, value in values.items())
        lines.append(f"* verified with parameters {given}; the others have their defaults")
    return Section("Tolerances of the verification", ("\n".join(lines),))


def _unit_tests(subject: Subject) -> Iterator[Section]:
    tests = unit_tests(reference_of(subject), subject.file)
    if tests:
        parts = [f"{file.name}:\n\n{_fenced('python', text)}" for file, text in tests.items()]
        yield Section(
            "Unit tests of the reference",
            (
                "The port must behave as they say. Scaffold puts them into its package, where "
                "their mark names the verify.yaml of the port; they run for the reference and for "
                "the port.\n\n" + "\n\n".join(parts),
            ),
        )


@dataclass(frozen=True)
class _Examples:
    """Steps of the reference's run: the first ones in which something comes or goes, and later ones
    that show an output for the first time; each with its number and as text.

    `silent` are the outputs of which none was published in the `searched` first steps.
    """

    steps: tuple[tuple[int, str], ...] = ()
    silent: tuple[str, ...] = ()
    searched: int = 0
    is_new: frozenset[int] = frozenset()

    def shown(self, count: int) -> str:
        """The first ones, and what is new later."""
        chosen = [
            *self.steps[:count],
            *(one for one in self.steps[count:] if one[0] in self.is_new),
        ]
        lines: list[str] = []
        last = chosen[0][0] - 1 if chosen else 0
        for number, text in chosen:
            if left_out := number - last - 1:
                lines.append(f"… {left_out} step{'s' if left_out > 1 else ''} left out")
            lines.append(text)
            last = number
        return "\n".join(lines)


def _examples(subject: Subject) -> _Examples:
    if subject.reference is None or not subject.has_inputs:
        return _Examples()
    few, many = _SEARCHED
    found, size = _searched(subject, few)
    if found.silent and found.searched == few and size < _SEARCHED_BYTES:
        found, _ = _searched(subject, many)
    return found


def _searched(subject: Subject, most: int) -> tuple[_Examples, int]:
    """What is worth showing of so many steps, and how many bytes of inputs they had."""
    missing = {port.name: None for port in subject.contract.outputs}
    chosen: list[tuple[int, str]] = []
    is_new: set[int] = set()
    searched = size = 0
    for number, step in enumerate(steps_of(subject, most)):
        searched, size = number, size + len(step.data)
        new = {output.port for output in step.outputs} & missing.keys()
        if new or (len(chosen) < max(_SAMPLES) and (step.port or step.outputs or step.log)):
            chosen.append((number, "\n".join(_step_lines(subject.contract, step))))
        if new:
            is_new.add(number)
            missing = {name: None for name in missing if name not in new}
        if len(chosen) >= max(_SAMPLES) and not missing:
            break
    return _Examples(tuple(chosen), tuple(missing), searched, frozenset(is_new)), size


def _samples(examples: _Examples) -> Iterator[Section]:
    if not examples.steps:
        return
    intro = (
        "What the reference does with the first messages of the dataset, in order, from its start "
        "on. Fields as text, times in seconds."
    )
    if examples.silent:
        names = ", ".join(f"`{name}`" for name in examples.silent)
        intro += f" In the first {examples.searched} steps nothing was published on {names}."
    variants = [f"{intro}\n\n{_fenced('', examples.shown(count))}" for count in _SAMPLES]
    yield Section("Sample inputs and outputs", tuple(dict.fromkeys(variants)))


def _step_lines(contract: Contract, step: Step) -> Iterator[str]:
    """What came and went in a step, in the order in which it did."""
    types = {port.name: port.type for port in (*contract.inputs, *contract.outputs)}
    at = seconds(step.time_ns)
    if step.starts:
        yield "-> start"
    elif not step.port:
        yield f"-> time is {at}"
    for number, event in enumerate(step.events):
        if step.port and number == step.delivered:
            yield from _delivered(types, step)
        if isinstance(event, str):
            yield f"   logs {event}"
        else:
            yield f"<- {event.port} at {seconds(event.time_ns)}"
            yield from _message(types[event.port], event.data)
    if step.port and step.delivered == len(step.events):
        yield from _delivered(types, step)
    if not any(not isinstance(event, str) for event in step.events[step.delivered :]):
        yield "<- nothing"


def _delivered(types: dict[str, str], step: Step) -> Iterator[str]:
    yield f"-> {step.port} at {seconds(step.time_ns)}"
    yield from _message(types[step.port], step.data)


def _message(type_name: str, data: bytes) -> Iterator[str]:
    """The lines of a message; long arrays and very long messages are cut."""
    shown, elements = [], Counter[str]()
    for line in lines_with(installed_codec(type_name))(data):
        part = _ARRAY_LINE.match(line)
        if part is None or int(part[2]) == 0:
            shown.append(line)
        elif elements[part[1]] == int(part[2]) and f"{part[1]}: …" not in shown:
            shown.append(f"{part[1]}: …")
        if part is not None:
            elements[part[1]] = int(part[3])
    for line in shown[:_SHOWN_LINES]:
        name, dots, _ = line.partition(": …")
        text = f"{name}: … {elements[name]} elements in all" if dots else line
        yield f"   {text if len(text) <= _WIDTH else text[: _WIDTH - 1] + '…'}"
    if len(shown) > _SHOWN_LINES:
        yield f"   … {len(shown) - _SHOWN_LINES} more lines"


def _fenced(language: str, text: str) -> str:
    """A block of code whose fence does not occur in it."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"
