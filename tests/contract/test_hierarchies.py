"""Inheritance hierarchies: one entity each, whose records have the fields of their own class."""

from __future__ import annotations

import enum
import json
from pathlib import Path
from typing import Any

import marshmallow as ma
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, mapped_column, relationship

from lading import (
    Catalog,
    ClosureWarning,
    DeclarationError,
    ImportFailed,
    Manifest,
    Owned,
    Ref,
    TargetError,
    export_all,
    export_document,
    import_all,
    import_document,
)
from support.backends import Backend, SQLiteMemory
from support.declaring import catalog_of, new_base, schema_for
from support.packing import adding, changing, packed, stored
from support.world import World, key, slug, to
from support.zoo import WORLDS


def joined() -> World:
    """The world of joined tables."""
    return WORLDS["joined_tables"]()


def records(path: Path, entity: str) -> dict[str, Any]:
    """Return an exported entity's records by slug."""
    manifest = Manifest.from_bytes((path / "manifest.json").read_bytes())
    file = next(entry.filename for entry in manifest.files if entry.entity_type == entity)
    found = json.loads((path / file).read_text())["records"]
    return {record["slug"]: record for record in found}


def test_records_have_the_fields_of_their_own_class(tmp_path: Path) -> None:
    """Those of other classes are absent, and the manifest says who has which."""
    packed(joined(), tmp_path / "a")
    found = records(tmp_path / "a", "assets")
    assert found["a0"] == {"slug": "a0", "kind": "asset", "title": "plain"}
    assert found["l0"] == {
        "slug": "l0",
        "kind": "licence",
        "title": "L0",
        "code": "c0",
        "until": None,
        "oven": {"slug": "steam"},
    }
    assert found["steam"] == {
        "slug": "steam",
        "kind": "steam",
        "title": None,
        "power": 9,
        "place": {"slug": "p1"},
        "spare": None,
        "heat": 200,
        "litres": 5,
        "parts": [{"position": 1, "words": "s"}],
    }
    manifest = Manifest.from_bytes((tmp_path / "a" / "manifest.json").read_bytes())
    shape = next(entry.shape for entry in manifest.files if entry.entity_type == "assets")
    assert shape["discriminator"] == "kind"
    assert shape["fields"]["heat"]["classes"] == ["oven", "steam"]
    assert "classes" not in shape["fields"]["title"]


def test_what_other_classes_hold_by_a_default_is_carried_too(tmp_path: Path) -> None:
    """A column of a subclass that is NOT NULL is filled in every row, so every record has it."""
    packed(WORLDS["single_table"](), tmp_path / "a")
    found = records(tmp_path / "a", "staff")
    assert found["plain"] == {"slug": "plain", "role": "plain", "boss": {"slug": "b1"}, "level": 7}
    assert found["m1"]["tool"] == {"n": 1}
    assert "budget" not in found["m1"]


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        (
            "UPDATE staff SET budget = 5 WHERE slug = 'm1'",
            "staff, budget: rows of class 'maker' have no budget, and this one does: it would be "
            'forgotten; set it to null (an owned list: to none) (in the row with slug "m1").',
        ),
        (
            "UPDATE notes SET boss_id = (SELECT id FROM staff WHERE slug = 'm1')",
            "staff, notes: rows of class 'maker' have no notes",
        ),
        (
            "INSERT INTO maker_skills SELECT b.id, s.id FROM staff b, skills s WHERE b.slug = 'b1'",
            "staff, skills: rows of class 'boss' have no skills",
        ),
    ],
    ids=["column", "owned", "links"],
)
def test_what_only_other_classes_have_is_not_forgotten(
    backend: Backend, tmp_path: Path, sql: str, problem: str
) -> None:
    """A row that holds something in another class's column, list or links can't be exported."""
    world = WORLDS["single_table"]()
    with backend.database() as engine:
        world.filled(engine)
        with engine.begin() as connection:
            connection.exec_driver_sql(sql)
        with pytest.raises(TargetError) as caught:
            export_all(engine, tmp_path / "a", catalog=world.catalog)
        assert problem in str(caught.value)
        assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("UPDATE assets SET kind = 'boat' WHERE slug = 'a0'", "'boat' is the polymorphic_identity"),
        ("UPDATE assets SET kind = 'oven' WHERE slug = 'a0'", "has no row in machines, unlike"),
        ("UPDATE assets SET kind = 'asset' WHERE slug = 'm3'", "has a row in machines, unlike"),
    ],
    ids=["unknown", "lacks-a-row", "has-one-too-many"],
)
def test_a_row_must_be_what_its_class_is(
    backend: Backend, tmp_path: Path, sql: str, problem: str
) -> None:
    """The discriminator is known, and the row has a row in exactly its class's tables."""
    world = joined()
    with backend.database() as engine:
        world.filled(engine)
        with engine.begin() as connection:
            connection.exec_driver_sql(sql)
        with pytest.raises(TargetError, match="assets, kind: ") as caught:
            export_all(engine, tmp_path / "a", catalog=world.catalog)
        assert problem in str(caught.value)


