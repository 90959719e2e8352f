"""Django's ``dumpdata`` and ``loaddata`` with natural keys, over the same tables.

The models are what ``inspectdb`` would write, with a manager that has ``get_by_natural_key``,
as Django's documentation has it, and that joins references and
fetches links ahead, so that a dump needs no query a row.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.rivals.base import Rival
from bench.workloads import WORKLOADS, Workload
from lading.model.rowsets import Reference, RowSet

BACKENDS = {"sqlite": "sqlite3", "postgresql": "postgresql"}
#: Where SQLAlchemy's types go, the most special first.
FIELDS: tuple[tuple[type, str], ...] = (
    (sa.Enum, "CharField"),
    (sa.Uuid, "UUIDField"),
    (sa.Text, "TextField"),
    (sa.String, "CharField"),
    (sa.Boolean, "BooleanField"),
    (sa.Integer, "IntegerField"),
    (sa.Float, "FloatField"),
    (sa.Numeric, "DecimalField"),
    (sa.DateTime, "DateTimeField"),
    (sa.Date, "DateField"),
    (sa.JSON, "JSONField"),
)
#: What a table's natural key is made of: columns, and foreign keys to tables with keys of theirs.
Key = tuple[sa.Column[Any], ...]


class DjangoDumpdata(Rival):
    """Fixtures of one file."""

    name = "django"
    title = "Django dumpdata, loaddata"
    about = "--natural-foreign and --natural-primary; a manager that joins references for the dump"

    @classmethod
    def takes(cls, workload: Workload, engine: str) -> bool:
        """Its driver for MariaDB must be compiled, and it doesn't restore the bakery's cycle.

        Where tables form a cycle, a dump isn't in an order that loads: a required reference to
        a row that comes later is refused as null.
        """
        return engine in BACKENDS and workload.name != "bakery"

    def __init__(self, workload: Workload) -> None:
        super().__init__(workload)
        self.labels = django_models(workload)

    def export(self, source: sa.Engine, folder: Path) -> None:
        """Dump a fixture."""
        natural = {"natural_foreign": True, "natural_primary": True}
        output = str(folder / "fixture.json")
        call("dumpdata", *self.labels, database=source.url, output=output, **natural)

    def restore(self, target: sa.Engine, folder: Path) -> None:
        """Load the fixture."""
        call("loaddata", str(folder / "fixture.json"), database=target.url)


def call(command: str, *arguments: str, database: sa.URL, **options: Any) -> None:
    """Run a command on a database, and close the connection."""
    from django.core.management import call_command
    from django.db import connections

    alias = alias_of(database)
    try:
        call_command(command, *arguments, database=alias, verbosity=0, **options)
    finally:
        connections[alias].close()


@cache
def set_up() -> None:
    """Configure Django once; each workload's module is an application, whose label is its name."""
    import django
    from django.apps import apps
    from django.conf import settings

    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=[f"bench.workloads.{name}" for name in WORKLOADS],
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        USE_TZ=False,
        TIME_ZONE="UTC",
    )
    django.setup()
    for application in apps.get_app_configs():
        application.models_module = application.module  # else it has nothing to dump


@cache
def alias_of(url: sa.URL) -> str:
    """Return Django's alias of a database."""
    from django.db import connections

    options = {
        "ENGINE": f"django.db.backends.{BACKENDS[url.get_backend_name()]}",
        "NAME": url.database,
        "HOST": url.query.get("host", url.host) or "",
        "PORT": url.port or "",
        "USER": url.username or "",
        "PASSWORD": url.password or "",
    }
    alias = f"bench-{len(connections.settings)}"
    configured = connections.configure_settings({"default": options})
    connections.settings[alias] = configured["default"]
    return alias


@cache
def django_models(workload: Workload) -> tuple[str, ...]:
    """Declare a Django model for each mapped table, and return their labels."""
    set_up()
    tables = Tables(workload)
    for rows in tables.rows.values():
        tables.declare(rows)
    return tuple(map(tables.label, tables.rows))


