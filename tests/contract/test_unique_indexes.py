"""Unique indexes of a database, whether models know them or not: plans and imports look at both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column, relationship

from lading import Catalog, ImportFailed, Owned, export_document, import_document
from lading.database.live.unique_indexes import condition_of
from support.backends import Backend
from support.declaring import new_base, schema_for
from support.world import key, number, slug, text, to

PARTIAL = {
    "boolean": "(place) WHERE active",
    "text": "(place) WHERE label = 'a)' AND 1 = 1",
    "reference": "(place) WHERE above_id IS NULL",
    "several columns": "(place, label) WHERE active AND lower(code) <> 'x'",
}


@cache
def places() -> Any:
    """Return models of places, with captains of ships who are people, and berths that people have.

    No model has the indexes that the tests create.
    """
    base, catalog = new_base(), Catalog("places")

    class Place(base):  # type: ignore[misc, valid-type]
        __tablename__ = "places"
        id = key()
        slug = slug()
        place = number(null=True)
        active = mapped_column(sa.Boolean, nullable=False)
        label = text(null=True)
        code = text(null=True)
        above_id = to("places.id", null=True)
        above = relationship("Place", remote_side=id)

    class Person(base):  # type: ignore[misc, valid-type]
        __tablename__ = "people"
        __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "person"}
        id = key()
        slug = slug()
        kind = mapped_column(sa.String(10), nullable=False)

    class Captain(Person):
        __tablename__ = "captains"
        __mapper_args__ = {"polymorphic_identity": "captain"}
        id = mapped_column(sa.ForeignKey("people.id"), primary_key=True)
        ship_id = to("ships.id", null=True, unique=True)
        ship = relationship("Ship")

    class Berth(base):  # type: ignore[misc, valid-type]
        __tablename__ = "berths"
        __table_args__ = (sa.UniqueConstraint("deck_id", "number"),)
        id = key()
        deck_id = to("decks.id")
        number = number(null=True)
        sleeper_id = to("people.id", null=True, unique=True)
        sleeper = relationship(Person)

    class Deck(base):  # type: ignore[misc, valid-type]
        __tablename__ = "decks"
        id = key()
        ship_id = to("ships.id")
        berths = relationship(Berth)

    class Ship(base):  # type: ignore[misc, valid-type]
        __tablename__ = "ships"
        id = key()
        slug = slug()
        decks = relationship(Deck)

    schema_for(Place, catalog)
    schema_for(Person, catalog)
    berths = Owned(schema_for(Berth, catalog))
    decks = Owned(schema_for(Deck, catalog, {"berths": berths}))
    schema_for(Ship, catalog, {"decks": decks})
    return base.metadata, catalog


def place(name: str, number: int | None, above: str | None = None, **values: Any) -> dict[str, Any]:
    """Return the record of a place."""
    fields = {"place": number, "active": True, "label": "a)", "code": "y"} | values
    return {"slug": name, **fields, "above": above and {"slug": above}}


def captain(name: str, ship: str | None) -> dict[str, Any]:
    """Return the record of a captain."""
    return {"slug": name, "kind": "captain", "ship": ship and {"slug": ship}}


def ship(name: str, *sleepers: str | None, first: int | None = None) -> dict[str, Any]:
    """Return the record of a ship with one deck, whose berths people sleep in."""
    rows = [{"number": first, "sleeper": who and {"slug": who}} for who in sleepers]
    return {"slug": name, "decks": [{"berths": rows}] if rows else []}


@contextmanager
def database(backend: Backend, *indexes: str, before: Any) -> Iterator[sa.Engine]:
    """Yield a database with indexes of the places, and these records."""
    metadata, catalog = places()
    with backend.database(metadata) as engine:
        with engine.begin() as connection:
            for n, index in enumerate(indexes):
                connection.exec_driver_sql(f"CREATE UNIQUE INDEX only_{n} ON places {index}")
        import_document(engine, before, catalog=catalog)
        yield engine


def outcomes(engine: sa.Engine, bundle: Any, mode: str = "update") -> tuple[list[str], list[str]]:
    """Return the problems of a plan and of its import, which are the same if good ones are kept."""
    options: Any = {"catalog": places()[1], "on_conflict": mode}
    plan = import_document(engine, bundle, dry_run=True, **options)
    try:
        problems = import_document(engine, bundle, expect=plan, **options).problems
    except ImportFailed as error:
        problems = error.report.problems
        options["on_error"] = "continue"
        kept = import_document(engine, bundle, dry_run=True, **options)
        report = import_document(engine, bundle, expect=kept, **options)
        assert sorted(map(str, kept.problems)) == sorted(map(str, report.problems))
        assert kept.entities == report.entities
    return list(map(str, plan.problems)), list(map(str, problems))


def partial(backend: Backend, name: str) -> str:
    """Return an index of some rows; MariaDB has none."""
    if backend.dialect == "mariadb":
        pytest.skip("MariaDB has no partial indexes")
    return PARTIAL[name]


@pytest.mark.parametrize("name", PARTIAL)
@pytest.mark.parametrize("mode", ["skip", "update"])
def test_a_plan_knows_what_a_partial_index_refuses(backend: Backend, name: str, mode: str) -> None:
    """Who has the value, stored or in the bundle, and which rows it is unique in."""
    index = partial(backend, name)
    before = {"places": [place("a", 1), place("b", 2)]}
    changed = place("b", 1) if mode == "update" else place("n", 1)
    bundle = {"places": [changed, place("x", 7), place("y", 7), place("z", None)]}
    with database(backend, index, before=before) as engine:
        planned, imported = outcomes(engine, bundle, mode)
    assert sorted(planned) == sorted(imported)
    by_record = sorted(planned)
    assert len(by_record) == 2
    belong, is_unique = ("belong", "are") if name == "several columns" else ("belongs", "is")
    where = f"and {is_unique} unique where "
    assert f"already {belong} to places {{'slug': 'a'}}, {where}" in by_record[0]
    assert f"already {belong} to record 2, {where}" in by_record[1]


@pytest.mark.parametrize(
    ("name", "outside"),
    [
        ("boolean", {"active": False}),
        ("text", {"label": None}),
        ("reference", {"above": "b"}),
        ("several columns", {"code": "X"}),
    ],
)
def test_rows_outside_of_a_partial_index_hold_no_value(
    backend: Backend, name: str, outside: dict[str, Any]
) -> None:
    """Be they stored, new, or on their way out of it or into it."""
    index = partial(backend, name)
    before = {"places": [place("a", 1), place("b", 2), place("c", 3, **outside), place("d", 4)]}
    leaving, entering = place("d", 4, **outside), place("c", 3)
    bundle = {"places": [leaving, entering, place("e", 1, **outside), place("f", 4)]}
    with database(backend, index, before=before) as engine:
        assert outcomes(engine, bundle) == ([], [])
        records = export_document(engine, catalog=places()[1])["places"]
    assert [record for record in records if record["slug"] in "cdef"] == sorted(
        bundle["places"], key=lambda record: record["slug"]
    )


def test_a_plan_knows_what_no_model_declares(backend: Backend) -> None:
    """An index that only the database has."""
    before = {"places": [place("a", 1), place("b", 2)]}
    bundle = {"places": [place("b", 1), place("c", 3)]}
    with database(backend, "(place)", before=before) as engine:
        planned, imported = outcomes(engine, bundle)
    assert planned == imported
    assert "place 1 already belongs to places {'slug': 'a'}" in "".join(planned)


def test_a_plan_names_the_indexes_that_it_cannot_check(backend: Backend) -> None:
    """Those over what no record tells, and none that it looks up."""
    odd = "(label(2))" if backend.dialect == "mariadb" else "(lower(label))"
    indexes = [odd, "(place)"]
    indexes += [] if backend.dialect == "mariadb" else ["(label) WHERE above_id > 5"]
    indexes += ["(code COLLATE NOCASE)"] if backend.dialect == "sqlite" else []
    with database(backend, *indexes, before={"places": []}) as engine:
        plan = import_document(engine, {"places": []}, catalog=places()[1], dry_run=True)
    numbers = {"mariadb": [0], "postgresql": [0, 2], "sqlite": [0, 2, 3]}[backend.dialect]
    assert list(plan.unchecked) == [f"places: unique index only_{n}" for n in numbers]


def folding(backend: Backend) -> Any:
    """Return models of tags whose texts the database takes for equal if only their case differs."""
    if backend.dialect == "postgresql":
        pytest.skip("PostgreSQL's usual collations tell all texts apart")
    base, catalog = new_base(), Catalog("tags")
    folded = (
        sa.String(20)
        .with_variant(sa.String(20, collation="NOCASE"), "sqlite")
        .with_variant(sa.String(20, collation="utf8mb4_general_ci"), "mariadb", "mysql")
    )

    class Note(base):  # type: ignore[misc, valid-type]
        __tablename__ = "notes"
        __table_args__ = (sa.UniqueConstraint("tag_id", "name"),)
        id = key()
        tag_id = to("tags.id")
        name = mapped_column(folded, nullable=False)

    class Tag(base):  # type: ignore[misc, valid-type]
        __tablename__ = "tags"
        id = key()
        slug = mapped_column(folded, unique=True, nullable=False)
        code = mapped_column(folded, unique=True)
        notes = relationship(Note)

    schema_for(Tag, catalog, {"notes": Owned(schema_for(Note, catalog))}, natural_key="slug")
    return base.metadata, catalog


def tag(name: str, code: str | None = None, *notes: str) -> dict[str, Any]:
    """Return the record of a tag."""
    return {"slug": name, "code": code, "notes": [{"name": note} for note in notes]}


@pytest.mark.parametrize(
    ("records", "faults"),
    [
        pytest.param([tag("AB")], ["slug 'AB' for slug 'Ab'"], id="a key"),
        pytest.param([tag("Ab", "q")], [], id="its own value"),
        pytest.param([tag("cd", "q")], ["code 'q' for code 'Q'"], id="another one's"),
        pytest.param([tag("x"), tag("X")], ["slug 'X' for slug 'x'"], id="two keys"),
        pytest.param([tag("x", "k"), tag("y", "K")], ["code 'K' for code 'k'"], id="two values"),
        pytest.param([tag("x", "k"), tag("y", "\u0138")], [], id="two that it tells apart"),
        pytest.param([tag("x", None, "n", "N")], ["name 'N' for name 'n'"], id="owned rows"),
    ],
)
def test_a_plan_knows_what_a_collation_takes_for_equal(
    backend: Backend, records: list[Any], faults: list[str]
) -> None:
    """Of stored rows, and of those of one bundle; the import says the same."""
    metadata, catalog = folding(backend)
    with backend.database(metadata) as engine:
        import_document(engine, {"tags": [tag("Ab", "Q"), tag("cd", "W")]}, catalog=catalog)
        options: Any = {"catalog": catalog, "on_conflict": "update", "on_error": "continue"}
        plan = import_document(engine, {"tags": records}, dry_run=True, **options)
        report = import_document(engine, {"tags": records}, expect=plan, **options)
    problems = list(map(str, plan.problems))
    assert problems == list(map(str, report.problems))
    assert plan.entities == report.entities
    assert [fault in problem for fault, problem in zip(faults, problems, strict=True)] == [
        True
    ] * len(faults)


@pytest.mark.parametrize("mode", ["skip", "update"])
def test_a_plan_knows_the_unique_references_of_subclasses(backend: Backend, mode: str) -> None:
    """They stand in tables of their own."""
    before = {
        "ships": [ship("s"), ship("t")],
        "people": [captain("a", "s"), captain("b", None), captain("c", None)],
    }
    bundle = {"people": [captain("b" if mode == "update" else "n", "s"), captain("m", "t")]}
    with database(backend, before=before) as engine:
        planned, imported = outcomes(engine, bundle, mode)
    assert planned == imported
    assert "ship.slug 's' already belongs to people {'slug': 'a'}" in "".join(planned)
    assert len(planned) == 1


@pytest.mark.parametrize(
    ("record", "path", "message"),
    [
        (ship("n", None, "p"), "sleeper", "sleeper.slug 'p' already belongs to a row of ships {'s"),
        (ship("n", "q", "q"), "sleeper", "sleeper.slug 'q' already belongs to a row of record 1."),
        (ship("n", "q", None, first=3), "number", "number 3 already belongs to a row of record 1."),
    ],
    ids=["a stored row's", "another one's", "of one owner"],
)
@pytest.mark.parametrize("mode", ["skip", "update"])
def test_a_clash_of_nested_rows_says_which_and_with_whom(
    backend: Backend, record: Any, path: str, message: str, mode: str
) -> None:
    """In a plan and in the import: the record, the path, the value and the holder."""
    before = {
        "people": [{"slug": who, "kind": "person"} for who in "pq"],
        "ships": [ship("s", "p")],
    }
    with database(backend, before=before) as engine:
        planned, imported = outcomes(engine, {"ships": [record, ship("m", None)]}, mode)
    assert planned == imported
    assert len(planned) == 1
    assert planned[0].startswith(f"ships record 1, decks.1.berths.2.{path}: {message}")


@pytest.mark.parametrize(
    ("sql", "condition"),
    [
        ("CREATE UNIQUE INDEX i ON t (a) WHERE a > 1 AND (b)", "a > 1 AND (b)"),
        ('CREATE UNIQUE INDEX "x where (" ON t (a, lower(b))', ""),
        ("CREATE INDEX [where] ON `where` (a, ')where(', b /* where ) */) where\n b", "b"),
    ],
)
def test_a_condition_is_read_from_the_statement_of_an_index(sql: str, condition: str) -> None:
    """Not from names, texts or comments."""
    assert condition_of(sql) == condition


# Rows of several parents


@cache
def addresses() -> Any:
    """Return models of addresses: of people, who have one of each kind, and of shops."""
    base, catalog = new_base(), Catalog("addresses")

    class Address(base):  # type: ignore[misc, valid-type]
        __tablename__ = "addresses"
        __table_args__ = (
            sa.UniqueConstraint("person_id"),
            sa.UniqueConstraint("person_id", "number"),
            sa.CheckConstraint("(person_id IS NULL) <> (shop_id IS NULL)", name="one_owner"),
        )
        id = key()
        person_id = to("people.id", null=True)
        shop_id = to("shops.id", null=True)
        number = number()
        words = text()

    class Person(base):  # type: ignore[misc, valid-type]
        __tablename__ = "people"
        id = key()
        slug = slug()
        addresses = relationship(Address)

    class Shop(base):  # type: ignore[misc, valid-type]
        __tablename__ = "shops"
        id = key()
        slug = slug()
        addresses = relationship(Address)

    owned = schema_for(Address, catalog)
    for model in (Person, Shop):
        schema_for(model, catalog, {"addresses": Owned(owned)})
    return base.metadata, catalog


@pytest.mark.parametrize("mode", ["skip", "update"])
def test_rows_hold_no_unique_values_of_another_parent_s(backend: Backend, mode: str) -> None:
    """Neither those that are inserted nor those that stay, each with its id."""
    metadata, catalog = addresses()

    def shops(**words: str) -> Any:
        rows = {
            slug: [{"number": 1, "words": word} for word in listed.split()]
            for slug, listed in words.items()
        }
        return {"shops": [{"slug": slug, "addresses": owned} for slug, owned in rows.items()]}

    select = sa.select(metadata.tables["addresses"].c["words", "id"])
    with backend.database(metadata) as engine:
        import_document(engine, shops(a="w x y"), catalog=catalog)
        with engine.connect() as connection:
            before = dict(connection.execute(select).all())
        bundle = shops(a="x y z", b="w w")
        options: Any = {"catalog": catalog, "on_conflict": mode}
        plan = import_document(engine, bundle, dry_run=True, **options)
        assert not plan.problems
        assert list(plan.unchecked) == ["addresses: 1 CHECK constraint (one_owner)"]
        import_document(engine, bundle, expect=plan, **options)
        with engine.connect() as connection:
            rows = connection.execute(select).all()
    assert {(word, before[word]) for word in "xy"} <= {tuple(row) for row in rows}


def test_a_second_row_of_a_parent_who_may_have_one_is_still_found(backend: Backend) -> None:
    """In the table that other parents' rows are in as well."""
    metadata, catalog = addresses()
    rows = [{"number": n, "words": "x"} for n in range(2)]
    bundle = {"people": [{"slug": "a", "addresses": rows}]}
    with backend.database(metadata) as engine:
        plan = import_document(engine, bundle, catalog=catalog, dry_run=True)
        with pytest.raises(ImportFailed) as caught:
            import_document(engine, bundle, catalog=catalog)
    for problems in (plan.problems, caught.value.report.problems):
        assert "is the second row of" in str(problems[0])


