"""Distributions as data, as YAML and JSON hold them, and as the Python that declares them.

A rule is a mapping from its name to its arguments: `{uniform: [-1, 1]}`, `{normal: {mean: 0, std:
2}}`, `{constant: 0}`; `edges` alone has none. A distribution is a mapping from patterns to rules.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DistError
from .arrays import Array
from .clouds import PointCloud, Scan
from .distribution import Distribution
from .edges import Edges
from .empirical import Empirical
from .geometry import Covariance, UnitQuaternion, UnitVector
from .images import ImageCheckerboard, ImageFile, ImageGradient, ImageNoise
from .mixture import Mixture
from .numbers import (
    Box,
    Choice,
    Constant,
    Exponential,
    Integers,
    LogNormal,
    Normal,
    Pareto,
    Scipy,
    Uniform,
)
from .processes import Chirp, OrnsteinUhlenbeck, Piecewise, RandomWalk, Sine, Steps
from .rule import PartRule, Rule
from .texts import FrameId, Text
from .times import Stamp, Timestamps
from .unit import Unit

_CLASSES: tuple[type[Any], ...] = (
    *(Uniform, Normal, Pareto, LogNormal, Exponential, Choice, Constant, Integers, Box),
    *(UnitVector, UnitQuaternion, Covariance, Text, FrameId, Timestamps, Stamp, Array),
    *(RandomWalk, OrnsteinUhlenbeck, Sine, Chirp, Steps, Piecewise, Edges, Mixture, Empirical),
    *(ImageNoise, ImageGradient, ImageCheckerboard, ImageFile, PointCloud, Scan, Unit),
)
NAMES = {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower(): cls for cls in _CLASSES}
"""The rules by their names in YAML."""
_AS_THEY_ARE = (Constant, Choice, FrameId)
_OPTIONS = ("at", "correlation")
_LENGTHS = ("length", "width", "height", "points", "rays", "square")
_PATHS = {"empirical": "bag", "image_file": "file"}


def rule_of_data(data: Any) -> Any:
    """The rule that data declare; raises DistError for what declares none."""
    name, arguments = (data, None) if isinstance(data, str) else _single(data)
    if name == "scipy":
        return _scipy(arguments)
    cls = NAMES.get(name)
    if cls is None:
        raise DistError(
            f"'{name}' is no distribution; use one of {', '.join(sorted([*NAMES, 'scipy']))}"
        )
    listed, named = _arguments(cls, arguments)
    try:
        inspect.signature(cls).bind(*listed, **named)
    except TypeError as error:
        takes = ", ".join(inspect.signature(cls).parameters)
        raise DistError(
            f"{name} does not take that ({error}); it takes {takes or 'nothing'}"
        ) from error
    try:
        return cls(*listed, **named)
    except (TypeError, ValueError, AttributeError) as error:
        if isinstance(error, DistError):
            raise
        raise DistError(f"{name} cannot be made of {arguments!r} ({error})") from error


def is_rule(data: Any) -> bool:
    """Whether data are a rule rather than rules by pattern."""
    if isinstance(data, Mapping):
        return len(data) == 1 and _is_name(next(iter(data)))
    return _is_name(data)


def distribution_of_data(data: Any) -> Any:
    """The rule that data declare, or the Distribution that a mapping from patterns to rules
    declares.

    `at` and `correlation` are those of Distribution: `{at: {timestamps: 50}, correlation: [[x, y,
    0.8]]}`.
    """
    if (
        not isinstance(data, Mapping)
        or is_rule(data)
        or not all(map(_is_part, data, data.values()))
    ):
        return rule_of_data(data)
    found: dict[str, Any] = {}
    for pattern, one in data.items():
        try:
            found[pattern] = part_of_data(one)
        except DistError as error:
            raise DistError(f"'{pattern}': {error}") from error
    return distribution_of_parts(found)


def _is_part(pattern: Any, data: Any) -> bool:
    return isinstance(data, Mapping) or is_rule(data) or pattern == "correlation"


def part_of_data(data: Any) -> Any:
    """What a pattern of a distribution is given, or its `at` or `correlation`: a list of [field,
    field, number]."""
    return correlation_of_data(data) if isinstance(data, list) else distribution_of_data(data)


def distribution_of_parts(parts: Mapping[str, Any]) -> Distribution:
    """The Distribution of parts by pattern, `at` and `correlation`."""
    rules = {pattern: rule for pattern, rule in parts.items() if pattern not in _OPTIONS}
    return Distribution(rules, at=parts.get("at"), correlation=parts.get("correlation"))


def correlation_of_data(data: list[Any]) -> dict[tuple[str, str], float]:
    """Correlations from a list of [field, field, number]."""
    if any(not isinstance(one, list) or len(one) != 3 for one in data):
        raise DistError(
            f"{data!r} is neither a rule, as {{uniform: [-1, 1]}}, nor correlations, as [[x, y, "
            "0.8]]"
        )
    return {(a, b): value for a, b, value in data}


def in_folder(data: Any, folder: Path) -> Any:
    """The same data with the paths of bags and image files, which are relative to a folder, made
    absolute."""
    if isinstance(data, list):
        return [in_folder(one, folder) for one in data]
    if not isinstance(data, Mapping):
        return data
    found = {name: in_folder(one, folder) for name, one in data.items()}
    for name, key in _PATHS.items():
        given = found.get(name)
        if isinstance(given, str):
            found[name] = [_absolute(given, folder)]
        elif isinstance(given, list) and given:
            found[name] = [_absolute(given[0], folder), *given[1:]]
        elif isinstance(given, Mapping) and key in given:
            found[name] = {**given, key: _absolute(given[key], folder)}
    return found


def _absolute(path: Any, folder: Path) -> Any:
    return path if not isinstance(path, str) or "://" in path else str((folder / path).absolute())


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and (name in NAMES or name == "scipy")


def _single(data: Any) -> tuple[str, Any]:
    if not isinstance(data, Mapping) or len(data) != 1:
        raise DistError(
            f"{data!r} is no distribution; give one by its name, as {{uniform: [-1, 1]}} or "
            f"{{constant: 0}}"
        )
    ((name, arguments),) = data.items()
    return str(name), arguments


def _arguments(cls: type[Any], data: Any) -> tuple[list[Any], dict[str, Any]]:
    if cls is Constant:
        return [data], {}
    if cls is Piecewise and isinstance(data, Mapping) and all(_is_number(key) for key in data):
        return [dict(data)], {}
    if cls is Steps and isinstance(data, list):
        return [data], {}
    if data is None:
        return [], {}
    if isinstance(data, Mapping):
        named = {str(key): value for key, value in data.items()}
        if is_rule(named):
            return [rule_of_data(named)], {}
        if cls is Choice and "values" in named:
            return list(named.pop("values")), named
        return [], {name: _argument(cls, name, value) for name, value in named.items()}
    if cls is Mixture:
        if not isinstance(data, list) or any(
            not isinstance(one, list) or len(one) != 2 for one in data
        ):
            raise DistError(f"mixture is {data!r}; give a list of [weight, distribution]")
        return [(weight, distribution_of_data(rule)) for weight, rule in data], {}
    if isinstance(data, list):
        return [one if cls in _AS_THEY_ARE else _argument(cls, "", one) for one in data], {}
    return [data], {}


def _argument(cls: type[Any], name: str, value: Any) -> Any:
    if isinstance(value, Mapping) and not (cls is Piecewise and name == "points"):
        return distribution_of_data(value)
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _scipy(data: Any) -> Scipy:
    """`[gamma, 2.0]` or `[gamma, {a: 2.0, scale: 3}]`: the name and the arguments of a distribution
    of scipy.stats."""
    from scipy import stats

    name, *rest = data if isinstance(data, list) and data else [data]
    family = getattr(stats, name, None) if isinstance(name, str) else None
    if not isinstance(family, (stats.rv_continuous, stats.rv_discrete)):
        raise DistError(
            f"scipy.stats has no distribution {name!r}; give its name and arguments, as [gamma, "
            "2.0]"
        )
    named = rest.pop() if rest and isinstance(rest[-1], Mapping) else {}
    try:
        frozen = family(*rest, **named)
        valid = all(map(math.isfinite, (float(frozen.ppf(0.5)),)))
    except (TypeError, ValueError) as error:
        raise DistError(f"scipy.stats.{name} does not take {rest or named!r} ({error})") from error
    if not valid:
        raise DistError(
            f"scipy.stats.{name} does not take {rest or named!r}; its parameters are out of range"
        )
    return Scipy(frozen)


def data_of(rule: Any) -> Any:
    """A rule or distribution as data that `rule_of_data` and `distribution_of_data` read."""
    if isinstance(rule, Distribution):
        found = {pattern: data_of(one) for pattern, one in rule.rules.items()}
        if rule.at is not None:
            found["at"] = data_of(rule.at)
        if rule.correlations.pairs:
            found["correlation"] = [
                [a, b, value] for (a, b), value in rule.correlations.pairs.items()
            ]
        return found
    if isinstance(rule, Scipy):
        frozen = rule.frozen
        arguments = [*map(float, frozen.args)]
        named = {name: float(value) for name, value in frozen.kwds.items()}
        return {"scipy": [frozen.dist.name, *arguments, *([named] if named else [])]}
    if not isinstance(rule, (Rule, PartRule)):
        return [data_of(one) for one in rule] if isinstance(rule, (list, tuple)) else _plain(rule)
    name = next(name for name, cls in NAMES.items() if type(rule) is cls)
    if isinstance(rule, Constant):
        return {name: _plain(rule.value)}
    if isinstance(rule, Choice):
        values = [_plain(value) for value in rule.values]
        weights = rule.weights
        return {name: values if weights is None else {"values": values, "weights": list(weights)}}
    if isinstance(rule, FrameId):
        return {name: list(rule.names)}
    if isinstance(rule, Mixture):
        return {name: [[weight, data_of(one)] for weight, one in rule.parts]}
    if isinstance(rule, Piecewise):
        points = {time_s: value for time_s, value in rule.points}
        return {name: {"points": points, "repeat": rule.repeat}}
    options: dict[str, Any] = {}
    for field in dataclasses.fields(rule):  # type: ignore[arg-type]
        value = getattr(rule, field.name)
        if field.name in _LENGTHS and _is_fixed(value):
            value = value.low
        if field.default is dataclasses.MISSING or value != field.default:
            options[field.name] = data_of(value)
    return {name: options} if options else name


def _is_fixed(rule: Any) -> bool:
    return isinstance(rule, Integers) and rule.low == rule.high


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value.item() if isinstance(value, np.generic) else value


def python_of(rule: Any) -> str:
    """A rule or distribution as Python source; scipy.stats must be imported for those of scipy."""
    if isinstance(rule, Scipy):
        words = [*map(repr, map(float, rule.frozen.args))]
        words += [f"{name}={float(value)!r}" for name, value in rule.frozen.kwds.items()]
        return f"stats.{rule.frozen.dist.name}({', '.join(words)})"
    if isinstance(rule, Distribution):
        rules = ", ".join(f'"{pattern}": {python_of(one)}' for pattern, one in rule.rules.items())
        at = "" if rule.at is None else f", at={python_of(rule.at)}"
        return f"Distribution({{{rules}}}{at})"
    if isinstance(rule, Mixture):
        return (
            f"Mixture({', '.join(f'({weight}, {python_of(one)})' for weight, one in rule.parts)})"
        )
    if isinstance(rule, Choice):
        words = [python_of(value) for value in rule.values]
        words += [] if rule.weights is None else [f"weights={rule.weights!r}"]
        return f"Choice({', '.join(words)})"
    if isinstance(rule, FrameId):
        return repr(rule)
    if isinstance(rule, float) and not math.isfinite(rule):
        return f'float("{rule}")'
    if isinstance(rule, Constant):
        return f"Constant({python_of(rule.value)})"
    if isinstance(rule, (list, tuple)):
        listed = ", ".join(map(python_of, rule))
        return f"[{listed}]" if isinstance(rule, list) else f"({listed},)"
    if not isinstance(rule, (Rule, PartRule)):
        return repr(rule)
    words = []
    for field in dataclasses.fields(rule):  # type: ignore[arg-type]
        value = getattr(rule, field.name)
        if field.name in _LENGTHS and _is_fixed(value):
            value = value.low
        if field.default is dataclasses.MISSING or value != field.default:
            words.append(f"{field.name}={python_of(value)}")
    return f"{type(rule).__name__}({', '.join(words)})"
