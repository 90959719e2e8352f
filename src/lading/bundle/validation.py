"""Strict rules by which a manifest's JSON values become frozen values.

A rule takes a value and the path of its field, and returns what it stands for or
raises a ``BundleError`` that names the field.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from math import isfinite
from typing import Any

from lading.errors import BundleError
from lading.filenames import MANIFEST
from lading.messages import shown
from lading.values.json_text import repeated

Rule = Callable[[Any, str], Any]
LARGEST = 2**63 - 1
DAMAGED = "Export again, or use an undamaged copy."
DIGEST = re.compile(r"[0-9a-f]{64}")
INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?Z")


def wrong(where: str, value: object, expected: str) -> BundleError:
    """Return the error for a value that isn't what a field should hold."""
    return BundleError(
        f"is {shown(value)}; expected {expected}", DAMAGED, file=MANIFEST, field=where or None
    )


def parse(data: bytes) -> Any:
    """Parse the manifest's text: one JSON document, no key twice, no odd numbers."""
    hooks: dict[str, Any] = {"parse_float": _finite, "parse_constant": _finite}
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_unique, **hooks)
        # An escaped lone surrogate is valid JSON, but no text.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        problem = f"is not a whole JSON document in UTF-8 ({error})"
        raise BundleError(problem, DAMAGED, file=MANIFEST) from error
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = repeated(name for name, _ in pairs)
        raise BundleError(f"has the key {shown(twice)} twice", DAMAGED, file=MANIFEST)
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"{text[:20]} is not a finite number")
    return number


def of_type(kind: type, expected: str) -> Rule:
    """Return a rule for values of one JSON type."""

    def read(value: Any, where: str) -> Any:
        # bool is an int to Python, and never a number to JSON.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise wrong(where, value, expected)
        return value

    return read


text = of_type(str, "a string")
object_ = of_type(dict, "an object")


def name(value: Any, where: str) -> Any:
    """Take a non-empty text without NUL."""
    if not isinstance(value, str) or not value or "\0" in value:
        raise wrong(where, value, "a name")
    return value


def whole(least: int) -> Rule:
    """Return a rule for whole numbers from ``least`` up."""
    expected = f"a whole number from {least} to {LARGEST}"

    def read(value: Any, where: str) -> Any:
        if not least <= of_type(int, expected)(value, where) <= LARGEST:
            raise wrong(where, value, expected)
        return value

    return read


def digest(value: Any, where: str) -> Any:
    """Take a SHA-256 digest."""
    if not isinstance(value, str) or not DIGEST.fullmatch(value):
        raise wrong(where, value, "64 lower-case hexadecimal digits")
    return value


def instant(value: Any, where: str) -> Any:
    """Take an instant in UTC."""
    try:
        if not isinstance(value, str) or not INSTANT.fullmatch(value):
            raise ValueError(value)
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise wrong(where, value, "an instant in UTC like '2025-01-31T12:00:00Z'") from error


def optional(rule: Rule) -> Rule:
    """Return a rule that takes null as well."""
    return lambda value, where: None if value is None else rule(value, where)


def list_of(rule: Rule) -> Rule:
    """Return a rule for lists."""

    def read(value: Any, where: str) -> Any:
        items = of_type(list, "a list")(value, where)
        return tuple(rule(item, f"{where}[{n}]") for n, item in enumerate(items))

    return read


def mapping_of(rule: Rule) -> Rule:
    """Return a rule for objects with any keys."""

    def read(value: Any, where: str) -> Any:
        return {key: rule(item, f"{where}.{key}") for key, item in object_(value, where).items()}

    return read


def built(
    kind: Callable[..., Any], rules: Mapping[str, Rule], optional: Mapping[str, Rule] | None = None
) -> Rule:
    """Return a rule that makes a ``kind`` of an object with these fields and maybe ``optional``."""
    every = {**rules, **(optional or {})}

    def read(value: Any, where: str) -> Any:
        prefix = f"{where}." if where else ""
        found = object_(value, where).keys()
        for name in sorted((found - every.keys()) | (rules.keys() - found)):
            problem = "is missing" if name in rules else "is not a field of this format"
            raise BundleError(problem, DAMAGED, file=MANIFEST, field=prefix + name)
        return kind(
            **{name: every[name](value[name], prefix + name) for name in every if name in value}
        )

    return read
