"""What a shape may look like, whoever wrote it: checked before anything relies on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from lading.bundle.validation import wrong

Test = Callable[[Any], bool]


def shape_rule(value: Any, where: str) -> Any:
    """Take a shape; ``BundleError`` naming what in it is none."""
    for path, found, expected in _faults(value):
        raise wrong(where + path, found, expected)
    return value


def is_shape(value: Any) -> bool:
    """Tell whether a value is a shape, with those of what it owns."""
    return next(_faults(value), None) is None


def _is(*kinds: type) -> Test:
    return lambda value: type(value) in kinds


def _all(test: Test) -> Test:
    return lambda value: type(value) is list and all(map(test, value))


def _step(value: Any) -> bool:
    """Whether a value is what a list is ordered by: a field or made-up ids, and a direction."""
    is_pair = type(value) is list and len(value) == 2
    return is_pair and type(value[0]) in (str, type(None)) and type(value[1]) is str


_SCALAR = _is(str, int, bool, float, type(None))
_NUMBER = _is(int, type(None))
_NAMES = (_all(_is(str)), "a list of names")
_FLAG = (_is(bool), "true or false")
_OBJECT = (_is(dict), "an object")
_TEXT = (_is(str), "a text")
_WHOLE = (_NUMBER, "a whole number or null")
_CLASSES = (_all(_SCALAR), "a list of plain values")

#: What stands in a shape under each name, if it does; other names are for newer ladings.
_MEMBERS: dict[str, tuple[Test, str]] = {
    "nullable": _FLAG,
    "computed": _FLAG,
    "optional": _FLAG,
    "open": _FLAG,
    "flat": _FLAG,
    "by": _TEXT,
    "order": _TEXT,
    "discriminator": _TEXT,
    "classes": _CLASSES,
    "kinds": _CLASSES,
    "unique": (_all(_NAMES[0]), "a list of lists of names"),
    "sequence": (_all(_step), "a list of fields, each with a direction"),
    "hooks": _NAMES,
    "extra": _NAMES,
    "constraints": _OBJECT,
    "default": _OBJECT,
}
#: What must stand in a field's shape, by its type.
_BY_TYPE: dict[str, dict[str, tuple[Test, str]]] = {
    "reference": {"entity": _TEXT},
    "references": {"entity": _TEXT},
    "decimal": {"precision": _WHOLE, "scale": _WHOLE},
    "enum": {"names": _NAMES},
    "set": {"names": _NAMES},
    "array": {"items": _OBJECT, "dimensions": _WHOLE},
}
_LISTS = ("choices", "parts", "never", "patterns", "others")

Fault = tuple[str, Any, str]


def _faults(value: Any) -> Iterator[Fault]:
    """Yield what in a shape is none: its path, what stands there, and what should."""
    pending: list[tuple[str, Any]] = [("", value)]
    while pending:
        path, shape = pending.pop()
        if not isinstance(shape, dict) or not isinstance(shape.get("fields"), dict):
            yield path, shape, "a shape, with its fields"
            return
        yield from _members(path, shape, {"key": _NAMES})
        for name, field in shape["fields"].items():
            place = f"{path}.fields.{name}"
            yield from _field(place, field)
            if field["type"] == "owned":
                pending.append((place, field))


def _field(path: str, field: Any) -> Iterator[Fault]:
    """Yield what in a field's shape is none, down to the items of arrays."""
    while True:
        kind = field.get("type") if isinstance(field, dict) else None
        if not isinstance(kind, str) or not kind:
            yield path, field, "a field's shape, with its type"
            return
        needed = _BY_TYPE.get(kind, {})
        yield from _members(path, field, needed)
        for name, limit in field.get("constraints", {}).items():
            if name in _LISTS and not isinstance(limit, list):
                yield f"{path}.constraints.{name}", limit, "a list"
        for name, default in field.get("default", {}).items():
            if not isinstance(default, dict):
                yield f"{path}.default.{name}", default, "an object"
        if "items" not in needed:
            return
        path, field = f"{path}.items", field["items"]


def _members(path: str, shape: Any, needed: dict[str, tuple[Test, str]]) -> Iterator[Fault]:
    for name, (test, expected) in {**_MEMBERS, **needed}.items():
        if name in shape and not test(shape[name]):
            yield f"{path}.{name}", shape[name], expected
        elif name in needed and name not in shape:
            yield f"{path}.{name}", None, expected
