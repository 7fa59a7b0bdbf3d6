"""YAML files that a user writes: unknown and repeated keys are errors, each told with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from .errors import UsageError

MAX_S = 1e9


def _not_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("Input should be a number")  # noqa: TRY004 - what pydantic expects
    return value


Number = Annotated[float, BeforeValidator(_not_bool), Field(allow_inf_nan=False)]


Factor = Annotated[float, BeforeValidator(_not_bool)]


class StrictModel(BaseModel):
    """Base of what such files hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)


ModelT = TypeVar("ModelT", bound=StrictModel)


def read_yaml(path: Path, model: type[ModelT], what: str) -> ModelT:
    """Read a file as a model; `what` it should be is said where it is none. Raises UsageError that
    names the line.

    The context of the validation tells its `folder`, which paths in it are relative to.
    """
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
        raise UsageError(f"{path} is not {what}; see the README for an example")
    try:
        return model.model_validate(data, context={"folder": path.parent})
    except ValidationError as error:
        raise UsageError(_sentence(path, root, error)) from error


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