def test_a_subclass_row_without_its_base_is_counted(tmp_path: Path) -> None:
    """Where nothing enforces foreign keys, a row of a subclass's table can stand alone."""
    world = joined()
    with SQLiteMemory().database() as engine:
        world.filled(engine)
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.exec_driver_sql("INSERT INTO licences VALUES (999, 'x', NULL, NULL)")
            connection.commit()
        with pytest.raises(TargetError, match="licences: 1 of 4 rows belong to no record"):
            export_all(engine, tmp_path / "a", catalog=world.catalog)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"heat": 1}, "record 1, heat: Unknown field."),
        ({"kind": "boat"}, "record 1, kind: unknown class 'boat'; expected one of: 'asset'"),
        ({"kind": "licence"}, "record 1, code: Missing data for required field."),
        ({"kind": None}, "record 1, kind: Field may not be null."),
    ],
    ids=["another-class's", "unknown", "lacks-one", "null"],
)
def test_a_record_must_have_its_own_class_s_fields(
    backend: Backend, tmp_path: Path, change: Any, problem: str
) -> None:
    """Fields of other classes are unknown, its own are required, and nothing is written."""
    world = joined()
    path = packed(world, tmp_path / "a", changing("assets", a0=change))
    with backend.database(world.metadata) as engine:
        with pytest.raises(ImportFailed) as caught:
            import_all(engine, path, catalog=world.catalog)
        assert any(problem in error for error in caught.value.report.errors)
        assert not any(stored(engine, world).values())


def test_a_reference_to_a_subclass_finds_no_other(backend: Backend, tmp_path: Path) -> None:
    """A machine's spare must be a machine; an asset of that name is not enough."""
    world = joined()
    path = packed(world, tmp_path / "a", changing("assets", m0={"spare": {"slug": "a0"}}))
    with backend.database(world.metadata) as engine:
        with pytest.raises(ImportFailed) as caught:
            import_all(engine, path, catalog=world.catalog)
        (problem,) = caught.value.report.problems
        assert (problem.key, problem.field) == ({"slug": "m0"}, "spare")
        assert problem.message == (
            "assets: no record with a row in machines has slug 'a0'. Add the record to assets, or correct "
            "the key"
        )


