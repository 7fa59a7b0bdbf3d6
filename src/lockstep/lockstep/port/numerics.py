"""The numeric rules that a port of some source must keep, found in the source itself.

Python's numbers follow IEEE 754 binary64 like C++'s, but division, rounding, sums and NaN differ in
places; each rule names the lines to which it applies.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..component.source import Source

_SHOWN = 4
_WIDTH = 100
_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div)


@dataclass(frozen=True)
class Rule:
    """What to keep, and the code (`line: text`) that asks for it."""

    sentence: str
    places: tuple[str, ...]


Matches = Callable[[ast.AST], bool]


def rules(source: Source) -> list[Rule]:
    """The rules of some source, in the order of this module's table; only those that apply."""
    found = []
    for matches, sentence in _TABLE:
        places = [
            f"{part.module.name}:{node.lineno}: {_code(part.module.text, node)}"
            for part in source.modules
            for node in _outermost(part.statements(), matches)
        ]
        if places:
            more = [f"… and {len(places) - _SHOWN} more"] if len(places) > _SHOWN else []
            found.append(Rule(sentence, (*places[:_SHOWN], *more)))
    return found


def _outermost(statements: Iterator[ast.stmt], matches: Matches) -> list[ast.expr | ast.stmt]:
    """What matches and is not within something that does, in the order of lines; annotations are no
    computations."""
    found: list[ast.expr | ast.stmt] = []
    pending: list[ast.AST] = list(statements)
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.expr, ast.stmt)) and matches(node):
            found.append(node)
            continue
        for name, value in ast.iter_fields(node):
            if name not in ("annotation", "returns"):
                items = value if isinstance(value, list) else [value]
                pending += [item for item in items if isinstance(item, ast.AST)]
    return sorted(found, key=lambda node: (node.lineno, node.col_offset))


def _code(text: str, node: ast.AST) -> str:
    """A piece of code as it is written, on one line."""
    code = " ".join((ast.get_source_segment(text, node) or ast.unparse(node)).split())
    return code if len(code) <= _WIDTH else f"{code[: _WIDTH - 1]}…"


def _operator(*kinds: type[ast.operator]) -> Matches:
    return lambda node: isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, kinds)


def _call(*names: str) -> Matches:
    """A call by the last part of its name, below math, np or numpy if the name begins with a
    dot."""

    def matches(node: ast.AST) -> bool:
        if not isinstance(node, ast.Call):
            return False
        target = node.func
        if isinstance(target, ast.Name):
            return target.id in names
        if not isinstance(target, ast.Attribute):
            return False
        return f"{_head(target)}.{target.attr}" in names or f"*.{target.attr}" in names

    return matches


def _head(target: ast.Attribute) -> str:
    head = target.value
    if isinstance(head, ast.Attribute):  # np.minimum.at
        return f"{_head(head)}.{head.attr}"
    name = head.id if isinstance(head, ast.Name) else ""
    return "np" if name == "numpy" else name


def _math(*names: str) -> Matches:
    return _call(*(f"math.{name}" for name in names), *(f"np.{name}" for name in names))


def _is_long_sum(node: ast.AST) -> bool:
    """An expression of three operands or more, whose order makes a difference."""
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, _ARITHMETIC)):
        return False
    inner = [node.left, node.right]
    return any(isinstance(side, ast.BinOp) and isinstance(side.op, _ARITHMETIC) for side in inner)


def _is_simultaneous(node: ast.AST) -> bool:
    if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple)):
        return False
    if not isinstance(node.value, ast.Tuple):
        return False
    stored = {ast.unparse(target) for target in node.targets[0].elts}
    return any(
        ast.unparse(inner) in stored
        for inner in ast.walk(node.value)
        if isinstance(inner, ast.expr)
    )


def _is_negated_comparison(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.UnaryOp)
        and isinstance(node.op, ast.Not)
        and any(isinstance(inner, ast.Compare) for inner in ast.walk(node.operand))
    )


def _is_float32(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute) and node.attr in ("float32", "float16"):
        return True
    return isinstance(node, ast.Constant) and node.value in ("f4", "<f4", "float32", "float16")


def _is_small_integer(node: ast.AST) -> bool:
    names = ("int8", "int16", "int32", "uint8", "uint16", "uint32", "uint64")
    return isinstance(node, ast.Attribute) and node.attr in names


def _is_negative_index(node: ast.AST) -> bool:
    if not isinstance(node, ast.Subscript):
        return False
    index = node.slice
    return isinstance(index, ast.UnaryOp) and isinstance(index.op, ast.USub)


