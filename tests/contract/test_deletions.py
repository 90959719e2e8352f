"""Deleting the records that a bundle lacks: which rows go, in what order, and what is refused."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column, relationship

from lading import Owned, export_document
from lading.database.session import writing
from lading.importing.deletions.doomed_rows import doomed_rows
from lading.importing.deletions.records import doomed_records
from support.backends import Backend
from support.declaring import catalog_of, new_base, schema_for, slugs, table, to
from support.deleting import filled, left, mirrored
from support.statements import statements


class TestDoomedRows:
    """The rows of an entity that aren't among those that a bundle has."""

    def test_all_but_the_kept_rows_are_doomed(self, backend: Backend) -> None:
        """In chunks, whatever the kept rows' order, and whether they are there or not."""
        base = new_base()
        catalog = catalog_of(table(base, "things"))
        with filled(backend, base, things=slugs(*range(1, 8))) as engine:
            with writing(engine, catalog) as opened:
                kept = [[(6,), (2,)], [(99,)]]
                chunks = list(doomed_rows(opened.database, catalog.use()["things"], kept, 2))
        assert chunks == [[(1,), (3,)], [(4,), (5,)], [(7,)]]

    @pytest.mark.parametrize(
        ("type_", "values"),
        [
            (sa.Uuid(), [UUID(int=1), UUID(int=2**127)]),
            (sa.Numeric(6, 2), [Decimal("1.50"), Decimal(10)]),
            (sa.CHAR(4), ["a", "\u00e4b"]),
            (sa.LargeBinary(4), [b"\x00", b"\xff"]),
            (sa.Date(), [date(1, 2, 3), date(2024, 2, 29)]),
        ],
        ids=["uuid", "numeric", "char", "binary", "date"],
    )
    def test_kept_rows_are_known_in_the_form_in_which_they_were_written(
        self, backend: Backend, type_: Any, values: list[Any]
    ) -> None:
        """A driver reads some keys in another form than it takes them."""
        base = new_base()
        code: Any = (
            mapped_column(type_.with_variant(sa.BINARY(1), "mysql", "mariadb"), primary_key=True)
            if isinstance(type_, sa.LargeBinary)
            else mapped_column(type_, primary_key=True)
        )
        thing = type(base)("Things", (base,), {"__tablename__": "things", "code": code})
        catalog = catalog_of(thing)
        with filled(backend, base, things=[{"code": value} for value in values]) as engine:
            written = [
                record["code"] for record in export_document(engine, catalog=catalog)["things"]
            ]
            with writing(engine, catalog) as opened:
                root = catalog.use()["things"]
                (value,) = root.values
                bound = opened.database.dialect.binder(value.column, value.kind).function()
                kept = [(bound(text),) for text in written]
                assert list(doomed_rows(opened.database, root, [kept])) == []
                assert len(next(doomed_rows(opened.database, root, [kept[1:]]))) == 1