def test_a_required_reference_within_a_batch_asks_for_the_class(tmp_path: Path) -> None:
    """Where rows wait for each other, one of another class is no parent."""
    base, catalog = new_base(), Catalog("test")

    class Node(base):  # type: ignore[misc, valid-type]
        __tablename__ = "nodes"
        id = key()
        slug = slug()
        kind = mapped_column(sa.String(10), nullable=False)
        __mapper_args__ = {"polymorphic_on": kind, "polymorphic_identity": "leaf"}

    class Branch(Node):
        __tablename__ = "branches"
        id = mapped_column(sa.ForeignKey("nodes.id"), primary_key=True)
        up_id = to("branches.id")
        __mapper_args__ = {"polymorphic_identity": "branch", "inherit_condition": id == Node.id}

    schema_for(Node, catalog)
    nodes = [
        {"slug": "c", "kind": "branch", "up": {"slug": "b"}},
        {"slug": "b", "kind": "branch", "up": {"slug": "a"}},
        {"slug": "a", "kind": "branch", "up": {"slug": "a"}},
        {"slug": "l", "kind": "leaf"},
    ]
    with SQLiteMemory().database(base.metadata) as engine:
        report = import_document(engine, {"nodes": nodes}, catalog=catalog)
        assert report.inserted == 4
        bad = {"slug": "d", "kind": "branch", "up": {"slug": "m"}}
        also = {"slug": "m", "kind": "leaf"}
        with pytest.raises(
            ImportFailed, match="nodes: no record with a row in branches has slug 'm'"
        ):
            import_document(engine, {"nodes": [bad, also]}, catalog=catalog)


def test_records_of_all_classes_conflict_and_compare_alike(
    backend: Backend, tmp_path: Path
) -> None:
    """A second import finds them by key, and a changed field of a subclass makes them differ."""
    world = joined()
    path = packed(world, tmp_path / "a", changing("assets", o1={"heat": 99}))
    with backend.database() as engine:
        world.filled(engine)
        report = import_all(engine, path, catalog=world.catalog)
        assert (report["assets"].skipped, report["assets"].differing) == (12, 1)


def test_good_records_stay_where_a_subclass_s_is_bad(backend: Backend, tmp_path: Path) -> None:
    """A value that a subclass's table refuses takes its record's row of the base along."""
    world = joined()
    twin = {"slug": "l9", "kind": "licence", "title": None, "code": "c1", "until": None}
    path = packed(world, tmp_path / "a", adding("assets", {**twin, "oven": None}))
    with backend.database(world.metadata) as engine:
        report = import_all(engine, path, catalog=world.catalog, on_error="continue")
        assert (report["assets"].inserted, report["assets"].failed) == (12, 1)
        with engine.connect() as connection:
            count = sa.select(sa.func.count()).select_from(sa.table("assets"))
            assert connection.execute(count).scalar_one() == 12


def test_parts_of_a_hierarchy_are_exported_with_what_they_refer_to(
    backend: Backend, tmp_path: Path
) -> None:
    """``where`` takes the base's columns, and a closure follows subclasses' references."""
    world = joined()
    with backend.database() as engine, backend.database(world.metadata) as target:
        world.filled(engine)
        asset = world.models.Asset
        where = {"assets": asset.slug == "l0", "checks": world.models.Check.slug == "k1"}
        only = ["assets", "checks"]
        with pytest.warns(ClosureWarning, match="2 of assets"):
            manifest = export_all(
                engine, tmp_path / "a", catalog=world.catalog, only=only, where=where, closure=True
            )
        found = records(tmp_path / "a", "assets")
        assert set(found) == {"l0", "steam", "o0"}
        assert {entry.entity_type for entry in manifest.files} == {"assets", "checks", "places"}
        assert import_all(target, tmp_path / "a", catalog=world.catalog).inserted == 6
        cut = export_all(
            engine,
            tmp_path / "b",
            catalog=world.catalog,
            only=only,
            where={"assets": where["assets"]},
        )
        assert {(item.entity, item.field, item.count) for item in cut.external} == {
            ("assets", "oven", 1),
            ("checks", "asset", 2),
            ("checks", "licence", 1),
            ("checks", "machine", 1),
        }


