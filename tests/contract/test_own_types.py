"""Types and fields of the application's own: what they lose is refused, and `stored` carries it."""

from __future__ import annotations

import datetime as dt
import enum
import json
import os
import uuid
from typing import Any

import marshmallow as ma
import pytest
import sqlalchemy as sa
from marshmallow import fields
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session, mapped_column

from lading import (
    Catalog,
    DeclarationError,
    TargetError,
    VersionError,
    export_all,
    export_document,
    import_all,
    import_document,
)
from lading.mapping.value_fields import travels_stored
from lading.model.shape import shape_of
from lading.testing import assert_round_trip, datasets
from support.backends import Backend
from support.declaring import new_base, schema_for
from support.raw import raw_values

SQL_NULL = sa.null()


class Sealed(sa.TypeDecorator[str]):
    """An encryption with a fresh nonce: each time another text."""

    impl, cache_ok = sa.String(400), True

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return None if value is None else os.urandom(4).hex() + value[::-1]

    def process_result_value(self, value: Any, dialect: Any) -> str | None:
        return None if value is None else value[8:][::-1]


class Hashed(sa.TypeDecorator[str]):
    """What is read can't be written again."""

    impl, cache_ok = sa.String(400), True

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return None if value is None else f"#{value}"


class JsonText(sa.TypeDecorator):  # type: ignore[type-arg]
    """JSON, kept as text, whose Python type nobody says."""

    impl, cache_ok = sa.Text, True

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return None if value is None else json.dumps(value)

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return None if value is None else json.loads(value)


class Guid(sa.TypeDecorator):  # type: ignore[type-arg]
    """A UUID where there is such a type, else its digits; nothing says what it gives."""

    impl, cache_ok = sa.CHAR, True

    def load_dialect_impl(self, dialect: Any) -> Any:
        is_native = dialect.name == "postgresql"
        return dialect.type_descriptor(postgresql.UUID() if is_native else sa.CHAR(32))

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return value.hex

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return value if value is None or isinstance(value, uuid.UUID) else uuid.UUID(value)


class AnyJson(sa.TypeDecorator):  # type: ignore[type-arg]
    """JSON where there is such a type, else its text."""

    impl, cache_ok = sa.Text, True

    def load_dialect_impl(self, dialect: Any) -> Any:
        is_native = dialect.name == "postgresql"
        return dialect.type_descriptor(postgresql.JSON() if is_native else sa.Text())

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return value if value is None or dialect.name == "postgresql" else json.dumps(value)

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return value if value is None or dialect.name == "postgresql" else json.loads(value)


class Reversed(sa.TypeDecorator[str]):
    """Says nothing, and gives text as its impl does."""

    impl, cache_ok = sa.Text, True

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return None if value is None else value[::-1]

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return None if value is None else value[::-1]


class Names(sa.TypeDecorator[str]):
    """Says that it gives text, and gives lists."""

    impl, cache_ok = sa.Text, True
    python_type = str  # type: ignore[assignment]

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return None if value is None else ",".join(value)

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return None if value is None else value.split(",")


class Document(sa.TypeDecorator):  # type: ignore[type-arg]
    """JSON that is checked on its way in."""

    impl, cache_ok = sa.JSON, True
    python_type = dict  # type: ignore[assignment]

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        assert value is None or isinstance(value, dict)
        return value

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return value


class Listed(sa.TypeDecorator):  # type: ignore[type-arg]
    """A list by its annotation alone."""

    impl, cache_ok = sa.JSON, True

    def process_result_value(self, value: Any, dialect: Any) -> list[Any] | None:
        return value


class Utc(sa.TypeDecorator[dt.datetime]):
    """Aware in, aware out, on engines with zones and without."""

    impl, cache_ok = sa.DateTime(timezone=True), True

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return None if value is None else value.astimezone(dt.UTC)

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return value if value is None or value.tzinfo else value.replace(tzinfo=dt.UTC)


class NaiveUtc(Utc):
    """The same over a column without a zone, which loses it for the driver."""

    impl, cache_ok = sa.DateTime, True

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return None if value is None else value.astimezone(dt.UTC).replace(tzinfo=None)


