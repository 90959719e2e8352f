"""What goes along with deleted records outside of them, and what holds them: before they go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column, relationship

from lading import Catalog, ImportFailed, Owned, PlanChanged, diff, export_document, import_document
from support.backends import ON_SQLITE, Backend
from support.declaring import catalog_of, new_base, schema_for, slugs, table, to
from support.deleting import filled, foretold, mirrored
from support.statements import run_sql, statements


def refers(name: str, *references: str, more: str = "", target: str = "") -> str:
    """Return the DDL of a table that no metadata knows, as ``column target action``."""
    columns, keys = [], []
    for reference in references:
        column, far, action = reference.split(" ", maxsplit=2)
        columns.append(f"{column} INTEGER")
        keys.append(f"FOREIGN KEY ({column}) REFERENCES {far} (id) ON DELETE {action}")
    parts = ", ".join(["id INTEGER PRIMARY KEY", *columns, *keys])
    return f"CREATE TABLE {name} ({parts})"


def insertion(name: str, *rows: tuple[int | None, ...]) -> str:
    """Return the INSERT of rows."""
    values = (", ".join("NULL" if v is None else str(v) for v in row) for row in rows)
    return f"INSERT INTO {name} VALUES {', '.join(f'({row})' for row in values)}"


def things() -> tuple[Any, Any]:
    """Return models of things that own parts, and their catalog."""
    base = new_base()
    part = table(base, "parts", thing_id=to("things.id", null=False))
    thing = table(base, "things", parts=relationship(part))
    catalog = catalog_of()
    schema_for(thing, catalog, {"parts": Owned(schema_for(part, catalog))})
    return base, catalog


@contextmanager
def database(backend: Backend, *sql: str) -> Iterator[tuple[sa.Engine, Any]]:
    """Yield a database of eight things with a part each, after some SQL, and their catalog."""
    base, catalog = things()
    parts = [{**row, "thing_id": row["id"]} for row in slugs(*range(1, 9))]
    with filled(backend, base, things=slugs(*range(1, 9)), parts=parts) as engine:
        run_sql(engine, *sql)
        yield engine, catalog


@contextmanager
def uses_by_id(backend: Backend, action: str) -> Iterator[tuple[sa.Engine, Any]]:
    """Yield a database of uses and their parts, which hold ids of things, and its catalog."""
    base, catalog = new_base(), Catalog("uses", keep_ids=True)
    schema_for(table(base, "things"), catalog)
    part = table(
        base, "parts", use_id=to("uses.id", null=False), thing_id=to("things.id", ondelete=action)
    )
    use = table(base, "uses", thing_id=to("things.id", ondelete=action), parts=relationship(part))
    owned = Owned(schema_for(part, catalog, stored=("thing_id",)))
    schema_for(use, catalog, {"parts": owned}, stored=("thing_id",))
    with filled(
        backend, base, things=slugs(1, 2, 3), uses=slugs(1, 2, 3, thing_id=1),
        parts=[{**row, "use_id": row["id"]} for row in slugs(1, 2, 3, thing_id=1)],
    ) as engine:  # fmt: skip
        yield engine, catalog


def counts_of(engine: sa.Engine, *names: str) -> dict[str, int]:
    """Count the rows of tables."""
    with engine.connect() as connection:
        return {
            name: connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one()
            for name in names
        }


class TestAlong:
    """What the database deletes or alters along with deleted records."""

    def test_rows_go_along_at_every_depth(self, backend: Backend) -> None:
        """Each counts once, and as many go as were foretold."""
        with database(
            backend,
            refers("logs", "thing_id things CASCADE"),
            refers("bits", "log_id logs CASCADE", "part_id parts CASCADE"),
            refers("dust", "bit_id bits CASCADE"),
            insertion("logs", *((n, n % 4 + 1) for n in range(1, 21))),
            insertion("bits", *((n, n % 20 + 1, n % 8 + 1) for n in range(1, 41))),
            insertion("dust", *((n, n % 40 + 1) for n in range(1, 81))),
        ) as (engine, catalog):
            outcome = foretold(engine, catalog, things=[3, 8])
            before = counts_of(engine, "logs", "bits", "dust")
            assert mirrored(engine, catalog, things=[3, 8]) == []
            after = counts_of(engine, "logs", "bits", "dust")
        along: dict[str, int] = dict.fromkeys(before, 0)
        for cascade in outcome.cascades:
            assert (cascade.entity, cascade.effect) == ("things", "deleted")
            along[cascade.relation.split(".")[0]] += cascade.count
        assert along == {name: before[name] - after[name] for name in before}
        assert min(along.values()) > 0
        assert outcome.refusals == []

    def test_references_are_set_to_null(self, backend: Backend) -> None:
        """Except those of rows that go along."""
        with database(
            backend,
            refers("logs", "thing_id things SET NULL"),
            refers("bits", "part_id parts SET NULL", "thing_id things CASCADE"),
            insertion("logs", (1, 1), (2, 1), (3, 8), (4, None)),
            insertion("bits", (1, 1, 1), (2, 2, 8), (3, 8, 3), (4, 3, None)),
        ) as (engine, catalog):
            outcome = foretold(engine, catalog, things=[8])
            assert sorted(map(str, outcome.cascades)) == [
                "bits.part_id: 2 set to null, with things",
                "bits.thing_id: 2 deleted, with things",
                "logs.thing_id: 2 set to null, with things",
            ]

    def test_a_table_that_refers_to_itself(self, backend: Backend) -> None:
        """Trees and circles of any depth, of which only the roots refer to a record."""
        above = {1: None, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 8: 7, 9: None, 10: 9}
        rows = [(n, None, {1: 1, 7: 2, 9: 8}.get(n)) for n in above]
        changes = [f"UPDATE nodes SET above_id = {a} WHERE id = {n}" for n, a in above.items() if a]
        with database(
            backend,
            refers("nodes", "above_id nodes CASCADE", "thing_id things CASCADE"),
            insertion("nodes", *rows),
            *changes,
        ) as (engine, catalog):
            outcome = foretold(engine, catalog, things=[8])
            counts = {cascade.relation: cascade.count for cascade in outcome.cascades}
            assert counts == {"nodes.thing_id": 2, "nodes.above_id": 6}
            assert mirrored(engine, catalog, things=[8]) == []
            assert counts_of(engine, "nodes") == {"nodes": 2}

    def test_what_the_records_own_deletion_and_update_cover_is_left_out(
        self, backend: Backend
    ) -> None:
        """Their references, owned rows, links and subclasses' rows, whether they go or stay."""
        base = new_base()
        sa.Table(
            "thing_tags", base.metadata,
            sa.Column("thing_id", sa.ForeignKey("things.id", ondelete="CASCADE"), primary_key=True),
            sa.Column("tag_id", sa.ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True),
        )  # fmt: skip
        tag = table(base, "tags", above_id=to("tags.id", ondelete="CASCADE"))
        part = table(base, "parts", thing_id=to("things.id", null=False, ondelete="CASCADE"))
        thing = table(
            base, "things", tag_id=to("tags.id", ondelete="SET NULL"),
            parts=relationship(part), tags=relationship("Tags", secondary="thing_tags"),
            tag=relationship("Tags"),
        )  # fmt: skip
        catalog = catalog_of(tag)
        schema_for(thing, catalog, {"parts": Owned(schema_for(part, catalog))})
        with filled(
            backend, base, tags=slugs(1, 2), things=slugs(1, 2, tag_id=1),
            parts=slugs(1, 2, thing_id=1),
            thing_tags=[{"thing_id": a, "tag_id": b} for a in (1, 2) for b in (1, 2)],
        ) as engine:  # fmt: skip
            run_sql(engine, "UPDATE tags SET above_id = 1")
            rewritten = {"tags": [(2,)], "things": [(2,)]}
            outcome = foretold(engine, catalog, rewritten=rewritten, things=[2], tags=[2])
            assert (outcome.cascades, outcome.refusals) == ([], [])
            assert foretold(engine, catalog, rewritten=rewritten, tags=[2]).cascades != []
            outcome = foretold(engine, catalog, tags=[2])
            assert sorted(map(str, outcome.cascades)) == [
                "thing_tags.tag_id: 2 deleted, with tags",
                "things.tag_id: 2 set to null, with tags",
            ]

    def test_a_record_that_stays_may_go_along_by_a_column_that_no_record_carries(
        self, backend: Backend
    ) -> None:
        """With what it owns; records that go by themselves aren't counted again."""
        with database(
            backend,
            refers("logs", "thing_id things CASCADE"),
            insertion("logs", (1, 1), (2, 2)),
            "ALTER TABLE things ADD COLUMN log_id INTEGER REFERENCES logs (id) ON DELETE CASCADE",
            "UPDATE things SET log_id = 1 WHERE id IN (2, 8)",
            "DELETE FROM parts WHERE thing_id = 8",
        ) as (engine, catalog):
            outcome = foretold(engine, catalog, things=[7, 8])
            assert sorted(map(str, outcome.cascades)) == [
                "logs.thing_id: 2 deleted, with things",
                "things.log_id: 1 deleted, with things",
            ]
            run_sql(engine, "INSERT INTO parts (id, slug, thing_id) VALUES (20, 'x', 8)")
            (refusal,) = foretold(engine, catalog, things=[7, 8]).refusals
            assert "1 row of parts refers to a row of things that goes with it" in refusal.message

    def test_an_import_that_counts_rows_knows_which_go_along(self, backend: Backend) -> None:
        """Those of entities that aren't mirrored, with their references."""
        base = new_base()
        thing = table(base, "things")
        use = table(
            base, "uses", thing_id=to("things.id", ondelete="CASCADE"),
            other_id=to("things.id", ondelete="SET NULL"),
            thing=relationship(thing, foreign_keys="Uses.thing_id"),
            other=relationship(thing, foreign_keys="Uses.other_id"),
        )  # fmt: skip
        rows = [
            {**row, "thing_id": row["id"] % 4 + 1, "other_id": row["id"] % 3 or None}
            for row in slugs(*range(1, 13))
        ]
        with filled(backend, base, things=slugs(1, 2, 3, 4), uses=rows) as engine:
            assert mirrored(engine, catalog_of(thing, use), things=[3, 4]) == []

    def test_composite_keys(self, backend: Backend) -> None:
        """Of the table that is referred to, and of the one that refers."""
        base = new_base()
        key = {n: mapped_column(sa.String(5), primary_key=True) for n in ("land", "town")}
        towns = type(base)("Towns", (base,), {"__tablename__": "towns", **key})
        places = [{"land": land, "town": town} for land in "ab" for town in "xy"]
        with filled(backend, base, towns=places) as engine:
            run_sql(
                engine,
                "CREATE TABLE streets (land VARCHAR(5), town VARCHAR(5), number INTEGER, "
                "PRIMARY KEY (land, town, number), "
                "FOREIGN KEY (land, town) REFERENCES towns (land, town) ON DELETE CASCADE)",
                "CREATE TABLE doors (land VARCHAR(5), town VARCHAR(5), number INTEGER, "
                "FOREIGN KEY (land, town, number) REFERENCES streets (land, town, number))",
                "INSERT INTO streets VALUES ('a', 'x', 1), ('a', 'x', 2), ('b', 'y', 1)",
                "INSERT INTO doors VALUES ('a', 'x', 2), ('b', 'y', 1), ('b', NULL, 1)",
            )
            outcome = foretold(engine, catalog_of(towns), towns=[("b", "y")])
        assert list(map(str, outcome.cascades)) == ["streets.land+town: 2 deleted, with towns"]
        (refusal,) = outcome.refusals
        assert refusal.key == {"land": "a", "town": "x"}

    def test_what_refers_to_links_and_to_subclasses_tables(self, backend: Backend) -> None:
        """By keys of their own, and by unique columns."""
        base = new_base()
        sa.Table(
            "uses", base.metadata,
            sa.Column("dog_id", sa.ForeignKey("animals.id"), primary_key=True),
            sa.Column("tag_id", sa.ForeignKey("tags.id"), primary_key=True),
        )  # fmt: skip
        tag = table(base, "tags")
        animal = table(
            base, "animals", sort=mapped_column(sa.String(9), nullable=False),
            tags=relationship("Tags", secondary="uses"),
            __mapper_args__={"polymorphic_on": "sort", "polymorphic_identity": "animal"},
        )  # fmt: skip
        type("Dog", (animal,), {
            "__tablename__": "dogs", "__mapper_args__": {"polymorphic_identity": "dog"},
            "id": mapped_column(sa.ForeignKey("animals.id"), primary_key=True),
            "chip": mapped_column(sa.String(9), unique=True),
        })  # fmt: skip
        with filled(
            backend, base, tags=slugs(1), animals=slugs(1, 2, 3, sort="dog"),
            dogs=[{"id": n, "chip": f"c{n}"} for n in (1, 2, 3)],
            uses=[{"dog_id": n, "tag_id": 1} for n in (1, 2, 3)],
        ) as engine:  # fmt: skip
            run_sql(
                engine,
                "CREATE TABLE scans (id INTEGER PRIMARY KEY, chip VARCHAR(9), "
                "FOREIGN KEY (chip) REFERENCES dogs (chip) ON DELETE SET NULL)",
                "INSERT INTO scans VALUES (1, 'c1'), (2, 'c1'), (3, 'c2'), (4, 'c3')",
                "CREATE TABLE votes (id INTEGER PRIMARY KEY, dog INTEGER, tag INTEGER, "
                "FOREIGN KEY (dog, tag) REFERENCES uses (dog_id, tag_id) ON DELETE CASCADE)",
                "INSERT INTO votes VALUES (1, 1, 1), (2, 3, 1), (3, 1, NULL)",
            )
            outcome = foretold(engine, catalog_of(tag, animal), animals=[3], tags=[1])
        assert sorted(map(str, outcome.cascades)) == [
            "scans.chip: 3 set to null, with animals",
            "votes.dog+tag: 1 deleted, with animals",
        ]

    def test_columns_that_fall_back_to_their_default(self, backend: Backend) -> None:
        """MariaDB has no SET DEFAULT."""
        if backend.dialect == "mariadb":
            pytest.skip("no SET DEFAULT")
        with database(
            backend,
            "CREATE TABLE logs (id INTEGER PRIMARY KEY, "
            "thing_id INTEGER DEFAULT 8 REFERENCES things ON DELETE SET DEFAULT)",
            insertion("logs", (1, 1), (2, 8)),
        ) as (engine, catalog):
            outcome = foretold(engine, catalog, things=[8])
        assert list(map(str, outcome.cascades)) == ["logs.thing_id: 1 set to default, with things"]

    def test_tables_of_other_schemas(self, backend: Backend) -> None:
        """Are named with their schema; SQLite's foreign keys stay in one file."""
        if backend.dialect == "sqlite":
            pytest.skip("no foreign key leads to another file")
        with database(backend) as (engine, catalog):
            place = engine.url.database if backend.dialect == "mariadb" else "public"
            try:
                run_sql(
                    engine,
                    "CREATE SCHEMA lading_beside",
                    refers("lading_beside.logs", f"thing_id {place}.things CASCADE"),
                    insertion("lading_beside.logs", (1, 1), (2, 8)),
                )
                (cascade,) = foretold(engine, catalog, things=[8]).cascades
            finally:
                run_sql(engine, "DROP TABLE lading_beside.logs", "DROP SCHEMA lading_beside")
        assert str(cascade) == "lading_beside.logs.thing_id: 1 deleted, with things"

    @ON_SQLITE
    def test_without_the_pragma_whatever_refers_holds_a_record(self, backend: Backend) -> None:
        """SQLite would let nothing go along, and leave it referring to nothing."""
        with database(
            backend,
            refers("logs", "thing_id things CASCADE"),
            insertion("logs", (1, 1)),
        ) as (engine, catalog):
            run_sql(engine, "PRAGMA foreign_keys=OFF")
            consequences = foretold(engine, catalog, things=[8])
            assert consequences.cascades == []
            assert [refusal.record for refusal in consequences.refusals] == [(1,)]

    def test_nothing_is_written_and_a_chunk_takes_the_same_statements(
        self, backend: Backend
    ) -> None:
        """However many rows go along."""
        counts = []
        for times in (1, 40):
            rows = [(n, n % 7 + 1) for n in range(1, 8 * times)]
            with database(
                backend,
                refers("logs", "thing_id things CASCADE"),
                refers("bits", "log_id logs CASCADE"),
                refers("audits", "log_id logs RESTRICT"),
                insertion("logs", *rows),
                insertion("bits", *rows),
                insertion("audits", *rows),
            ) as (engine, catalog):
                with statements(engine) as seen:
                    foretold(engine, catalog, size=1_000, things=[8])
                counts.append(len(seen))
                written = [
                    s for s in seen if s.split()[0] in ("INSERT", "UPDATE", "DELETE", "CREATE")
                ]
                assert written == []
        assert counts[0] == counts[1]


