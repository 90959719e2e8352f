"""What differs between an entity's sealed shape, as changes have made it, and its declared one.

A field that changes have added or converted is as they declare it, and a field that a
function may have altered can be anything: of both, only the presence is compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from lading.changes.compatibility import NARROWER, WIDER, constraint_ways, type_ways
from lading.changes.rewriting.shapes import Shape, Shapes, is_link, is_owned
from lading.locking.sealed_shape import OWNER
from lading.report import NEEDS_CHANGE, SAFE

#: Marks of a field while changes run: it is the sealed one, and its name then; a function may have
#: altered it; and the unique sets that it is in, with their sizes.
SEALED, FREE, SETS = "sealed!", "free!", "sets!"
_MARKS = (SEALED, FREE, SETS)


@dataclass(frozen=True, slots=True)
class ShapeDifference:
    """One difference: ``path`` leads to the records and ``field`` is one of theirs, or ``None``."""

    rule: str
    path: str
    field: str | None
    severity: str
    before: Any
    after: Any
    text: str

    @property
    def place(self) -> str:
        """The whole path."""
        return self.path if self.field is None else f"{self.path}.{self.field}"


def marked(path: str, shape: Shape) -> Shape:
    """Mark every field of the sealed shape at a path as such, in place, and return the shape."""
    sets = [(_carried(names), rule) for names, rule in _unique_sets(shape)]
    for name, inner in shape["fields"].items():
        inner[SEALED] = name
        inner[SETS] = [
            [f"{path} {n}", len(fields), rule]
            for n, (fields, rule) in enumerate(sets)
            if name in fields
        ]
        if is_owned(inner):
            marked(f"{path}.{name}", inner)
    return shape


def freed(shape: Shape) -> None:
    """Mark every field of records, and of what they own, as what a function may have altered."""
    for inner in shape["fields"].values():
        inner[FREE] = True
        if is_owned(inner):
            freed(inner)


def plain(shape: Any) -> Any:
    """Return a shape without marks."""
    if isinstance(shape, dict):
        return {name: plain(member) for name, member in shape.items() if name not in _MARKS}
    return [plain(member) for member in shape] if isinstance(shape, list) else shape


def same(before: Shape, after: Shape) -> bool:
    """Tell whether two fields have one shape, in whatever sequence their lists are."""
    return bool(_unordered(plain(before)) == _unordered(plain(after)))


def _unordered(shape: Shape) -> Shape:
    """Leave sequences out: they name fields as they were sealed, and older locks have none."""
    if "fields" not in shape:
        return shape
    fields = {name: _unordered(inner) for name, inner in shape["fields"].items()}
    return {**{key: member for key, member in shape.items() if key != "sequence"}, "fields": fields}


def differences(path: str, before: Shapes, after: Shapes) -> Iterator[ShapeDifference]:
    """Yield what differs between the records that a path leads to, and what these own."""
    has_key = path in after.roots or path in after.targets or path in before.targets
    yield from _compare(path, before.at(path), after.at(path), has_key=has_key)
    for name, inner in after.at(path)["fields"].items():
        old = before.at(path)["fields"].get(name)
        if old is not None and is_owned(inner) and _is_exact(old) and is_owned(old):
            yield from _sequence(path, name, old, inner)
            yield from differences(f"{path}.{name}", before, after)


def _sequence(path: str, name: str, before: Shape, after: Shape) -> Iterator[ShapeDifference]:
    """Say that a list is ordered by other fields, unless a change made others of them.

    A lock from before sequences were sealed says nothing of them.
    """
    sealed, new = before.get("sequence"), after.get("sequence")
    names = {inner[SEALED]: now for now, inner in before["fields"].items() if _is_exact(inner)}
    names[None] = None
    if not sealed or not new or any(field not in names for field, _ in sealed):
        return
    old = [[names[field], way] for field, way in sealed]
    if old != new:
        text = f"the list is now ordered by {_ways(new)}, formerly by {_ways(old)}"
        inner = {**plain(before), "sequence": old}
        yield ShapeDifference("SEQUENCE_CHANGED", path, name, SAFE, inner, plain(after), text)


def _ways(sequence: list[list[Any]]) -> str:
    return ", ".join(f"{field or 'its generated ids'} {way}" for field, way in sequence)


def _is_exact(inner: Shape) -> bool:
    return SEALED in inner and FREE not in inner


def _compare(path: str, before: Shape, after: Shape, *, has_key: bool) -> Iterator[ShapeDifference]:
    if has_key and before["key"] != after["key"]:
        yield _key(path, before, after)
    if before.get("open"):
        return
    if before.get("discriminator") != after.get("discriminator"):
        old, new = before.get("discriminator"), after.get("discriminator")
        text = f"the discriminator is now {new or 'no field'}, formerly {old or 'no field'}"
        yield ShapeDifference("DISCRIMINATOR_CHANGED", path, None, NEEDS_CHANGE, old, new, text)
    yield from _class_changes(path, before, after)
    yield from _own_code(path, before, after)
    fresh = _fresh(before, after)
    for name, inner in before["fields"].items():
        if name not in after["fields"]:
            text = f"the {_described(inner)} field no longer exists"
            yield ShapeDifference(
                "FIELD_REMOVED", path, name, NEEDS_CHANGE, plain(inner), None, text
            )
    for name, inner in after["fields"].items():
        old = before["fields"].get(name)
        if old is None:
            yield _added(path, name, inner, fresh)
        elif _is_exact(old):
            for rule, severity, text in _field(plain(old), inner, fresh):
                yield ShapeDifference(rule, path, name, severity, plain(old), plain(inner), text)
    yield from _unique(path, before, after, set(after["key"]) if has_key else set())


def _key(path: str, before: Shape, after: Shape) -> ShapeDifference:
    old, new = before["key"], after["key"]
    texts = ", ".join(new) or "nothing", ", ".join(old) or "nothing"
    if sorted(old) == sorted(new):
        text = f"the natural key is now in the order {texts[0]}, formerly {texts[1]}"
        return ShapeDifference("KEY_ORDER_CHANGED", path, None, SAFE, old, new, text)
    text = f"the natural key is now {texts[0]}, formerly {texts[1]}"
    return ShapeDifference("KEY_CHANGED", path, None, NEEDS_CHANGE, old, new, text)


def _fresh(before: Shape, after: Shape) -> set[Any]:
    """Return the classes of a hierarchy that no older record is of."""
    return set(after.get("kinds", ())) - set(before.get("kinds", ()))


def _class_changes(path: str, before: Shape, after: Shape) -> Iterator[ShapeDifference]:
    old, new = before.get("kinds", []), after.get("kinds", [])
    if not _is_exact(before["fields"].get(before.get("discriminator"), {})):
        return  # a change may have made other classes of them
    gone = [name for name in old if name not in new]
    if gone and new:
        text = f"records can no longer be of class {_listed(gone)}"
        yield ShapeDifference("CLASS_REMOVED", path, None, NEEDS_CHANGE, old, new, text)
    if any(name not in old for name in new) and old:
        text = f"records can now be of class {_listed([name for name in new if name not in old])}"
        yield ShapeDifference("CLASS_ADDED", path, None, SAFE, old, new, text)


def _own_code(path: str, before: Shape, after: Shape) -> Iterator[ShapeDifference]:
    """What the application's own code does can't be told, only tried."""
    names = ("hooks", "extra")
    old, new = ({n: shape[n] for n in names if n in shape} for shape in (before, after))
    if old != new:
        text = "the application's own hooks or fields changed; the golden records test them"
        yield ShapeDifference("OWN_CODE_CHANGED", path, None, SAFE, old, new, text)


def _listed(names: list[Any]) -> str:
    return ", ".join(map(repr, names))


def _added(path: str, name: str, inner: Shape, fresh: set[Any]) -> ShapeDifference:
    """Absent is not null, so older records lack a field that no default, class or column gives."""
    severity, why = NEEDS_CHANGE, "and older records lack it"
    if inner.get("computed") or inner.get("optional"):
        severity, why = SAFE, "and records may lack it"
    elif "classes" in inner and set(inner["classes"]) <= fresh:
        severity, why = SAFE, "and only new classes have it"
    return ShapeDifference(
        "FIELD_ADDED",
        path,
        name,
        severity,
        None,
        plain(inner),
        f"{_described(inner)} is new, {why}",
    )


Found = tuple[str, str, str]


def _field(old: Shape, new: Shape, fresh: set[Any]) -> Iterator[Found]:
    ways = type_ways(old, new)
    if ways is None:
        yield (
            "TYPE_CHANGED",
            NEEDS_CHANGE,
            f"it is now {_described(new)}, formerly {_described(old)}",
        )
        return
    if NARROWER in ways:
        yield "TYPE_NARROWED", NEEDS_CHANGE, f"its {new['type']} takes less than before"
    if WIDER in ways:
        yield "TYPE_WIDENED", SAFE, f"its {new['type']} takes more than before"
    if is_link(new) and any(old.get(name) != new.get(name) for name in ("entity", "flat", "by")):
        text = f"it is now {_described(new)}, formerly {_described(old)}"
        yield "REFERENCE_CHANGED", NEEDS_CHANGE, text
    if old.get("order") != new.get("order"):
        text = f"the list is now a {new.get('order')}, formerly a {old.get('order')}"
        yield "OWNED_ORDER_CHANGED", NEEDS_CHANGE, text
    yield from _nulls(old, new)
    yield from _presence(old, new, fresh)
    ways = constraint_ways(old, new)
    limits = f"{_limits(new)}, formerly {_limits(old)}"
    if NARROWER in ways:
        yield "CONSTRAINT_NARROWED", NEEDS_CHANGE, f"it is now limited to {limits}"
    if WIDER in ways:
        yield "CONSTRAINT_WIDENED", SAFE, f"it is now limited to {limits}"
    if old.get("default") != new.get("default"):
        text = f"its default is now {_limits(new, 'default')}, formerly {_limits(old, 'default')}"
        yield "DEFAULT_CHANGED", SAFE, text


def _nulls(old: Shape, new: Shape) -> Iterator[Found]:
    if old.get("nullable") and not new.get("nullable"):
        yield "NULLABILITY_NARROWED", NEEDS_CHANGE, "it can no longer be null"
    elif new.get("nullable") and not old.get("nullable") and not new.get("computed"):
        yield "NULLABILITY_WIDENED", SAFE, "it can now be null"


def _presence(old: Shape, new: Shape, fresh: set[Any]) -> Iterator[Found]:
    """Which records have the field, and whether it is read back."""
    if old.get("computed") != new.get("computed"):
        text = "it is read back" if old.get("computed") else "it is written and never read back"
        yield "COMPUTED_CHANGED", NEEDS_CHANGE, f"{text} now"
    if old.get("optional") and not new.get("optional"):
        yield "DEFAULT_REMOVED", NEEDS_CHANGE, "records must now have it"
    before, after = old.get("classes"), new.get("classes")
    if before == after:
        return
    grown = before is not None and after is not None and not set(before) - set(after)
    if grown and set(after or ()) - set(before or ()) <= fresh:
        yield "CLASSES_WIDENED", SAFE, "records of new classes have it as well"
    else:
        text = f"it now belongs to {_classes(after)}, formerly to {_classes(before)}"
        yield "CLASSES_CHANGED", NEEDS_CHANGE, text


def _classes(classes: list[Any] | None) -> str:
    return "all classes" if classes is None else f"class {_listed(classes)}"


def _unique(path: str, before: Shape, after: Shape, key: set[str]) -> Iterator[ShapeDifference]:
    """Sets of fields that no two records share; one that holds the key needn't be said."""
    names_by_set: dict[tuple[str, int, str], list[str]] = {}
    for name, inner in before["fields"].items():
        for number, size, rule in inner.get(SETS, ()):
            names_by_set.setdefault((number, size, rule), []).append(name)
    old = {
        (frozenset(names), rule)
        for (_, size, rule), names in names_by_set.items()
        if len(names) == size
    }
    new = {(frozenset(_carried(names)), rule): names for names, rule in _unique_sets(after)}
    for (names, rule), fields in new.items():
        exact = all(_is_exact(before["fields"].get(name, {})) for name in names)
        is_known = (names, rule) in old or (names, "") in old
        if not is_known and exact and not (key and key <= names):
            within = " within a list" if OWNER in fields else ""
            text = f"{', '.join(_carried(fields))} must now be unique{within}{_ruled(rule)}"
            yield ShapeDifference("UNIQUE_ADDED", path, None, NEEDS_CHANGE, None, fields, text)
    for names, rule in sorted(old - new.keys(), key=lambda pair: (sorted(pair[0]), pair[1])):
        gone = sorted(names)
        text = f"{', '.join(gone)} no longer needs to be unique{_ruled(rule)}"
        yield ShapeDifference("UNIQUE_REMOVED", path, None, SAFE, gone, None, text)


