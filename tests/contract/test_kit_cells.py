"""What the kit says that a column holds, it holds: it is stored, exported and comes back as told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import marshmallow as ma
import pytest
import sqlalchemy as sa
from hypothesis import strategies as st
from marshmallow import fields, validate
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.orm import mapped_column

from lading import Catalog, export_all, import_all
from lading.database.dialects.mariadb_declared import DeclaredMariaDBColumns
from lading.database.live import database_for
from lading.model.rowsets import Value
from lading.testing.cell_values.cells import Cells
from lading.testing.cell_values.harmless import sampled
from lading.testing.cell_values.storable import written_key
from lading.values.arrays import Array
from lading.values.scalars import Json
from support.backends import Backend
from support.columns import CLOCK, FLOAT, INSTANT, MARIADB, MOMENT
from support.declaring import new_base, schema_for
from support.depth import examples
from support.drawn.kit import Colour, Instant, Lowered, Rank, Slug, State, Tags
from support.edges import TYPES
from support.raw import raw_values
from support.rewriting import entity_bytes
from support.zoo import listed

#: How many hostile values are drawn for each column.
DRAWN = examples(8)
PLAIN = 5


def on_mariadb(type_: Any, there: Any) -> Any:
    """A type that is another on MariaDB."""
    return type_.with_variant(there, *MARIADB)


MORE: dict[str, Any] = {
    "moment": MOMENT,
    "instant": INSTANT,
    "clock": CLOCK,
    "measure": FLOAT,
    "jsonb": sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
    "latin": on_mariadb(sa.String(9), mysql.VARCHAR(9, charset="latin1")),
    "ascii": on_mariadb(sa.String(9), mysql.VARCHAR(9, charset="ascii")),
    "utf8mb3": on_mariadb(sa.Text(), mysql.TEXT(charset="utf8mb3")),
    "ucs2": on_mariadb(sa.Text(), mysql.TINYTEXT(charset="ucs2")),
    "tiny-text": on_mariadb(sa.Text(), mysql.TINYTEXT()),
    "sized-text": on_mariadb(sa.Text(), mysql.TEXT(50)),
    "binary-text": on_mariadb(sa.String(9), mysql.VARCHAR(9, collation="utf8mb4_bin")),
    "tiny-int": on_mariadb(sa.SmallInteger(), mysql.TINYINT()),
    "medium-int": on_mariadb(sa.Integer(), mysql.MEDIUMINT(unsigned=True)),
    "unsigned": on_mariadb(sa.Integer(), mysql.INTEGER(unsigned=True)),
    "unsigned-big": on_mariadb(sa.BigInteger(), mysql.BIGINT(unsigned=True)),
    "unsigned-decimal": on_mariadb(sa.Numeric(9, 3), mysql.NUMERIC(9, 3, unsigned=True)),
    "fewer-digits": on_mariadb(sa.Numeric(9, 3), mysql.NUMERIC(7, 2)),
    "small-decimal": sa.Numeric(3, 3),
    "wide-decimal": sa.Numeric(38, 0),
    "single": sa.Float(24),
    "timestamp": on_mariadb(sa.TIMESTAMP(), mysql.TIMESTAMP(fsp=6)),
    "zoned-timestamp": on_mariadb(sa.TIMESTAMP(timezone=True), mysql.TIMESTAMP()),
    "coarse-time": sa.Time().with_variant(postgresql.TIME(precision=0), "postgresql"),
    "coarse-moment": sa.DateTime().with_variant(postgresql.TIMESTAMP(precision=3), "postgresql"),
    "coarse-zoned": sa.Time(timezone=True).with_variant(
        postgresql.TIME(timezone=True, precision=2), "postgresql"
    ),
    "days": sa.Interval().with_variant(postgresql.INTERVAL(fields="DAY TO MINUTE"), "postgresql"),
    "fine-interval": sa.Interval(second_precision=6),
    "fixed-bytes": sa.LargeBinary(8).with_variant(mysql.BINARY(8), *MARIADB),
    "var-bytes": sa.LargeBinary().with_variant(mysql.VARBINARY(6), *MARIADB),
    "uuid-char": sa.Uuid(native_uuid=False),
    "uuid-char-text": sa.Uuid(as_uuid=False, native_uuid=False),
    "rank": sa.Enum(Rank, name="kit_rank"),
    "colour": sa.Enum(Colour, name="kit_colour", native_enum=False, create_constraint=True),
    "state": sa.Enum(State, name="kit_state", values_callable=lambda e: [m.value for m in e]),
    "lowered": Lowered(),
    "slug": Slug(),
    "tuples": listed(sa.Integer, dimensions=2, as_tuple=True),
    "cubes": listed(sa.String(3), dimensions=3),
    "single-floats": listed(sa.REAL, dimensions=1),
    "zoned-times": sa.ARRAY(sa.Time(timezone=True)),
    "chars": listed(sa.CHAR(3)),
    "nchar": sa.NCHAR(4),
    "one-letter": sa.String(1),
}


def is_even(value: int) -> None:
    """A validator of an application's own."""
    if value % 2:
        raise ma.ValidationError("is odd")