def test_a_row_that_another_entity_s_record_holds_is_named_with_it(backend: Backend) -> None:
    """The note says how such a row can come to another entity, and that way works."""
    base, catalog = new_base(), Catalog("blocks")

    class Block(base):  # type: ignore[misc, valid-type]
        __tablename__ = "blocks"
        id = key()
        page_id = to("pages.id", null=True)
        board_id = to("boards.id", null=True)
        anchor = slug()

    owned = schema_for(Block, catalog)
    for name in ("Board", "Page"):
        fields = {"__tablename__": f"{name.lower()}s", "id": key(), "slug": slug()}
        model = type(base)(name, (base,), {**fields, "blocks": relationship(Block)})
        schema_for(model, catalog, {"blocks": Owned(owned)})

    def document(boards: str, pages: str) -> dict[str, Any]:
        return {
            name: [{"slug": "x", "blocks": [{"anchor": anchor} for anchor in anchors]}]
            for name, anchors in (("boards", boards), ("pages", pages))
        }

    options: dict[str, Any] = {"catalog": catalog, "on_conflict": "update"}
    bundle = document("b", "a")
    with backend.database(base.metadata) as engine:
        import_document(engine, document("a", "b"), catalog=catalog)
        plan = import_document(engine, bundle, dry_run=True, **options)
        with pytest.raises(ImportFailed) as caught:
            import_document(engine, bundle, **options)
        (problem,) = caught.value.report.problems
        assert "already belongs to a row of pages {'slug': 'x'}" in problem.message
        assert "import pages alone first (only=['pages'])" in problem.message
        assert problem.message in [planned.message for planned in plan.problems]
        import_document(engine, document("b", ""), only=["pages"], **options)
        import_document(engine, bundle, **options)
        assert export_document(engine, catalog=catalog)["boards"] == bundle["boards"]


