"""Histories drawn at random: all changes at once give what one version after the other gives."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import msgspec
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import mapped_column, relationship

from lading import Add, Catalog, Change, Convert, Drop, Each, Move, Owned, Ref, Rekey, Rename
from lading.changes.history import history_of
from lading.changes.run import Piece, Upgrade
from lading.changes.streams import Streams
from lading.changes.upgrade_plan import plan_upgrade
from lading.locking.check import drift
from lading.locking.sealed_shape import sealed_shapes
from lading.model.shape import shape_of
from support.declaring import new_base, schema_for
from support.depth import examples
from support.world import key, to

#: What an application has at one version: the keys' names, and the fields of each table.
State = dict[str, Any]
START: State = {
    "key": "slug",
    "items": ("a", "b"),
    "kids": ("c",),
    "orders": ("d",),
    "list": "kids",
}


def application(state: State, version: int, changes: list[Any], first: int = 1) -> Catalog:
    """Items with owned kids, and orders, all of which refer to items."""
    base, catalog = new_base(), Catalog("drawn")

    def columns(names: Any) -> dict[str, Any]:
        return {name: mapped_column(sa.Integer, nullable=True) for name in names}

    kid = type(
        "Kid",
        (base,),
        {
            "__tablename__": "kids",
            "id": key(),
            "owner_id": to("items.id"),
            "peer_id": to("items.id"),
            "peer": relationship("Item", foreign_keys="Kid.peer_id"),
            **columns(state["kids"]),
        },
    )
    item = type(
        "Item",
        (base,),
        {
            "__tablename__": "items",
            "id": key(),
            "parent_id": to("items.id", null=True),
            state["key"]: mapped_column(sa.String(20), unique=True, nullable=False),
            "parent": relationship("Item", remote_side="Item.id"),
            state["list"]: relationship("Kid", foreign_keys="Kid.owner_id"),
            **columns(state["items"]),
        },
    )
    order = type(
        "Order",
        (base,),
        {
            "__tablename__": "orders",
            "id": key(),
            "item_id": to("items.id"),
            "flat_id": to("items.id"),
            "slug": mapped_column(sa.String(20), unique=True, nullable=False),
            "item": relationship("Item", foreign_keys="Order.item_id"),
            "flat": relationship("Item", foreign_keys="Order.flat_id"),
            "extra": mapped_column(sa.JSON(none_as_null=True)),
            **columns(state["orders"]),
        },
    )
    kids = schema_for(kid, catalog)
    owned = {state["list"]: Owned(kids, via="owner")}
    schema_for(item, catalog, owned, natural_key=state["key"], version=version)
    schema_for(order, catalog, {"flat": Ref(flat=True)}, natural_key="slug", version=version)
    before: list[type[Change]] = []
    for number, steps in enumerate(changes, first):
        body = {
            "__doc__": "Drawn.",
            "catalog": catalog,
            "steps": steps,
            "after": before[-1:],
            "upgrades": dict.fromkeys(("items", "orders"), (number, number + 1)),
        }
        before.append(type(f"Change{number}", (Change,), body))
    return catalog


def plus(value: Any) -> Any:
    """Count on, where there is something to count from."""
    return None if value is None else value + 1


KINDS = ["add", "drop", "rename", "convert", "each", "key", "rekey", "list", "down"]


@st.composite
def steps_on(draw: st.DrawFn, state: State, version: int) -> list[Any]:
    """Draw steps, and change the state as they do."""
    steps: list[Any] = []
    for number in range(draw(st.integers(0, 4))):
        kind, table = draw(st.sampled_from(KINDS)), draw(st.sampled_from(TABLES))
        fresh = f"v{version}n{number}"
        if kind in {"key", "list"}:
            steps.append(Rename("items", state[kind], fresh))
            state[kind] = fresh
            continue
        if kind == "rekey":
            steps += rekeyed(state["key"], fresh)
            state["key"] = fresh
            continue
        names = state["items" if kind == "down" else table]
        if kind != "add" and not names:
            continue
        name = "" if kind == "add" else draw(st.sampled_from(names))
        steps += draw(one_of_them(state, kind, table, name, fresh))
    return steps


def rekeyed(old: str, fresh: str) -> list[Any]:
    """Return steps that give items a key of other values, and drop the former one."""
    return [
        Add("items", fresh, lambda record: "k" + record[old]),
        Rekey("items", fresh, was=old),
        Drop("items", old),
    ]


TABLES = ["items", "kids", "orders"]


@st.composite
def one_of_them(
    draw: st.DrawFn, state: State, kind: str, table: str, name: str, fresh: str
) -> list[Any]:
    """Draw one step on a field of a table."""
    kids = f"items.{state['list']}"
    path = kids if table == "kids" else table
    if kind == "add":
        state[table] = (*state[table], fresh)
        value = draw(st.sampled_from([None, 7, lambda record, parent: len(record)]))
        return [Add(path, fresh, value)]
    if kind == "convert":
        return [Convert(path, name, plus)]
    if kind == "down":
        if name in state["kids"]:
            return []
        state["items"] = tuple(item for item in state["items"] if item != name)
        state["kids"] = (*state["kids"], name)
        return [Convert("items", name, lambda value: None), Move("items", name, kids)]
    if kind == "drop":
        state[table] = tuple(item for item in state[table] if item != name)
        return [Drop(path, name)]
    state[table] = tuple(fresh if item == name else item for item in state[table])
    if kind == "rename":
        return [Rename(path, name, fresh)]
    return [Each(path, swapped(name, fresh), adds=[fresh], drops=[name])]


def swapped(gone: str, fresh: str) -> Any:
    """Return a function that replaces one field by another."""
    return lambda record: {
        fresh: plus(record[gone]),
        **{name: record[name] for name in record if name != gone},
    }


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[State], list[list[Any]]]:
    """Draw an application's states, and the steps from each to the next."""
    states, changes = [deepcopy(START)], []
    for version in range(draw(st.integers(1, 4))):
        state = deepcopy(states[-1])
        changes.append(draw(steps_on(state, version)))
        states.append(state)
    return states, changes


