"""Components and ordinary nodes with a planted fault, made from their source: what a set of inputs
should tell from the original.

The faults are those of the mutation-testing literature (R. A. DeMillo, R. J. Lipton, F. G. Sayward,
"Hints on test data selection", 1978): another operator, comparison, constant or order of arguments,
a statement that is missing. Declarations and logging stay, since they are no part of what a
component computes.
"""

from __future__ import annotations

import ast
import copy
import importlib
import marshal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from ..component import Component, component_of
from ..component.source import Source, SourceModule, origin_of, source_of
from ..errors import UsageError

_SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
_COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_DECLARING = frozenset(
    {
        "create_client",
        "create_publisher",
        "create_service",
        "create_subscription",
        "create_timer",
        "declare_parameter",
        "declare_parameters",
    }
)
_LARGER = 1.1
_SHOWN = 60


@dataclass(frozen=True)
class Mutant:
    """A component, or a class of nodes, with one fault: at which line of which module, and what
    became of what."""

    module: str
    line: int
    fault: str
    _target: tuple[str, str] = field(repr=False)
    _code: CodeType = field(repr=False)
    _own_modules: tuple[str, ...] = field(repr=False)

    def __str__(self) -> str:
        return f"{self.module}:{self.line}: {self.fault}"

    def save(self, file: Path) -> None:
        """Write what a process needs for `plant`."""
        file.write_bytes(marshal.dumps((self.module, self._code)))

    def make(self) -> type[Component]:
        """The class of a component; raises UsageError if its module cannot be imported so."""
        module_name, name = self._target
        with _replaced(self.module, self._code, self._own_modules):
            try:
                module = importlib.import_module(module_name)
                made = component_of(getattr(module, name))
            except Exception as error:  # whatever the fault does to the module
                raise UsageError(f"{self}: {type(error).__name__}: {error}") from error
        if made is None:
            raise UsageError(f"{self}: no component is left")
        return made


def plant(file: Path) -> None:
    """Give this process the module that a mutant has saved, when it is imported."""
    name, code = marshal.loads(file.read_bytes())
    sys.meta_path.insert(0, _Faulty(name, code))


def mutants(component: type[Any]) -> list[Mutant]:
    """Every fault that can be planted into a component, or a class of nodes, and the functions of
    its own that it calls, in file order.

    Raises UsageError for one without source.
    """
    source = source_of(component)
    origin = origin_of(component)
    target = (origin.__module__, origin.__qualname__)
    own = tuple(part.module.name for part in source.modules)
    found = []
    for part in source.modules:
        for statement in _computing(part, source):
            for node, place, index, new in list(_faults(statement)):
                fault = _described(getattr(node, place), index, new)
                with _planted(node, place, index, new):
                    code = compile(part.module.tree, part.module.file, "exec")
                line = getattr(new, "lineno", getattr(node, "lineno", statement.lineno))
                found.append(Mutant(part.module.name, line, fault, target, code, own))
    return sorted(found, key=lambda mutant: (own.index(mutant.module), mutant.line))


def _computing(part: SourceModule, source: Source) -> Iterator[ast.stmt]:
    """The functions, methods and constants in which something is computed; declarations of ports
    are left out."""
    methods: list[ast.stmt] = []
    for statement in part.statements():
        if isinstance(statement, ast.ClassDef):
            methods += [one for one in statement.body if isinstance(one, ast.FunctionDef)]
        elif isinstance(statement, ast.FunctionDef):
            methods.append(statement)
    read = {
        node.id
        for other in source.modules
        for method in _functions(other)
        for node in ast.walk(method)
        if isinstance(node, ast.Name)
    }
    constants = [
        statement
        for statement in part.statements()
        if isinstance(statement, (ast.Assign, ast.AnnAssign))
        and any(isinstance(n, ast.Name) and n.id in read for n in ast.walk(statement))
    ]
    yield from sorted([*methods, *constants], key=lambda statement: statement.lineno)


def _functions(part: SourceModule) -> Iterator[ast.FunctionDef]:
    for statement in part.statements():
        for node in ast.walk(statement):
            if isinstance(node, ast.FunctionDef):
                yield node


_Fault = tuple[ast.AST, str, int | None, Any]
"""A node, its field, the index if the field is a list, and what to put there."""


def _faults(root: ast.stmt) -> Iterator[_Fault]:
    pending: list[ast.AST] = [root]
    while pending:
        node = pending.pop()
        if _is_logging(node) or _is_declaration(node):
            continue
        yield from _of_node(node)
        for place, value in ast.iter_fields(node):
            if place in ("annotation", "returns", "decorator_list", "args") and isinstance(
                node, (ast.FunctionDef, ast.AnnAssign, ast.arg)
            ):
                continue
            items = value if isinstance(value, list) else [value]
            for index, item in enumerate(items):
                if isinstance(item, ast.AST):
                    at = index if isinstance(value, list) else None
                    yield from _in_place(node, place, at, item)
                    pending.append(item)


