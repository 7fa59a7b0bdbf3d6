"""The part of a Python module that some of its statements need: the definitions they use, and those
in turn."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field


@dataclass
class ModuleText:
    """A parsed module; `bindings` has the top-level statement of each name, the last one that binds
    it."""

    name: str
    file: str
    text: str
    tree: ast.Module = field(init=False)
    bindings: dict[str, ast.stmt] = field(init=False)
    _imported: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self.tree = ast.parse(self.text)
        self.bindings = {
            name: statement for statement in self.tree.body for name in _bound(statement)
        }
        self._imported = {
            name
            for name, statement in self.bindings.items()
            if isinstance(statement, (ast.Import, ast.ImportFrom))
        }

    def needed(self, names: Iterable[str]) -> set[str]:
        """These names and all that their definitions use of this module, directly or not.

        With what statements use that change them after they are defined.
        """
        found: set[str] = set()
        seen: set[int] = set()
        pending = set(names) & self.bindings.keys()
        while pending:
            found |= pending
            fresh = [one for one in self.statements(found) if id(one) not in seen]
            seen |= {id(one) for one in fresh}
            pending = set().union(*(used(one) | _bound(one) for one in fresh))
            pending = (pending & self.bindings.keys()) - found
        return found

    def statements(self, names: Iterable[str]) -> Iterator[ast.stmt]:
        """The statements that bind or may change these names, in file order; no imports."""
        chosen = set(names)
        for statement in self.tree.body:
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                continue
            if (_bound(statement) | self._changed(statement)) & chosen:
                yield statement

    def unused(self, names: Iterable[str]) -> list[str]:
        """What an excerpt of these names leaves out: names that it binds, in file order."""
        chosen = set(names)
        left = [
            name
            for statement in self.tree.body
            if not isinstance(statement, (ast.Import, ast.ImportFrom))
            for name in sorted(_bound(statement) - chosen)
        ]
        return list(dict.fromkeys(left))

    def excerpt(self, names: Iterable[str]) -> str:
        """The docstring of the module, and the statements that bind or change these names, in file
        order.

        Comments above a statement belong to it; imports are those of these names alone.
        """
        chosen = set(names)
        wanted_here = {id(statement) for statement in self.statements(chosen)}
        parts = [self._segment(self.tree.body[0], 0)] if ast.get_docstring(self.tree) else []
        imports: list[str] = []
        end = 0
        for statement in self.tree.body:
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                bound = _bound(statement) & chosen
                wanted = [a for a in statement.names if (a.asname or a.name.split(".")[0]) in bound]
                if wanted:
                    imports.append(ast.unparse(_only(statement, wanted)))
            elif id(statement) in wanted_here:
                parts += ["\n".join(imports)] if imports else []
                imports = []
                parts.append(self._segment(statement, end))
            end = statement.end_lineno or end
        return "\n\n".join(parts) + "\n"

    def _changed(self, statement: ast.stmt) -> set[str]:
        """The names whose values a top-level statement may change, beside those that it binds."""
        if isinstance(statement, _DEFINITIONS) or _is_main_guard(statement):
            return set()
        if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
            return _stored_into(statement) | (_called(statement) - self._imported)
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            return set()
        # Whatever is called may change what it is given, or knows.
        reached: set[str] = set()
        pending = used(statement)
        while pending:
            reached |= pending
            pending = {
                name
                for known in pending & self.bindings.keys()
                for name in used(self.bindings[known])
            } - reached
        return reached

    def _segment(self, statement: ast.stmt, previous_end: int) -> str:
        """The lines of a statement, with decorators and the comments right above."""
        lines = self.text.splitlines()
        decorators = getattr(statement, "decorator_list", [])
        start = min([statement.lineno, *(item.lineno for item in decorators)]) - 1
        while start > previous_end and lines[start - 1].lstrip().startswith("#"):
            start -= 1
        return "\n".join(lines[start : statement.end_lineno])


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)


def _is_main_guard(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and "__name__" in used(statement.test)


def _stored_into(statement: ast.stmt) -> set[str]:
    """What an assignment stores an item or an attribute of."""
    kinds = (ast.Attribute, ast.Subscript)
    nodes = (node for node in ast.walk(statement) if isinstance(node, kinds))
    return set().union(*(_base(node) for node in nodes if isinstance(node.ctx, ast.Store)))


def _called(statement: ast.stmt) -> set[str]:
    """What a statement calls a method of."""
    calls = (node.func for node in ast.walk(statement) if isinstance(node, ast.Call))
    return set().union(*(_base(func) for func in calls if isinstance(func, ast.Attribute)))


def _base(node: ast.AST) -> set[str]:
    """The name that stands before all dots and brackets."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def used(node: ast.AST) -> set[str]:
    """The names that a piece of code reads; quoted annotations too."""
    return set(_used(node))


def _used(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            yield inner.id
        elif isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            if inner.value.isidentifier():
                yield inner.value
        elif isinstance(inner, ast.arg):
            yield inner.arg  # a pytest fixture is used by its name


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a top-level statement binds."""
    names: set[str] = set()
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {statement.name}
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
    return names


def _only(statement: ast.Import | ast.ImportFrom, names: list[ast.alias]) -> ast.stmt:
    if isinstance(statement, ast.Import):
        return ast.Import(names=names)
    return ast.ImportFrom(module=statement.module, names=names, level=statement.level)
