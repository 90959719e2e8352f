"""The texts of records' fields, cut out of many lines at once, and which of them differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from lading.codegen import CodeBuilder
from lading.records.layout import attribute
from lading.values.json_text import on_own_stack

_read = msgspec.json.Decoder().decode
UNSET: Any = msgspec.UNSET
NULL = msgspec.Raw(b"null")


class CutFields(Mapping[str, msgspec.Raw]):
    """The text of each field that a record has, by its name."""

    __slots__ = ("_attributes", "_texts")

    def __init__(self, texts: msgspec.Struct, attributes: Mapping[str, str]) -> None:
        self._texts = texts
        self._attributes = attributes

    def get(self, name: str, default: Any = None) -> Any:
        """Return the text of a field, or a default where the record lacks it."""
        text = getattr(self._texts, self._attributes.get(name, ""), UNSET)
        return default if text is UNSET else text

    def __getitem__(self, name: str) -> msgspec.Raw:
        text: Any = self.get(name)
        if text is None:
            raise KeyError(name)
        return text  # type: ignore[no-any-return]

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._attributes if self.get(name) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class FieldTexts:
    """Cuts records of one entity into some of their fields.

    Args:
        title: what the generated code is called.
        names: the names of the fields.
    """

    def __init__(self, title: str, names: Sequence[str]) -> None:
        self.names = names
        self.attributes = {name: attribute(place) for place, name in enumerate(names)}
        struct = msgspec.defstruct(
            "Texts",
            [(place, msgspec.Raw, UNSET) for place in self.attributes.values()],
            rename={place: name for name, place in self.attributes.items()},
            gc=False,
        )
        self._decode = msgspec.json.Decoder(list[struct]).decode  # type: ignore[valid-type]
        differing = (f"(a.{f} != b.{f}) << {n}" for n, f in enumerate(self.attributes.values()))
        self._masks: Callable[[Any, Any], list[int]] = CodeBuilder(title).compile(
            f"lambda records, others: [{' | '.join(differing)} for a, b in zip(records, others)]"
        )

    def cut(self, lines: Sequence[bytes]) -> list[Any]:
        """Return the texts of each record's fields, as a struct."""
        return on_own_stack(self._decode, b"[" + b",".join(lines) + b"]")

    def masks(self, records: Sequence[Any], others: Sequence[Any]) -> list[int]:
        """Return which fields of records differ from those of others beside them.

        A mask has a bit for each field, the first one's last.
        """
        return self._masks(records, others)

    def is_set(self, texts: Any, name: str) -> bool:
        """Tell whether a record has a field, and it isn't null."""
        text = getattr(texts, self.attributes[name])
        return text is not UNSET and text != NULL

    def read(self, texts: Any, names: Iterable[str]) -> dict[str, Any]:
        """Return what some fields say whose JSON any parser reads alike."""
        attributes = self.attributes
        return {name: _read(getattr(texts, attributes[name])) for name in names}

    def fields(self, texts: Any) -> CutFields:
        """Return the fields of one record."""
        return CutFields(texts, self.attributes)