def _of_node(node: ast.AST) -> Iterator[_Fault]:
    """Faults in the fields of a node that are no nodes with a line of their own."""
    if isinstance(node, (ast.BinOp, ast.AugAssign, ast.BoolOp)) and type(node.op) in _SWAPPED:
        yield node, "op", None, _SWAPPED[type(node.op)]()
    elif isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            for other in _COMPARED[type(operator)]:
                yield node, "ops", index, other()
    elif isinstance(node, ast.Call) and _can_swap(node):
        yield node, "args", None, [node.args[1], node.args[0], *node.args[2:]]


def _can_swap(node: ast.Call) -> bool:
    starred = any(isinstance(argument, ast.Starred) for argument in node.args)
    return len(node.args) > 1 and not starred and ast.dump(node.args[0]) != ast.dump(node.args[1])


def _in_place(parent: ast.AST, place: str, index: int | None, node: ast.AST) -> Iterator[_Fault]:
    """What may stand in the place of a node."""
    new: ast.AST | None = None
    if isinstance(node, ast.Constant) and not isinstance(parent, ast.Expr):
        value = _other(node.value)
        new = None if value is None else ast.Constant(value)
    elif isinstance(node, ast.UnaryOp):
        new = node.operand
    elif isinstance(node, (ast.Assign, ast.AugAssign, ast.Expr)) and not _is_docstring(node):
        new = None if _is_logging(node) or _is_declaration(node) else ast.Pass()
    if new is not None:
        yield parent, place, index, ast.copy_location(copy.deepcopy(new), node)


def _other(value: Any) -> Any:
    """Another constant of the same kind; None for what is left as it is."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, float):
        return value * _LARGER if value else 1.0
    return None


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_logging(node: ast.AST) -> bool:
    call = node.value if isinstance(node, ast.Expr) else node
    if not isinstance(call, ast.Call):
        return False
    called = f".{ast.unparse(call.func)}"
    return ".logger." in called or ".get_logger()." in called


def _is_declaration(node: ast.AST) -> bool:
    """Whether it is a statement in which an ordinary node declares what it promises."""
    if not isinstance(node, (ast.Assign, ast.AnnAssign, ast.Expr)) or node.value is None:
        return False
    return any(
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and (call.func.attr in _DECLARING or (call.func.attr == "__init__" and call.args))
        for call in ast.walk(node.value)
    )


@contextmanager
def _planted(node: ast.AST, place: str, index: int | None, new: Any) -> Iterator[None]:
    """The tree with a fault, meanwhile."""
    whole = getattr(node, place)
    if index is None:
        setattr(node, place, new)
    else:
        setattr(node, place, [*whole[:index], new, *whole[index + 1 :]])
    try:
        yield
    finally:
        setattr(node, place, whole)


def _described(whole: Any, index: int | None, new: Any) -> str:
    old = whole if index is None else whole[index]
    if isinstance(new, ast.Pass):
        return f"`{_text(old)}` is missing"
    if isinstance(new, list):
        return f"the arguments `{', '.join(map(_text, old))}` are swapped"
    if isinstance(new, (ast.operator, ast.cmpop, ast.boolop)):
        return f"{_operator(old)} became {_operator(new)}"
    return f"`{_text(old)}` became `{_text(new)}`"


def _operator(operator: ast.AST) -> str:
    left, right = ast.Name("a"), ast.Name("b")
    expression: ast.expr
    if isinstance(operator, ast.operator):
        expression = ast.BinOp(left, operator, right)
    elif isinstance(operator, ast.cmpop):
        expression = ast.Compare(left, [operator], [right])
    else:
        assert isinstance(operator, ast.boolop)
        expression = ast.BoolOp(operator, [left, right])
    return f"`{ast.unparse(expression)[2:-2]}`"


def _text(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


class _Faulty(MetaPathFinder, Loader):
    """Gives one module with other code."""

    def __init__(self, name: str, code: CodeType) -> None:
        self._name = name
        self._code = code

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        return spec_from_loader(fullname, self, origin=self._code.co_filename)

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = self._code.co_filename
        exec(self._code, vars(module))  # noqa: S102 - the user's own component, with a fault


@contextmanager
def _replaced(name: str, code: CodeType, own_modules: Sequence[str]) -> Iterator[None]:
    """Imports give modules of their own meanwhile, one of them with other code; what was imported
    before stays."""
    before = {one: sys.modules.pop(one) for one in own_modules if one in sys.modules}
    parents = {
        one: vars(sys.modules[one.rpartition(".")[0]])
        for one in own_modules
        if one.rpartition(".")[0] in sys.modules
    }
    attributes = {one: vars_.get(one.rpartition(".")[2]) for one, vars_ in parents.items()}
    finder = _Faulty(name, code)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for one in own_modules:
            sys.modules.pop(one, None)
        sys.modules.update(before)
        for one, attribute in attributes.items():
            parents[one][one.rpartition(".")[2]] = attribute