class TestHolders:
    """Rows outside that keep a record from being deleted."""

    def test_a_row_that_no_model_knows_is_named_by_its_primary_key(self, backend: Backend) -> None:
        """With the number of rows, for each record."""
        with database(
            backend,
            refers("logs", "thing_id things RESTRICT"),
            insertion("logs", (3, 1), (4, 1), (5, 2), (6, 8)),
        ) as (engine, catalog):
            outcome = foretold(engine, catalog, things=[8])
        assert [(refusal.key, refusal.message) for refusal in outcome.refusals] == [
            ({"slug": "s1"}, "can't be deleted: 2 rows of logs refer to it by thing_id, such as the "
             "one with id 3; delete or change them first"),
            ({"slug": "s2"}, "can't be deleted: 1 row of logs refers to it by thing_id, the one with "
             "id 5; delete or change them first"),
        ]  # fmt: skip

    def test_a_row_that_refers_to_what_goes_along(self, backend: Backend) -> None:
        """Holds the record, at any depth; a row that goes along itself holds nothing."""
        with database(
            backend,
            refers("logs", "thing_id things CASCADE"),
            refers("bits", "log_id logs CASCADE"),
            refers("audits", "bit_id bits NO ACTION", "thing_id parts CASCADE"),
            insertion("logs", (1, 1), (2, 2)),
            insertion("bits", (1, 1), (2, 2)),
            insertion("audits", (1, 1, 8), (2, 2, 2)),
        ) as (engine, catalog):
            (refusal,) = foretold(engine, catalog, things=[8]).refusals
            refused = mirrored(engine, catalog, things=[8])
        assert refusal.key == {"slug": "s1"}
        assert "1 row of audits refers to a row of bits that goes with it" in refusal.message
        assert [other.key for other in refused] == [{"slug": "s1"}]

    def test_a_record_of_an_entity_is_named_by_its_natural_key(self, backend: Backend) -> None:
        """Where that entity isn't mirrored."""
        base = new_base()
        catalog = catalog_of(table(base, "things"), table(base, "uses", thing_id=to("things.id")))
        with filled(backend, base, things=slugs(1, 2), uses=slugs(7, thing_id=1)) as engine:
            (refusal,) = foretold(engine, catalog, things=[2]).refusals
            outcome = foretold(engine, catalog, rewritten={"uses": [(7,)]}, things=[2], uses=[7])
            assert (outcome.refusals, outcome.cascades) == ([], [])
            outcome = foretold(engine, catalog, rewritten={"uses": [(7,)]}, things=[2])
            assert (outcome.refusals, outcome.cascades) == ([], [])
        assert "1 row of uses refers to it by thing_id, the one with slug 's7'" in refusal.message

    @pytest.mark.parametrize("action", ["CASCADE", "SET NULL", "NO ACTION"])
    def test_a_record_to_which_mirrored_ones_refer_that_stay(
        self, backend: Backend, action: str
    ) -> None:
        """Directly, by links and from owned rows, whatever the database would do to them."""
        base = new_base()
        sa.Table(
            "thing_tags", base.metadata,
            sa.Column("thing_id", sa.ForeignKey("things.id"), primary_key=True),
            sa.Column("tag_id", sa.ForeignKey("tags.id"), primary_key=True),
        )  # fmt: skip
        tag = table(base, "tags")
        part = table(
            base, "parts",
            thing_id=to("things.id", null=False), tag_id=to("tags.id", ondelete=action),
        )  # fmt: skip
        thing = table(
            base, "things", tag_id=to("tags.id", ondelete=action), tag=relationship(tag),
            parts=relationship(part), tags=relationship("Tags", secondary="thing_tags"),
        )  # fmt: skip
        catalog = catalog_of(tag)
        schema_for(thing, catalog, {"parts": Owned(schema_for(part, catalog))})
        with filled(
            backend, base, tags=slugs(1, 2, 3, 4),
            things=[{**row, "tag_id": row["id"] if row["id"] < 2 else None} for row in slugs(1, 2)],
            parts=slugs(5, thing_id=2, tag_id=2),
            thing_tags=[{"thing_id": 2, "tag_id": 3}],
        ) as engine:  # fmt: skip
            outcome = foretold(engine, catalog, things=[1, 2], tags=[4])
            others = foretold(engine, catalog, things=[], tags=[4])
        texts = [
            (refusal.key["slug"], refusal.message.split(": ")[-1]) for refusal in outcome.refusals
        ]
        assert sorted(texts) == [
            ("s1", "1 of things, the one with slug 's1'; put it into the bundle, or change these"),
            ("s2", "1 of things, the one with slug 's2'; put it into the bundle, or change these"),
            ("s3", "1 of things, the one with slug 's2'; put it into the bundle, or change these"),
        ]  # fmt: skip
        assert (outcome.cascades, others.cascades, others.refusals) == ([], [], [])


