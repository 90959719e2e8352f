"""Renders a drawn application as Python text, and runs that text."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lading import Catalog
from support.drawn.spec import App, Column, ForeignKey, LinkTable, Schema, Table, Unique

PRELUDE = """\
import datetime as dt
from uuid import uuid4

import marshmallow as ma
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import DeclarativeBase, column_property, mapped_column, relationship, synonym

from lading import Catalog, EntitySchema, Owned, Ref
from support.drawn.kit import (
    AWARE, CLOCK, ENDLESS, LISTED, LONG_ID, NAIVE, Cents, Colour, Instant, Lowered, Rank, Slug,
    State, Tags,
)

JSONB = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


class Base(DeclarativeBase):
    pass


catalog = Catalog("drawn", leaves_out={}, keep_ids=KEEPS)
"""


@dataclass
class Declared:
    """A drawn application that runs: its text and the objects that this made."""

    source: str
    names: dict[str, Any]

    @property
    def catalog(self) -> Catalog:
        """The catalog of all its schemas."""
        found: Catalog = self.names["catalog"]
        return found

    @property
    def second(self) -> Catalog | None:
        """A second catalog over some of the models, if there is one."""
        return self.names.get("second")

    @property
    def metadata(self) -> sa.MetaData:
        """The metadata of all models."""
        found: sa.MetaData = self.names["Base"].metadata
        return found


def declared(app: App) -> Declared:
    """Run an application's text."""
    text = source_of(app)
    names: dict[str, Any] = {"__name__": f"drawn_{app.seed}"}
    with warnings.catch_warnings():
        # That relationships overlap concerns the unit of work, which an import doesn't use.
        warnings.simplefilter("ignore", sa.exc.SAWarning)
        try:
            exec(compile(text, f"<drawn {app.seed}>", "exec"), names)
            names["Base"].registry.configure(cascade=True)
        except BaseException:
            if "Base" in names:  # mappers that can't be configured would spoil all others
                names["Base"].registry.dispose()
            raise
    return Declared(text, names)


def source_of(app: App) -> str:
    """Return the whole text."""
    parts = [PRELUDE.replace("KEEPS", str(app.keeps_ids))]
    parts += [_link(link) for link in app.links]
    parts += [_class(table) for table in app.tables]
    parts += [_schema(schema, "catalog") for schema in app.schemas]
    if app.second:
        parts.append('second = Catalog("second")\n')
        parts += [
            _schema(Schema(f"Second{table.model}Schema", table), "second") for table in app.second
        ]
    if app.twice:
        copies = [f"{table.model}.__table__.to_metadata(elsewhere)" for table in app.twice]
        parts.append("\n".join(["elsewhere = sa.MetaData()", *copies, ""]))
    return "\n\n".join(parts)


def _class(table: Table) -> str:
    base = table.base.model if table.base else "Base"
    lines = [f"class {table.model}({base}):"]
    if not table.single:
        lines.append(f"    __tablename__ = {table.name!r}")
    arguments = _arguments(table)
    if arguments:
        lines += ["    __table_args__ = (", *(f"        {item}," for item in arguments), "    )"]
    lines += [f"    {column.attr} = {_column(table, column)}" for column in table.columns]
    lines += [f"    {item.attr} = {item.source}" for item in table.relationships]
    lines += [f"    {text}" for text in table.extras]
    mapper = _mapper(table)
    if mapper:
        lines.append(f"    __mapper_args__ = {{{', '.join(mapper)}}}")
    return "\n".join(lines if len(lines) > 1 else [*lines, "    pass"]) + "\n"


def _mapper(table: Table) -> list[str]:
    items = []
    if table.discriminator is not None:
        items.append(f'"polymorphic_on": {table.discriminator.attr}')
    if table.identity is not None:
        items.append(f'"polymorphic_identity": {table.identity!r}')
    if table.base is not None and not table.single:
        key = table.columns[0].attr
        items.append(f'"inherit_condition": {key} == {table.base.model}.{key}')
    if table.keyless:
        key = ", ".join(column.attr for column in table.columns if column.pk)
        items.append(f'"primary_key": [{key}]')
    return items


