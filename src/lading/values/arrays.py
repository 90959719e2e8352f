"""Arrays: lists of one kind's values, in one or several dimensions; and sets of labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from lading.messages import shown
from lading.values.base import Kind, article
from lading.values.json_text import json_text
from lading.values.scalars import JSON_KEY, JSON_NULL, Json

#: PostgreSQL's own limit, and a guard against bottomless nesting.
MOST_DIMENSIONS = 6


@dataclass(frozen=True)
class Array(Kind):
    """A list of one kind's values or nulls, nested where it has several dimensions.

    All lists of one level have the same length, as a database's arrays have: a ragged
    one, or one that is empty within another, is refused.  ``dimensions`` is ``None``
    where any number will do.  An array that is kept in a JSON column may be JSON's own
    null, which is written as it is for :class:`~lading.values.scalars.Json`.
    """

    name: ClassVar[str] = "array"
    python: ClassVar[tuple[type, ...]] = (list, tuple)
    is_key: ClassVar[bool] = False
    is_json: ClassVar[bool] = True
    item: Kind
    dimensions: int | None = None
    as_tuple: bool = False

    @property
    def depth(self) -> int | None:
        """How many levels of lists there are; a JSON value may be a list itself, so one."""
        return 1 if self.dimensions is None and isinstance(self.item, Json) else self.dimensions

    @property
    def form(self) -> str:
        """Lists, and their items."""
        lists = "a list" if self.depth == 1 else "lists of equal lengths"
        return f"{lists} in brackets, and as each item {self.item.form}"

    def write(self, value: Any) -> Any:
        """Return a list of the items' written forms."""
        if value is JSON_NULL:
            return {JSON_KEY: None}
        return self.mapped(self.arranged(self.check(value)), self.item.write)

    def read(self, written: Any) -> Any:
        """Return a list (or tuple) of the items' values."""
        if written == {JSON_KEY: None}:
            return JSON_NULL
        if type(written) is not list:
            raise ValueError(f"{shown(written)} is not {article(self.name)} (a list)")
        return self._made(self.mapped(self.arranged(written), self.item.read))

    def canonical(self, written: Any) -> Any:
        """Return a written form that is canonical already; ``ValueError`` for any other."""
        again = self.write(self.read(written))
        if json_text(again) != json_text(written):
            raise ValueError(f"{shown(written)} is not canonical")
        return again

    def text(self, written: Any) -> bytes:
        """Return the text of a written form, ready to stand in a record."""
        return json_text(self.arranged(written))

    def shape(self) -> dict[str, Any]:
        """What an array's items are, and in how many dimensions, belongs to its shape."""
        return {"type": self.name, "items": self.item.shape(), "dimensions": self.dimensions}

    def mapped(self, value: Any, change: Callable[[Any], Any]) -> list[Any]:
        """Change each item that isn't null; ``ValueError`` says which one can't be."""
        return self._mapped(value, change, 1, "")

    def _mapped(self, value: Any, change: Any, level: int, path: str) -> list[Any]:
        result: list[Any] = []
        for number, element in enumerate(value, 1):
            place = f"{path}{number}"
            if element is None:
                result.append(None)
            elif self._is_nested(element, level):
                result.append(self._mapped(element, change, level + 1, f"{place}."))
            else:
                try:
                    result.append(change(element))
                except ValueError as error:
                    raise ValueError(f"item {place}: {error}") from error
        return result

    def _is_nested(self, element: Any, level: int) -> bool:
        deeper = self.depth is None or level < self.depth
        return deeper and isinstance(element, list | tuple)

    def _made(self, value: list[Any], level: int = 1) -> Any:
        if not self.as_tuple:
            return value
        return tuple(
            self._made(element, level + 1) if self._is_nested(element, level) else element
            for element in value
        )

    def arranged(self, nested: Any) -> Any:
        """Return nested lists that are an array; ``ValueError`` for any others."""
        sizes = self._sizes(nested, 1)
        if nested and self.depth is not None and len(sizes) != self.depth:
            raise ValueError(
                f"{shown(nested)} is nested {len(sizes)} deep, its column's arrays {self.depth}"
            )
        return nested

    def _sizes(self, items: Any, level: int) -> tuple[int, ...]:
        """Return the length of each level's lists."""
        if level > MOST_DIMENSIONS:
            raise ValueError(f"it has more than {MOST_DIMENSIONS} dimensions")
        lists = [element for element in items if self._is_nested(element, level)]
        if not lists:
            return (len(items),)
        if len(lists) != len(items):
            raise ValueError(f"{shown(items)} mixes lists with items, as no array does")
        sizes = {self._sizes(element, level + 1) for element in lists}
        if len(sizes) > 1:
            raise ValueError(f"{shown(items)} holds lists of different lengths, as no array does")
        inner = sizes.pop()
        if 0 in inner:
            raise ValueError(f"{shown(items)} holds empty lists, as no array does")
        return (len(items), *inner)


@dataclass(frozen=True)
class LabelSet(Kind):
    """Some of a column's labels, written as their list by code point (MariaDB's SET).

    The order in which a column declares its labels may be another in each database.
    """

    name: ClassVar[str] = "set"
    python: ClassVar[tuple[type, ...]] = (set, frozenset)
    is_key: ClassVar[bool] = False
    is_json: ClassVar[bool] = True
    labels: tuple[str, ...]

    @property
    def form(self) -> str:
        """A list of labels."""
        return "a list of these labels in brackets, each once: " + ", ".join(self.labels)

    def write(self, value: Any) -> list[str]:
        """Return the labels, sorted."""
        return self._sorted(self.check(value))

    def read(self, written: Any) -> set[str]:
        """Return the set of a list in which each label stands once."""
        if type(written) is not list:
            raise ValueError(f"{shown(written)} is not {article(self.name)} (a list of labels)")
        labels = self._sorted(written)
        if len(set(labels)) != len(labels):
            raise ValueError(f"{shown(written)} names a label twice")
        return set(labels)

    def _sorted(self, labels: Iterable[Any]) -> list[str]:
        for label in labels:
            if label not in self.labels:
                raise ValueError(f"{shown(label)} is none of {', '.join(self.labels)}")
        return sorted(labels)

    def shape(self) -> dict[str, Any]:
        """The labels, in declared order, belong to a set's shape."""
        return {"type": self.name, "names": list(self.labels)}
