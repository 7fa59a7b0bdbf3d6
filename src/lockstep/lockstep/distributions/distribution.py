"""Distributions of messages: which rule draws which field.

A rule is given to a pattern: the path of a field in which `*` stands for any text. It covers the field and everything
below it; the most specific pattern wins. What no rule covers is drawn as the message type of that part says
(`data_dist`), and it is an error if that does not either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..errors import DistError
from ..message.arrays import Floats, Int64s
from ..message.drawn_columns import Columns, level_of
from .arrays import Array
from .correlation import Correlations, correlations
from .fields import Field, Part, Structure, message_name, structure
from .mixture import Mixture
from .numbers import Integers, as_rule
from .random import Random
from .rule import (
    PartRule,
    PartSource,
    Recordings,
    Rule,
    Setting,
    Source,
    misfit,
)
from .ticks import Ticks
from .times import Timestamps

_INDEX = re.compile(r"\[\d*\]")
declared: dict[type[Any], Distribution] = {}  # by `data_dist`


class Distribution:
    """How the messages of an input are drawn: rules by pattern, or by the names of fields.

    `at` says when the messages come; without it they come at the stamps that Timestamps in `header.stamp` draws, or else
    100 times a second. `correlation` is that of pairs of fields: {("x", "y"): 0.8}.
    """

    def __init__(
        self,
        rules: Mapping[str, Any] | Any = None,
        /,
        *,
        at: Timestamps | None = None,
        correlation: Mapping[tuple[str, str], float] | None = None,
        **fields: Any,
    ) -> None:
        given = {} if rules is None else rules if isinstance(rules, Mapping) else {"*": rules}
        twice = given.keys() & fields.keys()
        if twice:
            raise DistError(f"'{min(twice)}' is given two distributions; give one of them")
        self.rules = {
            pattern: _rule(pattern, rule) for pattern, rule in {**given, **fields}.items()
        }
        if at is not None and not isinstance(at, Timestamps):
            raise DistError(f"at= is {at!r}; give Timestamps(rate_hz=…)")
        self.at = at
        self.correlations = correlations(correlation or {})

    def __repr__(self) -> str:
        words = [repr(self.rules)]
        if self.at is not None:
            words.append(f"at={self.at!r}")
        if self.correlations.pairs:
            words.append(f"correlation={self.correlations.pairs!r}")
        return f"Distribution({', '.join(words)})"


def data_dist(
    message_type: type[Any],
    rules: Mapping[str, Any] | Any = None,
    /,
    *,
    at: Timestamps | None = None,
    correlation: Mapping[tuple[str, str], float] | None = None,
    **fields: Any,
) -> Distribution:
    """Declare the distribution of a message type, wherever it is: `data_dist(Vector3, x=Uniform(-1, 1), …)`.

    Raises DistError for a field that the type does not have. Fields may be left to the types of messages within.
    """
    made = Distribution(rules, at=at, correlation=correlation, **fields)
    check_names(made, message_type)
    declared[message_type] = made
    return made


class DataDistMixin:
    """A message that is a plain dataclass with its distribution as class attribute `data_dist`, a Distribution or a rule."""

    data_dist: ClassVar[Any] = None


def data_dist_of(message_type: type[Any]) -> Distribution | None:
    """The distribution that a message type has, by `data_dist` or as class attribute; None if it has none."""
    if message_type in declared:
        return declared[message_type]
    own = getattr(message_type, "data_dist", None)
    return None if own is None else as_distribution(own)


def as_distribution(given: Any) -> Distribution:
    """A distribution for what a declaration may give instead: rules by pattern, or one rule for all."""
    return given if isinstance(given, Distribution) else Distribution(given)


def _rule(pattern: Any, rule: Any) -> Any:
    if not isinstance(pattern, str) or not pattern:
        raise DistError(f"{pattern!r} is no field; name one, or several with *")
    rule = as_rule(rule)
    if isinstance(rule, Mapping):
        rule = Distribution(rule)
    if not isinstance(rule, (Rule, PartRule, Distribution)):
        raise DistError(
            f"'{pattern}' is given {rule!r}, which is no distribution; write Constant({rule!r}) for what never changes"
        )
    return rule


@dataclass(frozen=True)
class _Given:
    """A rule for a pattern; `rank` is greater the more specific it is."""

    pattern: str
    rule: Any
    rank: tuple[int, int, int]
    owner: str

    def covers(self, path: str) -> bool:
        """The field that the pattern names, and what is below."""
        return self.pattern == "*" or bool(
            _compiled(self.pattern, below=True).fullmatch(_plain(path))
        )

    def names(self, path: str) -> bool:
        """Exactly what the pattern names; `*` is the whole message and nothing else."""
        if self.pattern in ("*", ""):
            return path == ""
        return bool(_compiled(self.pattern, below=False).fullmatch(_plain(path)))


def _plain(path: str) -> str:
    return _INDEX.sub("", path)


def _compiled(pattern: str, *, below: bool) -> re.Pattern[str]:
    text = re.escape(_plain(pattern)).replace(r"\*", ".*")
    return re.compile(f"{text}(\\..*)?" if below else text)


def _all_rules(
    distribution: Distribution, owner: str, level: int, prefix: str = ""
) -> Iterator[_Given]:
    """The rules of a distribution, also those of the distributions in it."""
    for number, (pattern, rule) in enumerate(distribution.rules.items()):
        whole = pattern if not prefix else prefix if pattern == "*" else f"{prefix}.{pattern}"
        rank = (level, len(whole.replace("*", "")), number)
        inner = rule.of if isinstance(rule, Array) else rule
        if isinstance(inner, Mapping):
            inner = Distribution(inner)
        if isinstance(rule, Array):
            yield _Given(whole, rule, rank, owner)
        if isinstance(inner, Distribution):
            if inner.at or inner.correlations.pairs:
                raise DistError(
                    f"the distribution of '{whole}' has at= or correlation=, which only that of a whole input can have"
                )
            yield from _all_rules(inner, owner, level, whole)
        elif not isinstance(rule, Array):
            yield _Given(whole, rule, rank, owner)


def check_names(distribution: Distribution, message_type: type[Any]) -> None:
    """Raise DistError if a pattern or a correlation is of no field of the type."""
    found = structure(message_type)
    for given in _all_rules(distribution, found.name, 0):
        if not (any(map(given.covers, found.fields)) or any(map(given.names, found.parts))):
            raise DistError(
                f"{found.name} has no field '{given.pattern}'; it has {', '.join(_told(found))}"
            )
    for path in distribution.correlations.members:
        if path not in found.fields:
            raise DistError(
                f"{found.name} has no field '{path}' to correlate; it has {', '.join(_told(found))}"
            )


def _told(found: Structure) -> list[str]:
    return [path for path, field in found.fields.items() if field.kind != "length"]


class Plan:
    """A distribution bound to a message type: for each field what draws it. Raises DistError if one is left out.

    `label` names the input in errors.
    """

    def __init__(
        self, distribution: Distribution, message_type: type[Any], label: str = ""
    ) -> None:
        self.structure = structure(message_type)
        self.distribution = distribution
        self.label = label
        check_names(distribution, message_type)
        own = list(_all_rules(distribution, self.structure.name, 1 << 20))
        given, self._correlations = [*own], {"": distribution.correlations}
        self._of_type = data_dist_of(message_type)
        for part in self.structure.parts.values():
            of_part = data_dist_of(part.message_type)
            if of_part is not None and of_part is not distribution:
                depth = -len(part.path.split(".")) if part.path else 0
                given += _all_rules(of_part, message_name(part.message_type), depth, part.path)
                if part.path or not distribution.correlations.pairs:
                    self._correlations[part.path] = of_part.correlations
        self._given = sorted(given, key=lambda one: one.rank, reverse=True)
        self._rules: dict[str, Any] = {}
        self._anchors: dict[str, tuple[str, Any]] = {}
        for one in own:
            self._check_fit(one)
        left_out = [field for field in self.structure.fields.values() if not self._choose(field)]
        if left_out:
            raise self._left_out(left_out[0])
        self._check_arrays()
        for path in self._correlated():
            self.check_correlated(path)

    @property
    def at(self) -> Timestamps:
        """When the messages come."""
        for one in (self.distribution, self._of_type):
            if one is not None and one.at is not None:
                return one.at
        stamp = self._rules.get("header.stamp")
        return stamp if isinstance(stamp, Timestamps) else Timestamps()

    def _choose(self, field: Field) -> bool:
        """Find what draws a field; whether there is something. Raises DistError if that does not fit."""
        path = field.path
        if field.kind == "length" and field.array == "fixed":
            self._rules[path] = Integers(field.size, field.size)
            return True
        for given in self._given:
            rule = given.rule
            if isinstance(rule, PartRule) or (isinstance(rule, Mixture) and not rule.of_fields):
                anchor = self._anchor(given, rule, path)
                if anchor is not None:
                    self._anchors[path] = (anchor, rule)
                    return True
            if isinstance(rule, Rule) and rule.of_fields and self._fits(given, rule, field):
                rule.check(field)
                self._rules[path] = rule
                return True
        return False

    def _check_fit(self, given: _Given) -> None:
        """Raise DistError if a rule can draw nothing of what its pattern names."""
        rule = given.rule
        parts = [part for path, part in self.structure.parts.items() if given.names(path)]
        of_parts = isinstance(rule, PartRule) and not (isinstance(rule, Rule) and rule.of_fields)
        if of_parts and parts and not any(_paths(rule, part) for part in parts):
            kind = message_name(parts[0].message_type)
            raise DistError(
                f"{self._where} is {kind} at '{given.pattern}', which {rule!r} cannot draw"
            )
        named = self.structure.fields.get(given.pattern)
        if named is None or named.kind == "length":
            return
        if not isinstance(rule, Rule) or not rule.of_fields or not rule.offers(named):
            raise misfit(rule, named, f"cannot draw that; give {_example(named)}")

    def _fits(self, given: _Given, rule: Rule, field: Field) -> bool:
        if not rule.offers(field) or (field.kind == "length" and not rule.of_lengths):
            return False
        return given.names(field.path) if isinstance(rule, Array) else given.covers(field.path)

    def _anchor(self, given: _Given, rule: Any, path: str) -> str | None:
        """The message, above a field, that a rule draws together with the field; None if there is none."""
        for part in self.structure.parts.values():
            inside = not part.path or path.startswith(f"{part.path}.")
            if not inside or not given.names(part.path):
                continue
            relative = path[len(part.path) + 1 :] if part.path else path
            if relative in _paths(rule, part):
                return part.path
        return None

    @property
    def _where(self) -> str:
        name = self.structure.name
        return f"input '{self.label}' ({name})" if self.label else name

    def _left_out(self, field: Field) -> DistError:
        return DistError(
            f"{self._where} has no distribution for '{field.path}' ({field.described}); "
            f'declare one, as data_dist({field.message.rpartition("/")[2]}, {{"{field.path}": {_example(field)}}}), '
            "in Input(…, dist=…) or in verify.yaml"
        )

    def _check_arrays(self) -> None:
        """A rule that draws the messages of an array must draw how many they are, and the other way round."""
        for path in self.structure.fields:
            level = level_of(path)
            if not level:
                continue
            array = level.removesuffix("[]")
            anchors = self._anchors.get(path), self._anchors.get(array)
            outside = [anchor for anchor in anchors if anchor and not anchor[0].startswith(level)]
            if outside and anchors[0] != anchors[1]:
                raise DistError(
                    f"'{array}' and '{path}' of {self.structure.name} are drawn by different rules; "
                    "give both to one of them"
                )

    def source(
        self,
        random: Random,
        recordings: Recordings | None = None,
        correlated: Mapping[str, Callable[[int], Floats]] | None = None,
    ) -> PartSource:
        """What draws the columns of the messages that come next, of every field."""
        own = {
            path: found.stream(member, random.named(path.removesuffix(member)))
            for path, (member, found) in self._correlated().items()
        }
        setting = Setting(self.at, recordings, {**own, **(correlated or {})})
        sources = {
            path: rule.source(self.structure.fields[path], random.named(path), setting)
            for path, rule in self._rules.items()
        }
        parts: dict[tuple[str, int], PartSource] = {}
        for anchor, rule in self._anchors.values():
            key = (anchor, id(rule))
            if key not in parts:
                part = self.structure.parts[anchor]
                own_random = random.named(f"{anchor}:{type(rule).__name__}")
                parts[key] = _part_source(rule, part, own_random, setting)
        return lambda ticks: self._drawn(ticks, sources, parts)

    def _correlated(self) -> dict[str, tuple[str, Correlations]]:
        """By path, the fields that are correlated with others of a message: their names in it, and the correlations."""
        found: dict[str, tuple[str, Correlations]] = {}
        for prefix, one in reversed(self._correlations.items()):
            for member in one.members:
                found[f"{prefix}.{member}" if prefix else member] = (member, one)
        return found

    def check_correlated(self, path: str) -> None:
        """Raise DistError if a field cannot be correlated with others."""
        field, rule = self.structure.fields.get(path), self._rules.get(path)
        if field is None:
            raise DistError(f"{self.structure.name} has no field '{path}' to correlate")
        if not hasattr(rule, "limits") or hasattr(rule, "course") or field.array or level_of(path):
            raise DistError(
                f"'{path}' of {self.structure.name} cannot be correlated: only single numbers with a distribution of "
                "their own, such as Normal or Uniform, can"
            )

    def _drawn(
        self,
        ticks: Ticks,
        sources: Mapping[str, Source],
        parts: Mapping[tuple[str, int], PartSource],
    ) -> Columns:
        ticks_at = {"": ticks}
        drawn_parts: dict[tuple[str, int], Columns] = {}
        found: Columns = {}
        for path, field in self.structure.fields.items():
            here = ticks_at[level_of(path)]
            if path in sources:
                found[path] = sources[path](here)
            else:
                anchor, rule = self._anchors[path]
                key = (anchor, id(rule))
                if key not in drawn_parts:
                    level = anchor if anchor.endswith("[]") else level_of(anchor)
                    drawn_parts[key] = parts[key](ticks_at[level])
                found[path] = drawn_parts[key][path[len(anchor) + 1 :] if anchor else path]
            if field.kind == "length":
                counts: Int64s = found[path].values
                ticks_at[f"{path}[]"] = here.repeated(counts)
        return found


def _paths(rule: Any, part: Part) -> list[str]:
    """The fields of a message that a rule draws together."""
    found = structure(part.message_type)
    return list(found.fields) if isinstance(rule, Mixture) else rule.paths(found)


def _part_source(rule: Any, part: Part, random: Random, setting: Setting) -> PartSource:
    if not isinstance(rule, Mixture):
        found: PartSource = rule.part_source(structure(part.message_type), random, setting)
        return found
    plans = [Plan(as_distribution(one), part.message_type) for _, one in rule.parts]
    sources = [
        plan.source(random.named(str(at)), setting.recordings) for at, plan in enumerate(plans)
    ]

    return lambda ticks: rule.mixed(sources, random, ticks)


def _example(field: Field) -> str:
    if field.kind == "length":
        return "Array(length=Integers(0, 10))"
    if field.path.endswith("covariance") and field.array == "fixed":
        return "Covariance()"
    one = {
        "string": "FrameId('base_link')" if field.path.endswith("frame_id") else "Text()",
        "wstring": "Text()",
        "time": "Timestamps(rate_hz=100)",
        "duration": "Uniform(0, 1)",
        "bool": "Choice(False, True)",
        "float32": "Uniform(-1, 1)",
        "float64": "Uniform(-1, 1)",
    }.get(field.kind, "Integers(0, 10)")
    return f"Array({one}, length=10)" if field.array == "sequence" else one