@cache
def tokens() -> Any:
    """Return models of tokens, which people or shops have, and of loans of them."""
    base, catalog = new_base(), Catalog("tokens")

    class Token(base):  # type: ignore[misc, valid-type]
        __tablename__ = "tokens"
        id = key()
        person_id = to("people.id", null=True)
        shop_id = to("shops.id", null=True)
        code = slug()

    class Person(base):  # type: ignore[misc, valid-type]
        __tablename__ = "people"
        id = key()
        slug = slug()
        tokens = relationship(Token)

    class Shop(base):  # type: ignore[misc, valid-type]
        __tablename__ = "shops"
        id = key()
        slug = slug()
        tokens = relationship(Token)

    class Loan(base):  # type: ignore[misc, valid-type]
        __tablename__ = "loans"
        id = key()
        slug = slug()
        token_id = to("tokens.id", null=True)
        token = relationship(Token)

    owned = schema_for(Token, catalog, natural_key="code")
    for model in (Person, Shop):
        schema_for(model, catalog, {"tokens": Owned(owned)})
    schema_for(Loan, catalog)
    return base.metadata, catalog


@pytest.mark.parametrize(
    ("first", "then", "is_lent", "is_taken"),
    [
        pytest.param("people", "shops", False, False, id="dropped before"),
        pytest.param("people", "shops", True, True, id="referred to until later"),
        pytest.param("shops", "people", False, True, id="dropped later"),
    ],
)
def test_owned_rows_take_what_other_entities_rows_have_given_up(
    backend: Backend, first: str, then: str, is_lent: bool, is_taken: bool
) -> None:
    """If those go before them; plans know which do."""
    metadata, catalog = tokens()

    def document(holder: str, *, is_lent: bool) -> Any:
        held = {name: [{"code": "x"}] if name == holder else [] for name in (first, then)}
        records = {name: [{"slug": "s", "tokens": rows}] for name, rows in held.items()}
        return records | {"loans": [{"slug": "l", "token": {"code": "x"} if is_lent else None}]}

    options: Any = {"catalog": catalog, "on_conflict": "update"}
    with backend.database(metadata) as engine:
        import_document(engine, document(first, is_lent=is_lent), catalog=catalog)
        bundle = document(then, is_lent=False)
        plan = import_document(engine, bundle, dry_run=True, **options)
        try:
            problems = import_document(engine, bundle, expect=plan, **options).problems
        except ImportFailed as error:
            problems = error.report.problems
    assert list(map(str, plan.problems)) == list(map(str, problems))
    assert ["code 'x' already belongs" in str(p) for p in problems] == [True] * is_taken


def test_a_record_without_its_target_says_first_what_is_taken(backend: Backend) -> None:
    """As the import does, which looks later for what may come later."""
    rows = [place("b", 1, above="z"), place("c", 2, above="z"), place("d", 3)]
    with database(backend, "(place)", before={"places": [place("a", 1)]}) as engine:
        planned, problems = outcomes(engine, {"places": rows})
    assert planned == problems
    assert len(problems) == 2
    assert "place 1 already belongs" in problems[0]