def test_hooks_see_each_class_s_fields(tmp_path: Path) -> None:
    """Hooks and marshmallow tell classes apart as well."""
    world = joined()
    world.catalog.use()
    catalog = Catalog("joined")
    for schema in world.catalog.schemas:
        attributes = {
            name: field
            for name, field in schema._declared_fields.items()
            if isinstance(field, Owned | Ref)
        }
        if schema.Meta.model.__name__ == "Asset":

            @ma.post_dump
            def shout(self: Any, data: Any, **_: Any) -> Any:
                if "power" in data:
                    data["power"] = f"{data['power']} kW"
                return data

            @ma.pre_load
            def whisper(self: Any, data: Any, **_: Any) -> Any:
                if "power" not in data:
                    return data
                return {**data, "power": int(str(data["power"]).removesuffix(" kW"))}

            attributes |= {"shout": shout, "whisper": whisper}
        schema_for(schema.Meta.model, catalog, attributes)
    parts = next(s for s in catalog.schemas if s.Meta.model.__name__ == "Part")
    owner = next(s for s in catalog.schemas if s.Meta.model.__name__ == "Asset")
    owner._declared_fields["parts"].child = parts
    with SQLiteMemory().database() as source, SQLiteMemory().database(world.metadata) as target:
        first = export_all(world.filled(source), tmp_path / "a", catalog=catalog)
        assert records(tmp_path / "a", "assets")["m1"]["power"] == "1 kW"
        assert import_all(target, tmp_path / "a", catalog=catalog).committed
        second = export_all(target, tmp_path / "b", catalog=catalog)
        assert first.content_sha256 == second.content_sha256


def test_the_schema_itself_dumps_objects_and_loads_records(sqlite_memory: Backend) -> None:
    """``dump`` takes objects of any class, ``load`` what ``dump`` gave, one or many."""
    world = joined()
    with sqlite_memory.database() as engine:
        world.filled(engine)
        document = export_document(engine, catalog=world.catalog)
        with Session(engine) as session:
            asset = world.models.Asset
            objects = session.scalars(sa.select(asset).order_by(asset.slug)).all()
            schema = world.catalog.use()["assets"].schema()
            dumped = schema.dump(objects, many=True)
        assert dumped == document["assets"]
        loaded = schema.load(dumped, many=True)
        assert [sorted(item) for item in loaded] == [sorted(item) for item in dumped]
        errors = schema.validate([{**dumped[0], "heat": 1}, dumped[1]], many=True)
        assert errors == {0: {"heat": ["Unknown field."]}}


# Declarations


def refusal(catalog: Catalog) -> str:
    """Return what is wrong with a catalog's declarations."""
    with pytest.raises(DeclarationError) as caught:
        catalog.use()
    return str(caught.value)


def animals(*, discriminates: bool = True, **columns: Any) -> tuple[Any, Any, Any]:
    """Return a base class and two subclasses with tables of their own."""
    base = new_base()

    class Animal(base):  # type: ignore[misc, valid-type]
        __tablename__ = "animals"
        id = key()
        slug = slug()
        kind = mapped_column(sa.String(10), nullable=False)
        if discriminates:
            __mapper_args__ = {"polymorphic_on": kind, "polymorphic_identity": "animal"}

    def subclass(name: str) -> Any:
        own = {column: mapped_column(type_) for column, type_ in columns.items()}
        return type(
            name,
            (Animal,),
            {
                "__tablename__": f"{name.lower()}s",
                "id": mapped_column(sa.ForeignKey("animals.id"), primary_key=True),
                "__mapper_args__": {"polymorphic_identity": name.lower()},
                **own,
            },
        )

    return Animal, subclass("Cat"), subclass("Dog")


def test_a_subclass_has_no_schema_of_its_own() -> None:
    """Its rows are the base's, so they would be carried twice."""
    animal, cat, _ = animals()
    assert refusal(catalog_of(animal, cat)) == (
        "CatSchema: Cat is a subclass, and its records are those of Animal; declare one schema "
        "for the whole hierarchy, with model = Animal."
    )


