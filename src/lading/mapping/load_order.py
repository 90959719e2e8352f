"""The order in which row sets load, and what is deferred to open cycles.

Entities, owned tables and link tables each are a node of one graph, so that an
owned child's reference doesn't tie its whole parent into a cycle.  Required
edges are laid first, then the others by entity and field name; those that would
close a cycle are deferred: a nullable reference is inserted as null and updated
later, owned rows and links are inserted later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from operator import attrgetter, itemgetter
from typing import Any

import networkx as nx

from lading.errors import DeclarationError
from lading.mapping.link_lists import may_wait
from lading.mapping.meta_options import names_in, own_option, stored_names
from lading.model.computed import computed_once
from lading.model.entities import Entities
from lading.model.rowsets import Column, Links, Reference, RowSet

#: Rows with plain fields of a foreign key, its columns, and the table that it leads to.
StoredKey = tuple[RowSet, tuple[Column, ...], str]


@dataclass(frozen=True, slots=True)
class LoadOrder:
    """How a catalog loads.

    ``entities`` stand in import order.  ``updated`` names the references, as
    (row set, field), that are inserted as null and updated once their targets are
    there; ``deferred`` the owned tables and link tables that are inserted after
    their records; ``parents_first`` the self references whose rows load parents first.
    ``steps`` is everything in order: entities and deferred nodes.
    """

    entities: tuple[str, ...]
    steps: tuple[str, ...]
    updated: frozenset[tuple[str, str]]
    deferred: frozenset[str]
    parents_first: frozenset[tuple[str, str]]
    dependencies: dict[str, tuple[str, ...]]

    def when_loaded(self) -> LoadOrder:
        """Return the order for rows all of whose targets are there: nothing waits for another."""
        none: frozenset[Any] = frozenset()
        return replace(self, updated=none, deferred=none, parents_first=none)


@computed_once
def load_order_of(entities: Entities) -> LoadOrder:
    """Lay the graph of a catalog's row sets and sort it."""
    return _Graph(entities).sort()


def required_circle(entities: Entities) -> list[Reference]:
    """Return the references of a circle of required ones, sorted by name; none without a circle."""
    return _Graph(entities).required_circle()


def closing_keys(entities: Entities) -> list[StoredKey]:
    """Return the foreign keys of plain fields that close a cycle; none beside a required circle.

    No load order would have the rows there that they lead to.
    """
    graph = _Graph(entities)
    return [] if graph.required_circle() else graph.lay_stored()