def _is_nanosecond_float(node: ast.AST) -> bool:
    """`something * 1e-9` or `something / 1e9`."""
    if not (isinstance(node, ast.BinOp) and isinstance(node.right, ast.Constant)):
        return False
    return node.right.value in (1e-9, 1e9) and isinstance(node.op, (ast.Mult, ast.Div))


def _is_clipped(node: ast.AST) -> bool:
    return _call("min", "max")(node)


def _is_over_dictionary(node: ast.AST) -> bool:
    iterated = node.iter if isinstance(node, ast.For) else None
    if not isinstance(iterated, ast.Call) or not isinstance(iterated.func, ast.Attribute):
        return False
    return iterated.func.attr in ("items", "keys", "values")


_TABLE: list[tuple[Matches, str]] = [
    (
        _is_long_sum,
        (
            "Keep the order of operations as written: left to right, with the same parentheses. Do "
            "not factor out, re-associate, replace a division by a multiplication, or fuse a "
            "multiplication with an addition."
        ),
    ),
    (
        _is_simultaneous,
        (
            "Simultaneous assignment: every value on the right is computed from the old ones "
            "before any is stored. Use temporaries."
        ),
    ),
    (
        _operator(ast.FloorDiv),
        (
            "`//` rounds towards minus infinity, C++'s `/` on integers towards zero; they differ "
            "where one operand is negative. On floats it is not std::floor(a / b): 1.0 // 0.05 is "
            "19.0. Take m = std::fmod(a, b) and q = (a - m) / b, less 1 if m is not 0 and its sign "
            "is not that of b; the result is f = std::floor(q), plus 1 if q - f > 0.5, and for q "
            "== 0 a zero with the sign of a / b. A divisor of 0 raises ZeroDivisionError."
        ),
    ),
    (
        _operator(ast.Mod),
        (
            "`%` has the sign of the divisor; C++'s `%` and `std::fmod` have that of the dividend. "
            "With m = std::fmod(a, b), or a % b of integers: if m is not 0 and its sign is not "
            "that of b, the result is m + b; a zero of floats has the sign of b. A divisor of 0 "
            "raises ZeroDivisionError."
        ),
    ),
    (
        _operator(ast.Div),
        (
            "`/` is true division, also between integers: convert both to double first, which is "
            "the same up to 2^53 (beyond, Python rounds the exact quotient once). Division of "
            "Python floats by zero raises ZeroDivisionError (numpy gives inf or nan): see that "
            "the guards of the source are kept."
        ),
    ),
    (
        _operator(ast.Pow),
        (
            "`**` on floats is `std::pow`, not repeated multiplication, but 0.0 to a negative "
            "power raises, and a negative number to a fractional one is complex; on integers it is "
            "exact, and negative exponents give floats."
        ),
    ),
    (
        _is_negated_comparison,
        "A negated comparison is true for NaN: keep `!(a < b)`, which is not `a >= b`.",
    ),
    (
        _math("isnan", "isfinite", "isinf", "isneginf", "isposinf"),
        (
            "NaN and infinities are treated on purpose here: they must take the same path in the "
            "port, so never compile with -ffast-math or -ffinite-math-only."
        ),
    ),
    (
        _is_clipped,
        (
            "`min(a, b)` is `b < a ? b : a` and `max(a, b)` is `b > a ? b : a`, as std::min(a, b) "
            "and std::max(a, b) are: keep the order of the arguments, it decides what becomes of "
            "NaN. Not std::fmin or std::fmax."
        ),
    ),
    (
        _call(
            "np.minimum",
            "np.maximum",
            "np.minimum.at",
            "np.maximum.at",
            "np.clip",
            "*.clip",
            "*.min",
            "*.max",
        ),
        (
            "numpy's minimum, maximum, min, max and clip give NaN if any operand is NaN; std::min "
            "and std::max do not."
        ),
    ),
    (
        _call("round", "np.round", "np.rint", "np.around", "*.round"),
        (
            "`round` rounds halves to even: use std::nearbyint, not std::round. With a number of "
            "digits Python rounds the exact decimal value, numpy scales first."
        ),
    ),
    (
        _call("int", "math.trunc", "np.trunc", "*.astype"),
        (
            "Conversion to an integer cuts towards zero. `int` takes any size and raises for NaN "
            "and infinity, numpy's astype raises for nothing; a C++ cast is undefined for NaN, "
            "infinity and what its type cannot hold. np.trunc gives floats."
        ),
    ),
    (
        _math("floor", "ceil"),
        (
            "math.floor and math.ceil give integers: cast what std::floor and std::ceil give. "
            "numpy's give floats, as C++'s do."
        ),
    ),
    (
        _math("atan2", "arctan2"),
        (
            "`atan2(y, x)`: std::atan2 with the arguments in the same order; signed zeros choose "
            "the quadrant, so keep negations where they are (`-x` of 0.0 is -0.0)."
        ),
    ),
    (
        _math("fmod"),
        "`math.fmod` is std::fmod, with the sign of the dividend; it is not Python's `%`.",
    ),
    (
        _math("remainder"),
        "`math.remainder` is std::remainder: the quotient is rounded to the nearest even.",
    ),
    (
        _call("math.hypot", "math.dist", "np.hypot"),
        (
            "`math.hypot` and `math.dist` scale and correct their sum: std::hypot may differ in "
            "the last bit; std::sqrt of the sum of squares differs more often. `np.hypot` is "
            "std::hypot."
        ),
    ),
    (_call("math.fsum"), "`math.fsum` is the exactly rounded sum; a plain loop is not."),
    (
        _call("sum"),
        (
            "`sum` of floats compensates its rounding from Python 3.12 on (Neumaier), and is a "
            "plain loop from left to right before."
        ),
    ),
    (
        _call("np.sum", "np.mean", "np.std", "np.var", "*.sum", "*.mean", "*.std", "*.var"),
        (
            "numpy sums floats along the last axis pairwise, in blocks of eight accumulators, not "
            "from left to right: the last bits differ from a loop unless you do the same, or the "
            "tolerance allows it. More than 8192 values may be summed so in chunks of as many, "
            "which are added one after the other. Along another axis, rows are added from the "
            "first to the last."
        ),
    ),
    (
        lambda node: (
            _operator(ast.MatMult)(node) or _call("np.dot", "np.matmul", "np.einsum", "*.dot")(node)
        ),
        (
            "Matrix products come from a BLAS that may fuse and reorder; the last bits are not "
            "portable, so the tolerance must allow them."
        ),
    ),
    (
        _math(
            "sin",
            "cos",
            "tan",
            "asin",
            "acos",
            "atan",
            "exp",
            "log",
            "log2",
            "log10",
            "pow",
            "sinh",
            "cosh",
            "tanh",
            "arcsin",
            "arccos",
            "arctan",
        ),
        (
            "Functions of <cmath> on double. `math` calls the same C library as std:: does, so "
            "equal arguments give equal bits on one machine; numpy has versions of its own of "
            "some (np.tanh, and others by processor), whose last bits may differ, so the tolerance "
            "must allow it. Never use the float versions (sinf, std::sin(float)). Outside their "
            "domain `math` raises ValueError, and OverflowError where the result is too large; "
            "C++ and numpy return NaN and infinity."
        ),
    ),
    (
        _math("sqrt"),
        (
            "std::sqrt on double is correctly rounded, like math.sqrt and np.sqrt; of a negative "
            "number math.sqrt raises ValueError, the others give NaN."
        ),
    ),
    (
        _is_float32,
        (
            "Single precision on purpose: the values here are `float`, and are rounded to it where "
            "the source does. numpy keeps an operation of float32 arrays with Python numbers in "
            "float32, and rounds the number to it first: `a * 0.1` is `a * 0.1f`."
        ),
    ),
    (
        _is_small_integer,
        (
            "numpy's integers of fixed width wrap around silently; use the same width, unsigned "
            "where the source is. C++ computes narrow ones as int, so convert each result back, "
            "and compute signed ones that may wrap as unsigned, since their overflow is undefined."
        ),
    ),
    (
        _operator(ast.LShift, ast.RShift, ast.BitAnd, ast.BitOr, ast.BitXor),
        (
            "Bit operations: Python's integers have no width and numpy's have; `>>` of a negative "
            "number keeps the sign. On masks of numpy, `&` and `|` are logical, element by "
            "element, without short circuit."
        ),
    ),
    (
        _is_nanosecond_float,
        (
            "Times are subtracted as 64-bit integers of nanoseconds and only then become seconds, "
            "by the very operation written."
        ),
    ),
    (_is_negative_index, "A negative index counts from the end."),
    (
        _is_over_dictionary,
        (
            "Dictionaries are iterated in the order of insertion; std::map sorts, "
            "std::unordered_map has none."
        ),
    ),
    (
        _call("sorted", "*.sort", "np.argsort", "np.sort", "*.argsort"),
        (
            "Python's sort is stable: std::stable_sort. numpy's is not unless kind='stable' is "
            "given. NaN sorts last in numpy only."
        ),
    ),
    (
        _call("np.argmin", "np.argmax", "*.argmin", "*.argmax"),
        "argmin and argmax give the first of equal values; NaN wins over any number.",
    ),
    (
        lambda node: (
            isinstance(node, ast.Attribute)
            and ast.unparse(node).startswith(("random.", "np.random.", "numpy.random."))
        ),
        (
            "Random numbers: another generator gives other outputs. The algorithm and seed must be "
            "the same, or distributions be compared."
        ),
    ),
]
