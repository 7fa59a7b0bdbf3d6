"""Tolerances by field pattern.

The most specific pattern wins, and without one a field must be equal.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias

from ..errors import CompareError

By = Literal["element", "mean", "rmse", "quantile", "cosine", "psnr", "ssim", "ate", "rpe"]
Pairing = Literal["auto", "index", "nearest"]
MEASURES = {"psnr": ("PSNR", " dB"), "ssim": ("SSIM", "")}
"""What judges whole images, as it is written, and its unit."""
TRAJECTORY = {"ate": ("ATE", " m"), "rpe": ("RPE", " m")}
"""What judges whole trajectories, likewise."""
Alignment = Literal["none", "se3", "sim3"]
_PAIRING = ("pair", "reach", "unpaired")
_INDEX = re.compile(r"\[[^\]]*\]")


@dataclass(frozen=True)
class Tolerance:
    """What may lie between the reference `a` and `b`.

    A number passes if |b - a| <= abs + rel * |a| (as numpy.isclose), or if at most `ulp`
    representable numbers of its type lie from a to b. `angle`: numbers are radians, differences
    wrap at 2π. `quaternion`: the field is a quaternion, and the rotation from a to b may be so many
    radians; q and -q are one rotation. `distance`: the field is a point x, y, z, and b may be so
    far from a, in its own unit. `unordered`: an array holds the same elements in any order;
    those of the arrays beside it that are named here move with them. An array of messages holds
    whole messages.
    A field with latitude, longitude and altitude is a place, and its `distance` in metres.
    `norm`, `direction`: a vector x, y, z may be so much longer or shorter, and turned by so many
    radians. `frobenius`: a covariance may be off by this share in the Frobenius norm, and is to be
    symmetric and positive semidefinite if a's is.
    `keyed`: elements of the arrays beside it belong to those of an array of names, and messages of
    an array are told apart by a field; false: by their index, None: as names are usual.
    `pair`: the points of a cloud belong together by their index, or each to the nearest one that
    is no further than `reach`; "auto" is by index for clouds of several rows, and `reach` is by
    default the usual distance between points. The share `unpaired` of them may have no partner.
    `distance` of the data of a cloud is that of its points.
    `text`: a string passes if this regular expression matches all of b. `nan`: whether NaN equals
    NaN.

    `by` tells what is judged: each element; or, over all messages, the mean or root mean square of
    |b - a|; that the share `quantile` of all elements passes; or that 1 - cosine of the angle
    between all a and all b is at most abs. The elements of the field data of sensor_msgs/msg/Image
    are the channels of pixels. "psnr" (in dB) and "ssim" judge each such image: it is to be
    `at_least` so much. `data_range` is the range of pixels; without it that of the type of
    integers, or of floats the span of a's image.

    "ate" and "rpe" judge trajectories: the poses of all messages, or those in each message, are to
    be `at_most` so far apart, once b is moved onto a by `alignment`. RPE is that of poses `delta`
    apart.

    `effect` is for distributions: those may be so many of their standard deviations apart, however
    surely that can be told.
    """

    abs: float = 0.0
    rel: float = 0.0
    ulp: int = 0
    angle: bool = False
    quaternion: float | None = None
    distance: float | None = None
    norm: float | None = None
    direction: float | None = None
    frobenius: float | None = None
    unordered: bool | tuple[str, ...] = False
    keyed: bool | tuple[str, ...] | None = None
    pair: Pairing = "auto"
    reach: float | None = None
    unpaired: float = 0.0
    text: str | None = None
    nan: bool = True
    by: By = "element"
    quantile: float = 1.0
    at_least: float | None = None
    data_range: float | None = None
    at_most: float | None = None
    alignment: Alignment = "none"
    delta: int = 1
    effect: float | None = None
    ignore: bool = False

    @property
    def has_limit(self) -> bool:
        """Whether numbers may differ, so that it matters which ones they are."""
        return bool(self.abs or self.rel or self.ulp or self.by != "element")

    def __str__(self) -> str:
        if self.ignore:
            return "ignored"
        if self.quaternion is not None:
            return f"rotation of {self.quaternion:g} rad"
        if self.distance is not None:
            return ", ".join([f"distance of {self.distance:g}", *self._pairing])
        if self.effect is not None:
            return f"effect of {self.effect:g} standard deviations"
        if self.frobenius is not None:
            return f"relative Frobenius norm of {self.frobenius:g}"
        if self.norm is not None or self.direction is not None:
            parts = [] if self.norm is None else [f"length of {self.norm:g}"]
            parts += [] if self.direction is None else [f"direction of {self.direction:g} rad"]
            return ", ".join(parts)
        if self.text is not None:
            return f"text {self.text!r}"
        if self.at_least is not None:
            of_range = f" of range {self.data_range:g}" if self.data_range else ""
            return f"{measured(self.by, self.at_least, sign='≥ ')}{of_range}"
        if self.at_most is not None:
            apart = f" of {self.delta} apart" if self.delta > 1 else ""
            moved = "" if self.alignment == "none" else f" after alignment by {self.alignment}"
            return f"{measured(self.by, self.at_most, sign='≤ ')}{apart}{moved}"
        parts = [f"{name} {getattr(self, name):g}" for name in ("abs", "rel", "ulp")]
        limits = " + ".join(part for part in parts if not part.endswith(" 0")) or "exact"
        marks = ["angle"] if self.angle else []
        if self.unordered:
            names = () if isinstance(self.unordered, bool) else self.unordered
            marks.append(" with ".join(filter(None, ("unordered", ", ".join(names)))))
        if self.by == "quantile":
            marks.append(f"for {self.quantile:.6g} of the elements")
        elif self.by != "element":
            marks.append(f"in the {self.by}")
        if self.keyed is not None:
            names = self.keyed if isinstance(self.keyed, tuple) else ()
            by = f"keyed with {', '.join(names)}" if names else "keyed"
            marks.append(by if self.keyed else "by index")
        marks += self._pairing
        if not self.nan:
            marks.append("NaN differs from NaN")
        return ", ".join([limits, *marks])

    @property
    def _pairing(self) -> list[str]:
        """How points are paired, in words."""
        parts = [] if self.pair == "auto" else [f"by {self.pair}"]
        if self.reach is not None:
            parts.append(f"partners within {self.reach:g}")
        if self.unpaired:
            parts.append(f"{self.unpaired:g} of the points unpaired")
        return parts


EXACT = Tolerance()


def measured(by: By, value: float, *, sign: str = "") -> str:
    """A value of one of MEASURES or TRAJECTORY: `PSNR 41.5 dB`."""
    name, unit = (MEASURES | TRAJECTORY)[by]
    return f"{name} {sign}{value:.6g}{unit}"


class Tolerances:
    """Which tolerance applies to which field of which topic.

    A pattern is a field path (`quaternion.x`) in which `*` stands for any text; it also covers
    everything below the field it names, and every element of an array. `TOPIC:PATTERN` is for the
    fields of one topic, or of those that a topic with `*` names, and for each pair of frames on it;
    it wins over patterns for all topics.
    """

    def __init__(
        self, by_pattern: Mapping[str, Tolerance] | None = None, topic: str | None = None
    ) -> None:
        """For the fields of `topic`; without one only patterns for all topics apply."""
        self.by_pattern = dict(by_pattern or {})
        self._topic = topic
        rules: dict[str, Tolerance] = {}
        for pattern in sorted(self.by_pattern, key=_specificity, reverse=True):
            topics, field = _split(pattern)
            if topics is None or (topic is not None and _names_topic(topics, topic)):
                rules.setdefault(field, self.by_pattern[pattern])
        self.rules: Mapping[str, Tolerance] = rules
        """Those of the topic by the pattern of the field alone, the most specific first."""
        self._compiled = [(_compile(pattern), rule) for pattern, rule in rules.items()]
        self._cache: dict[str, Tolerance] = {}

    @classmethod
    def parse(cls, rules: Iterable[str]) -> Tolerances:
        """Rules as a command line gives them.

        PATTERN=ABS, PATTERN=ABS,REL, PATTERN=ignore, or PATTERN=NAME:VALUE,NAME…
        """
        return cls(dict(_rule(text) for text in rules))

    def at(self, topic: str) -> Tolerances:
        """The tolerances of the fields of a topic."""
        return self if topic == self._topic else Tolerances(self.by_pattern, topic)

    def of(self, field: str) -> Tolerance:
        """The tolerance of a field; array indices in the path do not matter."""
        found = self._cache.get(field)
        if found is None:
            plain = _INDEX.sub("", field)
            every = (*self._compiled, *_BY_DEFAULT)
            found = next((t for pattern, t in every if pattern.fullmatch(plain)), EXACT)
            self._cache[field] = found
        return found

    def unused(self, fields: Mapping[str, Iterable[str]], opened: Iterable[str] = ()) -> list[str]:
        """The patterns that match none of the `fields` by topic: spelling mistakes, most likely.

        What is below those `opened` only messages tell, so that nothing can be said of it.
        """
        known = {topic: [_INDEX.sub("", one) for one in there] for topic, there in fields.items()}
        below = tuple(f"{field}." for field in opened)
        found = []
        for pattern in self.by_pattern:
            topics, field = _split(pattern)
            there = [known[topic] for topic in known if _names_topic(topics, topic)]
            expression = _compile(field)
            is_used = any(expression.fullmatch(one) for paths in there for one in paths)
            if not is_used and not (there and field.startswith(below)):
                found.append(pattern)
        return found

    def known(self, fields: Mapping[str, Iterable[str]]) -> str:
        """What there is for patterns, the `fields` by topic, as a clause: topics as well where
        patterns name them."""
        every = ", ".join(sorted({one for there in fields.values() for one in there if one}))
        if not any(":" in pattern for pattern in self.by_pattern):
            return f"the fields are {every}"
        return f"the topics are {', '.join(sorted(fields))}, with the fields {every}"


ToleranceLike: TypeAlias = (
    Tolerances | Tolerance | float | Mapping[str, Tolerance | Mapping[str, Any] | float] | None
)
"""A tolerance for all fields, or by field pattern.