def thing(type_: Any, **options: Any) -> Any:
    """Map a table with a slug and a value of a type."""
    base = new_base()
    attributes = {
        "__tablename__": "things",
        "id": mapped_column(sa.Integer, primary_key=True),
        "slug": mapped_column(sa.String(50), unique=True, nullable=False),
        "value": mapped_column(type_, **options),
    }
    return type(base)("Thing", (base,), attributes)


def catalog_for(model: Any, field: Any = None, /, types: Any = None, **meta: Any) -> Catalog:
    """Declare the table, its value by a field of one's own if one is given."""
    catalog = Catalog("test", types=types)
    schema_for(model, catalog, {} if field is None else {"value": field}, **meta)
    return catalog


def fill(engine: sa.Engine, model: Any, values: list[Any]) -> None:
    """Insert a row for each value, as the application would."""
    with Session(engine) as session, session.begin():
        session.add_all([model(slug=f"s{n}", value=value) for n, value in enumerate(values)])


MOMENT = dt.datetime(2025, 12, 24, 18, 30, tzinfo=dt.timezone(dt.timedelta(hours=2)))


@pytest.mark.parametrize(
    ("type_", "values", "stored"),
    [
        (Sealed(), ["hunter2", None], None),
        (Hashed(), ["hunter2", None], "value"),
        (JsonText(), [{"b": 1, "a": [None]}, None], None),
        (Names(), [["a", "b"], None], "value"),
        (Guid(), [uuid.UUID(int=5), None], None),
        (AnyJson(), [{"b": 1, "a": [None]}, SQL_NULL], None),
        (sa.PickleType(), [{1, 2}, (1, 2), None], None),
        (Document(), [{"a": 1}, None, SQL_NULL], None),
        (Document(), [{"a": 1}, None, SQL_NULL], "value"),
        (Listed(), [[1, "a"], None, SQL_NULL], None),
        (Utc(), [MOMENT, None], None),
        (Utc(), [MOMENT, None], "value"),
        (NaiveUtc(), [MOMENT, None], None),
    ],
    ids=lambda item: type(item).__name__ if isinstance(item, sa.types.TypeEngine) else "",
)
def test_what_decorators_store_goes_round(
    backend: Backend, type_: Any, values: list[Any], stored: Any
) -> None:
    """Every cell comes back as it was, by its Python value or as it is stored."""
    model = thing(type_)
    catalog = catalog_for(model, stored=stored)
    with backend.database(model.metadata) as old, backend.database(model.metadata) as new:
        fill(old, model, values)
        document = export_document(old, catalog=catalog)
        import_document(new, document, catalog=catalog)
        assert raw_values(new, model.metadata) == raw_values(old, model.metadata)
        assert export_document(new, catalog=catalog)["things"] == document["things"]


def refused(engine: sa.Engine, model: Any, catalog: Catalog, value: Any) -> TargetError:
    """Return the error of an export of one value."""
    model.metadata.create_all(engine)
    fill(engine, model, [value])
    with pytest.raises(TargetError) as caught:
        export_document(engine, catalog=catalog)
    assert (caught.value.entity, caught.value.field) == ("things", "value")
    assert "s0" in str(caught.value)
    return caught.value


@pytest.fixture
def engine() -> Any:
    """A database in memory."""
    made = sa.create_engine("sqlite://")
    yield made
    made.dispose()


@pytest.mark.parametrize(
    ("type_", "field", "value", "told"),
    [
        (Hashed(), None, "a", "would be stored as"),
        (Sealed(), fields.String(), "a", "would be stored as"),
        (Names(), None, ["a"], "is not a string"),
        (JsonText(), fields.Integer(), {"a": 1}, "can't write"),
    ],
    ids=["one-way", "nonce", "other-type", "other-field"],
)
def test_a_type_that_does_not_undo_itself_names_the_remedy(
    engine: sa.Engine, type_: Any, field: Any, value: Any, told: str
) -> None:
    """The error says what to write, ready to be pasted, and that works."""
    model = thing(type_)
    error = refused(engine, model, catalog_for(model, field), value)
    assert told in error.problem
    removed = "" if field is None else "remove the field value, and "
    assert error.remedy == (
        f"To let the stored value travel as it is, {removed}write stored = ('value',) in the Meta "
        "of ThingSchema."
    )
    again = sa.create_engine("sqlite://")
    model.metadata.create_all(again)
    catalog = catalog_for(model, stored=("value",))
    import_document(again, export_document(engine, catalog=catalog), catalog=catalog)
    assert raw_values(again, model.metadata) == raw_values(engine, model.metadata)
    again.dispose()


