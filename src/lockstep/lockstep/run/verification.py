"""verify.yaml: what to verify, as a model that names the line of every mistake."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from ..compare import CompareError, Tolerance, Tolerances
from ..compare.tolerance import By, checked
from .errors import UsageError
from .sampling import Sample

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
ParameterValue = bool | int | float | str | list[bool] | list[int] | list[float] | list[str]


MAX_S = 1e9


def _not_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("Input should be a number")  # noqa: TRY004 - what pydantic expects
    return value


Number = Annotated[float, BeforeValidator(_not_bool), Field(allow_inf_nan=False)]
Factor = Annotated[float, BeforeValidator(_not_bool)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Implementation(_Model):
    """One realisation of the contract: a Python component, an executable of a package, or any command."""

    component: str | None = Field(default=None, pattern=r"^[\w.]+:\w+$", description="MODULE:CLASS")
    executable: str | None = Field(
        default=None, pattern=r"^[^/]+/[^/]+$", description="PACKAGE/EXECUTABLE"
    )
    command: list[str] | None = Field(default=None, min_length=1, description="a black box")
    remap: dict[str, str] = Field(default={}, description="black box: port → the node's own topic")
    parameters: dict[str, ParameterValue] = {}

    @model_validator(mode="after")
    def _one_kind(self) -> Implementation:
        kinds = [k for k in ("component", "executable", "command") if getattr(self, k) is not None]
        if len(kinds) != 1:
            raise ValueError("give exactly one of component, executable and command")
        if self.remap and self.command is None:
            raise ValueError("remap is for commands; components have the contract's topics")
        return self


class Inputs(_Model):
    """Which topics of a bag go to which input ports, times in seconds from the bag's start; or a sample to draw.

    A sample gets its bag and topics when it is drawn (`drawn_inputs.with_bag`).
    """

    bag: Path = Path()
    topics: dict[str, str | list[str]] = Field(
        default={}, min_length=1, description="port → topic(s) of the bag"
    )
    silent: list[str] = Field(default=[], description="inputs that need not carry a message")
    sample: Sample | None = None
    clock: Literal["auto", "bag", "times"] = "auto"
    start: Number = Field(default=0.0, ge=0, le=MAX_S)
    duration: Number | None = Field(default=None, gt=0, le=MAX_S)

    @model_validator(mode="after")
    def _recorded_or_drawn(self) -> Inputs:
        if (self.sample is None) != ("bag" in self.model_fields_set):
            raise ValueError("give either bag and topics, or sample")
        if (self.sample is None) != bool(self.topics):
            raise ValueError("give topics, port: topic, with a bag, and none with a sample")
        return self


class Run(_Model):
    """How to run: on the live graph at a real-time factor, in lockstep unless it is a black box; or directly, without DDS."""

    mode: Literal["live", "direct"] = "live"
    rtf: Factor = Field(default=math.inf, gt=0)
    window: int = Field(default=100, ge=1, le=1000, description="messages in flight")
    repeat: int = Field(
        default=2,
        ge=1,
        le=100,
        description="runs of the reference, which must agree with each other",
    )
    timeout: Number = Field(
        default=10.0, gt=0, description="seconds without an answer that count as a hang"
    )


class ToleranceModel(_Model):
    """A Tolerance: |b - a| <= abs + rel * |a|, and the like."""

    abs: Number = Field(default=0.0, ge=0)
    rel: Number = Field(default=0.0, ge=0)
    ulp: int = Field(default=0, ge=0)
    angle: bool = False
    quaternion: Number | None = Field(default=None, ge=0, description="rad")
    unordered: bool = False
    text: str | None = Field(default=None, description="regular expression")
    nan: bool = True
    by: By = "element"
    quantile: Number = Field(default=1.0, gt=0, le=1)
    at_least: Number | None = Field(default=None, description="PSNR in dB, or SSIM")
    data_range: Number | None = Field(default=None, gt=0, description="of pixels")

    @model_validator(mode="after")
    def _makes_sense(self) -> ToleranceModel:
        try:
            checked(Tolerance(**self.model_dump()))
        except CompareError as error:
            raise ValueError(str(error)) from error
        return self


class Compare(_Model):
    """How outputs are aligned and compared."""

    align: Literal["auto", "time", "stamp", "tick", "cause", "none"] = "time"
    time_tolerance: Number | None = Field(
        default=None,
        ge=0,
        le=MAX_S,
        description="seconds; default: none in lockstep, else half the interval",
    )
    silent: list[str] = Field(default=[], description="outputs that need not carry a message")
    common_fields: bool = Field(
        default=False, description="compare what other definitions of a type have in common"
    )
    tolerance: dict[str, ToleranceModel | Literal["exact", "ignore"]] = {}

    def tolerances(self) -> Tolerances:
        """The rules in the comparison's own terms."""
        rules = {}
        for pattern, rule in self.tolerance.items():
            if isinstance(rule, str):
                rules[pattern] = Tolerance(ignore=rule == "ignore")
            else:
                rules[pattern] = Tolerance(**rule.model_dump())
        return Tolerances(rules)


