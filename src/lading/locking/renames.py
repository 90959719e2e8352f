"""Guesses at what was renamed or split off: what came in the place of what went, if one fits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lading.changes.rewriting.records import copied
from lading.changes.rewriting.rekey_references import flat_links, restate
from lading.changes.rewriting.shapes import Shape, Shapes, StepMismatch, is_owned, written_by
from lading.changes.steps.base import Known, rename_entity
from lading.changes.steps.fields import Rename
from lading.changes.steps.split_entity import Split
from lading.locking.differences import FREE, SEALED, same


def renamed_entities(
    before: Shapes, after: Shapes, gone: Iterable[str], new: Iterable[str]
) -> dict[str, str]:
    """Pair the entities that are gone with the new ones of equal shape, where only one fits.

    Args:
        before: The sealed shapes, which get the new names.
        after: The declared shapes.
        gone: The sealed entities that aren't declared any more.
        new: The declared entities that weren't sealed.

    Returns:
        The new name of each former one.
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
    shapes = Shapes(copied(before.roots), copied(before.targets))
    rename_entity(shapes, old, new)
    return same(shapes.roots[new], after.roots[new])


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
        while pair := _next(before, after, entities, of_keys=of_keys):
            yield pair
            pair.run(before, Known())


def _next(before: Shapes, after: Shapes, entities: list[str], *, of_keys: bool) -> Rename | None:
    for entity in entities:
        for path, shape in after.tree(entity):
            if not _leads(before, path):
                continue
            old = before.at(path)
            for name, other in _only(_fitting(old, shape)).items():
                # A flat reference may only follow the key that it is named after.
                names_others = name in before.key_of(path) and not old["fields"][name].get("flat")
                if names_others is of_keys:
                    return Rename(path, name, other)
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
        name: [other for other, candidate in new.items() if same(inner, candidate)]
        for name, inner in gone.items()
        if SEALED in inner
    }


def follow_rekeys(before: Shapes, after: Shapes, names: Iterable[str]) -> None:
    """Turn flat references to entities that have other keys to what a ``Rekey`` makes of them."""
    for name in names:
        old, new = list(before.roots[name]["key"]), list(after.roots[name]["key"])
        if sorted(old) != sorted(new):
            flat = flat_links(after, name)
            restate(before, name, old, new, {at for at in flat_links(before, name) if at in flat})
            before.roots[name]["key"] = old


def split_entities(
    before: Shapes, after: Shapes, names: Iterable[str], new: Iterable[str]
) -> Iterator[Split]:
    """Yield the step that splits each new entity off the one that lost all of its fields.

    Args:
        before: The sealed shapes, on which each step is run after it was yielded.
        after: The declared shapes.
        names: The entities that were sealed and are declared.
        new: The declared entities that weren't sealed.
    """
    entities = list(names)
    for into in new:
        steps = [step for name in entities for step in _splits(before, after, name, into)]
        if len(steps) == 1:
            try:
                known = steps[0].undo(Shapes(copied(after.roots), copied(after.targets)))
                steps[0].run(before, known)
            except StepMismatch:
                continue
            yield steps[0]


def _splits(before: Shapes, after: Shapes, entity: str, into: str) -> Iterator[Split]:
    """Yield a step for each new reference whose target holds what the entity lost."""
    old, shape, new_shape = before.roots[entity], after.roots[entity], after.roots[into]
    gone = {n: inner for n, inner in old["fields"].items() if n not in shape["fields"]}
    for ref, link in shape["fields"].items():
        is_new = ref not in old["fields"] and link["type"] == "reference" and not link.get("flat")
        if is_new and written_by(link) == (into, None):
            fields = _taken_fields(gone, new_shape["fields"], link)
            if fields and len(fields) == len(new_shape["fields"]):
                yield Split(entity, into, fields=fields, key=new_shape["key"], ref=ref)


def _taken_fields(gone: dict[str, Shape], fields: dict[str, Shape], link: Shape) -> dict[str, str]:
    """Map the fields that went to those of the new entity: by name, else where only one fits."""
    fits = {
        new: [name for name, inner in gone.items() if _is_taken(inner, field, link)]
        for new, field in fields.items()
    }
    alike = {
        new: [name for name in names if f"_{name}".endswith(f"_{new}")] or names
        for new, names in fits.items()
    }
    return {name: new for new, name in _only(alike).items()}


def _is_taken(old: Shape, new: Shape, link: Shape) -> bool:
    """Tell whether a field may have moved; null stands for all of them where the link is null."""
    if SEALED not in old or FREE in old:
        return False
    if old.get("nullable") and not (new.get("nullable") or link.get("nullable")):
        return False
    before, after = ({**inner, "nullable": None, "default": None} for inner in (old, new))
    return same(before, after)
