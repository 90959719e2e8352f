"""Refuses natural keys that could not be written down: they contain each other, or never end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import networkx as nx

from lading.declare.rowsets import Reference, RowSet


def key_faults(plain: Iterable[RowSet]) -> Iterator[tuple[RowSet | None, str]]:
    """Yield what is wrong with keys that lead back to themselves, and whose it is.

    A key may recur through one nullable self reference; a circle of several entities has
    no owner.
    """
    graph = nx.DiGraph()
    for rows in plain:
        own = [part for part in rows.key if isinstance(part, Reference) and part.parts == rows.key]
        fault = _recurring_fault(rows, own) if own else None
        if fault is not None:
            yield rows, fault
        for member in rows.key:
            if isinstance(member, Reference) and member.by is None and member not in own:
                graph.add_edge(rows.name, member.target.name)
    for cycle in nx.simple_cycles(graph):
        path = " -> ".join([*cycle, cycle[0]])
        yield (
            None,
            f"natural keys {path} contain each other; give one of them a key of its own",
        )


def _recurring_fault(rows: RowSet, own: list[Reference]) -> str | None:
    """A key that recurs ends where its self reference is null; the rest must identify."""
    if len(own) > 1:
        names = " and ".join(item.name for item in own)
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
            f"its natural key is {own[0].name} alone, which tells no two rows of one parent "
            "apart; add a field to it"
        )
    return None