class _Graph:
    def __init__(self, entities: Entities) -> None:
        self.entities = entities
        self.rows = sorted(entities.all_rows(), key=lambda rows: (rows.entity, rows.name))
        self.graph = nx.DiGraph()
        self.place: dict[str, int] = {}
        self.updated: set[tuple[str, str]] = set()
        self.deferred: set[str] = set()
        self.parents_first: set[tuple[str, str]] = set()
        for rows in self.rows:
            for name in (rows.name, *(link_name(rows, links) for links in rows.links)):
                self.place[name] = len(self.place)
                self.graph.add_node(name)

    def required_circle(self) -> list[Reference]:
        for rows in self.rows:
            self._lay_required(rows)
        edges = [self.graph.edges[edge] for edge in self._cycle()]
        laid = [edge for edge in edges if "reference" in edge]
        return [edge["reference"] for edge in sorted(laid, key=itemgetter("label"))]

    def sort(self) -> LoadOrder:
        for rows in self.rows:
            self._lay_required(rows)
        self._refuse_cycles()
        self._refuse_closing(self.lay_stored())
        for rows in self.rows:
            self._lay_nullable(rows)
            self._lay_inline(rows)
        sequence = list(nx.lexicographical_topological_sort(self.graph, key=self.place.get))
        roots = set(self.entities.roots)
        return LoadOrder(
            entities=tuple(name for name in sequence if name in roots),
            steps=tuple(name for name in sequence if name in roots or name in self.deferred),
            updated=frozenset(self.updated),
            deferred=frozenset(self.deferred),
            parents_first=frozenset(self.parents_first),
            dependencies={name: self._dependencies(name) for name in roots},
        )

    def lay_stored(self) -> list[StoredKey]:
        """Load what plain fields of foreign keys lead to first; return those that close a cycle."""
        return [
            (rows, columns, target)
            for rows in self.rows
            for columns, target in _stored_keys(rows)
            if not self._lay_stored(rows, columns, target)
        ]

    # Edges point from what must be there to what needs it.

    def _lay_required(self, rows: RowSet) -> None:
        if rows.parent is not None:
            self.graph.add_edge(rows.parent.name, rows.name, label=f"{rows.name} (owned)")
        else:
            for name in names_in(own_option(rows.schema, "depends_on")):
                self.graph.add_edge(name, rows.name, label=f"{rows.name}.depends_on")
        for reference in rows.references:
            if self._is_self(rows, reference):
                self._self_reference(rows, reference)
            elif not is_deferrable(rows, reference):
                self._lay(rows, reference)
        for links in rows.links:
            self.graph.add_edge(rows.name, link_name(rows, links), label=link_name(rows, links))
            for target in self._nodes(links.reference):
                self.graph.add_edge(target, link_name(rows, links), label=link_name(rows, links))

    def _lay(self, rows: RowSet, reference: Reference) -> None:
        for target in self._nodes(reference):
            if target != rows.name:
                label = f"{rows.name}.{reference.name}"
                self.graph.add_edge(target, rows.name, label=label, reference=reference)

    def _is_self(self, rows: RowSet, reference: Reference) -> bool:
        return reference.target.table is rows.table

    def _self_reference(self, rows: RowSet, reference: Reference) -> None:
        if is_deferrable(rows, reference):
            self.updated.add((rows.name, reference.name))
            return
        if len(self._nodes(reference)) > 1:
            raise DeclarationError(
                "import-cycle",
                f"{rows.schema.__name__}: {reference.name} ties rows that several parents own to "
                "others of their own table that must be there first; make it nullable and keep it "
                "out of keys and CHECKs, or make the table an entity",
            )
        self.parents_first.add((rows.name, reference.name))
        if rows.parent is not None:
            self.deferred.add(rows.name)

    def _cycle(self) -> list[Any]:
        try:
            return list(nx.find_cycle(self.graph))
        except nx.NetworkXNoCycle:
            return []

    def _refuse_cycles(self) -> None:
        cycle = self._cycle()
        if not cycle:
            return
        edges = [self.graph.edges[edge]["label"] for edge in reversed(cycle)]
        path = " -> ".join([*edges, edges[0].rpartition(".")[0] or edges[0]])
        raise DeclarationError(
            "import-cycle",
            f"import order: {path} is a cycle of required references. Make one nullable, "
            "or own one by the other",
        )

    def _refuse_closing(self, keys: Iterable[StoredKey]) -> None:
        """Refuse declared plain fields that a reference could stand for, which has a load order."""
        for rows, columns, target in keys:
            names = [value.attribute for value in rows.values if value.column in columns]
            is_self = target in {table.fullname for table in rows.tables}
            if set(names) <= set(stored_names(rows.schema)) and (
                is_self or any(column.nullable for column in columns)
            ):
                raise DeclarationError(
                    "import-cycle",
                    f"{rows.schema.__name__}: Meta.stored names {', '.join(names)}, a foreign key "
                    f"that leads{'' if is_self else ' in a circle'} to its own table, so that no "
                    "order of imports has the rows first that others need; leave it out of "
                    "stored: a reference can be set later",
                )

    def _lay_stored(self, rows: RowSet, columns: tuple[Column, ...], target: str) -> bool:
        """Load the rows of a table first, unless that closes a cycle; tell whether it doesn't."""
        nodes = [other.name for other in self.rows if target in {t.fullname for t in other.tables}]
        is_inline = not any(nx.has_path(self.graph, rows.entity, node) for node in nodes)
        needing = rows.entity if is_inline else rows.name
        if any(nx.has_path(self.graph, needing, node) for node in nodes):
            return False
        if not is_inline:
            self.deferred.add(rows.name)
        for node in nodes:
            self.graph.add_edge(node, needing, label=f"{rows.name}.{columns[0].name}")
        return True

    def _lay_nullable(self, rows: RowSet) -> None:
        for reference in sorted(rows.references, key=attrgetter("name")):
            if self._is_self(rows, reference) or not is_deferrable(rows, reference):
                continue
            if any(nx.has_path(self.graph, rows.name, node) for node in self._nodes(reference)):
                self.updated.add((rows.name, reference.name))
            else:
                self._lay(rows, reference)

    def _lay_inline(self, rows: RowSet) -> None:
        """Load owned rows and links with their records, if all their targets are loaded before."""
        for links in sorted(rows.links, key=attrgetter("name")):
            node = link_name(rows, links)
            if rows.name in self.deferred or not self._inline(rows, links.reference):
                self.deferred.add(node)
        if rows.parent is None:
            return
        if rows.parent.name in self.deferred:
            self.deferred.add(rows.name)
        for reference in sorted(rows.references, key=attrgetter("name")):
            if (rows.name, reference.name) not in self.updated and not self._inline(
                rows, reference
            ):
                self.deferred.add(rows.name)

    def _inline(self, rows: RowSet, reference: Reference) -> bool:
        """Add edges from the targets to the nesting record, unless they close a cycle."""
        for target in self._nodes(reference):
            if nx.has_path(self.graph, rows.entity, target):
                return False
            self.graph.add_edge(target, rows.entity, label=f"{rows.name}.{reference.name}")
        return True

    def _nodes(self, reference: Reference) -> list[str]:
        """Name the row sets whose rows a reference may point to."""
        table = reference.target.table
        return [rows.name for rows in self.rows if rows.table is table]

    def _dependencies(self, name: str) -> tuple[str, ...]:
        names = set()
        for rows in self.entities[name].tree():
            for reference in all_references(rows):
                names |= {
                    other.entity for other in self.rows if other.table is reference.target.table
                }
        return tuple(sorted(names - {name}))


def _stored_keys(rows: RowSet) -> Iterator[tuple[tuple[Column, ...], str]]:
    """Yield the foreign keys whose columns are plain fields, each with its target's table."""
    fields = {value.column for value in rows.values}
    carried = [set(reference.columns) for reference in rows.references]
    keys = [key for table in rows.tables for key in table.foreign_key_constraints]
    for foreign_key in sorted(keys, key=attrgetter("column_keys")):
        columns = tuple(element.parent for element in foreign_key.elements)
        if fields.issuperset(columns) and set(columns) not in carried:
            yield columns, foreign_key.elements[0].target_fullname.rpartition(".")[0]


def all_references(rows: RowSet) -> Iterator[Reference]:
    """Yield a row set's references, and those of its link lists."""
    yield from rows.references
    for links in rows.links:
        yield links.reference


def link_name(rows: RowSet, links: Links) -> str:
    """Name the node of a link table."""
    return f"{rows.name}.{links.name}"


def is_deferrable(rows: RowSet, reference: Reference) -> bool:
    """Tell whether a reference may be inserted as null first and updated later."""
    return reference not in rows.key and may_wait(reference)
