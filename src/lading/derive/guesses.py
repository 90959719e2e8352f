"""Guesses at what was renamed: what went and what came in its place, where only one fits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lading.declare.records import copied
from lading.declare.shapes import Shape, Shapes, is_owned
from lading.declare.step import Known, rename_entity
from lading.declare.steps import Rename
from lading.derive.drift import FREE, SEALED, same


def renamed_entities(
    before: Shapes, after: Shapes, gone: Iterable[str], new: Iterable[str]
) -> dict[str, str]:
    """Pair the entities that are gone with the new ones of equal shape, where only one fits.

    ``before`` is turned to the new names.
    """
    names = list(new)
    fits = {old: [name for name in names if _is_renamed(before, after, old, name)] for old in gone}
    pairs = _only(fits)
    for old, name in pairs.items():
        rename_entity(before, old, name)
    return pairs


def _is_renamed(before: Shapes, after: Shapes, old: str, new: str) -> bool:
    if new in before.roots:
        return False
    one = Shapes(copied(before.roots), copied(before.targets))
    rename_entity(one, old, new)
    return same(one.roots[new], after.roots[new])


def _only(fits: dict[str, list[str]]) -> dict[str, str]:
    """Keep the pairs of which each side fits no other."""
    takers = [name for names in fits.values() for name in names]
    return {
        old: names[0]
        for old, names in fits.items()
        if len(names) == 1 and takers.count(names[0]) == 1
    }


def renamed_fields(before: Shapes, after: Shapes, names: Iterable[str]) -> Iterator[Rename]:
    """Yield the renaming of each field that went where one of equal shape came.

    ``before`` is turned to the new names after each, with all that follows.  Fields of keys
    are looked at first, since references are named after them.
    """
    entities = list(names)
    for of_keys in (True, False):
        while found := _next(before, after, entities, of_keys=of_keys):
            yield found
            found.run(before, Known())


def _next(before: Shapes, after: Shapes, entities: list[str], *, of_keys: bool) -> Rename | None:
    for entity in entities:
        for path, shape in after.tree(entity):
            if not _leads(before, path):
                continue
            old = before.at(path)
            for one, other in _only(_fitting(old, shape)).items():
                # A flat reference may only follow the key that it is named after.
                names_others = one in before.key_of(path) and not old["fields"][one].get("flat")
                if names_others is of_keys:
                    return Rename(path, one, other)
    return None


def _leads(before: Shapes, path: str) -> bool:
    """Tell whether a path leads to sealed records."""
    entity, names = before.split(path)
    shape = before.roots[entity]
    for name in names:
        inner = shape["fields"].get(name, {})
        if not is_owned(inner) or SEALED not in inner or FREE in inner:
            return False
        shape = inner
    return not shape.get("open")


def _fitting(before: Shape, after: Shape) -> dict[str, list[str]]:
    gone = {name: inner for name, inner in before["fields"].items() if name not in after["fields"]}
    new = {name: inner for name, inner in after["fields"].items() if name not in before["fields"]}
    return {
        name: [other for other, found in new.items() if same(inner, found)]
        for name, inner in gone.items()
        if SEALED in inner
    }
