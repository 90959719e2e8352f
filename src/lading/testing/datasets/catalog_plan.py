"""Derives from a catalog what must be drawn: a plan for each of its tables, and their order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import networkx as nx
import sqlalchemy as sa
from hypothesis.strategies import SearchStrategy
from sqlalchemy.orm import Mapper

from lading.catalog import Catalog
from lading.errors import ArgumentError
from lading.mapping.columns import AsStored
from lading.mapping.inheritance import family
from lading.messages import shown
from lading.model.entities import Entities
from lading.model.rowsets import Children, Classes, Column, Links, Reference, RowSet, Value
from lading.testing.cell_values.cells import cells_of, cells_of_column
from lading.testing.cell_values.checks import Checks
from lading.testing.datasets.constraints import Unique, checked_columns, constraints_of
from lading.testing.datasets.table_plan import Drawn, Foreign, Plan

Overrides = Mapping[str, SearchStrategy[Any]]


def check_most(max_records: Any) -> None:
    """Refuse what is no whole number from 1."""
    if type(max_records) is not int or max_records < 1:
        raise ArgumentError("max_records", max_records, "a whole number from 1")


def check_overrides(overrides: Any) -> None:
    """Refuse what is no mapping of columns to strategies; what is named is found when drawing."""
    if overrides is None:
        return
    if not isinstance(overrides, Mapping):
        raise ArgumentError("overrides", overrides, "a mapping of columns to strategies")
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
        self.unused = set(self.overrides)
        self.of: dict[Any, Plan] = {}
        self.links: list[Plan] = []
        self._stored: dict[sa.Table, sa.Table] = {}
        for rows in self.entities.plain.values():
            plan = Plan(rows.table, rows)
            self.of.update((table, plan) for table, _ in plan.tables())
        for rows in self.entities.all_rows():
            self.links += [
                self._linked(links) for links in rows.links if links.table not in self.of
            ]
        for plan in self.plans():
            self._foreign(plan)
        self._owners()
        for plan in self.plans():
            self._rank(plan)
            self._uniques(plan)
            self._columns(plan)
        if self.unused:
            name, expected = (
                min(self.unused, key=str),
                f"one of: {', '.join(sorted(self._names()))}",
            )
            subject = f"overrides: unknown column {shown(name)}"
            raise ArgumentError("overrides", name, expected, subject=subject)
        self.order = self._ordered()

    def plans(self) -> list[Plan]:
        """List the plans of entities, owned rows and strangers, each once."""
        return list(dict.fromkeys(self.of.values()))

    def tables(self) -> set[sa.Table]:
        """Return every table that rows are drawn for."""
        tables = {table for plan in self.plans() for table, _ in plan.tables()}
        return tables | {link.table for link in self.links}

    def as_stored(self, table: sa.Table) -> sa.Table:
        """Return a table to write and read by, which takes fields that travel stored as that."""
        if table not in self._stored:
            self._stored[table] = self._without_types(table)
        return self._stored[table]

    def _without_types(self, table: sa.Table) -> sa.Table:
        values = [value for rows in self.entities.plain.values() for value in rows.values]
        stored = {value.column: value.stored for value in values if value.stored is not None}
        types = {
            column.name: AsStored(column.type)
            for column in table.columns
            if column in stored or any(key.column in stored for key in column.foreign_keys)
        }
        if not types:
            return table
        copy = table.to_metadata(sa.MetaData())
        for name, type_ in types.items():
            copy.c[name].type = type_
        return copy

    # Foreign keys

    def _foreign(self, plan: Plan) -> None:
        known = {
            frozenset(reference.columns): reference
            for reference in (plan.rows.references if plan.rows is not None else [])
        }
        for table, kinds in plan.tables():
            for constraint in sorted(table.foreign_key_constraints, key=_place):
                columns = tuple(constraint.columns)
                if self._joins_base(plan, columns):
                    continue
                remote = tuple(element.column for element in constraint.elements)
                reference = known.pop(frozenset(columns), None)
                plan.foreign.append(self._key(plan, columns, remote, reference, kinds))
        for reference in known.values():
            plan.foreign.append(
                self._key(plan, reference.columns, reference.remote, reference, reference.classes)
            )

    def _key(
        self,
        plan: Plan,
        columns: tuple[Column, ...],
        remote: tuple[Column, ...],
        reference: Reference | None,
        kinds: Classes,
    ) -> Foreign:
        foreign = Foreign(columns[0].table, columns, remote, kinds)
        if reference is not None:
            foreign.kinds = reference.classes if reference.classes is not None else kinds
            foreign.wanted = _classes_wanted(plan.rows, reference)
        if remote[0].table not in self.of:
            self._stranger(remote[0].table)
        return foreign

    def _joins_base(self, plan: Plan, columns: tuple[Column, ...]) -> bool:
        """Tell whether a foreign key is what joins a subclass's rows to their base's."""
        extensions = plan.rows.extensions if plan.rows is not None else ()
        return any({own for own, _ in extension.pairs} == set(columns) for extension in extensions)

    def _stranger(self, table: sa.Table) -> None:
        """A table that no schema carries has rows where others must refer to them."""
        plan = self.of[table] = Plan(table, None)
        self._foreign(plan)

    def _linked(self, links: Links) -> Plan:
        plan = Plan(links.table, None)
        owner, reference = links.local, links.reference
        plan.foreign = [
            Foreign(
                links.table,
                tuple(near for near, _ in owner),
                tuple(far for _, far in owner),
                wanted=links.classes,
                hard=True,
            ),
            Foreign(
                links.table,
                reference.columns,
                reference.remote,
                wanted=_classes_wanted(None, reference),
                hard=True,
            ),
        ]
        columns = tuple(column for foreign in plan.foreign for column in foreign.columns)
        plan.uniques = [Unique(columns), *constraints_of(links.table)]
        self._columns(plan)
        return plan

    def _owners(self) -> None:
        """Mark the ways to owners: a row has exactly one of them."""
        for rows in self.entities.all_rows():
            for children in rows.children:
                plan = self.of[children.rows.table]
                way = next(
                    foreign
                    for foreign in plan.foreign
                    if set(foreign.columns) == {near for near, _ in children.pairs}
                )
                way.wanted = children.classes
                plan.is_sequence |= _by_made_up(children, plan.rows)
                if way not in plan.owners:
                    plan.owners.append(way)

    def _rank(self, plan: Plan) -> None:
        """Find what each foreign key alone holds, and whether it can wait."""
        identity = {column for table, _ in plan.tables() for column in table.primary_key.columns}
        if plan.rows is not None:
            identity |= {column for part in plan.rows.key for column in _columns_of(part)}
        checked = {column for table, _ in plan.tables() for column in checked_columns(table)}
        identity |= checked
        fields = {value.column for value in plan.rows.values} if plan.rows is not None else set()
        for foreign in plan.foreign:
            others = {c for other in plan.foreign if other is not foreign for c in other.columns}
            foreign.own = tuple(c for c in foreign.columns if c not in others and c not in fields)
            foreign.optional = bool(foreign.own) and all(column.nullable for column in foreign.own)
            foreign.checked = not checked.isdisjoint(foreign.columns)
            shares = len(foreign.own) < len(foreign.columns)
            foreign.hard = (
                not foreign.optional
                or shares
                or foreign in plan.owners
                or not identity.isdisjoint(foreign.columns)
            )
            # Rows that no schema carries are there only where they must be.
            foreign.void = foreign.optional and self.of[foreign.target].rows is None
        # The widest first: it settles what narrower ones share with it.
        plan.foreign.sort(key=lambda foreign: -len(foreign.columns))

    # What is unique

    def _uniques(self, plan: Plan) -> None:
        uniques = [unique for table, _ in plan.tables() for unique in constraints_of(table)]
        if plan.rows is not None and plan.rows.key:
            columns = tuple(column for part in plan.rows.key for column in _columns_of(part))
            uniques.append(Unique(columns, nulls_equal=True))
        for rows in self.entities.plain.values():
            for reference in rows.references:
                if reference.by is not None and reference.target is plan.rows:
                    columns = tuple(c for part in reference.parts for c in _columns_of(part))
                    uniques.append(Unique(columns, nulls_equal=True))
        plan.uniques = list(dict.fromkeys(uniques))

    # Columns

    def _settles(self, column: Column) -> bool:
        """Tell whether a foreign key of another type holds a column's values as well."""
        return any(
            remote is column and not _is_one_type(near, remote)
            for plan in [*self.plans(), *self.links]
            for foreign in plan.foreign
            for near, remote in zip(foreign.columns, foreign.remote, strict=True)
        )

    def _columns(self, plan: Plan) -> None:
        plan.made_up = _made_up(plan)
        values = {value.column: value for value in plan.rows.values} if plan.rows else {}
        foreign_columns = {column for foreign in plan.foreign for column in foreign.columns}
        discriminator = plan.rows.discriminator if plan.rows is not None else None
        joining = (
            {own for extension in plan.rows.extensions for own, _ in extension.pairs}
            if plan.rows
            else set()
        )
        for table, kinds in plan.tables():
            checks = Checks(table)
            plan.checks[table] = checks
            for column in table.columns:
                skipped = column is plan.made_up or column in joining or column.computed is not None
                if skipped or (discriminator is not None and column is discriminator.column):
                    continue
                value = values.get(column)
                if value is not None and value.writable:
                    plan.drawn.append(self._carried(plan, value, kinds))
                elif column not in foreign_columns and not self._is_left_empty(column):
                    plan.drawn.append(self._uncarried(column, kinds))
        if plan.rows is not None and discriminator is not None:
            plan.classes = _identities(plan.rows)

    def _carried(self, plan: Plan, value: Value, kinds: Classes) -> Drawn:
        name = f"{plan.name}.{value.name}"
        override = self._override(name, f"{plan.table.fullname}.{value.column.name}")
        nullable = value.nullable and bool(value.column.nullable)
        cells = cells_of(value, override=override, settle=self._settles(value.column))
        return Drawn(
            value.column, cells, nullable, value.classes if value.classes is not None else kinds
        )

    def _is_left_empty(self, column: Column) -> bool:
        """Tell whether a column that no import restores stays as it would be after one."""
        filled = column.nullable or column.default is not None or column.server_default is not None
        return filled and f"{column.table.fullname}.{column.name}" not in self.overrides

    def _uncarried(self, column: Column, kinds: Classes) -> Drawn:
        override = self._override(f"{column.table.fullname}.{column.name}")
        cells = cells_of_column(column, override=override, settle=self._settles(column))
        return Drawn(column, cells, bool(column.nullable), kinds)

    def _override(self, *names: str) -> SearchStrategy[Any] | None:
        for name in names:
            if name in self.overrides:
                self.unused.discard(name)
                return self.overrides[name]
        return None

    def _names(self) -> list[str]:
        return [f"{plan.name}.{drawn.column.name}" for plan in self.plans() for drawn in plan.drawn]

    # Order

    def _ordered(self) -> list[Plan]:
        """Targets before what waits for them; a circle is opened where one may be null."""
        graph = nx.MultiDiGraph()
        plans = self.plans()
        graph.add_nodes_from(plans)
        for plan in plans:
            for foreign in plan.foreign:
                if foreign.hard and self.of[foreign.target] is not plan:
                    graph.add_edge(self.of[foreign.target], plan, key=foreign)
        for group in list(nx.strongly_connected_components(graph)):
            self._open(graph, group)
        return list(nx.lexicographical_topological_sort(graph, key=plans.index))

    def _open(self, graph: Any, group: set[Plan]) -> None:
        """What is optional within a circle stays null."""
        if len(group) < 2:
            return
        for near, far, foreign in list(graph.subgraph(group).edges(keys=True)):
            if foreign.optional:
                foreign.void = True
                graph.remove_edge(near, far, key=foreign)