class Verification(_Model):
    """The whole file."""

    contract: str | None = Field(default=None, pattern=r"^[\w.]+:\w+$", description="MODULE:CLASS")
    implementations: dict[Name, Implementation] = Field(min_length=1)
    reference: str
    inputs: Inputs
    parameters: dict[str, ParameterValue] = {}
    run: Run = Field(default_factory=Run, validate_default=True)
    compare: Compare = Field(default_factory=Compare)

    @field_validator("reference")
    @classmethod
    def _reference_can_be_one(cls, name: str, info: Any) -> str:
        implementations = info.data.get("implementations")
        if implementations is None:
            return name  # wrong themselves, which is said of them
        if name not in implementations:
            raise ValueError(
                f"'{name}' is none of the implementations ({', '.join(implementations)})"
            )
        if implementations[name].command is not None and info.data.get("contract") is None:
            raise ValueError(f"'{name}' is a command, so contract: MODULE:CLASS is needed")
        return name

    @field_validator("run")
    @classmethod
    def _black_boxes_can_run(cls, run: Run, info: Any) -> Run:
        graphs = {"rtf", "window"} & run.model_fields_set
        if run.mode == "direct" and graphs:
            raise ValueError(f"{min(graphs)} has no meaning in mode direct; use mode: live")
        for name, implementation in info.data.get("implementations", {}).items():
            if implementation.command is not None and run.mode == "direct":
                raise ValueError(
                    f"'{name}' is a command, which knows no frames of a direct run; use mode: live"
                )
            if implementation.command is not None and math.isinf(run.rtf):
                raise ValueError(
                    f"'{name}' is a command and acknowledges nothing; "
                    "give run: {rtf: 1.0} or another finite factor"
                )
        return run

    @field_validator("compare")
    @classmethod
    def _black_boxes_tell_no_cause(cls, compare: Compare, info: Any) -> Compare:
        for name, implementation in info.data.get("implementations", {}).items():
            if implementation.command is not None and compare.align == "cause":
                raise ValueError(
                    f"'{name}' is a command and acknowledges nothing; align by stamp, time or tick"
                )
        return compare


def load(path: Path) -> Verification:
    """Read a verify.yaml; paths in it are relative to its folder. Raises UsageError that names the line."""
    try:
        text = path.read_text("utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.load(text, Loader=_Loader)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not a text file") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UsageError(f"{path}:{line}: {error.problem or 'not YAML'}") from error
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise UsageError(f"{path} is not YAML that can be read ({type(error).__name__})") from error
    if not isinstance(data, dict):
        raise UsageError(f"{path} is not a verification; see the README for an example")
    try:
        verification = Verification.model_validate(data, context={"folder": path.parent})
    except ValidationError as error:
        raise UsageError(_sentence(path, root, error)) from error
    if verification.inputs.sample is not None:
        return verification
    inputs = verification.inputs.model_copy(update={"bag": path.parent / verification.inputs.bag})
    return verification.model_copy(update={"inputs": inputs})


class _Loader(yaml.SafeLoader):
    """Refuses a key that is given twice, where YAML would let the last one win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    problem=f"key '{key.value}' is given twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _sentence(path: Path, root: yaml.Node | None, error: ValidationError) -> str:
    first = error.errors()[0]
    line, known = _locate(root, first["loc"])
    where = ".".join(known) or "the file"
    if first["type"] == "extra_forbidden":
        return f"{path}:{line}: unknown key '{known[-1]}' in {'.'.join(known[:-1]) or 'the file'}"
    if first["type"] == "missing":
        return f"{path}:{line}: key '{first['loc'][-1]}' is missing in {where}"
    message = first["msg"].removeprefix("Value error, ")
    given = (
        f" (given: {first['input']!r})" if not isinstance(first["input"], (dict, BaseModel)) else ""
    )
    return f"{path}:{line}: {where}: {message}{given}"


def _locate(root: yaml.Node | None, location: tuple[str | int, ...]) -> tuple[int, list[str]]:
    """The line of a pydantic location, and the part of it that exists in the file."""
    node, line, known = root, 1, []
    for step in location:
        if isinstance(node, yaml.MappingNode):
            entry = next((pair for pair in node.value if pair[0].value == str(step)), None)
            if entry is None:
                continue  # a branch of a union, or a missing key
            line, node = entry[0].start_mark.line + 1, entry[1]
        elif (
            isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value)
        ):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            continue
        known.append(str(step))
    return line, known
