"""Checks of finished row sets: their natural keys, field names and references."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import networkx as nx

from lading.mapping.context import Context
from lading.mapping.meta_options import names_in, own_option
from lading.messages import nearest, shown
from lading.model.recursive_keys import Parts
from lading.model.rowsets import Column, Links, Member, Reference, RowSet, SchemaClass


def key_faults(plain: Iterable[RowSet]) -> Iterator[tuple[RowSet | None, str]]:
    """Yield what is wrong with keys that lead back to themselves, and whose it is.

    A key may recur through one nullable self reference; a circle of several entities has
    no owner.
    """
    plain = list(plain)
    for rows in plain:
        own = _recurring(rows)
        fault = _recurring_fault(rows, own) if own else None
        if fault is not None:
            yield rows, fault
    for cycle in _cycles_of_keys(plain):
        path = " -> ".join(rows.name for rows in [*cycle, cycle[0]])
        yield (
            None,
            f"natural keys {path} contain each other; give one of them a key of its own",
        )


def circles_of_keys(plain: Iterable[RowSet]) -> Iterator[list[RowSet]]:
    """Yield the row sets whose natural keys have no end: alone, or in a circle of several."""
    plain = list(plain)
    for rows in plain:
        own = _recurring(rows)
        if own and _recurring_fault(rows, own) is not None:
            yield [rows]
    yield from _cycles_of_keys(plain)


def _recurring(rows: RowSet) -> list[Reference]:
    """Return the references through which a row set's key recurs."""
    return [part for part in rows.key if isinstance(part, Reference) and part.parts == rows.key]


def _cycles_of_keys(plain: Iterable[RowSet]) -> Iterator[list[RowSet]]:
    """Yield the circles of row sets whose natural keys contain each other."""
    graph = nx.DiGraph()
    for rows in plain:
        own = _recurring(rows)
        for member in rows.key:
            if isinstance(member, Reference) and member.by is None and member not in own:
                graph.add_edge(rows, member.target)
    yield from nx.simple_cycles(graph)


def _recurring_fault(rows: RowSet, own: list[Reference]) -> str | None:
    """Say why a key can't recur by its self references, if it can't."""
    if len(own) > 1:
        names = " and ".join(reference.name for reference in own)
        return (
            f"its natural key recurs through {names}, and it may through one alone; leave one "
            f"out of it, or write {own[-1].name} = Ref(by=…) with a field that is unique"
        )
    if not own[0].nullable:
        return (
            f"its natural key recurs through {own[0].name}, which is never null, so the key "
            "would have no end; make it nullable, leave it out of the key, or write "
            f"{own[0].name} = Ref(by=…) with a field that is unique"
        )
    if len(rows.key) == 1:
        return (
            f"its natural key is {own[0].name} alone, so that all rows of one parent "
            "would have the same; add a field to it"
        )
    return None


def empty_keys(roots: Iterable[RowSet]) -> Iterator[tuple[RowSet, str]]:
    """Yield the row sets whose references are written by keys that are empty somewhere.

    An owned row's reference to its owner needs no key, unless others refer to the row by a key that
    holds that reference.
    """
    for root in roots:
        for rows in root.tree():
            for member in rows.members:
                reference = member.reference if isinstance(member, Links) else member
                keyless = (
                    _without_key(reference.parts) if isinstance(reference, Reference) else None
                )
                if keyless is not None:
                    text = (
                        f"{member.name} is written by a key that holds {keyless.name}, and that "
                        f"refers to {keyless.target.schema.__name__}, which has no natural key; "
                        "declare natural_key there"
                    )
                    yield rows, text


def _without_key(parts: Parts) -> Reference | None:
    """Return a reference within a key whose own target has no key."""
    visited: set[Reference] = set()
    waiting = list(parts)
    while waiting:
        part = waiting.pop()
        if isinstance(part, Reference) and part not in visited:
            if not part.parts:
                return part
            visited.add(part)
            waiting += part.parts
    return None


#: Characters that JSON would have to escape in a field's name.
UNWRITABLE = re.compile(r'["\\\x00-\x1f]')


def name_faults(rows: RowSet) -> Iterator[str]:
    """Yield what is wrong with the names under which a row set's members are written."""
    by_name: dict[str, Member] = {}
    for member in rows.members:
        if not isinstance(member.written, str):
            yield f"{member.name}: data_key = {shown(member.written)}; write a string"
            continue
        if UNWRITABLE.search(member.written):
            yield (
                f"{member.name} would be written as {member.written!r}, and no field's name may "
                "have quotes, backslashes or control characters; give it another data_key"
            )
        other = by_name.setdefault(member.written, member)
        if other is not member:
            remedy = "give one a data_key"
            if other.name == member.name:
                remedy = (
                    "name the attributes of the classes that have it apart, or move it to a class "
                    "above them"
                )
            yield f"two fields would be written as {member.written!r}; {remedy}"


def lost_targets(context: Context) -> Iterator[tuple[SchemaClass, str]]:
    """Yield each schema whose references would lead nowhere after an import, with the mistake.

    Their targets would be restored without the column that the foreign key holds: one that is
    excluded, or only written.  Targets with mistakes of their own are passed over.
    """
    for schema, rows in context.plain.items():
        for member in rows.members:
            reference = member.reference if isinstance(member, Links) else member
            if not isinstance(reference, Reference) or context.failed(reference.target.schema):
                continue
            if context.is_without_key(reference.target):
                continue
            restored = _restored(reference.target)
            for local, column in zip(reference.columns, reference.remote, strict=True):
                if reference.target.in_base(column) not in restored:
                    yield schema, _lost(reference, column)
                elif local.computed is not None and column is reference.target.surrogate:
                    yield schema, _computed(reference, local)


def _lost(reference: Reference, column: Column) -> str:
    return (
        f"{reference.name} refers to {column}, which {reference.target.schema.__name__} doesn't "
        "restore; carry that column, or leave the reference out with Meta.exclude = "
        f"({reference.name!r},)"
    )


def _computed(reference: Reference, column: Column) -> str:
    return (
        f"{reference.name}: the database computes {column}, which is an id of "
        f"{reference.target.schema.__name__}, and an import numbers these anew; keep them with "
        f"keep_id = True in that Meta, or leave the reference out with Meta.exclude = "
        f"({reference.name!r},)"
    )


def _restored(rows: RowSet) -> set[Column]:
    """Return the columns that records carry and give back, or that the database computes."""
    lost = {
        value.column
        for value in rows.values
        if not value.writable
        and value.column.computed is None
        and value.column is not rows.surrogate  # generated anew, and references follow it
    }
    return rows.carried() - lost


def entity_faults(root: RowSet, roots: Mapping[str, RowSet], context: Context) -> Iterator[str]:
    """Yield the unknown names in ``depends_on``, and other entities that would write the same rows.

    Args:
        root: The entity.
        roots: All entities by name; a table belongs to the first that carries it.
        context: What is known of the schemas.
    """
    for name in names_in(own_option(root.schema, "depends_on")):
        if name not in roots and not context.has_refused_name(name):
            known = nearest(name, roots)
            yield f"depends_on names an unknown entity {name!r}; expected one of: {known}"
    for table in root.tables:
        owned = [rows.name for rows in context.of_table(table) if rows.is_owned]
        first = next(rows.name for rows in roots.values() if table in rows.tables)
        for name in [*owned, *([first] if first != root.name else [])]:
            yield (
                f"its table {table.fullname} is carried by {name} as well, so each row "
                "would be written twice; remove one of the two schemas"
            )
