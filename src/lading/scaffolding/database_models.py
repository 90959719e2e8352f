"""The models of a database's tables: written, tried out, and taken apart into statements."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from lading.adopting.left_out import is_version_table
from lading.adopting.reflection import reflected
from lading.adopting.repairs import LOST
from lading.catalog import Catalog
from lading.database.tables import adopted_entities
from lading.errors import ArgumentError, TargetError
from lading.mapping.engine_types import is_mariadb
from lading.messages import Message
from lading.scaffolding.code_layout import flat, imports, statement
from lading.scaffolding.loaded import fault_of_models

#: What a module of models has beside imports and tables' classes.
BASE = "class Base(DeclarativeBase):\n    pass"


@dataclass(slots=True)
class Models:
    """What a module of models consists of.

    ``names`` are those imported from each module, ``modules`` those imported whole; ``tables``
    maps full names of tables to the statement that declares each, a class or a ``Table``.
    ``left_out`` maps what has no model to the reason, and ``remarks`` say what was changed.
    """

    modules: set[str] = field(default_factory=set)
    names: dict[str, set[str]] = field(default_factory=dict)
    tables: dict[str, ast.stmt] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def source(self, docstring: str) -> str:
        """Return the module's source."""
        blocks = [f'"""{docstring}"""\n\n{self._imports()}', BASE]
        blocks += [lines_of(node) for node in self.tables.values()]
        return "\n\n\n".join(blocks) + "\n"

    def _imports(self) -> str:
        own = {module: names for module, names in self.names.items() if module == "typing"}
        others = {module: names for module, names in self.names.items() if module not in own}
        groups = [imports(self.modules, own), imports((), others)]
        return "\n\n".join(group for group in groups if group)


def lines_of(node: ast.stmt) -> str:
    """Return a class or statement as it stands in a module, without the last line's end."""
    if not isinstance(node, ast.ClassDef):
        return statement(node)
    lines = [f"class {node.name}({', '.join(map(flat, node.bases))}):"]
    part = None
    for child in node.body:
        if part not in (None, _part_of(child)):
            lines.append("")
        part = _part_of(child)
        lines.append(statement(child, 4))
    return "\n".join(lines)


def _part_of(child: ast.stmt) -> int:
    """Tell apart options, columns and relationships, between which a line stays empty."""
    value = getattr(child, "value", None)
    function = flat(value.func) if isinstance(value, ast.Call) else ""
    return {"relationship": 2, "mapped_column": 1, "Column": 1}.get(function, 0)


def models_of(
    bind: sa.Engine | sa.Connection,
    known: Any = None,
    *,
    is_one_sided: bool = False,
) -> Models:
    """Return the models of a database's tables, the richest that can be configured.

    Args:
        bind: An engine or connection.
        known: What is there already: a ``Surroundings``.
        is_one_sided: Whether only the side with the foreign key has a relationship.

    Raises:
        ArgumentError: sqlacodegen isn't installed.
        TargetError: The database can't be read, or no form of its models works.
    """
    generator = _generator()
    fault: Exception | None = None
    for options in generator.ATTEMPTS[is_one_sided:]:
        models, metadata = _reflected(bind)
        try:
            source = generator.generated(metadata, bind, options, known or generator.Surroundings())
        except Exception as error:  # sqlacodegen has no errors of its own
            fault = error
            continue
        _take(models, ast.parse(source))
        fault = fault_of_models(models.source("Models on trial."))
        if fault is None:
            if "norelationships" in options:
                models.remarks.append(
                    "models.py has no relationships, for none could be configured"
                )
            return models
    raise TargetError(
        Message(
            "models-unwritable",
            f"sqlacodegen writes no models for this database that can be used "
            f"({type(fault).__name__}: {fault}); expected models that can be configured",
        ),
        "Write the models yourself, and run lading init with --models module:Base.",
    ) from fault


def _generator() -> Any:
    """Return the module that needs sqlacodegen, whose import takes seconds."""
    try:
        from lading.scaffolding import generator
    except ImportError as error:
        raise ArgumentError(
            "init",
            "sqlacodegen",
            Message("package-missing", "an installed package"),
            "Run pip install 'lading[init]', or give lading init your --models.",
            subject="lading init writes models by sqlacodegen, which isn't installed",
        ) from error
    return generator


def known_names(
    class_names: dict[str, str],
    reserved: set[str],
    linkless: set[str] = frozenset(),  # type: ignore[assignment]
) -> Any:
    """Return what new models must fit; see ``generator.Surroundings``."""
    return _generator().Surroundings(class_names, reserved, linkless)


def _reflected(bind: sa.Engine | sa.Connection) -> tuple[Models, sa.MetaData]:
    """Reflect the tables to write; those that are left out, and lost references, are noted."""
    tables, left_out = reflected(bind, portable=not is_mariadb(bind.dialect))
    if not any(table.primary_key.columns and not is_version_table(table) for table in tables):
        adopted_entities(Catalog.from_metadata(bind))  # which says why there are none
    models = Models(left_out=dict(left_out))
    metadata = tables[0].metadata if tables else sa.MetaData()
    for table in tables:
        for column in table.columns:
            if isinstance(column.type, sa.DateTime) and column.type._variant_mapping:
                column.type = sa.DateTime(timezone=column.type.timezone)
            elif isinstance(column.type, sa.Time) and column.type._variant_mapping:
                column.type = sa.Time()
            if LOST in column.info:
                models.remarks.append(
                    f"{table.fullname}.{column.name} refers to {column.info[LOST]}, which isn't "
                    "among the tables"
                )
    return models, metadata


def _take(models: Models, module: ast.Module) -> None:
    """Take a generated module apart."""
    models.names["sqlalchemy.orm"] = {"DeclarativeBase"}
    for node in module.body:
        if isinstance(node, ast.Import):
            models.modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = models.names.setdefault(str(node.module), set())
            names |= {alias.name for alias in node.names}
        elif (table := table_name(node)) is not None:
            models.tables[table] = node
    if not any(isinstance(node, ast.ClassDef) for node in models.tables.values()):
        models.names.get("sqlalchemy", set()).discard("MetaData")
        for node in models.tables.values():
            _refer_to_base(node)


def _refer_to_base(node: ast.stmt) -> None:
    """Have a table stand in the metadata of ``Base``, which sqlacodegen spares without classes."""
    call: Any = getattr(node, "value", None)
    call.args[1] = ast.parse("Base.metadata", mode="eval").body


def table_name(node: ast.stmt) -> str | None:
    """Return the full name of the table that a statement declares, if it declares one."""
    if isinstance(node, ast.ClassDef):
        options = {
            flat(child.targets[0]): child.value
            for child in node.body
            if isinstance(child, ast.Assign)
        }
        name, arguments = options.get("__tablename__"), options.get("__table_args__")
        last = arguments.elts[-1] if isinstance(arguments, ast.Tuple) and arguments.elts else None
        mapping = arguments if isinstance(arguments, ast.Dict) else last
        schema = ast.literal_eval(mapping).get("schema") if isinstance(mapping, ast.Dict) else None
    elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
        if flat(node.value.func) != "Table":
            return None
        name = node.value.args[0]
        keywords = {keyword.arg: keyword.value for keyword in node.value.keywords}
        schema = ast.literal_eval(keywords["schema"]) if "schema" in keywords else None
    else:
        return None
    if not isinstance(name, ast.Constant):
        return None
    return f"{schema}.{name.value!s}" if schema else str(name.value)