class TestImports:
    """An import refuses what a plan of it foretells."""

    @pytest.mark.parametrize("action", ["CASCADE", "SET NULL"])
    @pytest.mark.parametrize("others", ["skip", "update", "mirror"])
    def test_a_plan_foretells_what_goes_along(
        self, backend: Backend, others: str, action: str
    ) -> None:
        """Only in modes that leave the other entity's references; then an import must allow it."""
        base = new_base()
        catalog = catalog_of(
            table(base, "things"), table(base, "uses", thing_id=to("things.id", ondelete=action))
        )
        modes: Any = {"things": "mirror", "*": others}
        with filled(backend, base, things=slugs(1, 2), uses=slugs(1, 2, thing_id=1)) as engine:
            document = export_document(engine, catalog=catalog)
            document["things"] = document["things"][1:]
            for use in document["uses"]:
                use["thing"] = {"slug": "s2"}
            options: Any = {"catalog": catalog, "on_conflict": modes}
            plan: Any = import_document(engine, document, dry_run=True, **options)
            goes_along = others == "skip"
            assert [along.count for along in plan.cascades] == ([2] if goes_along else [])
            assert len(plan.problems) == goes_along
            if goes_along:
                with pytest.raises(ImportFailed, match="say cascade=True") as refused:
                    import_document(engine, document, **options)
                assert plan.problems == refused.value.report.problems
                options["cascade"] = True
            plan = import_document(engine, document, dry_run=True, **options)
            assert list(plan.problems) == []
            report = import_document(engine, document, expect=plan, **options)
            assert (report.deleted, report.updated) == (1, 0 if goes_along else 2)

    @pytest.mark.parametrize("action", ["CASCADE", "SET NULL", "NO ACTION"])
    def test_a_mirrored_record_must_not_refer_to_what_its_bundle_lacks(
        self, backend: Backend, action: str
    ) -> None:
        """Neither by plan nor in fact, whatever cascades are allowed."""
        base = new_base()
        use = table(
            base, "uses", thing_id=to("things.id", ondelete=action),
            times=mapped_column(sa.Integer),
        )  # fmt: skip
        catalog = catalog_of(table(base, "things"), use)
        with filled(backend, base, things=slugs(1, 2), uses=slugs(1, 2, thing_id=1)) as engine:
            document = export_document(engine, catalog=catalog)
            document["things"] = document["things"][1:]
            document["uses"][0]["times"] = 3
            options: Any = {"catalog": catalog, "on_conflict": "mirror"}
            plan: Any = import_document(engine, document, dry_run=True, **options)
            with pytest.raises(ImportFailed) as refused:
                import_document(engine, document, cascade=True, **options)
        problems = list(refused.value.report.problems)
        assert [problem.key for problem in problems] == [{"slug": "s1"}]
        assert "records that stay refer to it by uses.thing_id: 2 of uses" in problems[0].message
        assert list(map(str, plan.problems)) == list(map(str, problems))

    def test_a_plan_knows_which_records_would_refer_to_what_a_mirror_deletes(
        self, backend: Backend
    ) -> None:
        """New ones, and those that refer to another record until then."""
        base = new_base()
        catalog = catalog_of(table(base, "things"), table(base, "uses", thing_id=to("things.id")))
        with filled(backend, base, things=slugs(1, 2), uses=slugs(1, 2, thing_id=2)) as engine:
            document = export_document(engine, catalog=catalog)
            (lacking, _), uses = document["things"], document["uses"]
            document["things"] = document["things"][1:]
            uses[0]["thing"] = lacking
            uses.append({"slug": "s3", "thing": lacking})
            options: Any = {"catalog": catalog, "on_conflict": "mirror"}
            plan: Any = import_document(engine, document, dry_run=True, **options)
            with pytest.raises(ImportFailed, match=r"records that stay refer to it .*: 2 of uses"):
                import_document(engine, document, **options)
        text = "things: the bundle lacks the record with slug 's1', so it would be deleted"
        assert [(problem.record, problem.field) for problem in plan.problems] == [
            (3, "thing"),
            (1, "thing"),
        ]
        assert all(problem.message.startswith(text) for problem in plan.problems)

    @pytest.mark.parametrize("action", ["CASCADE", "SET NULL", "NO ACTION"])
    def test_plain_fields_that_a_mirror_points_elsewhere_hold_nothing(
        self, backend: Backend, action: str
    ) -> None:
        """Of records, of rows that they own, and of records that are deleted themselves."""
        with uses_by_id(backend, action) as (engine, catalog):
            document = export_document(engine, catalog=catalog)
            del document["things"][0], document["uses"][2]
            for use in document["uses"]:
                use["thing_id"] = 2
                for part in use["parts"]:
                    part["thing_id"] = 3
            options: Any = {"catalog": catalog, "on_conflict": "mirror"}
            plan: Any = import_document(engine, document, dry_run=True, **options)
            assert (list(plan.problems), list(plan.cascades)) == ([], [])
            report = import_document(engine, document, expect=plan, **options)
            assert (report.updated, report.deleted) == (2, 2)
            now = export_document(engine, catalog=catalog)
            assert (now["things"], now["uses"]) == (document["things"], document["uses"])

    @pytest.mark.parametrize("action", ["CASCADE", "SET NULL", "NO ACTION"])
    def test_plain_fields_that_stay_hold_what_a_mirror_deletes(
        self, backend: Backend, action: str
    ) -> None:
        """Neither plan nor import lets the database alter what the bundle says."""
        with uses_by_id(backend, action) as (engine, catalog):
            document = export_document(engine, catalog=catalog)
            del document["things"][0]
            options: Any = {"catalog": catalog, "on_conflict": "mirror", "cascade": True}
            plan: Any = import_document(engine, document, dry_run=True, **options)
            with pytest.raises(ImportFailed) as refused:
                import_document(engine, document, **options)
        problems = list(refused.value.report.problems)
        assert [problem.key for problem in problems] == [{"slug": "s1"}]
        assert "records that stay refer to it by" in problems[0].message
        assert list(map(str, plan.problems)) == list(map(str, problems))

    @pytest.mark.parametrize("action", ["CASCADE", "SET NULL", "NO ACTION"])
    def test_a_plan_knows_which_plain_fields_would_refer_to_what_a_mirror_deletes(
        self, backend: Backend, action: str
    ) -> None:
        """Of new records, of changed ones, and of rows that they own."""
        with uses_by_id(backend, action) as (engine, catalog):
            document = export_document(engine, catalog=catalog)
            uses = document["uses"]
            del document["things"][1]
            uses[0]["thing_id"] = 2
            uses[1]["parts"][0]["thing_id"] = 2
            uses.append({**uses[2], "slug": "s4", "id": 4, "thing_id": 2, "parts": []})
            options: Any = {"catalog": catalog, "on_conflict": "mirror", "cascade": True}
            plan: Any = import_document(engine, document, dry_run=True, **options)
            with pytest.raises(
                ImportFailed, match=r"records that stay refer to it by (parts|uses)\.thing_id"
            ):
                import_document(engine, document, **options)
        text = "things: the bundle lacks the record of the row with id 2, so it would be deleted"
        assert [(problem.record, problem.field) for problem in plan.problems] == [
            (4, "thing_id"),
            (1, "thing_id"),
            (2, "parts.1.thing_id"),
        ]
        assert all(problem.message.startswith(text) for problem in plan.problems)

    @pytest.mark.parametrize("action", ["CASCADE", "NO ACTION"])
    def test_plain_fields_of_an_adopted_composite_key(self, backend: Backend, action: str) -> None:
        """Travel as they are where a row has the foreign key in part."""
        with backend.database(sa.MetaData()) as engine:
            run_sql(
                engine,
                "CREATE TABLE zones (a INTEGER NOT NULL, b INTEGER NOT NULL, PRIMARY KEY (a, b))",
                "CREATE TABLE areas (slug VARCHAR(9) PRIMARY KEY, a INTEGER, b INTEGER, "
                f"FOREIGN KEY (a, b) REFERENCES zones (a, b) ON DELETE {action})",
                "INSERT INTO zones VALUES (1, 1), (4, 4)",
                "INSERT INTO areas VALUES ('x', 4, 4), ('y', 1, NULL)",
            )
            catalog = Catalog.from_metadata(engine)
            document = export_document(engine, catalog=catalog)
            zones, (area, _) = document["zones"], document["areas"]
            assert (area["a"], area["b"]) == (4, 4)
            options: Any = {"catalog": catalog, "on_conflict": "mirror"}
            area["a"] = area["b"] = 1
            document["zones"] = zones[:1]
            plan: Any = import_document(engine, document, dry_run=True, **options)
            report = import_document(engine, document, expect=plan, **options)
            assert (report.updated, report.deleted) == (1, 1)
            document["zones"] = []
            plan = import_document(engine, document, dry_run=True, **options)
            with pytest.raises(ImportFailed) as refused:
                import_document(engine, document, **options)
        problems = list(map(str, refused.value.report.problems))
        assert list(map(str, plan.problems)) == problems

    def test_a_diff_names_no_rows_that_go_along(self, backend: Backend) -> None:
        """So it is refused with them, even if they may go, and the plan to take instead is named."""
        with database(
            backend, refers("logs", "thing_id things CASCADE"), insertion("logs", (1, 8), (2, 1))
        ) as (engine, catalog):
            document = export_document(engine, catalog=catalog)
            document["things"].pop()
            options: Any = {"catalog": catalog, "on_conflict": "mirror", "cascade": True}
            text = (
                "logs.thing_id: the plan names no row deleted, with things, as no diff does: only "
                "a dry run counts them; now it would be 1. Make a new plan by dry_run=True"
            )
            with pytest.raises(PlanChanged, match=text):
                difference = diff(engine, document, catalog=catalog)
                import_document(engine, document, expect=difference, **options)
            plan: Any = import_document(engine, document, dry_run=True, **options)
            assert import_document(engine, document, expect=plan, **options).deleted == 1
            assert counts_of(engine, "logs") == {"logs": 1}