def _place(constraint: sa.ForeignKeyConstraint) -> tuple[int, ...]:
    names = list(constraint.table.columns.keys())
    return tuple(names.index(column.key) for column in constraint.columns)


def _columns_of(part: Value | Reference) -> tuple[Column, ...]:
    return part.columns if isinstance(part, Reference) else (part.column,)


def _classes_wanted(rows: RowSet | None, reference: Reference) -> Classes:
    """Return the classes that a reference leads to, where its relationship names a subclass."""
    target = reference.target
    mappers = list(rows.mapper.self_and_descendants) if rows is not None else []
    for mapper in mappers:
        relationship = mapper.relationships.get(reference.relationship or "")
        if (
            relationship is not None
            and relationship.mapper is not target.mapper
            and target.discriminator
        ):
            return _kinds_of(relationship.mapper, target)
    return None


def _kinds_of(mapper: Mapper[Any], rows: RowSet) -> Classes:
    assert rows.discriminator is not None
    return frozenset(
        rows.discriminator.kind.write(member.polymorphic_identity)
        for member in family(mapper)
        if member.polymorphic_identity is not None
    )


def _identities(rows: RowSet) -> list[Any]:
    """Return the polymorphic identities that rows may have, base first."""
    members = [m for m in rows.mapper.self_and_descendants if m.polymorphic_identity is not None]
    return [member.polymorphic_identity for member in members]


def _by_made_up(children: Children, rows: RowSet | None) -> bool:
    """Tell whether a list's order is that of ids which the database makes."""
    surrogate = rows.surrogate if rows is not None else None
    return surrogate is not None and any(column is surrogate for column, _ in children.sequence)


def _is_one_type(column: Column, other: Column) -> bool:
    """Tell whether two columns store a value alike."""
    return type(column.type) is type(other.type) and repr(column.type) == repr(other.type)


def _made_up(plan: Plan) -> Column | None:
    """Return the primary key whose values mean nothing outside the database."""
    if plan.rows is not None:
        return plan.rows.surrogate
    columns = list(plan.table.primary_key.columns)
    is_lone = len(columns) == 1 and not columns[0].foreign_keys
    return columns[0] if is_lone and columns[0] is plan.table.autoincrement_column else None
