"""Records as changes see them: plain dictionaries, walked by path; functions get copies."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from lading.changes.rewriting.shapes import UNKNOWN, Shape
from lading.messages import shown
from lading.values.json_text import on_own_stack, plain_json_text

#: A record, the one whose list it is in, and where: ``losses.2.``.
Item = tuple[dict[str, Any], dict[str, Any] | None, str]


class Refused(Exception):
    """A step can't be taken with a record; ``field`` says where in it."""

    def __init__(self, problem: str, field: str | None = None) -> None:
        self.problem = problem
        self.field = field
        super().__init__(problem)


class Undecided(Refused):
    """Records that differ where they must agree, or hold what has no place: data, not a mistake."""


def each(record: dict[str, Any], names: tuple[str, ...]) -> list[Item]:
    """List a record, or the owned records that a path of lists leads to.

    What isn't such a list is passed over: the decoder says so.
    """
    items: list[Item] = [(record, None, "")]
    for name in names:
        items = [
            (child, parent, f"{place}{name}.{number}.")
            for parent, _, place in items
            if isinstance(parent.get(name), list)
            for number, child in enumerate(parent[name], 1)
            if isinstance(child, dict)
        ]
    return items


def copied(value: Any) -> Any:
    """Return a copy of a plain JSON value, however deep it nests."""
    if not isinstance(value, dict | list):
        return value
    return on_own_stack(json.loads, on_own_stack(json.dumps, value))


def require(shape: Shape, field: str) -> Callable[[dict[str, Any], str], bool]:
    """Return what tells whether a record has a field; one that must and doesn't is refused.

    Records of a hierarchy have the fields of their own class, and what the database computes
    may be absent.
    """
    inner = shape["fields"].get(field, {"type": UNKNOWN})
    kind: Any = shape.get("discriminator")
    classes = inner.get("classes")
    unsure = shape.get("open") or (inner.get("type") == UNKNOWN and kind is not None)

    def has(record: dict[str, Any], place: str) -> bool:
        if field in record:
            return True
        elsewhere = classes is not None and record.get(kind) not in classes
        if not (unsure or elsewhere or inner.get("computed")):
            raise Refused(
                f"the field {field!r} is missing; each record of that version has it", place + field
            )
        return False

    return has


def of_class(
    shape: Shape, inner: Shape, class_names: Iterable[Callable[[Any], Any]] = ()
) -> Callable[[dict[str, Any]], bool]:
    """Return what tells whether a record's class has a field of this shape.

    ``class_names`` give the class the name that it has there, one function after the other.
    """
    kind, classes = shape.get("discriminator"), inner.get("classes")
    if kind is None or classes is None:
        return lambda _: True
    functions = [Function(name, 1) for name in class_names]

    def has_it(record: dict[str, Any]) -> bool:
        name = record.get(kind)
        for function in functions:
            name = function(str(kind), name)
        return name in classes

    return has_it


class Function:
    """A function of the application's, called with copies; what it returns is checked.

    It takes ``most`` arguments, or fewer where its signature has no place for all.
    """

    def __init__(self, fn: Callable[..., Any], most: int) -> None:
        self.fn = fn
        self.takes = _parameter_count(fn, most)

    def __call__(self, where: str, *arguments: Any) -> Any:
        """Return a copy of what the function returns; ``Refused`` for an exception, or no JSON."""
        try:
            result = self.fn(*arguments[: self.takes or 0])
        except Exception as error:
            raise Refused(f"its function failed: {error!r}", where) from error
        if result is ...:
            raise Refused("its function returns ..., where a value must be filled in", where)
        try:
            require_plain(result)
        except (TypeError, ValueError) as error:
            raise Refused(f"its function returned what JSON can't hold: {error}", where) from error
        return copied(result)  # later steps write into it


def require_plain(value: Any) -> None:
    """Raise ``ValueError`` or ``TypeError`` for a value that no file of JSON can hold."""
    try:
        plain_json_text(value).decode()
    except UnicodeDecodeError:
        raise ValueError("half a surrogate pair stands in a text") from None


def function_faults(fn: Any, most: int, name: str) -> Iterator[str]:
    """Yield what is wrong with a function that a step is given."""
    expected = "(record, parent) or (record)" if most > 1 else "(value)"
    if not callable(fn):
        yield f"{name} = {shown(fn)}; give it a function of {expected}"
    elif inspect.iscoroutinefunction(fn):
        yield f"{name} is a coroutine function; give it a plain one, of {expected}"
    elif not _parameter_count(fn, most):
        yield f"{name} takes other arguments; give it a function of {expected}"


def _parameter_count(fn: Callable[..., Any], most: int) -> int:
    """Return with how many arguments a function can be called, of so many at most; 0 for none."""
    try:
        signature = inspect.signature(fn)
    except (TypeError, ValueError):
        return 1  # a built-in, such as str
    for count in range(most, 0, -1):
        try:
            signature.bind(*[None] * count)
        except TypeError:
            continue
        return count
    return 0
