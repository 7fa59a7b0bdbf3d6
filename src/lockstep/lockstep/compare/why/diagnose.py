"""Explaining how two series differ: the simplest law that accounts for the difference, or none."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ...message.arrays import Column, Floats, Int64s
from ..laws.axes import axis_laws, rotations, siblings
from ..laws.choice import Choice, Make, best_in_noise, first_exact
from ..laws.combined import combined, combined_axes
from ..laws.filters import averages, derivatives, holds, low_passes, other_averages
from ..laws.in_time import decays, delays, drifts, fractional_delays, rates, wanders
from ..laws.of_inputs import laws_of_inputs
from ..laws.order import orders, skips
from ..laws.pair import MOST_TICKS, Law, Matches, Pair, equal, join, judge, make_pair, sampled
from ..laws.places import Place, places
from ..laws.pointwise import (
    affine,
    clips,
    constant,
    is_constant,
    mean,
    offset,
    recoding,
    scale,
    simple_laws,
)
from ..laws.rounding import coarse_arithmetic, last_bits, rounding_laws
from ..laws.states import states
from ..laws.time_steps import resets, rules, time_steps
from ..laws.turned_by import turned_by
from ..laws.whole import whole_laws
from ..simplest_law import Diagnosis

UNPREDICTED = frozenset(
    {
        *(
            "last_bits",
            "float64_time",
            "float32_arithmetic",
            "integer_rounding",
            "wander",
            "onset",
            "ending",
            "span",
            "elements",
        ),
        *("special_values", "threshold", "branch", "isolated", "first_tick", "nan", "infinite"),
    }
)
"""Laws that, unless they have a `rest`, say where b differs or how far, not what it is."""

_COPY_SAMPLE = 64
_MOST_ANGLE = 400.0
_ROUGHLY = 0.8
_TICKS_IN_ALL = 2_000_000
_LEAST_TICKS = 4_000
_LEAST_VALUES = 10


def diagnose(
    a: Mapping[str, Column],
    b: Mapping[str, Column],
    time_ns: Int64s,
    matches: Matches | None = None,
    inputs: Mapping[str, Column] | None = None,
    ticks: Int64s | None = None,
) -> dict[str, Diagnosis | None]:
    """The Diagnosis of every field in which `b` differs from the reference `a`.

    None if nothing simple explains it. `a` and `b` hold n aligned ticks by field path: numbers (n,)
    or (n, k); what is not numeric is left out. `time_ns` (n,) is the time of the ticks, `ticks`
    (n,) are their numbers in the whole series, by default from 0 on. `matches` says which elements
    are within tolerance, and is given columns, parts of them, or flattened elements; by default
    they must be equal. `inputs` are columns that the ticks answer. Of long series only contiguous
    windows are tried.
    """
    ask = matches or equal
    known = inputs or {}
    numbers = np.arange(len(time_ns)) if ticks is None else ticks
    paths = [path for path in a if path in b and _is_comparable(a[path], b[path])]
    with np.errstate(all="ignore"):
        pairs = {}
        times_ns = time_ns, _stamps(a, time_ns)
        for path in paths:
            kind = np.result_type(a[path], b[path])
            sides = a[path].astype(kind, copy=False), b[path].astype(kind, copy=False)
            pairs[path] = make_pair(path, *sides, times_ns, numbers, ask)
        return _Search(pairs, {path: a[path] for path in paths}, known).run()


def _stamps(a: Mapping[str, Column], time_ns: Int64s) -> Int64s:
    """The first stamps of messages (n,), else the times of ticks."""
    stamps = (
        column.astype(np.int64)
        for path, column in a.items()
        if path.endswith("stamp") and column.dtype.kind in "iu" and column.ndim == 1
    )
    return next(stamps, time_ns)


def _is_comparable(a: Column, b: Column) -> bool:
    kinds = a.dtype.kind in "fiub" and b.dtype.kind in "fiub"
    return kinds and a.shape == b.shape and a.ndim >= 1


class _Search:
    """One search through the fields of a message.

    Fields that are explained take no further part.
    """

    def __init__(
        self, pairs: Mapping[str, Pair], columns: Mapping[str, Column], inputs: Mapping[str, Column]
    ) -> None:
        self.pairs = {path: pair for path, pair in pairs.items() if pair.differs.any()}
        ticks = min(MOST_TICKS, max(_LEAST_TICKS, _TICKS_IN_ALL // max(1, len(self.pairs))))
        self.samples = {path: sampled(pair, ticks) for path, pair in self.pairs.items()}
        self.groups = list(self._groups(pairs))
        self.columns = columns
        self.inputs = inputs
        self.found: dict[str, Diagnosis | None] = {}

    def run(self) -> dict[str, Diagnosis | None]:
        """Exact laws before places before laws in noise.

        What explains several fields at once comes first.
        """
        self._by_group(lambda pair: first_exact(pair, axis_laws(pair)))
        self._by_field(lambda path: _unpredicted(last_bits(self.samples[path])))
        self._by_field(lambda path: _exact(self.samples[path], _exact_laws(self.samples[path])))
        self._by_field(lambda path: _lacking(self.samples[path]))
        self._by_field(self._of_inputs)
        self._by_field(self._copied)
        self._by_group(lambda pair: first_exact(pair, rotations(pair)), whole=True)
        self._by_group(lambda pair: first_exact(pair, self._turns(pair)), whole=True)
        self._by_group(_lacking_choice, whole=True)
        self._by_field(lambda path: _combined(self.samples[path]))
        self._by_group(lambda pair: first_exact(pair, combined_axes(pair)))
        self._by_field(lambda path: _exact(self.samples[path], resets(self.samples[path])))
        self._by_field(lambda path: _unpredicted(coarse_arithmetic(self.samples[path])))
        self._by_field(lambda path: _placed(self.pairs[path], self.inputs))
        self._by_group(lambda pair: best_in_noise(pair, [axis_laws]))
        self._by_field(lambda path: _in_noise(self.samples[path], _IN_NOISE))
        self._by_group(lambda pair: best_in_noise(pair, [rotations]), whole=True)
        self._by_field(lambda path: _unpredicted(wanders(self.samples[path])))
        return {path: self.found.get(path) for path in self.pairs}

    def _groups(self, pairs: Mapping[str, Pair]) -> Iterator[tuple[tuple[str, ...], Pair]]:
        flat = [path for path, pair in pairs.items() if pair.a.ndim == 1]
        for paths in siblings(flat):
            members = [pairs[path] for path in paths]
            alike = len({(pair.raw.dtype, pair.base) for pair in members}) == 1
            if alike and any(path in self.pairs for path in paths):
                yield paths, sampled(join(members))
        for path, pair in self.samples.items():
            if pair.a.ndim == 2:
                yield (path,), pair

    def _by_group(self, search: Callable[[Pair], Choice | None], whole: bool = False) -> None:
        """The fields that a law changes are explained by it, those that it leaves alone are not.

        With `whole` only groups are searched of which nothing is explained yet.
        """
        for paths, pair in self.groups:
            open_paths = [path for path in paths if path in self.pairs and path not in self.found]
            chosen = (
                search(pair) if open_paths and not (whole and self.found.keys() & paths) else None
            )
            if chosen:
                moved = chosen.moved if pair.joined else [True]
                told = [path for path, is_moved in zip(paths, moved, strict=True) if is_moved]
                self.found |= {path: _said(chosen) for path in told if path in open_paths}

    def _by_field(self, search: Callable[[str], Diagnosis | None]) -> None:
        for path in self.pairs:
            if path not in self.found:
                diagnosis = search(path)
                if diagnosis:
                    self.found[path] = diagnosis

    def _of_inputs(self, path: str) -> Diagnosis | None:
        pair = self.pairs[path]
        return _exact(pair, laws_of_inputs(pair, self.inputs)) if self.inputs else None

    def _turns(self, pair: Pair) -> Iterator[Law]:
        """Vectors that are turned by an angle or a rotation of the messages or the inputs."""
        known = {f"a's {path}": column for path, column in self.columns.items()}
        known |= {f"input {path}": column for path, column in self.inputs.items()}
        flat = {
            name: column.astype(np.float64)
            for name, column in known.items()
            if column.shape == (pair.n,) and column.dtype.kind == "f"
        }
        angles = {
            name: column
            for name, column in flat.items()
            if np.abs(column).max(initial=0.0) <= _MOST_ANGLE and np.ptp(column)
        }
        quaternions = {
            paths[0].rpartition(".")[0]: np.stack([flat[path] for path in paths], axis=1)
            for paths in siblings(flat)
            if len(paths) == 4
        }
        yield from turned_by(pair, angles, quaternions)

    def _copied(self, path: str) -> Diagnosis | None:
        """b is another field of a, or an input."""
        pair = self.pairs[path]
        probe = np.unique(np.linspace(0, pair.n - 1, _COPY_SAMPLE).astype(np.int64))
        if len(np.unique(pair.raw[probe])) < _LEAST_VALUES:
            return None
        others = {f"a's {name}": column for name, column in self.columns.items() if name != path}
        others |= {f"input {name}": column for name, column in self.inputs.items()}
        for name, column in others.items():
            if column.shape == pair.raw.shape and column.dtype == pair.raw.dtype:
                for sign, word in ((1, ""), (-1, "-")) if column.dtype.kind == "f" else ((1, ""),):
                    if equal("", column[probe] * sign, pair.raw[probe]).all():
                        law = _copy_of(column * sign, f"b is {word}{name}")
                        return _exact(pair, [law])
        return None


def _copy_of(column: Column, sentence: str) -> Law:
    values = column.astype(np.float64)
    return Law("copied", sentence, 0.0, lambda _: values, {}, pointwise=False)


def _exact_laws(pair: Pair) -> Iterator[Law]:
    """By cost, in two lots: fits are made only if nothing simpler holds."""
    if is_constant(pair):
        yield from constant(pair)
    first = [
        *(*simple_laws(pair), *rounding_laws(pair), *whole_laws(pair), *holds(pair)),
        *(*offset(pair, _median), *constant(pair)),
    ]
    yield from sorted(first, key=lambda law: law.cost)
    second = [
        *(*scale(pair, True), *clips(pair, True), *delays(pair), *drifts(pair), *rates(pair)),
        *(*affine(pair, True), *decays(pair), *recoding(pair)),
        *_hopeful(pair, _FITTED),
    ]
    yield from sorted(second, key=lambda law: law.cost)


_FITTED: tuple[Make, ...] = (
    *(averages, derivatives, low_passes, states, time_steps, rules, skips, other_averages, orders),
)


def _hopeful(pair: Pair, makes: Iterable[Make]) -> Iterator[Law]:
    """The laws of those kinds that hold in a part of a series."""
    part = pair.part
    for make in makes:
        if part is pair or any(_holds_roughly(part, law) for law in make(part)):
            yield from make(pair)


def _holds_roughly(pair: Pair, law: Law) -> bool:
    return judge(pair, law.apply(pair.a), law.covers).passing >= _ROUGHLY


def _forgettable(pair: Pair) -> Iterator[Law]:
    """The exact laws of what a port may forget to do."""
    laws = [
        *(*simple_laws(pair), *rounding_laws(pair), *holds(pair), *clips(pair, True)),
        *_hopeful(pair, (averages, states, time_steps)),
    ]
    yield from sorted((law for law in laws if law.as_a_has), key=lambda law: law.cost)


def _lacking_choice(pair: Pair) -> Choice | None:
    """a follows from b, which lacks what makes it a."""
    whole = pair.exchanged
    laws = _forgettable(whole) if whole.a.ndim == 1 else axis_laws(whole)
    chosen = first_exact(whole, (law for law in laws if law.as_a_has))
    if chosen is None:
        return None
    law = chosen.law
    lacking = replace(
        law, name=f"lacks_{law.name}", sentence=f"b lacks {law.as_a_has}, which a has"
    )
    return replace(chosen, law=lacking)


def _lacking(pair: Pair) -> Diagnosis | None:
    chosen = _lacking_choice(pair)
    return _said(chosen) if chosen else None


def _combined(pair: Pair) -> Diagnosis | None:
    """Two laws, if they hold in a part."""
    part = pair.part
    if part is not pair and first_exact(part, combined(part)) is None:
        return None
    return _exact(pair, combined(pair))


def _mean_offset(pair: Pair) -> Iterator[Law]:
    yield from offset(pair, lambda values: float(values.mean()))


_IN_NOISE: tuple[Make, ...] = (
    simple_laws,
    _mean_offset,
    constant,
    mean,
    functools.partial(scale, robust=False),
    functools.partial(affine, robust=False),
    functools.partial(clips, exact=False),
    delays,
    fractional_delays,
    drifts,
    rates,
    decays,
    averages,
    derivatives,
    low_passes,
)


def _exact(pair: Pair, laws: Iterable[Law]) -> Diagnosis | None:
    chosen = first_exact(pair, laws)
    return _said(chosen) if chosen else None


def _in_noise(pair: Pair, makes: Sequence[Make]) -> Diagnosis | None:
    chosen = best_in_noise(pair, makes)
    return _said(chosen) if chosen else None


def _said(chosen: Choice) -> Diagnosis:
    law, fit = chosen.law, chosen.fit
    sentence = law.sentence
    if not fit.exact:
        sentence += f", within {chosen.rest:.2g} (rms)"
    elif fit.passing < 1.0:
        sentence += f", but for {100 * (1 - fit.passing):.2g} % of the elements"
    return Diagnosis(law.name, sentence, fit.explains, law.parameters)


def _unpredicted(laws: Iterable[Law]) -> Diagnosis | None:
    for law in laws:
        bounds = law.name != "wander"
        return Diagnosis(law.name, law.sentence, 1.0, law.parameters, predicts=bounds)
    return None


def _placed(pair: Pair, inputs: Mapping[str, Column]) -> Diagnosis | None:
    for place in places(pair, inputs):
        if place.lead and (rest := _law_inside(place)):
            sentence = f"{place.lead} {rest.sentence}"
            parameters = {**rest.parameters, **place.parameters}
            return Diagnosis(place.law, sentence, rest.explains, parameters, rest)
        if place.speaks:
            says_values = place.law in ("nan", "infinite")
            return Diagnosis(place.law, place.sentence, 1.0, place.parameters, predicts=says_values)
    return None


def _law_inside(place: Place) -> Diagnosis | None:
    inside = sampled(place.inside)
    whole = place.law in ("onset", "ending", "span")
    found = _exact(inside, (law for law in _exact_laws(inside) if whole or law.pointwise))
    if found or not place.speaks:
        return found
    return _in_noise(inside, _IN_NOISE if whole else [_of_values(make) for make in _IN_NOISE])


def _of_values(make: Make) -> Make:
    """The laws among these that hold for each value by itself."""
    return lambda pair: (law for law in make(pair) if law.pointwise)


def _median(values: Floats) -> float:
    return float(np.median(values))