def test_a_hierarchy_needs_a_discriminator() -> None:
    """Without one, nothing says which class a record is of."""
    animal, _, _ = animals(discriminates=False)
    assert refusal(catalog_of(animal)) == (
        "AnimalSchema: Animal has subclasses, and no column of animals says which a row is of; "
        "give it __mapper_args__ = {'polymorphic_on': …} with a column of that table."
    )


def test_attributes_of_one_name_in_two_tables() -> None:
    """A record's field must mean one column."""
    animal, _, _ = animals(lives=sa.Integer())
    assert refusal(catalog_of(animal)) == (
        "AnimalSchema: two fields would be written as 'lives'; name the attributes of the classes "
        "that have it apart, or move it to a class above them."
    )


@pytest.mark.parametrize("attributes", [{}, {"kind": ma.fields.String(dump_only=True)}])
def test_the_discriminator_must_be_written(attributes: Any) -> None:
    """Leaving it out would make all records alike."""
    animal, _, _ = animals()
    catalog = Catalog("test")
    schema_for(animal, catalog, attributes, **({} if attributes else {"exclude": ("kind",)}))
    assert refusal(catalog) == (
        "AnimalSchema: kind says which class a record is of, so it can't be left out; neither "
        "exclude it nor make it dump_only."
    )


def test_a_key_is_every_record_s() -> None:
    """A field of one class identifies no record of another."""
    animal, cat, _ = animals()
    cat.lives = mapped_column(sa.Integer)
    catalog = Catalog("test")
    schema_for(animal, catalog, natural_key="lives")
    assert refusal(catalog) == (
        "AnimalSchema: natural_key names 'lives', which only some of its classes have; "
        "name another field."
    )


def test_an_identity_must_be_a_value_of_its_column() -> None:
    """Otherwise no stored row could be of that class."""
    base = new_base()

    class Animal(base):  # type: ignore[misc, valid-type]
        __tablename__ = "animals"
        id = key()
        slug = slug()
        kind = mapped_column(sa.Integer, nullable=False)
        __mapper_args__ = {"polymorphic_on": kind, "polymorphic_identity": "animal"}

    assert "the polymorphic_identity of Animal isn't a value of its column" in refusal(
        catalog_of(Animal)
    )


def test_concrete_classes_are_entities_of_their_own(tmp_path: Path) -> None:
    """Their tables share no rows."""
    base = new_base()

    class Animal(base):  # type: ignore[misc, valid-type]
        __tablename__ = "animals"
        id = key()
        slug = slug()

    class Cat(Animal):
        __tablename__ = "cats"
        id = key()
        slug = slug()
        lives = mapped_column(sa.Integer)
        __mapper_args__ = {"concrete": True}

    catalog = catalog_of(Animal, Cat)
    with SQLiteMemory().database(base.metadata) as source:
        with Session(source) as session, session.begin():
            session.add_all([Animal(slug="a"), Cat(slug="c", lives=9)])
        document = export_document(source, catalog=catalog)
    assert document["animals"] == [{"slug": "a"}]
    assert document["cats"] == [{"slug": "c", "lives": 9}]


def test_a_base_without_identity_has_rows_of_no_class(tmp_path: Path) -> None:
    """A null discriminator means the base itself, where the column may be null."""
    base = new_base()

    class Animal(base):  # type: ignore[misc, valid-type]
        __tablename__ = "animals"
        id = key()
        slug = slug()
        kind = mapped_column(sa.String(10))
        __mapper_args__ = {"polymorphic_on": kind}

    class Cat(Animal):
        lives = mapped_column(sa.Integer)
        __mapper_args__ = {"polymorphic_identity": "cat"}

    catalog = catalog_of(Animal)
    with SQLiteMemory().database(base.metadata) as source:
        with Session(source) as session, session.begin():
            session.add_all([Animal(slug="a"), Cat(slug="c", lives=9)])
        document = export_document(source, catalog=catalog)
        assert document["animals"] == [
            {"slug": "a", "kind": None},
            {"slug": "c", "kind": "cat", "lives": 9},
        ]
        with SQLiteMemory().database(base.metadata) as target:
            assert import_document(target, document, catalog=catalog).inserted == 2
            assert export_document(target, catalog=catalog)["animals"] == document["animals"]