class Coloured(enum.Enum):
    """Names over values of another kind."""

    RED = 1
    BLUE = 2


class Public(sa.TypeDecorator[str]):
    """Text, or an enum's member, over numbers."""

    impl, cache_ok = sa.Integer, True

    def __init__(self, impl: Any, python: Any, bind: Any, undo: Any) -> None:
        super().__init__()
        self.impl, self.python, self.bind, self.undo = impl(), python, bind, undo

    @property
    def python_type(self) -> Any:
        return self.python

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return None if value is None else self.bind(value)

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return None if value is None else self.undo(value)


@pytest.mark.parametrize(
    ("impl", "python", "bind", "undo", "value"),
    [
        (sa.Integer, str, lambda text: int(text[4:]), "usr_{}".format, "usr_5"),
        (sa.Double, str, float, repr, "2.5"),
        (sa.Boolean, str, "yes".__eq__, lambda stored: "yes" if stored else "no", "yes"),
        (sa.Integer, Coloured, lambda member: member.value, Coloured, Coloured.BLUE),
        (sa.Integer, uuid.UUID, int, lambda number: uuid.UUID(int=number), uuid.UUID(int=5)),
    ],
    ids=["integers", "floats", "booleans", "enums", "uuids"],
)
def test_texts_that_are_stored_as_numbers_go_round(
    engine: sa.Engine, impl: Any, python: Any, bind: Any, undo: Any, value: Any
) -> None:
    """What a column of numbers must not turn into one is the driver's text, not the decorator's."""
    model = thing(Public(impl, python, bind, undo))
    catalog = catalog_for(model)
    model.metadata.create_all(engine)
    fill(engine, model, [value, None])
    again = sa.create_engine("sqlite://")
    model.metadata.create_all(again)
    import_document(again, export_document(engine, catalog=catalog), catalog=catalog)
    assert raw_values(again, model.metadata) == raw_values(engine, model.metadata)
    again.dispose()


@pytest.mark.parametrize(
    ("impl", "python", "raw", "what"),
    [
        (sa.String(5), str, "", "''"),
        (sa.JSON(), str, "null", "JSON's null"),
        (sa.JSON(), dict, "{}", "'{}'"),
    ],
)
def test_a_type_that_reads_a_value_as_null_is_told_so(
    engine: sa.Engine, impl: Any, python: Any, raw: str, what: str
) -> None:
    """The error says that the type makes None of it, whatever its Python type."""
    model = thing(Public(lambda: impl, python, python, lambda stored: stored or None))
    model.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO things (slug, value) VALUES ('s0', :raw)"), {"raw": raw}
        )
    with pytest.raises(TargetError) as caught:
        export_document(engine, catalog=catalog_for(model))
    assert f"its type makes None of {what}, which isn't NULL" in caught.value.problem
    assert caught.value.remedy.startswith("To let the stored value travel as it is")


class Bare:
    """An object that JSON has no form of."""

    def __repr__(self) -> str:
        return "Bare()"


class Emptying(fields.Raw):
    """Edits what it is given, in place."""

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:
        value.clear()
        return value


