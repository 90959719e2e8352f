"""Derives from a catalog what must be drawn: a plan for each of its tables, and their order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from functools import cached_property
from itertools import chain
from typing import Any

import networkx as nx
import sqlalchemy as sa
from hypothesis.strategies import SearchStrategy

from lading.catalog import Catalog
from lading.errors import ArgumentError, DeclarationError
from lading.mapping.columns import AsStored
from lading.mapping.generated_values import is_numbered
from lading.mapping.load_order import is_deferrable, load_order_of
from lading.messages import shown
from lading.model.entities import Entities
from lading.model.rowsets import Classes, Column, Links, Reference, RowSet, Value, carried_tables
from lading.options import check_mapping, entity_names
from lading.testing.cell_values.cells import Cells
from lading.testing.cell_values.checks import Checks
from lading.testing.datasets.table_plan import Foreign, Plan, Unique, constraints_of, identities

Overrides = Mapping[str, SearchStrategy[Any]]


def check_overrides(overrides: Any) -> None:
    """Refuse what is no mapping of columns to strategies; what is named is found when drawing."""
    if overrides is None:
        return
    check_mapping("overrides", overrides, "a mapping of columns to strategies")
    for name, strategy in overrides.items():
        if not isinstance(strategy, SearchStrategy):
            expected = "a strategy, such as st.sampled_from(['kg', 'l'])"
            subject = f"overrides[{name!r}] is {shown(strategy)}"
            raise ArgumentError("overrides", strategy, expected, subject=subject)


class Plans:
    """The plans of a catalog, in an order in which rows can be drawn."""

    def __init__(self, catalog: Catalog, overrides: Overrides | None = None) -> None:
        self.catalog = catalog
        self.entities: Entities = catalog.use()
        self.overrides = dict(overrides or {})
        #: The plan of each table that rows are drawn for.
        self.of: dict[Any, Plan] = {}
        self._stored: dict[sa.Table, sa.Table] = {}
        for rows in self.entities.plain.values():
            tables, extensions = dict(carried_tables(rows)), rows.extensions
            plan = Plan(rows.table, rows, tables, extensions, rows.discriminator, rows.surrogate)
            plan.foreign, plan.uniques = _foreign(rows), self._uniques(rows)
            self.of |= dict.fromkeys(rows.tables, plan)
        for rows in self.entities.plain.values():
            self._refuse_outside(rows)
        self._owners()
        lists = [links for rows in self.entities.all_rows() for links in rows.links]
        linked = {links.table: _linked(links) for links in lists if links.table not in self.of}
        self.of |= linked
        pairs = [pair for plan in self.plans() for key in plan.foreign for pair in key.pairs()]
        #: The columns whose values a foreign key of another type holds as well.
        self.settled = {remote for near, remote in pairs if repr(near.type) != repr(remote.type)}
        for plan in self.plans():
            self._columns(plan)
        self._refuse_unused()
        self.order, self.links = self._ordered(), list(linked.values())

    def _refuse_unused(self) -> None:
        for name in sorted(self.overrides, key=str):
            names = [f"{plan.name}.{column.name}" for plan in self.plans() for column in plan.cells]
            subject = f"overrides: unknown column {shown(name)}"
            expected = f"one of: {', '.join(sorted(names))}"
            raise ArgumentError("overrides", name, expected, subject=subject)

    def plans(self) -> list[Plan]:
        """List the plans of entities, owned rows and link tables, each once."""
        return list(dict.fromkeys(self.of.values()))

    def as_stored(self, table: sa.Table) -> sa.Table:
        """Return a table to write and read by, which takes fields that travel stored as that."""
        if table not in self._stored:
            values = [value for rows in self.entities.plain.values() for value in rows.values]
            stored = {value.column for value in values if value.stored is not None}
            types = {
                column.name: AsStored(column.type)
                for column in table.columns
                if not stored.isdisjoint({column, *(key.column for key in column.foreign_keys)})
            }
            self._stored[table] = table.to_metadata(sa.MetaData()) if types else table
            for name, type_ in types.items():
                self._stored[table].c[name].type = type_
        return self._stored[table]

    def wanted(self, only: Collection[str] | None) -> set[Plan]:
        """Return the plans of which rows are drawn: those named, and what these must refer to."""
        roots = self.entities.roots
        names = entity_names("only", only, roots)
        return self.needed([self.of[rows.table] for name in names for rows in roots[name].tree()])

    def needed(self, waiting: list[Plan]) -> set[Plan]:
        """Return some plans with all that their rows can't be without."""
        needed: set[Plan] = set()
        while waiting:
            plan = waiting.pop()
            if plan not in needed:
                needed.add(plan)
                # A CHECK may want one of several optional references.
                must = [key for key in plan.foreign if key.hard and key not in plan.owners]
                waiting += [self.of[foreign.target] for foreign in (*must, *plan.owners[:1])]
        return needed

    @cached_property
    def extends_owned(self) -> bool:
        """Whether the database deletes or clears rows along with owned ones that aren't theirs."""
        return any(
            foreign.on_delete and foreign not in plan.owners and self.of[foreign.target].owners
            for plan in self.plans()
            for foreign in plan.foreign
        )

    # Foreign keys

    def _refuse_outside(self, rows: RowSet) -> None:
        """Refuse a foreign key to a table that no schema carries, where it can't stay null.

        No import into a fresh database would succeed.
        """
        fields = {value.column for value in rows.values}
        for constraint in chain(*(table.foreign_key_constraints for table in rows.tables)):
            target = constraint.referred_table
            is_null = any(c.nullable and c not in fields for c in constraint.columns)
            if target not in self.of and not is_null:
                names = ", ".join(column.name for column in constraint.columns)
                raise DeclarationError(
                    "overrides-needed",
                    f"{rows.name}: {names} must refer to {target.fullname}, which no schema "
                    "carries, and a fresh database has no rows of it; give that table a schema",
                )

    def _owners(self) -> None:
        """Mark the ways to owners: a row has exactly one of them."""
        for rows in self.entities.all_rows():
            for children in rows.children:
                plan = self.of[children.rows.table]
                way = plan.way(children.via.columns)
                way.wanted, way.hard = children.classes, True
                plan.is_sequence |= plan.made_up in {column for column, _ in children.sequence}
                if way not in plan.owners:
                    plan.owners.append(way)

    # What is unique

    def _uniques(self, rows: RowSet) -> list[Unique]:
        references = chain(*(other.references for other in self.entities.plain.values()))
        keys = [rows.key, *(r.parts for r in references if r.by and r.target is rows)]
        columns = [tuple(column for part in key for column in part.columns) for key in keys if key]
        uniques = [unique for table in rows.tables for unique in constraints_of(table)]
        uniques += [Unique(group, nulls_equal=True) for group in columns]
        return list(dict.fromkeys(uniques))

    # Columns

    def _columns(self, plan: Plan) -> None:
        values = {v.column: v for v in plan.rows.values if v.writable} if plan.rows else {}
        keys = {column for key in plan.foreign for column in key.columns} - values.keys()
        repeated = {own for extension in plan.extensions for own, _ in extension.pairs}
        skipped = {*keys, *repeated, plan.made_up, getattr(plan.discriminator, "column", None)}
        for table, classes in plan.tables.items():
            plan.checks[table] = Checks(table)
            for column in table.columns:
                if column not in skipped and column.computed is None:
                    self._cells(plan, column, values.get(column), classes)

    def _cells(self, plan: Plan, column: Column, value: Value | None, classes: Classes) -> None:
        """Say how a column is drawn; one that no import restores stays as it is after one."""
        names = [f"{plan.name}.{value.name}"] if value is not None else []
        names.append(f"{column.table.fullname}.{column.name}")
        name = next((name for name in names if name in self.overrides), None)
        override = self.overrides.pop(name) if name is not None else None
        filled = column.nullable or column.default is not None or column.server_default is not None
        if value is not None or override is not None or not filled:
            settle = column in self.settled
            plan.cells[column] = Cells(column, value, classes, override=override, settle=settle)

    # Order

    def _ordered(self) -> list[Plan]:
        """Return the plans in an order in which the targets of their rows come first."""
        targets = {
            plan: [self.of[key.target] for key in plan.foreign if key.hard]
            for plan in self.plans()
            if plan.rows is not None
        }
        load_order_of(self.entities)  # refuses circles
        return list(nx.dfs_postorder_nodes(nx.DiGraph(targets)))


