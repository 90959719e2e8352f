"""CodeBuilder text that makes keys from structs, and what keys sort by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lading.codegen import CodeBuilder, Expression
from lading.model.recursive_keys import flattened_order, level_parts, recurring, recurs
from lading.model.rowsets import Reference
from lading.records.layout import Key, Part, attribute

#: Makes source for a key's part that isn't a struct: a plain value, or a key that recurs.
Leaf = Callable[[Part, str], str]


def as_it_is(part: Part, x: str) -> str:
    """Return source for the part that an exported record holds as ``x``."""
    return f"{x}.key" if isinstance(part, Reference) else x


def key_source(parts: tuple[Part, ...], x: str, leaf: Leaf = as_it_is) -> str:
    """Return source for the key tuple of the struct ``x``; ``leaf`` makes that of other parts.

    Of a struct that recurs it is the tuple of one level.
    """
    own = recurring(parts)
    items = [
        _part_source(part, f"{x}.{attribute(place)}", leaf)
        for place, part in enumerate(parts)
        if part is not own
    ]
    return f"({', '.join(items)},)"


def reference_source(reference: Reference, x: str, leaf: Leaf = as_it_is) -> str:
    """Return source for the key that a reference's value ``x`` holds, or ``None``."""
    if reference.flat:
        key = f"({_part_source(reference.parts[0], x, leaf)},)"
    elif recurs(reference):
        key = leaf(reference, x)
    else:
        key = key_source(reference.parts, x, leaf)
    if reference.classes is not None:
        return f"(None if {x} is None or {x} is UNSET else {key})"
    return f"(None if {x} is None else {key})" if reference.nullable else key


def _part_source(part: Part, x: str, leaf: Leaf) -> str:
    if isinstance(part, Reference):
        return reference_source(part, x, leaf)
    text = leaf(part, x)
    return f"(None if {x} is None else {text})" if part.nullable and text != x else text


def own_key_source(parts: tuple[Part, ...], items: list[str]) -> str:
    """Return source for a record's own key of its parts' sources."""
    own = recurring(parts)
    if own is None:
        return f"({', '.join(items)},)" if items else "()"
    place = parts.index(own)
    level = ", ".join([*items[:place], *items[place + 1 :]])
    return f"(*({items[place]} or ()), ({level},))"


def order_source(source: CodeBuilder, parts: tuple[Part, ...], x: str) -> str:
    """Return source for what the key tuple ``x`` sorts by: null first, then by value."""
    own = recurring(parts)
    if own is not None:
        return source.use(Expression("order({x})", {"order": _recurring_order(parts, own)}), x)
    items = []
    for place, part in enumerate(parts):
        x_part = f"{x}[{place}]"
        if isinstance(part, Reference):
            ordered = order_source(source, part.parts, x_part)
        elif not part.kind.written_sorts:
            ordered = source.use(Expression("order({x})", {"order": part.kind.order}), x_part)
        else:
            ordered = x_part
        null = f"(False,) if {x_part} is None else (True, {ordered})"
        items.append(f"({null})" if part.nullable else ordered)
    return f"({', '.join(items)},)"


def _recurring_order(parts: tuple[Part, ...], own: Reference) -> Callable[[Key], Any]:
    place, others = parts.index(own), level_parts(parts)
    if sorts_as_written(others):
        return lambda key: flattened_order(key, place)
    source = CodeBuilder("order of levels")
    orders = source.compile(f"lambda key: [{order_source(source, others, 'l')} for l in key]")
    return lambda key: flattened_order(orders(key), place)


def sorts_as_written(parts: tuple[Part, ...]) -> bool:
    """Tell whether key tuples compare as they are."""
    return recurring(parts) is None and all(
        not part.nullable
        and (
            sorts_as_written(part.parts) if isinstance(part, Reference) else part.kind.written_sorts
        )
        for part in parts
    )


def named_key(parts: tuple[Part, ...], key: Key | None) -> Any:
    """Return a key tuple in portable form: ``{"slug": "flour"}``."""
    if key is None:
        return None
    own = recurring(parts)
    if own is None:
        return {part.written: _named(part, value) for part, value in zip(parts, key, strict=True)}
    named: Any = None
    for level in key:
        values = iter(level)
        named = {
            part.written: named if part is own else _named(part, next(values)) for part in parts
        }
    return named


def _named(part: Part, value: Any) -> Any:
    if not isinstance(part, Reference) or value is None:
        return value
    return value[0] if part.flat else named_key(part.parts, value)