class Broken(fields.Raw):
    """Fails as only code of one's own can."""

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("type_", "field", "value"),
    [
        *((sa.PickleType(), fields.Raw(), value) for value in ({1, 2}, (1, 2), {1: "a"}, b"ab")),
        *((sa.PickleType(), fields.Raw(), value) for value in (float("nan"), "\ud800", 2**80)),
        (sa.PickleType(), fields.Raw(), {"on": dt.date(2020, 1, 1)}),
        (sa.PickleType(), fields.Raw(), [1, {"b": 2, "a": 1}]),
        (sa.PickleType(), fields.Raw(), Bare()),
        (sa.PickleType(), Emptying(), {"a": 1}),
        (sa.PickleType(), Broken(), "a"),
        (sa.JSON(), Emptying(), {"a": 1}),
        (sa.JSON(), Broken(), {"a": 1}),
        (sa.JSON(), fields.Function(lambda _: {1, 2}, lambda value: value), {"a": 1}),
        (JsonText(), Emptying(), {"a": 1}),
        (JsonText(), fields.Raw(), None),
    ],
    ids=lambda item: type(item).__name__,
)
def test_what_json_cannot_hold_is_refused(
    engine: sa.Engine, type_: Any, field: Any, value: Any
) -> None:
    """A value is tried through JSON text and back to what is stored before it is written."""
    model = thing(type_)
    model.metadata.create_all(engine)
    if isinstance(type_, JsonText) and value is None:
        with engine.begin() as connection:  # JSON's null, which reads as None
            connection.exec_driver_sql("INSERT INTO things (slug, value) VALUES ('s0', 'null')")
        value = SQL_NULL
        with pytest.raises(TargetError, match="makes None of 'null', which isn't NULL"):
            export_document(engine, catalog=catalog_for(model, field))
        return
    refused(engine, model, catalog_for(model, field), value)


@pytest.mark.parametrize("field", [fields.Raw(), fields.Dict(), None], ids=["raw", "dict", "own"])
@pytest.mark.parametrize("type_", [sa.JSON(), Document()], ids=["json", "decorated"])
def test_json_null_stands_beside_sql_null(engine: sa.Engine, type_: Any, field: Any) -> None:
    """A field of one's own needn't know that there are two nulls, nor of the wrapper."""
    model = thing(type_)
    model.metadata.create_all(engine)
    wrapped = {"$json": None}
    fill(
        engine,
        model,
        [{"b": 1, "a": {"d": 1, "c": 2}}, None, SQL_NULL, wrapped, {"$json": wrapped}],
    )
    catalog = catalog_for(model, field)
    document = export_document(engine, catalog=catalog)
    written = [record["value"] for record in document["things"]]
    assert written[1:] == [wrapped, None, {"$json": wrapped}, {"$json": {"$json": wrapped}}]
    assert json.dumps(written[0]) == '{"a": {"c": 2, "d": 1}, "b": 1}'
    new = sa.create_engine("sqlite://")
    model.metadata.create_all(new)
    import_document(new, document, catalog=catalog)
    assert raw_values(new, model.metadata) == raw_values(engine, model.metadata)
    new.dispose()


@pytest.mark.parametrize("made", [float("nan"), {1, 2}, "\ud800", Bare()], ids=repr)
def test_what_a_hook_gives_must_be_json(engine: sa.Engine, made: Any) -> None:
    """Nothing that a hook adds becomes null, or another value each time."""

    class Hooked:
        @ma.post_dump
        def add(self, data: Any, **_: Any) -> Any:
            return {**data, "more": made}

        @ma.pre_load
        def drop(self, data: Any, **_: Any) -> Any:
            return {name: item for name, item in data.items() if name != "more"}

    model = thing(sa.Text)
    model.metadata.create_all(engine)
    fill(engine, model, ["a"])
    catalog = Catalog("test")
    hooks = {"add": Hooked.add, "drop": Hooked.drop}
    schema_for(model, catalog, hooks)
    with pytest.raises(TargetError) as caught:
        export_document(engine, catalog=catalog)
    assert (caught.value.entity, caught.value.field) == ("things", "more")


def test_a_declared_field_is_honoured_where_a_type_claims_its_impls(engine: sa.Engine) -> None:
    """An enum-like type says that it gives text; the field knows better."""

    class Split(fields.List):
        """The names themselves."""

    model = thing(Names())
    model.metadata.create_all(engine)
    fill(engine, model, [["a", "b"]])
    catalog = catalog_for(model, Split(fields.String()))
    assert export_document(engine, catalog=catalog)["things"][0]["value"] == ["a", "b"]


