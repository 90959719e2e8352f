"""The module of models: written once, and later given the tables and columns that are new."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapper

from lading.scaffolding.code_layout import flat, statement
from lading.scaffolding.database_models import Models, known_names, lines_of, models_of, table_name
from lading.scaffolding.insertion import Module
from lading.scaffolding.loaded import is_mapped
from lading.scaffolding.memory import Memory
from lading.scaffolding.result import Scaffolding

DOCSTRING = """Models of {name}'s tables.

Written by lading init. Edit them as you like: another run only adds what is new in
the database.
"""
#: How a column is declared where its class lets it follow from what the database has.
_OPTIONS = ("__tablename__", "__table_args__")


def write_models(
    bind: sa.Engine | sa.Connection, path: Path, name: str, memory: Memory, result: Scaffolding
) -> dict[str, str]:
    """Write a module of all tables, and note what it says.

    Args:
        bind: An engine or connection of the database.
        path: The module's path.
        name: What the database is called.
        memory: Takes what was written.
        result: Takes what was done.

    Returns:
        The reasons for what the database has and no model.
    """
    models = models_of(bind)
    path.write_text(models.source(DOCSTRING.format(name=name)), "utf-8")
    memory.models = {table: parts_of(node) for table, node in models.tables.items()}
    result.added += [f"models.py: {_called(node)}" for node in models.tables.values()]
    result.remarks += models.remarks
    return models.left_out


def extend_models(
    bind: sa.Engine | sa.Connection,
    path: Path,
    classes: dict[str, type],
    memory: Memory,
    result: Scaffolding,
) -> dict[str, str]:
    """Add what is new in the database to a module; see ``write_models``.

    Args:
        bind: An engine or connection of the database.
        path: The module's path.
        classes: The mapped classes by the full names of their tables.
        memory: Says what was written before, and takes what is now.
        result: Takes what was done, and what would change.
    """
    module = Module(path)
    names = {table: cls.__name__ for table, cls in classes.items()}
    known = {name for node in module.tree.body if (name := table_name(node))} | set(names)
    reserved = module.bound_names() - set(names.values())
    mapped = set(classes)
    models = models_of(bind, known_names(names, reserved, mapped))
    alone = models
    new = set(models.tables) - known - set(memory.models)
    if new:
        # What is there refers to nothing that comes later, so only one side is written, and new
        # links are a class of their own, as are those that are there to what is new.
        linkless = mapped | new | known
        alone = models_of(bind, known_names(names, reserved, linkless), is_one_sided=True)
    _Extension(module, models, alone, classes, memory, result).extend(known)
    if module.is_changed:
        path.write_bytes(module.source().encode("utf-8"))
    result.remarks += models.remarks
    return models.left_out


@dataclass(slots=True)
class _Extension:
    """One run over a module that is there; ``alone`` has the forms of new tables."""

    module: Module
    models: Models
    alone: Models
    classes: dict[str, type]
    memory: Memory
    result: Scaffolding
    inserted: list[ast.stmt] = field(default_factory=list)

    def extend(self, known: set[str]) -> None:
        """Add tables and columns, and list what differs; ``known`` tables are declared."""
        for table, node in self.models.tables.items():
            if table in known and self._is_for_links(table) and isinstance(node, ast.ClassDef):
                self._name_class(table, node)
            elif table in known:
                self._compare(table, node)
            elif table in self.memory.models:
                self.result.remarks.append(
                    f"models.py has no class for {table} any more, so no bundle carries it"
                )
            else:
                self._add_table(table, self.alone.tables[table])
        for table in sorted(self.memory.models.keys() - self.models.tables.keys()):
            if table in known:
                self.result.changes.append(f"models.py: {table} is gone from the database")
            else:
                del self.memory.models[table]
        self._import()

    def _add_table(self, table: str, node: ast.stmt) -> None:
        self.module.append_block(lines_of(node))
        self.inserted.append(node)
        self.memory.models[table] = parts_of(node)
        self.result.added.append(f"models.py: {_called(node)}")

    def _compare(self, table: str, node: ast.stmt) -> None:
        """Add the columns that are new, and list what else the database has otherwise by now."""
        before = self.memory.models.get(table)
        after = parts_of(node)
        if before is None:
            self.memory.models[table] = after
            return
        written = self._written(table)
        for name, source in after.items():
            if before.get(name) == source:
                continue
            if written.get(name) == source:
                before[name] = source
            elif name in before or name in _OPTIONS:
                self.result.changes.append(f"models.py: {table}: {name} would be: {source}")
            elif name in written:
                before[name] = source
            elif not self._add_column(table, name, node):
                self.result.changes.append(f"models.py: {table} would have: {source}")
            else:
                before[name] = source
                written[name] = source
        self._name_missing(table, node, written)
        for name in sorted(before.keys() - after.keys()):
            if name in written:
                self.result.changes.append(f"models.py: {table}: {name} would be gone")
            else:
                del before[name]

    def _is_for_links(self, table: str) -> bool:
        """Tell whether the module declares a ``Table`` without a class, as one of links is."""
        return isinstance(self._declaring_node(table), ast.Assign)

    def _name_class(self, table: str, node: ast.ClassDef) -> None:
        """Say that a table of links has columns by now which need a class."""
        parts, written = parts_of(node), self._written(table)
        sources = [parts[name] for name in _columns(node) if name not in written]
        if sources:
            text = f"{table} holds more than links, and would be a class with: {'; '.join(sources)}"
            self.result.changes.append(f"models.py: {text}")
        self._name_missing(table, node, written)

    def _name_missing(self, table: str, node: ast.stmt, written: dict[str, str]) -> None:
        """Name the columns that the database has and the module's declaration lacks."""
        self.result.remarks += [
            f"models.py has no column {table}.{name}, so no bundle carries it"
            for name in _columns(node)
            if written and name not in written
        ]

    def _written(self, table: str) -> dict[str, str]:
        """Return what a class of the module declares, as it would be written."""
        cls, node = self.classes.get(table), self._declaring_node(table)
        written = parts_of(node) if node is not None else {}
        mapper: Any = sa.inspect(cls, raiseerr=False) if cls is not None else None
        if isinstance(mapper, Mapper):
            for column in mapper.local_table.columns:
                written.setdefault(str(column.name), "")
        return written

    def _declaring_node(self, table: str) -> ast.stmt | None:
        """Return the class or the ``Table`` by which the module declares a table."""
        cls = self.classes.get(table)
        node = self.module.class_named(cls.__name__) if cls is not None else None
        others = (other for other in self.module.tree.body if table_name(other) == table)
        return node or next(others, None)

    def _add_column(self, table: str, name: str, node: ast.stmt) -> bool:
        """Add a column's line behind those of its class; whether that can be done."""
        cls = self.classes.get(table)
        target = self.module.class_named(cls.__name__) if cls is not None else None
        child = _declaring(node, name)
        if target is None or child is None:
            return False
        places = [part for part in target.body if column_of(part) is not None] or target.body
        last = places[-1]
        self.module.insert(last.end_lineno or 0, statement(child, last.col_offset))
        self.inserted.append(child)
        self.result.added.append(f"models.py: {target.name}.{flat(_target(child))}")
        return True

    def _import(self) -> None:
        """Import what the inserted statements need."""
        used = {
            node.id
            for inserted in self.inserted
            for node in ast.walk(inserted)
            if isinstance(node, ast.Name)
        }
        wanted = {module: used & names for module, names in self.models.names.items()}
        for module, names in self.alone.names.items():
            wanted.setdefault(module, set()).update(used & names)
        modules = self.models.modules | self.alone.modules
        wanted.get("sqlalchemy.orm", set()).discard("DeclarativeBase")
        self.module.add_imports(wanted, sorted(used & modules))