def _unique_sets(shape: Shape) -> list[tuple[list[str], str]]:
    """Return the unique sets, each with the rule of an index that is partial or by expressions."""
    partly = [(part["fields"], part["rule"]) for part in shape.get("partly_unique", [])]
    return [*((names, "") for names in shape.get("unique", [])), *partly]


def _carried(names: Iterable[str]) -> list[str]:
    return [name for name in names if name != OWNER]


def _ruled(rule: str) -> str:
    return f" {rule}" if rule else ""


def _described(inner: Shape) -> str:
    """Say in a few words what a field is."""
    if is_link(inner):
        form = " (flat)" if inner.get("flat") else ""
        by = f" by {inner['by']}" if inner.get("by") else ""
        return f"{inner['type']} to {inner.get('entity')}{by}{form}"
    if is_owned(inner):
        return f"owned {inner.get('order')}"
    stored = " as it is stored" if inner.get("stored") else ""
    return f"{_type(inner)}{stored}{', nullable' if inner.get('nullable') else ''}"


def _type(inner: Shape) -> str:
    """Name a type, with what makes another type of it."""
    if inner["type"] == "array":
        return f"array of {_type(inner['items'])}"
    return f"{inner['type']}{' with a zone' if inner.get('aware') else ''}"


def _limits(inner: Shape, name: str = "constraints") -> str:
    limits = inner.get(name) or {}
    return ", ".join(f"{key} {value}" for key, value in limits.items()) or "nothing"