class TestOrder:
    """Nothing goes before what refers to it."""

    def test_owned_rows_and_links_go_with_their_record(self, backend: Backend) -> None:
        """At two depths; those of other records stay."""
        base = new_base()
        sa.Table(
            "order_tags",
            base.metadata,
            sa.Column("order_id", sa.ForeignKey("orders.id"), primary_key=True),
            sa.Column("tag_id", sa.ForeignKey("tags.id"), primary_key=True),
        )
        note = table(base, "notes", line_id=to("lines.id", null=False))
        line = table(
            base,
            "lines",
            order_id=to("orders.id", null=False),
            notes=relationship(note),
            tag_id=to("tags.id"),
        )
        order = table(
            base, "orders",
            lines=relationship(line), tags=relationship("Tags", secondary="order_tags"),
        )  # fmt: skip
        catalog = catalog_of(table(base, "tags"))
        lines = schema_for(line, catalog, {"notes": Owned(schema_for(note, catalog))})
        schema_for(order, catalog, {"lines": Owned(lines)})
        with filled(
            backend, base,
            tags=slugs(1, 2), orders=slugs(1, 2, 3, 4, 5),
            lines=[{**row, "order_id": (row["id"] + 1) // 2, "tag_id": 2} for row in slugs(*range(1, 11))],
            notes=[{**row, "line_id": row["id"]} for row in slugs(*range(1, 11))],
            order_tags=[{"order_id": n, "tag_id": t} for n in range(1, 6) for t in (1, 2)],
        ) as engine:  # fmt: skip
            assert mirrored(engine, catalog, tags=[1, 2], orders=[2]) == []
            rows = left(engine, base)
        assert rows == {
            "tags": [1, 2], "orders": [2], "lines": [3, 4], "notes": [3, 4],
            "order_tags": [(2, 1), (2, 2)],
        }  # fmt: skip

    @pytest.mark.parametrize("action", ["NO ACTION", "RESTRICT", "CASCADE", "SET NULL"])
    def test_a_nullable_self_reference_holds_nothing(self, backend: Backend, action: str) -> None:
        """Trees and circles across chunks; what is kept stays as it is."""
        base = new_base()
        pages = table(base, "pages", above_id=to("pages.id", ondelete=action))
        above = {1: None, 2: 1, 3: 2, 4: 1, 5: 7, 6: 5, 7: 6, 8: 8, 9: None, 10: 9}
        rows = [{**row, "above_id": None} for row in slugs(*above)]
        catalog = catalog_of(pages)
        with filled(backend, base, pages=rows) as engine:
            with engine.begin() as connection:
                for number, parent in above.items():
                    update = sa.update(pages).where(pages.id == number)
                    connection.execute(update.values(above_id=parent))
            assert mirrored(engine, catalog, pages=[9, 10]) == []
            assert left(engine, base) == {"pages": [9, 10]}
            with engine.connect() as connection:
                assert connection.scalars(sa.select(pages.above_id)).all() == [None, 9]

    @pytest.mark.parametrize("action", ["NO ACTION", "RESTRICT", "CASCADE"])
    @pytest.mark.parametrize("falling", [False, True])
    def test_rows_of_a_required_self_reference_go_children_first(
        self, backend: Backend, action: str, falling: bool
    ) -> None:
        """Whether ids rise or fall with the depth, and chunks cut the tree anywhere."""
        base = new_base()
        pages = table(base, "pages", above_id=to("pages.id", null=False, ondelete=action))
        numbers = list(range(1, 20))
        order = numbers[::-1] if falling else numbers
        above = {number: order[max(0, (place - 1) // 2)] for place, number in enumerate(order)}
        catalog = catalog_of(pages)
        with filled(backend, base) as engine:
            with engine.begin() as connection:
                for number in order:
                    row = {"id": number, "slug": f"s{number}", "above_id": above[number]}
                    connection.execute(sa.insert(pages), row)
            assert mirrored(engine, catalog, pages=order[:3]) == []
            assert left(engine, base) == {"pages": sorted(order[:3])}

    def test_a_row_that_refers_to_itself_goes_beside_one_that_stays(self, backend: Backend) -> None:
        """MariaDB deletes none that does; circles go as well."""
        base = new_base()
        pages = table(base, "pages", above_id=to("pages.id", null=False, ondelete="RESTRICT"))
        rows = [{**row, "above_id": row["id"]} for row in slugs(1, 2, 3, 4)]
        with filled(backend, base, pages=rows) as engine:
            with engine.begin() as connection:
                for number, above in ((2, 3), (3, 2)):
                    change = sa.update(pages).where(pages.id == number)
                    connection.execute(change.values(above_id=above))
            assert mirrored(engine, catalog_of(pages), pages=[4]) == []
            assert left(engine, base) == {"pages": [4]}

    def test_a_cycle_of_tables_is_opened_at_its_nullable_reference(self, backend: Backend) -> None:
        """Both sides go, and what is kept keeps its reference."""
        base = new_base()
        teams = table(base, "teams", lead_id=to("people.id", use_alter=True, name="lead"))
        people = table(base, "people", team_id=to("teams.id", null=False))
        catalog = catalog_of(teams, people)
        with filled(backend, base, teams=slugs(1, 2, 3, 4)) as engine:
            with engine.begin() as connection:
                rows = [{**row, "team_id": row["id"]} for row in slugs(1, 2, 3, 4)]
                connection.execute(sa.insert(people), rows)
                connection.execute(sa.update(teams).values(lead_id=teams.id))
            assert mirrored(engine, catalog, people=[4], teams=[4]) == []
            assert left(engine, base) == {"people": [4], "teams": [4]}
            with engine.connect() as connection:
                assert connection.scalars(sa.select(teams.lead_id)).all() == [4]

    def test_links_between_records_that_both_go(self, backend: Backend) -> None:
        """Links to rows of the same table are deleted before either end."""
        base = new_base()
        sa.Table(
            "alike",
            base.metadata,
            sa.Column("near_id", sa.ForeignKey("things.id"), primary_key=True),
            sa.Column("far_id", sa.ForeignKey("things.id"), primary_key=True),
        )
        things = table(
            base,
            "things",
            alike=relationship(
                "Things",
                secondary="alike",
                primaryjoin="Things.id == alike.c.near_id",
                secondaryjoin="Things.id == alike.c.far_id",
            ),
        )
        pairs = [(1, 8), (8, 1), (2, 3), (9, 9), (4, 4)]
        links = [{"near_id": near, "far_id": far} for near, far in pairs]
        with filled(backend, base, things=slugs(*range(1, 10)), alike=links) as engine:
            assert mirrored(engine, catalog_of(things), things=[9]) == []
            assert left(engine, base) == {"things": [9], "alike": [(9, 9)]}

    @pytest.mark.parametrize("null", [True, False])
    def test_owned_rows_that_refer_to_owned_rows_of_other_records(
        self, backend: Backend, null: bool
    ) -> None:
        """Whether the reference may be null or not."""
        base = new_base()
        steps = table(
            base,
            "steps",
            plan_id=to("plans.id", null=False),
            after_id=to("steps.id", null=null),
            after=relationship("Steps", foreign_keys="Steps.after_id", remote_side="Steps.id"),
        )
        plans = table(
            base, "plans", steps=relationship(steps, foreign_keys=steps.plan_id, uselist=True)
        )
        catalog = catalog_of()
        schema_for(plans, catalog, {"steps": Owned(schema_for(steps, catalog))})
        after = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 5, 7: 6, 8: 1}
        with filled(backend, base, plans=slugs(*range(1, 9))) as engine:
            with engine.begin() as connection:
                for number, other in after.items():
                    row = {"id": number, "slug": f"s{number}", "plan_id": number}
                    connection.execute(sa.insert(steps), row | {"after_id": other})
            assert mirrored(engine, catalog, plans=[1, 8]) == []
            assert left(engine, base) == {"plans": [1, 8], "steps": [1, 8]}

    def test_subclasses_rows_go_before_their_bases(self, backend: Backend) -> None:
        """Joined tables at two depths, which have references and links of their own."""
        base = new_base()
        tags = table(base, "tags")
        animal = table(
            base, "animals", sort=mapped_column(sa.String(9), nullable=False),
            __mapper_args__={"polymorphic_on": "sort", "polymorphic_identity": "animal"},
        )  # fmt: skip
        dog = type("Dog", (animal,), {
            "__tablename__": "dogs", "__mapper_args__": {"polymorphic_identity": "dog"},
            "id": mapped_column(sa.ForeignKey("animals.id"), primary_key=True),
            "tag_id": to("tags.id"),
        })  # fmt: skip
        type("Poodle", (dog,), {
            "__tablename__": "poodles", "__mapper_args__": {"polymorphic_identity": "poodle"},
            "id": mapped_column(sa.ForeignKey("dogs.id"), primary_key=True),
        })  # fmt: skip
        sorts = {1: "animal", 2: "dog", 3: "poodle", 4: "dog", 5: "poodle", 6: "poodle"}
        with filled(
            backend, base, tags=slugs(1),
            animals=[{**row, "sort": sorts[row["id"]]} for row in slugs(*sorts)],
            dogs=[{"id": n, "tag_id": n % 2 or None} for n in sorts if n > 1],
            poodles=[{"id": n} for n, sort in sorts.items() if sort == "poodle"],
        ) as engine:  # fmt: skip
            assert mirrored(engine, catalog_of(tags, animal), animals=[6], tags=[1]) == []
            rows = left(engine, base)
        assert rows == {"tags": [1], "animals": [6], "dogs": [6], "poodles": [6]}

    def test_composite_keys(self, backend: Backend) -> None:
        """Of parents and of those that refer to them."""
        base = new_base()

        def keyed(name: str, **columns: Any) -> Any:
            key = {n: mapped_column(sa.String(5), primary_key=True) for n in ("land", "town")}
            return type(base)(name.title(), (base,), {"__tablename__": name, **key, **columns})

        streets = keyed(
            "streets",
            number=mapped_column(sa.Integer, primary_key=True, autoincrement=False),
            __table_args__=(
                sa.ForeignKeyConstraint(["land", "town"], ["towns.land", "towns.town"]),
            ),
            place=relationship("Towns"),
        )
        catalog = catalog_of(keyed("towns"), streets)
        places = [{"land": land, "town": town} for land in "ab" for town in "xyz"]
        with filled(
            backend, base, towns=places,
            streets=[{**place, "number": n} for place in places for n in (1, 2)],
        ) as engine:  # fmt: skip
            kept: Any = {"towns": [("b", "y")], "streets": [("b", "y", 2)]}
            assert mirrored(engine, catalog, **kept) == []
            assert left(engine, base) == kept


class TestRefusals:
    """What the database refuses to delete is named by its record."""

    def test_a_record_that_another_table_holds_is_named(self, backend: Backend) -> None:
        """The others go."""
        base = new_base()
        things = table(base, "things")
        sa.Table(
            "outside", base.metadata,
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("thing_id", sa.ForeignKey("things.id")),
        )  # fmt: skip
        held = [{"id": 1, "thing_id": 4}, {"id": 2, "thing_id": 4}, {"id": 3, "thing_id": 6}]
        with filled(backend, base, things=slugs(*range(1, 9)), outside=held) as engine:
            refusals = mirrored(engine, catalog_of(things), things=[8])
            assert left(engine, base)["things"] == [4, 6, 8]
        assert [refusal.key for refusal in refusals] == [{"slug": "s4"}, {"slug": "s6"}]
        assert all("the database refused it" in refusal.message for refusal in refusals)


def test_doomed_records_are_read_before_they_go(backend: Backend) -> None:
    """Each with its natural key, by the chunk and in key order."""
    base = new_base()
    part = table(base, "parts", thing_id=to("things.id", null=False))
    thing = table(base, "things", parts=relationship(part))
    catalog = catalog_of()
    schema_for(thing, catalog, {"parts": Owned(schema_for(part, catalog))})
    parts = slugs(1, thing_id=2)
    with filled(backend, base, things=slugs(1, 2, 3), parts=parts) as engine:
        with writing(engine, catalog) as opened:
            root = catalog.use()["things"]
            records = list(doomed_records(opened.database, root, [[(2,), (1,)], [(3,)]]))
    assert records == [
        (("s1",), b'{"slug":"s1","parts":[]}'),
        (("s2",), b'{"slug":"s2","parts":[{"slug":"s1"}]}'),
        (("s3",), b'{"slug":"s3","parts":[]}'),
    ]


def test_a_chunk_takes_the_same_statements_however_many_rows_it_has(backend: Backend) -> None:
    """Of its owned rows and links as well."""
    base = new_base()
    line = table(base, "lines", order_id=to("orders.id", null=False))
    order = table(base, "orders", above_id=to("orders.id"), lines=relationship(line))
    catalog = catalog_of()
    schema_for(order, catalog, {"lines": Owned(schema_for(line, catalog))})
    counts = []
    for count in (20, 600):
        orders = [{**row, "above_id": 1} for row in slugs(*range(1, count + 1))]
        lines = [{**row, "order_id": 2 + row["id"] % 3} for row in slugs(*range(1, count + 1))]
        with filled(backend, base, orders=orders, lines=lines) as engine:
            with statements(engine) as seen:
                assert mirrored(engine, catalog, size=1_000, orders=[1]) == []
            counts.append(len(seen))
    assert counts[0] == counts[1]