#: Fields of an application's own, with the type of their column.
DECLARED: dict[str, tuple[Any, Any]] = {
    "email": (sa.String(60), fields.Email()),
    "url": (sa.String(200), fields.Url()),
    "code": (sa.String(8), fields.String(validate=validate.Regexp(r"[A-Z]{2}-\d{3}$"))),
    "begins": (sa.Text(), fields.String(validate=validate.Regexp(r"ab|c"))),
    "named": (sa.String(20), fields.String(validate=validate.Length(min=3, max=5))),
    "one-of": (sa.String(20), fields.String(validate=validate.OneOf(["kg", "g", "ml"]))),
    "none-of": (sa.String(20), fields.String(validate=validate.NoneOf(["a", "", "none-of-1"]))),
    "bounded": (sa.Integer(), fields.Integer(validate=validate.Range(min=10, max=14))),
    "even": (sa.Integer(), fields.Integer(validate=[validate.Range(min=0), is_even])),
    "priced": (
        sa.Numeric(9, 2),
        fields.Decimal(as_string=True, validate=validate.Range(min=0, min_inclusive=False)),
    ),
    "dated": (sa.Date(), fields.Date(validate=validate.Range(min=dt.date(2020, 1, 1)))),
    "aware": (Instant(), fields.AwareDateTime()),
    "tags": (Tags(), fields.List(fields.String(validate=validate.OneOf(["x", "y"])))),
    "pickled": (sa.PickleType(), fields.List(fields.Integer())),
    "pickled-tuple": (sa.PickleType(), fields.Tuple((fields.String(), fields.Integer()))),
    "pickled-object": (
        sa.PickleType(),
        fields.Dict(fields.String(), fields.Decimal(as_string=True)),
    ),
    "pickled-enum": (sa.PickleType(), fields.Enum(Colour)),
    "document": (sa.JSON(), fields.List(fields.Integer())),
    "mapping": (sa.JSON(), fields.Dict(keys=fields.String(), values=fields.Integer())),
    "nested": (
        sa.JSON(),
        fields.Nested(ma.Schema.from_dict({"a": fields.Integer(), "b": fields.List(fields.Str())})),
    ),
}


def wanted(dialect: str) -> dict[str, tuple[Any, Any]]:
    """Return the columns that a dialect has, with their fields."""
    found = {name: (type_, None) for name, type_ in {**TYPES, **MORE}.items()}
    return {name: pair for name, pair in {**found, **DECLARED}.items() if has(pair[0], dialect)}


def has(type_: Any, dialect: str) -> bool:
    """Tell whether a dialect can make a column of a type, and lading takes it there."""
    from lading.testing.cell_values.storable import codecs_of

    codecs = codecs_of(dialect)
    try:
        codecs.dialect.type_compiler_instance.process(type_, type_expression=sa.Column("c", type_))
    except sa.exc.CompileError:
        return False
    return codecs.refusal(type_) is None