values = st.none() | st.integers(-5, 5)
ref = st.fixed_dictionaries({"slug": st.sampled_from("xyz")})
fields = {"a": values, "b": values, "parent": st.none() | ref}
fields["kids"] = st.lists(st.fixed_dictionaries({"c": values, "peer": ref}), max_size=3)
orders = st.fixed_dictionaries(
    {
        "slug": st.sampled_from("uvw"),
        "d": values,
        "item": ref,
        "flat_slug": st.sampled_from("xyz"),
        "extra": st.none() | ref | st.fixed_dictionaries({"item": ref, "flat_slug": values}),
    }
)
#: Every item that something may refer to is there.
records = {
    "items": st.tuples(
        *(st.fixed_dictionaries({"slug": st.just(name), **fields}) for name in "xyz")
    ),
    "orders": st.lists(orders, max_size=3),
}


def upgraded(catalog: Catalog, version: int, held: dict[str, list[bytes]], shapes: Any) -> Any:
    """Upgrade records of one version to a catalog's."""
    plan = plan_upgrade(history_of(catalog), dict.fromkeys(held, version), file="drawn")
    upgrade = Upgrade(plan, shapes, "drawn")
    streams = Streams(Held(held), upgrade)
    found: dict[str, list[bytes]] = {}
    problems: list[Any] = []
    for name, flow in upgrade.flows.items():
        pieces = streams.pieces(flow, 2, problems.append)
        found[name] = [line for piece in pieces for line in piece.records]
    streams.close()
    assert not problems, problems
    return found


class Held:
    """A payload of lines by entity."""

    def __init__(self, lines: dict[str, list[bytes]]) -> None:
        self.lines = lines

    def file(self, name: str) -> str:
        return name

    def total(self, name: str) -> int:
        return len(self.lines[name])

    def read(self, name: str, size: int) -> Iterator[Piece]:
        for start in range(0, len(self.lines[name]), size):
            yield Piece(start + 1, self.lines[name][start : start + size])

    def has_ids(self, name: str) -> bool:
        return False

    def links(self, name: str) -> dict[str, int]:
        return {}


@settings(max_examples=examples(15))
@given(
    histories(),
    st.fixed_dictionaries(records),
)
def test_all_changes_at_once_equal_one_version_after_the_other(
    history: tuple[list[State], list[list[Any]]], document: dict[str, list[Any]]
) -> None:
    """Whether shapes come from a manifest, or are what the changes lead back to."""
    states, changes = history
    held = {name: [msgspec.json.encode(one) for one in found] for name, found in document.items()}
    whole = application(states[-1], len(states), changes)
    first = application(states[0], 1, [])
    shapes = {name: shape_of(rows) for name, rows in first.use().roots.items()}
    at_once = upgraded(whole, 1, held, {})
    assert at_once == upgraded(whole, 1, held, shapes)
    stepwise = held
    for number, steps in enumerate(changes, 1):
        catalog = application(states[number], number + 1, [steps], number)
        stepwise = upgraded(catalog, number, stepwise, {})
    assert parsed(stepwise) == parsed(at_once)
    newest = whole.use()
    for name, lines in at_once.items():
        wanted = set(shape_of(newest[name])["fields"])
        assert all(set(record) == wanted for record in parsed(at_once)[name])
        schema = newest[name].schema()
        for line in lines:
            schema.load(msgspec.json.decode(line))


def parsed(held: dict[str, list[bytes]]) -> dict[str, list[Any]]:
    """Return records, whose fields may be in any order."""
    return {name: [msgspec.json.decode(line) for line in lines] for name, lines in held.items()}


@settings(max_examples=examples(10))
@given(histories(), st.data())
def test_a_check_finds_nothing_in_whole_histories_and_every_step_that_is_missing(
    history: tuple[list[State], list[list[Any]]], data: st.DataObject
) -> None:
    """Whatever was sealed last; only steps that leave the shape as it is needn't be there."""
    states, changes = history
    whole = application(states[-1], len(states), changes)
    for number, state in enumerate(states):
        assert drift(whole, *sealed(state, number + 1, changes[:number])) == []
    steps = [n for n, step in enumerate(changes[-1]) if not _keeps_shape(step)]
    if steps:
        missing = data.draw(st.sampled_from(steps))
        rest = [step for n, step in enumerate(changes[-1]) if n != missing]
        less = application(states[-1], len(states), [*changes[:-1], rest])
        assert drift(less, *sealed(states[-2], len(states) - 1, changes[:-1]))


def sealed(state: State, version: int, changes: list[Any]) -> tuple[Any, Any]:
    """Return the versions and shapes that a lock would hold of an application."""
    entities = application(state, version, changes).use()
    shapes = deepcopy(sealed_shapes(entities).roots)
    return {name: rows.version for name, rows in entities.roots.items()}, shapes


def _keeps_shape(step: Any) -> bool:
    return isinstance(step, Convert) or (isinstance(step, Each) and not (step.adds or step.drops))