class Other(JsonText):
    """A type of the same family."""

    cache_ok = True


@pytest.mark.parametrize(
    "given",
    [fields.Raw, fields.Raw(), lambda type_: fields.Raw(metadata={"type": repr(type_)})],
    ids=["class", "field", "function"],
)
def test_a_catalog_declares_a_field_for_a_type(engine: sa.Engine, given: Any) -> None:
    """It serves every column of the type and of its subclasses, and each has its own."""
    model = thing(Other())
    model.metadata.create_all(engine)
    fill(engine, model, [{"a": 1}])
    catalog = catalog_for(model, types={JsonText: given})
    assert export_document(engine, catalog=catalog)["things"][0]["value"] == {"a": 1}
    assert catalog.use()["things"].values[-1].field is not given


def test_what_a_schema_says_beats_the_catalogs_types(engine: sa.Engine) -> None:
    """So do a field that it declares, and ``stored``."""
    model = thing(Other())
    types = {JsonText: fields.Raw, Other: fields.Dict}
    kinds = [
        type(catalog.use()["things"].values[-1].field).__name__
        for catalog in (
            catalog_for(model, types=types),
            catalog_for(model, fields.Integer(), types=types),
            catalog_for(model, types=types, stored="value"),
        )
    ]
    assert kinds == ["Dict", "Integer", "ValueField"]


@pytest.mark.parametrize(
    ("types", "told"),
    [
        ([], "types is []; give it a mapping"),
        ({"JSON": fields.Raw}, "types has the key 'JSON'; name a class of SQLAlchemy types"),
        ({sa.JSON(): fields.Raw}, "types has the key JSON(); name a class"),
        ({sa.JSON: "Raw"}, "types[JSON] is 'Raw'; give it a field, a class of fields, or"),
    ],
)
def test_wrong_types_of_a_catalog_are_refused(types: Any, told: str) -> None:
    """They are refused where they are given."""
    with pytest.raises(DeclarationError) as caught:
        Catalog("test", types=types)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("types", "field", "meta", "told"),
    [
        (None, None, {"stored": "values"}, "Meta.stored names 'values', which isn't a plain field"),
        (None, fields.Raw(), {"stored": "value"}, "declared as a field and named in Meta.stored"),
        (None, None, {"stored": 1}, "Meta.stored = 1; write names in a tuple"),
        ({JsonText: lambda: None}, None, {}, "types[JsonText] fails"),
        ({JsonText: lambda _: None}, None, {}, "types[JsonText] gives None"),
    ],
)
def test_wrong_declarations_are_told(types: Any, field: Any, meta: Any, told: str) -> None:
    """Each mistake says what it is."""
    model = thing(JsonText())
    with pytest.raises(DeclarationError) as caught:
        catalog_for(model, field, types=types, **meta).use()
    assert told in str(caught.value)


def test_a_type_that_lading_does_not_know_can_be_declared_for_a_catalog() -> None:
    """Native types keep their refusal, and a field for all of them is its remedy."""
    model = thing(postgresql.INET())
    with pytest.raises(DeclarationError, match=r"INET\(\) has a Python type that lading"):
        catalog_for(model).use()
    assert catalog_for(model, types={postgresql.INET: fields.IP}).use()["things"]


def test_a_type_that_converts_in_sql_travels_as_it_is_stored(engine: sa.Engine) -> None:
    """Nothing of its SQL is run, so that ciphertext stays closed."""

    class Crypt(sa.TypeDecorator[str]):
        impl, cache_ok = sa.String, True

        def bind_expression(self, bindvalue: Any) -> Any:
            return sa.func.upper(bindvalue)

        def column_expression(self, column: Any) -> Any:
            return sa.func.lower(column)

    model = thing(Crypt())
    model.metadata.create_all(engine)
    fill(engine, model, ["Secret"])
    with pytest.raises(DeclarationError, match=r"stored = \('value',\) in Meta"):
        catalog_for(model).use()
    catalog = catalog_for(model, stored="value")
    assert export_document(engine, catalog=catalog)["things"][0]["value"] == "SECRET"