class Moving:
    """A table of one column for each type, and what is drawn for it."""

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self.base = new_base()
        self.catalog = Catalog("cells")
        self.models: dict[str, Any] = {}
        for name, (type_, field) in wanted(dialect).items():
            self.declare(name.replace("-", "_"), type_, field)
        self.rows = {rows.name: rows for rows in self.catalog.use().all_rows()}
        #: How the values of each entity are drawn.
        self.cells = {n: Cells(self.value(n).column, self.value(n)) for n in self.models}

    def declare(self, name: str, type_: Any, field: Any) -> None:
        """Declare an entity whose records have a key and one value of this type."""
        columns = {
            "__tablename__": name,
            "slug": mapped_column(sa.String(20), primary_key=True),
            "value": mapped_column(type_, nullable=True),
        }
        model = type(name.title(), (self.base,), columns)
        schema_for(model, self.catalog, {} if field is None else {"value": field})
        self.models[name] = model

    def value(self, name: str) -> Value:
        """Return the member of an entity's value."""
        return next(item for item in self.rows[name].values if item.name == "value")


def drawn(made: Moving) -> dict[str, list[Any]]:
    """Return the values of each column that the dialect is said to hold, each once."""
    cells = made.cells
    rows = sampled(st.fixed_dictionaries({n: one.hostile for n, one in cells.items()}), DRAWN)
    found = {}
    for name, one in cells.items():
        kind = made.value(name).kind
        values = [*(one.plain(n) for n in range(PLAIN)), *(row[name] for row in rows)]
        held = [value for value in values if one.holds(value, made.dialect)]
        found[name] = list({written_key(kind, value): value for value in held}.values())
    return found


@pytest.fixture(scope="module")
def moving(backend: Backend) -> Iterator[tuple[Moving, sa.Engine, sa.Engine]]:
    """Two databases of one engine, with the tables of every type."""
    made = Moving(backend.dialect)
    with (
        backend.database(made.base.metadata) as first,
        backend.database(made.base.metadata) as second,
    ):
        yield made, first, second


def test_what_a_column_is_said_to_hold_goes_round(
    moving: tuple[Moving, sa.Engine, sa.Engine], tmp_path: Path
) -> None:
    """Nothing is refused, and what an import stores is what Core stored."""
    made, first, second = moving
    problems = []
    for name, values in drawn(made).items():
        assert values, name
        rows = [{"slug": f"{n:04}", "value": item} for n, item in enumerate(values)]
        with first.begin() as connection:
            connection.execute(sa.insert(made.models[name].__table__), rows)
        cells = made.cells[name]
        told = [cells.returned(item, made.dialect) for item in values]
        problems += returned(first, made.models[name], made.value(name), told)
    assert not problems, "\n".join(problems)
    export_all(first, tmp_path / "a", catalog=made.catalog)
    import_all(second, tmp_path / "a", catalog=made.catalog)
    export_all(second, tmp_path / "b", catalog=made.catalog)
    assert entity_bytes(tmp_path / "a") == entity_bytes(tmp_path / "b")
    before = raw_values(first, made.base.metadata)
    after = raw_values(second, made.base.metadata)
    for name in made.models:
        if not holds_json_texts(made.value(name).kind):
            assert before[name] == after[name], name


def holds_json_texts(kind: Any) -> bool:
    """Tell whether a column is an array of JSON, whose items' texts may be spaced otherwise."""
    return isinstance(kind, Array) and isinstance(kind.item, Json)


def returned(engine: sa.Engine, model: Any, value: Value, values: list[Any]) -> list[str]:
    """Return the values that Core doesn't give back as the kit has told."""
    table = model.__table__
    if is_cut(table.c.value.type.dialect_impl(engine.dialect)):
        return []
    with engine.connect() as connection:
        found = connection.execute(sa.select(table.c.value).order_by(table.c.slug)).scalars().all()
    return [
        f"{table.name}: {given!r} became {back!r}"
        for given, back in zip(values, found, strict=True)
        if written_key(value.kind, given) != written_key(value.kind, restored(given, back))
    ]


