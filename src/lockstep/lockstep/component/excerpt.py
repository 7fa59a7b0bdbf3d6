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

    def __post_init__(self) -> None:
        self.tree = ast.parse(self.text)
        self.bindings = {
            name: statement for statement in self.tree.body for name in _bound(statement)
        }

    def needed(self, names: Iterable[str]) -> set[str]:
        """These names and all that their definitions use of this module, directly or not."""
        found: set[str] = set()
        pending = [name for name in names if name in self.bindings]
        while pending:
            name = pending.pop()
            if name not in found:
                found.add(name)
                statement = self.bindings[name]
                if not isinstance(statement, (ast.Import, ast.ImportFrom)):
                    pending += used(statement) & self.bindings.keys()
        return found

    def excerpt(self, names: Iterable[str]) -> str:
        """The docstring of the module, and the statements that bind these names, in file order.

        Comments above a statement belong to it; imports are those of these names alone.
        """
        chosen = set(names)
        parts = [self._segment(self.tree.body[0], 0)] if ast.get_docstring(self.tree) else []
        imports: list[str] = []
        end = 0
        for statement in self.tree.body:
            bound = _bound(statement) & chosen
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                wanted = [a for a in statement.names if (a.asname or a.name.split(".")[0]) in bound]
                if wanted:
                    imports.append(ast.unparse(_only(statement, wanted)))
            elif bound and any(self.bindings[name] is statement for name in bound):
                parts += ["\n".join(imports)] if imports else []
                imports = []
                parts.append(self._segment(statement, end))
            end = statement.end_lineno or end
        return "\n\n".join(parts) + "\n"

    def _segment(self, statement: ast.stmt, previous_end: int) -> str:
        """The lines of a statement, with decorators and the comments right above."""
        lines = self.text.splitlines()
        decorators = getattr(statement, "decorator_list", [])
        start = min([statement.lineno, *(item.lineno for item in decorators)]) - 1
        while start > previous_end and lines[start - 1].lstrip().startswith("#"):
            start -= 1
        return "\n".join(lines[start : statement.end_lineno])


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