def test_a_relationship_to_a_subclass_is_named_by_it() -> None:
    """Relationships of subclasses name references as those of the base do."""
    animal, cat, dog = animals()
    dog.chases_id = mapped_column(sa.ForeignKey("cats.id"))
    dog.chases = relationship(cat, foreign_keys=dog.chases_id, remote_side=cat.id)
    rows = catalog_of(animal).use()["animals"]
    (reference,) = rows.references
    assert (reference.name, reference.classes) == ("chases", frozenset({"dog"}))


class Sort(str, enum.Enum):  # noqa: UP042 - a common way, and not quite the same
    """What an application tells its classes by."""

    CALL = "call"
    MAIL = "mail"


class Number(enum.IntEnum):
    """The same in numbers."""

    CALL = 1
    MAIL = 2


class Plain(enum.Enum):
    """An enumeration whose members are equal to nothing else."""

    CALL = "call"
    MAIL = "mail"


@pytest.mark.parametrize(
    ("type_", "identities", "written"),
    [
        (sa.String(20), Sort, ["call", "mail"]),
        (sa.Integer(), Number, [1, 2]),
        (sa.Enum(Sort), Sort, ["CALL", "MAIL"]),
        (sa.Enum(Sort), ["call", "mail"], ["CALL", "MAIL"]),
        (sa.Enum(Plain), Plain, ["CALL", "MAIL"]),
        (sa.Enum(Number), Number, ["CALL", "MAIL"]),
        (sa.Enum("call", "mail", name="sort"), Sort, ["call", "mail"]),
    ],
    ids=["text", "number", "members", "values", "plain members", "number members", "names"],
)
def test_an_identity_may_be_a_member_of_an_enumeration(
    sqlite_memory: Backend, type_: Any, identities: Any, written: list[Any]
) -> None:
    """SQLAlchemy compares it with what it reads, so a member that is a text is that text."""
    base = new_base()
    call, mail = identities

    class Notice(base):  # type: ignore[misc]
        __tablename__ = "notices"
        __mapper_args__ = {"polymorphic_on": "sort"}
        slug = mapped_column(sa.String(20), primary_key=True)
        sort = mapped_column(type_)

    class Call(Notice):
        __mapper_args__ = {"polymorphic_identity": call}
        number = mapped_column(sa.String(20))

    class Mail(Notice):
        __mapper_args__ = {"polymorphic_identity": mail}

    catalog = catalog_of(Notice)
    with sqlite_memory.database(base.metadata) as engine:
        with Session(engine) as session, session.begin():
            session.add_all([Call(slug="a", number="7"), Mail(slug="b")])
        document = export_document(engine, catalog=catalog)
        assert document["notices"] == [
            {"slug": "a", "sort": written[0], "number": "7"},
            {"slug": "b", "sort": written[1]},
        ]
        with sqlite_memory.database(base.metadata) as target:
            import_document(target, document, catalog=catalog)
            with Session(target) as session:
                found = session.scalars(sa.select(Notice).order_by(Notice.slug))
                assert [type(notice) for notice in found] == [Call, Mail]