def _column(table: Table, column: Column) -> str:
    parts = [repr(column.name), column.type]
    inline = [fk for fk in table.foreign_keys if fk.inline and fk.columns == (column,)]
    parts += [_foreign(fk) for fk in inline]
    named = [item for item in column.options if re.match(r"\w+=", item)]
    parts += [item for item in column.options if item not in named]
    if column.pk and not table.keyless:
        parts.append("primary_key=True")
    elif column.filled != "computed":
        parts.append(f"nullable={column.nullable}")
    return f"mapped_column({', '.join([*parts, *named])})"


def _foreign(fk: ForeignKey) -> str:
    return f"sa.ForeignKey({_far(fk)[0]!r})"


def _far(fk: ForeignKey) -> list[str]:
    return [f"{fk.target.fullname}.{column.name}" for column in fk.remote]


def _arguments(table: Table) -> list[str]:
    items = []
    for number, fk in enumerate(table.foreign_keys):
        if not fk.inline:
            own = [column.name for column in fk.columns]
            name = f"fk_{_plain(table)}_{number}"
            items.append(f"sa.ForeignKeyConstraint({own}, {_far(fk)}, name={name!r})")
    items += [_unique(table, number, unique) for number, unique in enumerate(table.uniques)]
    items += [
        f"sa.CheckConstraint({check.source}, name='ck_{_plain(table)}_{number}')"
        for number, check in enumerate(table.checks)
    ]
    if table.single and table.base is not None:
        return []
    if table.schema:
        items.append(f'{{"schema": {table.schema!r}}}')
    return items


def _plain(table: Table) -> str:
    return table.model.lower()


def _unique(table: Table, number: int, unique: Unique) -> str:
    names = ", ".join(repr(column.name) for column in unique.columns)
    options = ", postgresql_nulls_not_distinct=True" if unique.nulls_equal else ""
    if unique.style == "constraint":
        return f"sa.UniqueConstraint({names}{options})"
    if unique.where is not None:
        condition = f"sa.column({unique.where.name!r}).is_not(None)"
        options = f", sqlite_where={condition}, postgresql_where={condition}"
    return f"sa.Index('ix_{_plain(table)}_{number}', {names}, unique=True{options})"


def _link(link: LinkTable) -> str:
    lines = [f"{link.variable} = sa.Table(", f"    {link.name!r},", "    Base.metadata,"]
    keyed = ", primary_key=True" if link.keyed == "primary key" else ", nullable=False"
    for side in link.sides:
        for column in side.columns:
            foreign = f", {_foreign(side)}" if side.inline else ""
            lines.append(f"    sa.Column({column.name!r}, {column.type}{foreign}{keyed}),")
    if link.extra is not None:
        lines.append(f"    sa.Column({link.extra.name!r}, {link.extra.type}),")
    for side in link.sides:
        if not side.inline:
            own = [column.name for column in side.columns]
            lines.append(f"    sa.ForeignKeyConstraint({own}, {_far(side)}),")
    if link.keyed == "unique":
        names = [repr(column.name) for side in link.sides for column in side.columns]
        lines.append(f"    sa.UniqueConstraint({', '.join(names)}),")
    if link.schema:
        lines.append(f"    schema={link.schema!r},")
    return "\n".join([*lines, ")", ""])


def _schema(schema: Schema, catalog: str) -> str:
    lines = [f"class {schema.name}(EntitySchema):"]
    lines += [f"    {name} = {text}" for name, text in schema.fields.items()]
    lines += ["    class Meta:", f"        model = {schema.table.model}"]
    lines.append(f"        catalog = {catalog}")
    lines += [f"        {name} = {value!r}" for name, value in schema.meta.items()]
    return "\n".join(lines) + "\n"