def is_cut(type_: Any) -> bool:
    """Tell whether SQLAlchemy or the server shows numbers with fewer digits than are stored."""
    if isinstance(type_, sa.Float):
        return bool(type_.asdecimal) or isinstance(type_, mysql.FLOAT)
    return isinstance(type_, sa.Numeric) and type_.scale is None


def restored(given: Any, back: Any) -> Any:
    """Return a value from the database with what engines or drivers leave out of it."""
    if back is None:
        return sa.JSON.NULL if given is sa.JSON.NULL else None
    if isinstance(given, dt.datetime) and given.tzinfo is not None and back.tzinfo is None:
        return back.replace(tzinfo=dt.UTC)
    if isinstance(given, list | tuple) and isinstance(back, list | tuple):
        return type(given)(map(restored, given, back))
    return float(back) if isinstance(given, float) and not isinstance(back, float) else back


#: Types of MariaDB's own, which no column above has.
SPECIAL = (
    *(sa.Text(300), sa.Text(100_000), sa.LargeBinary(300), sa.LargeBinary(70_000), sa.Unicode(6)),
    *(sa.NVARCHAR(6), mysql.CHAR(3, ascii=True), mysql.VARCHAR(3, unicode=True), mysql.LONGTEXT()),
    *(mysql.VARCHAR(3, national=True), mysql.VARCHAR(3, binary=True), mysql.MEDIUMTEXT()),
    *(sa.String(9, collation="latin1_swedish_ci"), sa.Float(53), sa.Float(24), mysql.FLOAT(7, 3)),
    *(mysql.DOUBLE(9, 2), mysql.DOUBLE(), sa.Numeric(12), mysql.TINYINT(1), sa.VARBINARY(8)),
    *(mysql.BIGINT(unsigned=True, zerofill=True), sa.BINARY(8), mysql.TINYBLOB(), mysql.JSON()),
    *(mysql.LONGBLOB(), mysql.TIMESTAMP(fsp=3), mysql.YEAR(), mysql.ENUM("a", "b(c"), sa.Boolean()),
)


def told(column: Any, columns: Any) -> dict[str, Any]:
    """Return what is told of a column, as far as values are checked by it."""
    stored = columns(column)
    known = {
        name: getattr(stored, name)
        for name in ("type", "charset", "characters", "range", "fraction", "is_unsigned")
    }
    if stored.type.endswith(("text", "blob", "binary", "char")):
        known["octets"] = stored.octets
    if stored.type == "decimal" or stored.scale is not None:
        known["digits"] = (stored.precision, stored.scale) if stored.range is None else None
    return known


def test_what_mariadb_makes_of_a_column_is_foreseen(mariadb: Backend) -> None:
    """Its DDL tells what the server will say of it."""
    types = [*(type_ for type_, _ in wanted("mariadb").values()), *SPECIAL]
    metadata = sa.MetaData()
    tables = [sa.Table(f"t{n}", metadata, sa.Column("c", type_)) for n, type_ in enumerate(types)]
    tables += [
        sa.Table("latin", metadata, sa.Column("c", sa.String(9)), mariadb_charset="latin1"),
        sa.Table("narrow", metadata, sa.Column("c", sa.Text(9)), mariadb_default_charset="utf8mb3"),
        sa.Table("sorted", metadata, sa.Column("c", sa.Text()), mariadb_collate="ascii_bin"),
    ]
    with mariadb.database(metadata) as engine, engine.connect() as connection:
        database = database_for(connection)
        database.look_up_columns(tables)
        server = database.dialect.columns
        foreseen = DeclaredMariaDBColumns(engine.dialect)
        for table in tables:
            assert told(table.c.c, foreseen) == told(table.c.c, server), repr(table.c.c.type)