@pytest.mark.parametrize("names", ["column", "relationship", "number"])
def test_a_discriminator_may_be_a_foreign_key(backend: Backend, names: str) -> None:
    """The class is a field, and beside it stands the reference, with which it must agree."""
    base = new_base()
    numbered = names == "number"

    class Sort(base):  # type: ignore[misc]
        __tablename__ = "sorts"
        id = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
        code = mapped_column(sa.String(20), unique=True, nullable=False)

    class Item(base):  # type: ignore[misc]
        __tablename__ = "items"
        __mapper_args__ = {"polymorphic_on": "sort_id" if numbered else "sort"}
        slug = mapped_column(sa.String(20), primary_key=True)
        if numbered:
            sort_id = mapped_column(sa.ForeignKey(Sort.id), nullable=False)
        else:
            sort = mapped_column(sa.ForeignKey(Sort.code), nullable=False)
        if names == "relationship":
            told_by = relationship(Sort)

    class Book(Item):
        __mapper_args__ = {"polymorphic_identity": 2 if numbered else "book"}
        pages = mapped_column(sa.Integer)

    catalog = Catalog("test")
    schema_for(Sort, catalog, natural_key="code")
    schema_for(Item, catalog)
    reference = {"column": "sort_ref", "relationship": "told_by", "number": "sort"}[names]
    field = "sort_id" if numbered else "sort"
    with backend.database(base.metadata) as engine, backend.database(base.metadata) as target:
        with Session(engine) as session, session.begin():
            session.add_all([Sort(id=2, code="book"), Sort(id=3, code="disc")])
            session.flush()
            session.add(Book(slug="b", pages=3))
        document = export_document(engine, catalog=catalog)
        identity = 2 if numbered else "book"
        expected = {"slug": "b", field: identity, reference: {"code": "book"}, "pages": 3}
        assert document["items"] == [expected]
        assert import_document(target, document, catalog=catalog).inserted == 3
        assert export_document(target, catalog=catalog)["items"] == [expected]
        document["items"][0] |= {"slug": "c", reference: {"code": "disc"}}
        with pytest.raises(ImportFailed, match="items"):
            import_document(target, document, catalog=catalog)


class ByValue(sa.TypeDecorator):  # type: ignore[type-arg]
    """An enumeration by its values, whose Python type nobody says."""

    impl, cache_ok = sa.String(10), True

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return None if value is None else value.value

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return None if value is None else Plain(value)


class SaidByValue(ByValue):
    """The same, said."""

    cache_ok = True

    def process_result_value(self, value: Any, dialect: Any) -> Plain | None:
        return None if value is None else Plain(value)


KNOWN = (
    "MemberSchema: members.kind says which class a row is of, so its Python values must be known; "
)
SAY = "give its type a python_type, or annotate what its process_result_value returns."
OTHERWISE = (
    "MemberSchema: kind says which class a record is of, and its field, Enum, writes 'call' where "
    "its column's type writes 'CALL'; leave it to be derived, without a declared field or "
    "Catalog's types."
)


@pytest.mark.parametrize(
    ("type_", "field", "stored", "types", "told"),
    [
        (ByValue(), None, (), None, KNOWN + SAY),
        (SaidByValue(), None, ("kind",), None, f"{KNOWN}remove it from Meta.stored, and {SAY}"),
        (SaidByValue(), ma.fields.Enum(Plain, by_value=True), (), None, OTHERWISE),
        (sa.Enum(Plain), ma.fields.Enum(Plain, by_value=True), (), None, OTHERWISE),
        (SaidByValue(), None, (), ma.fields.Enum(Plain, by_value=True), OTHERWISE),
    ],
    ids=["unsaid", "stored", "field", "field-of-enum", "types"],
)
def test_a_discriminator_is_written_by_its_type(
    type_: Any, field: Any, stored: Any, types: Any, told: str
) -> None:
    """Which class a record is of is told by what the column's own type makes of identities."""
    base = new_base()

    class Member(base):  # type: ignore[misc, valid-type]
        __tablename__ = "members"
        id = key()
        slug = slug()
        kind = mapped_column(type_, nullable=False)
        __mapper_args__ = {"polymorphic_on": kind, "polymorphic_identity": Plain.CALL}

    class Guest(Member):
        __mapper_args__ = {"polymorphic_identity": Plain.MAIL}
        since = mapped_column(sa.Integer)

    catalog = Catalog("test", types=None if types is None else {ByValue: types})
    schema_for(Member, catalog, {} if field is None else {"kind": field}, stored=stored)
    assert refusal(catalog) == told


