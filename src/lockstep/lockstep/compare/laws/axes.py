"""Laws among sibling axes, of quaternions and along arrays.

Swaps, orders, conjugates, shifts, rotations.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import numpy.typing as npt

from ...message.arrays import Floats, Mask
from .pair import Law, Pair

_FRAMES: tuple[tuple[str, tuple[int, int, int], tuple[int, int, int]], ...] = (
    ("ENU to NED, or back", (1, 0, 2), (1, 1, -1)),
    ("FLU to FRD, or back", (0, 1, 2), (1, -1, -1)),
    ("body to optical frame", (1, 2, 0), (-1, -1, 1)),
    ("optical to body frame", (2, 0, 1), (1, -1, -1)),
)
"""Of x, y, z, by REP-103: which one b has there, and with what sign."""
AXES = (("x", "y", "z", "w"), ("x", "y", "z"), ("x", "y"), ("roll", "pitch", "yaw"))
_MOST_COLUMNS = 64
_SAMPLE = 256


def siblings(paths: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """The groups of paths that are the axes of one parent, each path in one group only."""
    parents: dict[str, set[str]] = {}
    for path in paths:
        parent, dot, leaf = path.rpartition(".")
        parents.setdefault(parent + dot, set()).add(leaf)
    for prefix, leaves in parents.items():
        for axes in AXES:
            if leaves >= set(axes):
                yield tuple(prefix + axis for axis in axes)
                leaves -= set(axes)


def labels_of(pair: Pair) -> tuple[str, ...]:
    """What sentences call the columns of a pair (n, k)."""
    if len(pair.paths) > 1:
        return tuple(path.rpartition(".")[2] for path in pair.paths)
    return tuple(f"[{i}]" for i in range(pair.width))


def is_quaternion(pair: Pair) -> bool:
    """Whether four columns are rotations: of length 1 on both sides, or called so."""
    if pair.width != 4 or pair.a.ndim != 2:
        return False
    lengths = [np.sqrt(np.sum(np.square(side[:_SAMPLE]), axis=1)) for side in (pair.a, pair.b)]
    called = bool(re.search("quat|orientation|rotation", pair.paths[0], re.IGNORECASE))
    return called or all(bool((np.abs(length - 1) < 1e-3).mean() > 0.9) for length in lengths)


def axis_laws(pair: Pair) -> Iterator[Law]:
    """Laws of columns that belong together, in which no number is fitted.

    What is said of all columns comes before what is said of each.
    """
    if is_quaternion(pair):
        yield from _quaternion_laws(pair)
    if pair.width == 3 and pair.has_zero and not pair.is_integer and pair.moving.all():
        yield from _frames(pair)
    yield from _orders(pair)
    if 2 <= pair.width <= _MOST_COLUMNS:
        yield from _permutations(pair)
    if pair.width in (3, 4) and pair.has_zero and not pair.is_integer:
        yield Law(
            "normalized",
            "b is a scaled to unit length",
            0.5,
            _normalized,
            {},
            pointwise=False,
            held_out="ticks",
            as_a_has="unit length",
        )
    for shift in _index_shifts(pair):
        yield _rolled(pair, shift) if _goes_round(pair, shift) else _index_shift(pair, shift)


def rotations(pair: Pair) -> Iterator[Law]:
    """b = R a for vectors (n, 2) or (n, 3) (Kabsch, by SVD), or q a, a q or q a q* for quaternions
    (n, 4)."""
    if not pair.has_zero or pair.is_integer or pair.a.ndim != 2:
        return
    whole = pair.finite.all(axis=1)
    a, b = pair.a[whole], pair.b[whole]
    if len(a) < 4 or not np.abs(a).max(initial=0.0):
        return
    if pair.width == 2 and pair.joined:
        yield _plane_rotation(a, b)
    elif pair.width == 3:
        yield _rotation(a, b)
    elif is_quaternion(pair):
        yield from _turned(a, b)
        yield from _other_product(a, b)


def _is_array(pair: Pair) -> bool:
    return pair.a.ndim == 2 and not pair.joined and pair.width >= 4


def _orders(pair: Pair) -> Iterator[Law]:
    """Arrays (n, k) in another order: reversed, transposed."""
    if not _is_array(pair):
        return
    yield _index("reversed", "b is a in reversed order", 0.3, np.arange(pair.width)[::-1])
    side = math.isqrt(pair.width)
    if pair.width == 36:
        whole, turned = np.arange(36).reshape(6, 6), [3, 4, 5, 0, 1, 2]
        sentence = "b is a with the last three rows and columns of 6 × 6 before the first three"
        yield _index("covariance_order", sentence, 0.1, whole[turned][:, turned].ravel())
    if side * side == pair.width and side > 2:
        order = np.arange(pair.width).reshape(side, side).T.ravel()
        yield _index("transposed", f"b is a transposed ({side} × {side})", 0.3, order)


def plus_index(shift: int) -> str:
    """An index shift as it follows 'i': '+ 1'."""
    return f"{'-' if shift < 0 else '+'} {abs(shift)}"


def _index(
    name: str,
    sentence: str,
    cost: float,
    order: npt.NDArray[np.intp],
    parameters: Mapping[str, float] | None = None,
) -> Law:
    return Law(
        name,
        sentence,
        cost,
        lambda x: x[:, order],
        parameters or {},
        pointwise=False,
        held_out="ticks",
    )


def _index_shift(pair: Pair, shift: int) -> Law:
    source = np.arange(pair.width) + shift
    inside = (source >= 0) & (source < pair.width)
    order = source.clip(0, pair.width - 1)
    return Law(
        "index",
        f"b[i] is a[i {plus_index(shift)}]" + (": off by one" if abs(shift) == 1 else ""),
        1.3,
        lambda x: x[:, order],
        {"index": float(shift)},
        pointwise=False,
        covers=inside[None, :],
        held_out="ticks",
    )


def _rolled(pair: Pair, shift: int) -> Law:
    order = (np.arange(pair.width) + shift) % pair.width
    sentence = f"b[i] is a[i {plus_index(shift)}], round the end"
    return _index("rolled", sentence, 1.3, order, {"index": float(shift)})


def _goes_round(pair: Pair, shift: int) -> bool:
    """Whether the elements that an index shift leaves over come from the other end."""
    over = slice(-shift, None) if shift > 0 else slice(None, -shift)
    b = pair.b[:, over]
    turned, own = (np.abs(b - side[:, over]) for side in (np.roll(pair.a, -shift, axis=1), pair.a))
    known = np.isfinite(turned) & np.isfinite(own)
    return float(turned[known].sum()) < 0.5 * float(own[known].sum())


def _index_shifts(pair: Pair) -> list[int]:
    """Off by one or two, and the shift of the best circular correlation along the array."""
    if not _is_array(pair):
        return []
    near = [s for s in (1, -1, 2, -2) if abs(s) <= pair.width // 4]
    a, b = (np.where(np.isfinite(side), side, 0.0)[:_SAMPLE] for side in (pair.a, pair.b))
    unit = max(float(np.abs(a).max(initial=0.0)), float(np.abs(b).max(initial=0.0))) or 1.0
    spectra = [np.fft.rfft(side / unit - (side / unit).mean(), axis=1) for side in (a, b)]
    match = np.fft.irfft(spectra[0] * np.conj(spectra[1]), pair.width, axis=1).sum(axis=0)
    best = int(np.argmax(match))
    best -= pair.width if best > pair.width // 2 else 0
    return near if best in (0, *near) else [*near, best]


def _permutations(pair: Pair) -> Iterator[Law]:
    """Every column of b is a column of a, perhaps with its sign flipped.

    The best match by column. Where b does not move, many a column would do as well: there it is
    only the one that no other column of b is.
    """
    sources, signs = _sources(pair)
    own = np.arange(pair.width)
    if not ((sources != own) & pair.moving).any():
        return
    known = _settle_still(pair, sources, signs)
    name, sentence = _told(labels_of(pair), sources, signs)
    parameters = {
        label: float(sign * (source + 1))
        for label, source, sign in zip(
            labels_of(pair), sources.tolist(), signs.tolist(), strict=True
        )
    }
    moved = np.count_nonzero((sources != own) | (signs < 0))
    yield Law(
        name,
        sentence,
        0.2 + 0.1 * moved,
        lambda x: x[:, sources] * signs,
        parameters,
        pointwise=False,
        covers=None if known.all() else known[None, :],
        held_out="ticks",
    )


def _settle_still(pair: Pair, sources: npt.NDArray[np.intp], signs: Floats) -> Mask:
    """Set the sources of columns of b that do not move, in place; (k,) of which columns they are
    known."""
    known = np.ones(pair.width, np.bool_)
    free = set(range(pair.width)) - set(sources[pair.moving].tolist())
    still = np.flatnonzero(~pair.moving).tolist()
    # Those that are equal to their own column have it before others look for one.
    still.sort(key=lambda column: bool((pair.a[:, column] != pair.b[0, column]).any()))
    for column in still:
        alike = [
            source
            for source in (column, *sorted(free))
            if source in free and (pair.a[:, source] == pair.b[0, column]).all()
        ]
        known[column] = bool(alike) or bool((pair.a[:, column] == pair.b[0, column]).all())
        sources[column], signs[column] = alike[0] if alike else column, 1.0
        free -= {alike[0]} if alike else set()
    return known


def _sources(pair: Pair) -> tuple[npt.NDArray[np.intp], Floats]:
    step = pair.n // _SAMPLE + 1
    a, b = (np.where(np.isfinite(side), side, 0.0)[::step] for side in (pair.a, pair.b))
    unit = max(float(np.abs(a).max(initial=0.0)), float(np.abs(b).max(initial=0.0))) or 1.0
    a, b = a / unit, b / unit
    powers = np.sum(a * a, axis=0)[None, :] + np.sum(b * b, axis=0)[:, None]
    products = 2 * (b.T @ a)
    # Of equally good sources its own column is the simplest, then the same sign.
    choices = np.stack([powers - products, powers + products + 1e-12])
    choices[0] -= 1e-9 * np.eye(pair.width) * powers
    if not pair.has_zero or pair.raw.dtype.kind in "ub":
        choices[1] = np.inf
    flat = np.argmin(choices.transpose(1, 0, 2).reshape(pair.width, -1), axis=1)
    return flat % pair.width, np.where(flat >= pair.width, -1.0, 1.0)


def _told(labels: tuple[str, ...], sources: npt.NDArray[np.intp], signs: Floats) -> tuple[str, str]:
    moved = np.flatnonzero((sources != np.arange(len(sources))) | (signs < 0))
    one_to_one = len(set(sources.tolist())) == len(sources)
    swap = len(moved) == 2 and sources[moved[0]] == moved[1] and sources[moved[1]] == moved[0]
    if swap and (signs > 0).all():
        return "swapped", f"{labels[moved[0]]} and {labels[moved[1]]} are swapped"
    dot = "" if labels[0].startswith("[") else "."
    terms = [
        f"b{dot}{labels[i]} = {'-' if signs[i] < 0 else ''}a{dot}{labels[sources[i]]}"
        for i in moved.tolist()
    ]
    more = f" and {len(terms) - 8} more" if len(terms) > 8 else ""
    return "permuted" if one_to_one else "copied", ", ".join(terms[:8]) + more


def _quaternion_laws(pair: Pair) -> Iterator[Law]:
    labels = "x, y, z, w"
    ways = (
        ("negated", "b is -a, the same rotation", [0, 1, 2, 3], [-1, -1, -1, -1]),
        (
            "conjugate",
            "b is the conjugate of a: the inverse rotation",
            [0, 1, 2, 3],
            [-1, -1, -1, 1],
        ),
        ("quaternion_order", f"b has w, x, y, z of a where {labels} belong", [3, 0, 1, 2], None),
        ("quaternion_order", f"b has y, z, w, x of a where {labels} belong", [1, 2, 3, 0], None),
    )
    for name, sentence, order, signs in ways:
        turn = functools.partial(_reordered, order=order, signs=signs or [1, 1, 1, 1])
        parameters = {axis: float(i + 1) for axis, i in zip("xyzw", order, strict=True)}
        # A fixed rotation may well be negated or inverted, but tells nothing of an order.
        cost = 0.0 if signs else 0.1
        yield Law(
            name,
            sentence,
            cost,
            turn,
            {} if signs else parameters,
            pointwise=False,
            held_out="ticks",
        )
        cover = functools.partial(_covering, pair, turn)
        also = f"{sentence}; at some ticks negated, which is the same rotation"
        if name == "negated":
            also = "b is -a at some ticks, the same rotation"
        yield Law(name, also, cost + 0.1, cover, {} if signs else parameters, pointwise=False)


def _reordered(x: Floats, order: list[int], signs: list[int]) -> Floats:
    reordered: Floats = x[:, order] * np.array(signs, np.float64)
    return reordered


def _covering(pair: Pair, turn: functools.partial[Floats], x: Floats) -> Floats:
    turned = turn(x)
    side = np.where(np.sum(turned * pair.b, axis=1, keepdims=True) < 0, -1.0, 1.0)
    covered: Floats = turned * side
    return covered


def _normalized(x: Floats) -> Floats:
    length = np.sqrt(np.sum(np.square(x), axis=1, keepdims=True))
    unit: Floats = np.where(length > 0, x / length, 0.0)
    return unit


def _frames(pair: Pair) -> Iterator[Law]:
    labels = labels_of(pair)
    for frames, sources, signs in _FRAMES:
        words = ", ".join(
            f"{'-' if sign < 0 else ''}{labels[source]}"
            for source, sign in zip(sources, signs, strict=True)
        )
        yield Law(
            "frame",
            f"b has {words} of a ({frames})",
            0.1,
            functools.partial(_reordered, order=list(sources), signs=list(signs)),
            {},
            pointwise=False,
            held_out="ticks",
        )


def _plane_rotation(a: Floats, b: Floats) -> Law:
    cosine = float(np.sum(a * b))
    sine = float(np.sum(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]))
    angle = math.atan2(sine, cosine)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return Law(
        "rotated",
        f"b is a rotated by {math.degrees(angle):.4g} degrees in the plane",
        1.5,
        functools.partial(_times, turn),
        {"angle": angle},
        pointwise=False,
        held_out="ticks",
    )


def _times(turn: Floats, x: Floats) -> Floats:
    turned: Floats = np.sum(x[:, None, :] * turn, axis=2)
    return turned


def _rotation(a: Floats, b: Floats) -> Law:
    turn, angle, axis = _best_rotation(a, b)
    return Law(
        "rotated",
        f"b is a rotated by {math.degrees(angle):.4g} degrees about {_axis(axis)}",
        3.0,
        functools.partial(_times, turn),
        _angle_axis(angle, axis),
        pointwise=False,
        held_out="ticks",
    )


def _other_product(a: Floats, b: Floats) -> Iterator[Law]:
    """q a q*: where a is p q, b is q p; the angle is the same, its axis is turned."""
    if not np.abs(a[:, :3]).max(initial=0.0) or not np.abs(b[:, :3]).max(initial=0.0):
        return
    turn, angle, axis = _best_rotation(a[:, :3], b[:, :3])
    yield Law(
        "product_order",
        f"b is the rotation a about an axis that is turned by {math.degrees(angle):.4g} degrees "
        f"about {_axis(axis)}: a product in the other order, or another frame",
        3.0,
        lambda x: np.concatenate([_times(turn, x[:, :3]), x[:, 3:]], axis=1),
        _angle_axis(angle, axis),
        pointwise=False,
        held_out="ticks",
    )


def _best_rotation(a: Floats, b: Floats) -> tuple[Floats, float, Floats]:
    """The matrix of the rotation of vectors (n, 3) that leaves least, its angle and axis."""
    u, _, vt = np.linalg.svd((b / np.abs(b).max(initial=1.0)).T @ (a / np.abs(a).max()))
    turn = u @ np.diag([1.0, 1.0, float(np.sign(np.linalg.det(u @ vt))) or 1.0]) @ vt
    skew = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
    angle = math.atan2(float(np.linalg.norm(skew)) / 2, (float(np.trace(turn)) - 1) / 2)
    return turn, angle, skew / (float(np.linalg.norm(skew)) or 1.0)


def _turned(a: Floats, b: Floats) -> Iterator[Law]:
    """The q for which q a, or a q, is nearest to b: the mean of b a* or a* b, up to sign."""
    flip = np.array([-1.0, -1.0, -1.0, 1.0])
    for words, ratio, turn in (
        ("in the parent's frame", _product(b, a * flip), _from_left),
        ("in its own frame", _product(a * flip, b), _from_right),
    ):
        _, vectors = np.linalg.eigh(ratio.T @ ratio)
        q = vectors[:, -1] * (-1.0 if vectors[3, -1] < 0 else 1.0)
        angle = 2 * math.atan2(float(np.linalg.norm(q[:3])), float(q[3]))
        axis = q[:3] / (float(np.linalg.norm(q[:3])) or 1.0)
        sentence = f"b is a turned by {math.degrees(angle):.4g} degrees about {_axis(axis)} {words}"
        apply = functools.partial(turn, q)
        parameters = _angle_axis(angle, axis)
        yield Law("rotated", sentence, 3.0, apply, parameters, pointwise=False, held_out="ticks")


def _from_left(q: Floats, x: Floats) -> Floats:
    return _product(q[None, :], x)


def _from_right(q: Floats, x: Floats) -> Floats:
    return _product(x, q[None, :])


def _product(p: Floats, q: Floats) -> Floats:
    """Hamilton's product of quaternions (n, 4) as x, y, z, w."""
    px, py, pz, pw = p.T
    qx, qy, qz, qw = q.T
    return np.stack(
        [
            pw * qx + px * qw + py * qz - pz * qy,
            pw * qy - px * qz + py * qw + pz * qx,
            pw * qz + px * qy - py * qx + pz * qw,
            pw * qw - px * qx - py * qy - pz * qz,
        ],
        axis=1,
    )


def _axis(axis: Floats) -> str:
    strongest = int(np.argmax(np.abs(axis)))
    if abs(axis[strongest]) > 0.999:
        return f"{'-' if axis[strongest] < 0 else ''}{'xyz'[strongest]}"
    return "(" + ", ".join(f"{part:.3g}" for part in axis) + ")"


def _angle_axis(angle: float, axis: Floats) -> dict[str, float]:
    return {
        "angle": angle,
        **{f"axis_{name}": float(v) + 0.0 for name, v in zip("xyz", axis, strict=True)},
    }
