"""What checks values by their kinds alone, where no engine is to take them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from lading.codegen import PLAIN, Expression, calling
from lading.database.dialects.limits import between, is_canonical_uuid, longest, longest_bytes
from lading.mapping.columns import underlying
from lading.model.computed import Computed
from lading.model.entities import Entities
from lading.model.rowsets import Column
from lading.values.base import CUSTOM, Kind
from lading.values.json_text import json_text, parse_json
from lading.values.scalars import Boolean, Bytes, Choice, Integer, Json, Number, Text, Uuid

#: The integers that some engine's column holds.
LEAST, MOST = -(2**63), 2**64 - 1
#: How many forms of one field are remembered as canonical.
REMEMBERED = 2_000


class PortableBinder(Computed):
    """Refuses written forms that aren't canonical, or are longer than their column declares."""

    def binder(self, column: Column, kind: Kind) -> Expression:
        """Return the expression from a written form to itself; ``ValueError`` for another."""
        if kind.name == CUSTOM or isinstance(kind, Boolean):
            return PLAIN
        if isinstance(kind, Integer):
            return Expression(
                f"({{x}} if {LEAST} <= {{x}} <= {MOST} else fits({{x}}))",
                {"fits": between(LEAST, MOST)},
            )
        if kind.is_json:
            return calling(_json(kind))
        if isinstance(kind, Text) and not kind.padded:
            limit = _length(column)
            return PLAIN if limit is None else calling(longest(limit))
        if isinstance(kind, Choice):
            return Expression(
                "({x} if {x} in names[0] else refuse({x}))",
                {"names": (frozenset(kind.members),), "refuse": kind.read},
            )
        if isinstance(kind, Uuid):
            return _matching(is_canonical_uuid, kind)
        pattern = _decimal(kind) if isinstance(kind, Number) else None
        if pattern is not None:
            return _matching(pattern.fullmatch, kind)
        return calling(lru_cache(REMEMBERED)(_whole(column, kind)))


def portable_of(_: Entities) -> PortableBinder:
    """Return a binder for ``Entities.once``, which keeps what is compiled for it."""
    return PortableBinder()


def _length(column: Column) -> int | None:
    length = getattr(underlying(column.type), "length", None)
    return length if type(length) is int else None


def _matching(matches: Callable[[str], Any], kind: Kind) -> Expression:
    return Expression("({x} if ok({x}) else slow({x}))", {"ok": matches, "slow": kind.canonical})


def _decimal(kind: Number) -> re.Pattern[str] | None:
    """Return the pattern of a scale's canonical digits, without a negative zero."""
    if kind.scale is None or kind.precision is None or kind.scale < 0:
        return None
    whole = kind.precision - kind.scale
    number = f"(?:0|[1-9][0-9]{{0,{whole - 1}}})" if whole > 0 else "0"
    fraction = rf"\.[0-9]{{{kind.scale}}}" if kind.scale else ""
    return re.compile(rf"(?!-0\.?0*$)-?{number}{fraction}", re.ASCII)


def _json(kind: Kind) -> Callable[[bytes], bytes]:
    def check(text: bytes) -> bytes:
        written = parse_json(text)
        again = (
            kind.write(kind.read(written)) if isinstance(kind, Json) else kind.canonical(written)
        )
        if json_text(again) != text:
            raise ValueError("its JSON is not canonical")
        return text

    return check


def _whole(column: Column, kind: Kind) -> Callable[[Any], Any]:
    limit = _length(column) if isinstance(kind, Bytes) else None

    def check(written: Any) -> Any:
        canonical = kind.canonical(written)
        if limit is not None:
            longest_bytes(limit)(kind.read(written))
        return canonical

    return check