def test_a_closure_follows_links_of_a_subclass_by_its_own_table(sqlite_memory: Backend) -> None:
    """What a link holds may be the subclass's key, and no column of the base's table."""
    base, catalog = new_base(), Catalog("test")
    links = sa.Table(
        "links",
        base.metadata,
        sa.Column("rare_id", sa.ForeignKey("rares.rare_id"), primary_key=True),
        sa.Column("tag_id", sa.ForeignKey("tags.id"), primary_key=True),
    )

    class Tag(base):
        __tablename__ = "tags"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(9), unique=True, nullable=False)

    class Note(base):
        __tablename__ = "notes"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(9), unique=True, nullable=False)
        rare_id = mapped_column(sa.ForeignKey("rares.rare_id"), nullable=False)
        tag_id = mapped_column(sa.ForeignKey("tags.id"))

    class Item(base):
        __tablename__ = "items"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(9), unique=True, nullable=False)
        kind = mapped_column(sa.String(9), nullable=False)
        __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "item"}

    class Rare(Item):
        __tablename__ = "rares"
        id = mapped_column("rare_id", sa.ForeignKey("items.id"), primary_key=True)
        tags = relationship(Tag, secondary=links)
        notes = relationship(Note)
        __mapper_args__ = {"polymorphic_identity": "rare"}

    schema_for(Item, catalog, {"notes": Owned(schema_for(Note, catalog))})
    schema_for(Tag, catalog)
    document = {
        "items": [
            {
                "slug": f"i{n}",
                "kind": "rare",
                "tags": [{"slug": f"t{n}"}],
                "notes": [{"slug": f"n{n}", "tag": {"slug": f"t{n + 2}"}}],
            }
            for n in (1, 2)
        ],
        "tags": [{"slug": f"t{n}"} for n in range(1, 6)],
    }
    with sqlite_memory.database(base.metadata) as engine:
        import_document(engine, document, catalog=catalog)
        some = export_document(
            engine,
            catalog=catalog,
            only=["items"],
            where={"items": Item.slug == "i1"},
            closure=True,
        )
    assert [record["slug"] for record in some["items"]] == ["i1"]
    assert [record["slug"] for record in some["tags"]] == ["t1", "t3"]


def test_an_object_dumps_its_reference_to_a_column_of_a_subclass(sqlite_memory: Backend) -> None:
    """Without a relationship, whose foreign key leads to a table that only a subclass has."""
    base, catalog = new_base(), Catalog("assets")

    class Asset(base):  # type: ignore[misc, valid-type]
        __tablename__ = "assets"
        id = key()
        slug = slug()
        kind = mapped_column(sa.String(20), nullable=False)
        __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "asset"}

    class Licence(Asset):
        __tablename__ = "licences"
        id = mapped_column(sa.ForeignKey("assets.id"), primary_key=True)
        code = mapped_column(sa.String(30), unique=True)
        __mapper_args__ = {"polymorphic_identity": "licence"}

    class Check(base):  # type: ignore[misc, valid-type]
        __tablename__ = "checks"
        id = key()
        slug = slug()
        licence_code = to("licences.code", null=True)
        owner_id = to("licences.id", null=True)

    schema_for(Asset, catalog)
    checks = schema_for(Check, catalog, {"licence": Ref("licence_code")})
    with sqlite_memory.database(base.metadata) as engine, Session(engine) as session:
        licence = Licence(slug="l", code="c")
        session.add(licence)
        session.flush()
        check = Check(slug="k", licence_code="c", owner_id=licence.id)
        session.add(check)
        session.commit()
        document = export_document(session, catalog=catalog)
        assert document["checks"][0]["licence"] == {"slug": "l"}
        assert checks().dump(check) == document["checks"][0]
