"""Strict reading of the small JSON files: text in, ``msgspec`` structs out.

``msgspec`` decides whether a value fits a struct; this module says where it doesn't, what stands
there and what was expected.  A type's ``Meta(description=...)`` is that expectation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import NoneType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import msgspec
from msgspec import Meta, Struct, UnsetType, ValidationError

from lading.errors import BundleError
from lading.messages import DAMAGED, Message, shown
from lading.values.json_text import DEEPEST_RECORD, json_text, on_own_stack, parse_json, too_deep

T = TypeVar("T")
LARGEST = 2**63 - 1
INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?Z")

Name = Annotated[
    str, Meta(min_length=1, pattern=r"^[^\u0000]*$", description="a name, without NUL")
]
Count = Annotated[int, Meta(ge=0, le=LARGEST, description=f"a whole number from 0 to {LARGEST}")]
Number = Annotated[int, Meta(ge=1, le=LARGEST, description=f"a whole number from 1 to {LARGEST}")]
Digest = Annotated[
    str,
    Meta(pattern="^[0-9a-f]{64}$", max_length=64, description="64 lower-case hexadecimal digits"),
]
#: A type's parts: the type of each, its value, and its field.
Part = tuple[Any, Any, str]
_EXPECTED = {str: "a string", int: "a whole number", bool: "true or false", NoneType: "null"}


class Closed(Struct, frozen=True, forbid_unknown_fields=True):
    """A frozen value that is read from an object with these fields and no others."""


#: What the lines begin with that git leaves where it couldn't merge a file.
CONFLICT_MARKERS = (b"<<<<<<< ", b"||||||| ", b"=======", b">>>>>>> ")
CONFLICT = "a conflict marker of git; keep one side"


class JsonFile:
    """One JSON file that is read strictly: its name and the remedy for what is wrong in it."""

    def __init__(self, name: str, remedy: str = DAMAGED) -> None:
        self.name = name
        self.remedy = remedy

    def error(self, problem: str, field: str = "") -> BundleError:
        """Return the error for a problem of a field, or of the file."""
        return BundleError(
            Message("manifest-malformed", problem), self.remedy, file=self.name, field=field or None
        )

    def wrong(self, field: str, value: object, expected: str) -> BundleError:
        """Return the error for a value that isn't what its field should hold."""
        return self.error(f"is {shown(value)}; expected {expected}", field)

    def parse(self, data: bytes) -> dict[str, Any]:
        """Parse the file's text: one object in UTF-8, no member twice, no number that is lost."""
        try:
            value = parse_json(data)
            json_text(value)  # an escaped lone surrogate is valid JSON, but no text
        except ValueError as error:
            reason = f"in it stands {CONFLICT}" if _is_unmerged(data) else str(error)
            raise self.error(f"is not a whole JSON document in UTF-8 ({reason})") from error
        if not isinstance(value, dict):
            raise self.wrong("", value, "an object")
        return value

    def convert(self, value: Any, kind: type[T], field: str = "") -> T:
        """Return a parsed value as the frozen value that it stands for.

        Raises ``BundleError`` with the path of the first field that is wrong, from ``field`` on.
        """
        try:
            converted: T = on_own_stack(msgspec.convert, value, kind)
        except ValidationError as error:
            raise next(self.misfits(value, kind, field)) from error
        except RecursionError as error:
            raise self.error(str(too_deep(DEEPEST_RECORD)), field) from error
        return converted

    def misfits(self, value: Any, kind: Any, field: str = "") -> Iterator[BundleError]:
        """Yield the error of each part of a parsed value that doesn't fit a type."""
        error = _misfit((kind, value, field))
        if error is None:
            return
        members = list(_members(kind, value))
        for name, problem in members:
            yield self.error(problem, _dotted(field, name))
        inner = [part for part in _parts(kind, value, field) if _misfit(part)]
        for inner_kind, inner_value, inner_field in inner:
            yield from self.misfits(inner_value, inner_kind, inner_field)
        if not members and not inner:
            rule = error.__cause__  # of a struct's own
            expected = str(rule) if isinstance(rule, ValueError) else _expected(kind)
            yield self.wrong(field, value, expected)


def _misfit(part: Part) -> ValidationError | None:
    """Return the error of a part that doesn't fit."""
    try:
        msgspec.convert(part[1], part[0])
    except ValidationError as error:
        return error
    return None


def _members(kind: Any, value: Any) -> Iterator[tuple[str, str]]:
    """Yield the fields that an object lacks or has too many, in order of their names."""
    struct = _bare(kind)
    if not _is_struct(struct) or not isinstance(value, dict):
        return
    fields = {info.name: info.required for info in msgspec.structs.fields(struct)}
    extra = value.keys() - fields.keys() if struct.__struct_config__.forbid_unknown_fields else ()
    missing = {name for name, required in fields.items() if required and name not in value}
    for name in sorted(missing.union(extra)):
        yield name, "is missing" if name in missing else "is not a field of this format"


def _parts(kind: Any, value: Any, field: str) -> Iterator[Part]:
    """Yield the parts of a struct, a list or an object with any keys."""
    bare = _bare(kind)
    if _is_struct(bare) and isinstance(value, dict):
        for info in msgspec.structs.fields(bare):
            if info.name in value:
                yield info.type, value[info.name], _dotted(field, info.name)
    elif _is_list(bare) and isinstance(value, list):
        for number, element in enumerate(value):
            yield get_args(bare)[0], element, f"{field}[{number}]"
    elif get_origin(bare) in (dict, Mapping) and isinstance(value, dict):
        for key, element in value.items():
            yield get_args(bare)[1], element, _dotted(field, key)


def _bare(kind: Any) -> Any:
    """Return a type without its constraints, and without what stands for nothing."""
    if get_origin(kind) is Annotated:
        return _bare(kind.__origin__)
    options = [option for option in get_args(kind) if option not in (NoneType, UnsetType)]
    is_optional = len(options) == 1 < len(get_args(kind))
    return _bare(options[0]) if is_optional else kind


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Struct)


def _is_list(kind: Any) -> bool:
    """Tell whether a type is a list whose items are alike, of any number."""
    return get_origin(kind) is list or (get_origin(kind) is tuple and get_args(kind)[-1] is ...)


def _dotted(field: str, name: str) -> str:
    return f"{field}.{name}" if field else name


def _expected(kind: Any) -> str:
    """Return what a type's values are, in words."""
    if get_origin(kind) is Annotated:
        descriptions = [meta.description for meta in kind.__metadata__ if meta.description]
        return descriptions[0] if descriptions else _expected(kind.__origin__)
    if get_origin(kind) is Literal:
        return " or ".join(map(repr, get_args(kind)))
    if get_origin(kind) in (list, tuple):
        return "a list"
    if get_origin(kind) in (dict, Mapping) or _is_struct(kind):
        return "an object"
    if get_args(kind):  # a union
        options = [option for option in get_args(kind) if option is not UnsetType]
        return " or ".join(map(_expected, options))
    return _EXPECTED.get(kind, "another value")


def _is_unmerged(data: bytes) -> bool:
    """Tell whether git left conflict markers in a file."""
    return any(line.startswith(CONFLICT_MARKERS) for line in data.split(b"\n"))