A number is an absolute one, a mapping has the names of Tolerance.
"""


def tolerances_of(tolerance: ToleranceLike) -> Tolerances:
    """What a caller gave; raises CompareError for a tolerance that makes no sense."""
    if isinstance(tolerance, Tolerances):
        return tolerance
    if tolerance is None:
        return Tolerances()
    if not isinstance(tolerance, Mapping):
        return Tolerances({"*": _tolerance_of(tolerance)})
    return Tolerances({pattern: _tolerance_of(rule) for pattern, rule in tolerance.items()})


def _tolerance_of(rule: Tolerance | Mapping[str, Any] | float) -> Tolerance:
    if isinstance(rule, Tolerance):
        return checked(rule)
    if not isinstance(rule, Mapping):
        return checked(Tolerance(abs=float(rule)))
    unordered = rule.get("unordered")
    if isinstance(unordered, list):
        rule = {**rule, "unordered": tuple(unordered)}
    if isinstance(rule.get("keyed"), list):
        rule = {**rule, "keyed": tuple(rule["keyed"])}
    try:
        return checked(Tolerance(**rule))
    except TypeError as error:
        known = ", ".join(field.name for field in fields(Tolerance))
        raise CompareError(f"tolerance {dict(rule)} is none; it may have {known}") from error


def checked(tolerance: Tolerance) -> Tolerance:
    """The tolerance; raises CompareError for one that makes no sense."""
    for name in ("abs", "rel", "ulp"):
        if not 0 <= getattr(tolerance, name) < math.inf:
            raise CompareError(
                f"{name} of a tolerance is {getattr(tolerance, name)}; give 0 or more"
            )
    if not isinstance(tolerance.unordered, (bool, tuple)) or tolerance.unordered == ():
        raise CompareError(
            "unordered of a tolerance is true, or names the arrays whose elements move with its own"
        )
    is_known = tolerance.keyed is None or isinstance(tolerance.keyed, (bool, tuple))
    if not is_known or tolerance.keyed == () or (tolerance.keyed and tolerance.unordered):
        raise CompareError(
            "keyed of a tolerance is true, false, or names the arrays whose elements belong to its "
            "own, and is not beside unordered"
        )
    if tolerance.quaternion is not None and not 0 <= tolerance.quaternion < math.inf:
        raise CompareError("quaternion of a tolerance is an angle in radians; give 0 or more")
    _check_distance(tolerance)
    _check_pairing(tolerance)
    _check_vector(tolerance)
    _check_effect(tolerance)
    if not 0 < tolerance.quantile <= 1:
        raise CompareError(
            "quantile of a tolerance is the share that must pass; give more than 0 and at most 1"
        )
    if tolerance.quantile < 1 and tolerance.by != "quantile":
        raise CompareError("quantile of a tolerance needs by: quantile")
    _check_measure(tolerance)
    _check_trajectory(tolerance)
    if tolerance.text is not None:
        try:
            re.compile(tolerance.text)
        except re.error as error:
            raise CompareError(
                f"text {tolerance.text!r} of a tolerance is no regular expression: {error}"
            ) from error
    return tolerance


def _check_distance(tolerance: Tolerance) -> None:
    """Raises CompareError unless a point is judged by its distance alone."""
    if tolerance.distance is None:
        return
    if not 0 <= tolerance.distance < math.inf:
        raise CompareError("distance of a tolerance is in the unit of the point; give 0 or more")
    if tolerance.by != "element":
        raise CompareError("distance of a tolerance judges each point; leave out by")
    points = "distance of a tolerance judges whole points"
    _check_alone(tolerance, points, "distance", "nan", beside=_PAIRING)


def _check_vector(tolerance: Tolerance) -> None:
    """Raises CompareError unless vectors and covariances are judged by their own limits alone."""
    for name in ("norm", "direction", "frobenius"):
        limit = getattr(tolerance, name)
        if limit is not None and not 0 <= limit < math.inf:
            raise CompareError(f"{name} of a tolerance is {limit}; give 0 or more")
    if tolerance.frobenius is not None:
        whole = "frobenius of a tolerance judges whole covariances"
        _check_alone(tolerance, whole, "frobenius", "nan")
    elif tolerance.norm is not None or tolerance.direction is not None:
        whole = "norm and direction of a tolerance judge whole vectors"
        _check_alone(tolerance, whole, "norm", "direction", "nan")


def _check_effect(tolerance: Tolerance) -> None:
    """Raises CompareError unless a distribution is judged by its effect alone."""
    if tolerance.effect is None:
        return
    if not 0 <= tolerance.effect < math.inf:
        raise CompareError("effect of a tolerance is in standard deviations; give 0 or more")
    if tolerance.by != "element":
        raise CompareError("effect of a tolerance judges distributions; leave out by")
    _check_alone(tolerance, "effect of a tolerance judges distributions", "effect")


def _check_pairing(tolerance: Tolerance) -> None:
    """Raises CompareError for a way to pair the points of clouds that is none."""
    if tolerance.pair not in Pairing.__args__:  # type: ignore[attr-defined]
        raise CompareError("pair of a tolerance is auto, index or nearest")
    if tolerance.reach is not None and not 0 <= tolerance.reach < math.inf:
        raise CompareError("reach of a tolerance is in the unit of the points; give 0 or more")
    if not 0 <= tolerance.unpaired <= 1:
        raise CompareError("unpaired of a tolerance is a share of the points; give 0 to 1")
    if tolerance.pair == "index" and (tolerance.reach is not None or tolerance.unpaired):
        raise CompareError("reach and unpaired of a tolerance need pair: nearest")


def _check_alone(
    tolerance: Tolerance, reason: str, *own: str, beside: tuple[str, ...] = ()
) -> None:
    others = [field for field in fields(Tolerance) if field.name not in ("by", *own, *beside)]
    if any(getattr(tolerance, other.name) != other.default for other in others):
        listed = f"{', '.join(own[:-1])} and {own[-1]}"
        raise CompareError(f"{reason}; give it only {listed}")


def _check_measure(tolerance: Tolerance) -> None:
    """Raises CompareError unless what judges images and what judges numbers are kept apart."""
    if tolerance.by not in MEASURES:
        if tolerance.at_least is not None or tolerance.data_range is not None:
            raise CompareError("at_least and data_range of a tolerance need by: psnr or by: ssim")
        return
    name, unit = MEASURES[tolerance.by]
    limit = 1.0 if tolerance.by == "ssim" else math.inf
    if tolerance.at_least is None or not (
        math.isfinite(tolerance.at_least) and tolerance.at_least <= limit
    ):
        most = ", at most 1" if tolerance.by == "ssim" else ""
        raise CompareError(
            f"by: {tolerance.by} of a tolerance needs at_least, the smallest {name} "
            f"that passes{most}{unit and f', in{unit}'}"
        )
    if tolerance.data_range is not None and not 0 < tolerance.data_range < math.inf:
        raise CompareError("data_range of a tolerance is the range of pixels; give more than 0")
    images = f"by: {tolerance.by} of a tolerance judges whole images"
    _check_alone(tolerance, images, "at_least", "data_range", "nan")


def _check_trajectory(tolerance: Tolerance) -> None:
    """Raises CompareError unless what judges trajectories is complete and alone."""
    if tolerance.by not in TRAJECTORY:
        if (tolerance.at_most, tolerance.alignment, tolerance.delta) != (None, "none", 1):
            raise CompareError(
                "at_most, alignment and delta of a tolerance need by: ate or by: rpe"
            )
        return
    if tolerance.at_most is None or not 0 <= tolerance.at_most < math.inf:
        name, unit = TRAJECTORY[tolerance.by]
        raise CompareError(
            f"by: {tolerance.by} of a tolerance needs at_most, the largest {name} that passes, "
            f"in{unit}"
        )
    if tolerance.alignment not in Alignment.__args__:  # type: ignore[attr-defined]
        raise CompareError("alignment of a tolerance is none, se3 or sim3")
    if not isinstance(tolerance.delta, int) or tolerance.delta < 1:
        raise CompareError("delta of a tolerance is a number of poses; give 1 or more")
    if tolerance.delta > 1 and tolerance.by != "rpe":
        raise CompareError("delta of a tolerance needs by: rpe")
    judges = f"by: {tolerance.by} of a tolerance judges trajectories"
    _check_alone(tolerance, judges, "at_most", "alignment", "delta")


def _rule(text: str) -> tuple[str, Tolerance]:
    pattern, _, value = text.partition("=")
    parts = value.split(",") if pattern and value else []
    try:
        if ":" in value or any(part in _FLAGS for part in parts):
            return pattern, checked(Tolerance(**dict(_named(part) for part in parts)))
        abs_and_rel = [float(part) for part in parts]
        if 1 <= len(parts) <= 2:
            return pattern, checked(Tolerance(abs_and_rel[0], sum(abs_and_rel[1:])))
    except (ValueError, KeyError, CompareError) as error:
        reason = f": {error}" if isinstance(error, CompareError) else ""
        raise CompareError(f"{_unclear(text)}{reason}") from error
    raise CompareError(_unclear(text))


def _unclear(text: str) -> str:
    return (
        f"tolerance '{text}' is not PATTERN=ABS, PATTERN=ABS,REL, PATTERN=ignore or "
        f"PATTERN=NAME:VALUE,… with {', '.join(_VALUES)}, {', '.join(_FLAGS)}"
    )


_VALUES: Mapping[str, Callable[[str], Any]] = {
    "abs": float,
    "rel": float,
    "ulp": int,
    "quaternion": float,
    "distance": float,
    "norm": float,
    "direction": float,
    "frobenius": float,
    "effect": float,
    "keyed": lambda names: {"false": False, "true": True}.get(names, tuple(names.split("+"))),
    "pair": lambda word: {kind: kind for kind in Pairing.__args__}[word],  # type: ignore[attr-defined]
    "reach": float,
    "unpaired": float,
    "text": str,
    "unordered": lambda names: tuple(names.split("+")),
    "quantile": float,
    "at_least": float,
    "data_range": float,
    "at_most": float,
    "alignment": str,
    "delta": int,
    "by": lambda word: {kind: kind for kind in By.__args__}[word],  # type: ignore[attr-defined]
}
_FLAGS = {"angle": True, "unordered": True, "keyed": True, "ignore": True, "nan_differs": False}
assert {"nan" if name == "nan_differs" else name for name in (*_VALUES, *_FLAGS)} == {
    field.name for field in fields(Tolerance)
}


def _named(part: str) -> tuple[str, Any]:
    name, colon, value = part.partition(":")
    if not colon:
        return "nan" if name == "nan_differs" else name, _FLAGS[name]
    return name, _VALUES[name](value)


def _split(pattern: str) -> tuple[str | None, str]:
    """The topics that a pattern is for, None for all, and the pattern of its fields."""
    topics, colon, field = pattern.partition(":")
    return (topics, field) if colon else (None, pattern)


def _specificity(pattern: str) -> tuple[bool, int, int]:
    topics, field = _split(pattern)
    return topics is not None, len(field.replace("*", "")), len((topics or "").replace("*", ""))


def _names_topic(topics: str | None, topic: str) -> bool:
    """Whether a pattern of topics is for this one, or for that which its pair of frames is on."""
    if topics is None:
        return True
    expression = re.escape(topics).replace(r"\*", ".*")
    return re.fullmatch(f"{expression}( .*→.*)?", topic) is not None


def _compile(pattern: str) -> re.Pattern[str]:
    text = re.escape(pattern.replace("[]", "")).replace(r"\*", ".*")
    return re.compile(f"{text}(\\..*)?")


_BY_DEFAULT = [
    (_compile("*transforms.transform.rotation"), Tolerance(quaternion=0.0)),
    (_compile("*transforms.transform.translation"), Tolerance(distance=0.0)),
]
"""Transforms are rotations and points, whose errors are an angle and a distance."""