def parts_of(node: ast.stmt) -> dict[str, str]:
    """Map a declaration's columns and options to their sources, on one line each."""
    if isinstance(node, ast.ClassDef):
        parts = {}
        for child in node.body:
            name = column_of(child)
            if name is None and isinstance(child, ast.Assign):
                name = flat(child.targets[0])
                name = name if name in _OPTIONS else None
            if name is not None:
                parts[name] = flat(child)
        return parts
    return {
        _column_name(argument) or flat(argument): flat(argument) for argument in _arguments(node)
    }


def _arguments(node: ast.stmt) -> list[ast.expr]:
    """Return what a ``Table`` is given behind its name and metadata."""
    return node.value.args[2:] if isinstance(node, ast.Assign) else []  # type: ignore[attr-defined]


def column_of(child: ast.stmt) -> str | None:
    """Return the name of the column that a statement of a class declares, if it does."""
    value = getattr(child, "value", None)
    if not isinstance(child, ast.AnnAssign | ast.Assign) or not isinstance(value, ast.Call):
        return None
    if flat(value.func).rpartition(".")[2] not in ("mapped_column", "Column"):
        return None
    return _column_name(value) or flat(_target(child))


def _columns(node: ast.stmt) -> list[str]:
    """Return the names of the columns that a class or a ``Table`` declares."""
    if isinstance(node, ast.ClassDef):
        return [name for child in node.body if (name := column_of(child)) is not None]
    return [name for argument in _arguments(node) if (name := _column_name(argument)) is not None]


def _column_name(call: ast.expr) -> str | None:
    """Return the name that a column's call begins with, if it does."""
    first = call.args[0] if isinstance(call, ast.Call) and call.args else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None


def _target(child: ast.stmt) -> ast.expr:
    assert isinstance(child, ast.AnnAssign | ast.Assign)
    return child.target if isinstance(child, ast.AnnAssign) else child.targets[0]


def _declaring(node: ast.stmt, column: str) -> ast.stmt | None:
    body = node.body if isinstance(node, ast.ClassDef) else []
    return next((child for child in body if column_of(child) == column), None)


def _called(node: ast.stmt) -> str:
    return node.name if isinstance(node, ast.ClassDef) else flat(_target(node))


def classes_of(models: Any) -> dict[str, type]:
    """Map the full names of tables to the mapped classes that a module names."""
    classes: dict[str, type] = {}
    for candidate in vars(models).values():
        if is_mapped(candidate):
            table = sa.inspect(candidate).local_table
            if isinstance(table, sa.Table):
                classes.setdefault(table.fullname, candidate)
    return classes