def _foreign(rows: RowSet) -> list[Foreign]:
    """Return the foreign keys of some rows, the widest first: narrower ones share with it."""
    references = {frozenset(reference.columns): reference for reference in rows.references}
    counts = Counter(chain(*references, (value.column for value in rows.values)))
    classes = dict(carried_tables(rows))
    foreigns = []
    for reference in references.values():
        columns = reference.columns
        foreign = Foreign(
            columns,
            reference.remote,
            classes[columns[0].table] if reference.classes is None else reference.classes,
            _classes_wanted(rows, reference),
            tuple(column for column in columns if counts[column] == 1),
        )
        foreign.hard = not foreign.optional or not is_deferrable(rows, reference)
        foreigns.append(foreign)
    return sorted(foreigns, key=lambda foreign: -len(foreign.columns))


def _linked(links: Links) -> Plan:
    """Return the plan of a link table, whose id, if it has one, means nothing."""
    ids = list(links.table.primary_key.columns)
    is_made_up = len(ids) == 1 and is_numbered(ids[0]) and not ids[0].foreign_keys
    plan = Plan(links.table, None, {links.table: None}, made_up=ids[0] if is_made_up else None)
    near, far = zip(*links.local, strict=True)
    plan.foreign = [
        Foreign(near, far, wanted=links.classes),
        Foreign(links.reference.columns, links.reference.remote),
    ]
    plan.uniques = [Unique((*near, *links.reference.columns)), *constraints_of(links.table)]
    return plan


def _classes_wanted(rows: RowSet, reference: Reference) -> Classes:
    """Return the classes that a reference leads to, where its relationship names a subclass.

    To the ORM, one that leads to another class leads nowhere.
    """
    target, name = reference.target, str(reference.relationship)
    mappers = [mapper.relationships.get(name) for mapper in rows.mapper.self_and_descendants]
    named = next((relationship.mapper for relationship in mappers if relationship), target.mapper)
    if target.discriminator is None or named is target.mapper:
        return None
    return frozenset(map(target.discriminator.kind.write, identities(named)))