@pytest.mark.parametrize(
    ("type_", "is_stored"),
    [
        (sa.String(), False),
        (sa.Interval(), False),
        (Hashed(), False),
        (Names(), False),
        (Document(), False),
        (Listed(), False),
        (Utc(), False),
        (NaiveUtc(), True),
        (Sealed(), True),
        (JsonText(), True),
        (Reversed(), False),
        (sa.PickleType(), True),
    ],
    ids=repr,
)
def test_what_travels_stored_by_itself(type_: Any, is_stored: bool) -> None:
    """What nobody knows in Python does, and what is stored as another value each time."""
    assert travels_stored(type_) is is_stored


def test_a_bundle_of_python_values_is_not_read_as_stored_ones(
    engine: sa.Engine, tmp_path: Any
) -> None:
    """The shape says which they are."""
    model = thing(Names())
    model.metadata.create_all(engine)
    stored, python = catalog_for(model, stored="value"), catalog_for(model)
    assert shape_of(stored.use()["things"])["fields"]["value"] == {
        "type": "string",
        "stored": True,
        "nullable": True,
    }
    export_all(engine, tmp_path / "a", catalog=stored)
    with pytest.raises(VersionError, match="as its type's Python value or as it is stored"):
        import_all(engine, tmp_path / "a", catalog=python)


def test_the_kit_draws_what_is_stored() -> None:
    """A type that can't undo itself is written past, so that its columns are tried as well."""
    from hypothesis import given, settings

    model = thing(Sealed(400))
    catalog = catalog_for(model, stored="value")

    @settings(max_examples=5, database=None, deadline=None)
    @given(datasets(catalog))
    def trip(dataset: Any) -> None:
        assert_round_trip(catalog, dataset)

    trip()


class Span(fields.Field[Any]):
    """A range of integers, as its two ends."""

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else [value.lower, value.upper]

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        return postgresql.Range(*value)


NATIVE: list[tuple[Any, Any, list[Any]]] = [
    (postgresql.INET(), fields.IP(), ["10.0.0.1", "::1"]),
    (postgresql.INET(), fields.String(), ["10.0.0.1", "10.0.0.1/24", "::1"]),
    (postgresql.CIDR(), fields.String(), ["10.0.0.0/24"]),
    (postgresql.MACADDR(), fields.String(), ["08:00:2b:01:02:03"]),
    (postgresql.BIT(3), fields.String(), ["101"]),
    (postgresql.INT4RANGE(), Span(), [postgresql.Range(1, 5), postgresql.Range(None, 5)]),
]


@pytest.mark.parametrize(("type_", "field", "values"), NATIVE, ids=lambda item: type(item).__name__)
def test_a_declared_field_carries_a_native_type(
    postgresql: Backend, type_: Any, field: Any, values: list[Any]
) -> None:
    """Every cell comes back as it was, or is refused with the remedy."""
    model = thing(type_)
    catalog = catalog_for(model, field)
    with postgresql.database(model.metadata) as old, postgresql.database(model.metadata) as new:
        fill(old, model, values)
        import_document(new, export_document(old, catalog=catalog), catalog=catalog)
        assert raw_values(new, model.metadata) == raw_values(old, model.metadata)


class Shortened(sa.TypeDecorator[str]):
    """A plain text under a name of the application's."""

    impl, cache_ok = sa.String(5), True


def test_a_decorated_text_is_held_to_its_length_at_export(engine: sa.Engine) -> None:
    """SQLite keeps what is too long, and no import would take it back."""
    model = thing(Shortened())
    error = refused(engine, model, catalog_for(model), "much too long")
    assert "has 13 characters, its column holds 5" in error.problem


def test_a_declared_field_tells_of_a_zone_that_its_column_has_not(engine: sa.Engine) -> None:
    """A decorator's annotation says datetime; only the field says that it is an aware one."""
    model = thing(NaiveUtc())
    model.metadata.create_all(engine)
    fill(engine, model, [MOMENT])
    document = export_document(engine, catalog=catalog_for(model, fields.AwareDateTime()))
    assert document["things"] == [{"slug": "s0", "value": "2025-12-24T16:30:00+00:00"}]