class Tables:
    """The mapped tables of a workload, each with the columns of its natural key, if it has one."""

    def __init__(self, workload: Workload) -> None:
        self.app = workload.name
        self.rows = {rows.table: rows for rows in workload.catalog.use().all_rows()}
        referred = {key.column.table for table in self.rows for key in table.foreign_keys}
        self.keys = {table: key_columns(rows, referred) for table, rows in self.rows.items()}

    def label(self, table: sa.Table) -> str:
        """Name a model in the singular, for Django names the columns of link tables after it."""
        return f"{self.app}.{self.rows[table].mapper.class_.__name__}"

    def declare(self, rows: RowSet) -> None:
        """Declare the model of one table."""
        from django.db import models

        attributes: dict[str, Any] = {field_name(c): self.field(c) for c in rows.table.columns}
        for links in rows.links:
            attributes[links.attribute] = models.ManyToManyField(
                self.label(links.reference.target.table),
                db_table=links.table.name,
                related_name="+",
            )
        attributes |= self.with_natural_key(rows)
        options = {"app_label": self.app, "db_table": rows.table.name}
        attributes |= {"__module__": __name__, "Meta": type("Meta", (), options)}
        type(rows.mapper.class_.__name__, (models.Model,), attributes)

    def with_natural_key(self, rows: RowSet) -> dict[str, Any]:
        """Return the manager and the method that Django's documentation asks for."""
        from django.db import models

        paths = list(self.key_paths(self.keys[rows.table]))
        getters = [path.split("__") for path in paths]
        referring = tuple(column for column in rows.table.columns if column.foreign_keys)
        joined = [path.rpartition("__")[0] for path in self.key_paths(referring)]
        links = [each.attribute for each in rows.links]

        class Manager(models.Manager):  # type: ignore[type-arg, misc]
            """Finds rows by their natural key, and dumps them without a query a row."""

            def get_queryset(self) -> Any:
                queryset = super().get_queryset().prefetch_related(*links)
                return queryset.select_related(*joined) if joined else queryset

            def get_by_natural_key(self, *parts: Any) -> Any:
                return super().get_queryset().get(**dict(zip(paths, parts, strict=True)))

        def natural_key(self: Any) -> tuple[Any, ...]:
            return tuple(value_at(self, names) for names in getters)

        methods: dict[str, Any] = {"objects": Manager()}
        return {**methods, "natural_key": natural_key} if paths else methods

    def field(self, column: sa.Column[Any]) -> Any:
        """Return the Django field of a column."""
        from django.db import models

        options: dict[str, Any] = {"db_column": column.name, "null": column.nullable}
        if column.foreign_keys:
            (foreign_key,) = column.foreign_keys
            to = self.label(foreign_key.column.table)
            return models.ForeignKey(to, models.DO_NOTHING, related_name="+", **options)
        if column.primary_key:
            return models.AutoField(primary_key=True, db_column=column.name)
        name = next(name for type_, name in FIELDS if isinstance(column.type, type_))
        if name == "DecimalField":
            type_: Any = column.type
            options |= {"max_digits": type_.precision, "decimal_places": type_.scale}
        if name == "CharField":
            options["max_length"] = getattr(column.type, "length", None)
        field: Any = getattr(models, name)
        return field(unique=bool(column.unique), **options)

    def key_paths(self, columns: Key) -> Iterator[str]:
        """Yield the lookups of a key, such as ``building__site__slug``."""
        for column in columns:
            if not column.foreign_keys:
                yield field_name(column)
                continue
            (foreign_key,) = column.foreign_keys
            for path in self.key_paths(self.keys[foreign_key.column.table]):
                yield f"{field_name(column)}__{path}"


def key_columns(rows: RowSet, referred: set[sa.Table]) -> Key:
    """Return an entity's key; of an owned row that others refer to, what is unique."""
    if rows.parent is None:
        parts = [p.columns if isinstance(p, Reference) else (p.column,) for p in rows.key]
        return tuple(column for columns in parts for column in columns)
    if rows.table not in referred:
        return ()
    uniques = (c for c in rows.table.constraints if isinstance(c, sa.UniqueConstraint))
    keys = [tuple(each.columns) for each in uniques]
    return next((key for key in keys if not any(column.nullable for column in key)), ())


def value_at(obj: Any, names: list[str]) -> Any:
    """Follow names from an object."""
    for name in names:
        obj = getattr(obj, name)
    return obj


def field_name(column: sa.Column[Any]) -> str:
    """Return a foreign key's name without its end, as Django has it."""
    return column.name.removesuffix("_id") if column.foreign_keys else column.name
