"""What ``class Meta`` may hold, checked before marshmallow or anything of ours relies on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import marshmallow as ma

from lading.messages import nearest, shown

#: What ``class Meta`` may hold: ours, and marshmallow's own.
OPTIONS = {
    "model",
    "name",
    "natural_key",
    "version",
    "depends_on",
    "volatile",
    "catalog",
    "keep_id",
    "stored",
    "hidden",
} | {
    *vars(ma.SchemaOpts(type("Meta", (), {}))),
    "additional",
    "ordered",
}

#: Options that list fields; a lone string, without a comma, would be taken letter by letter.
LISTS = ("fields", "additional", "exclude", "dump_only", "load_only")
#: Options of ours that list names; a lone string is one name.
NAMES = ("depends_on", "volatile", "stored", "hidden")


def option_faults(meta: Any) -> Iterator[str]:
    """Yield what is wrong with the values of a ``Meta`` class's own options."""
    for name in (*LISTS, *NAMES):
        value = vars(meta).get(name, ()) if meta is not None else ()
        if name in NAMES and (value is None or isinstance(value, str)):
            continue
        is_list = isinstance(value, list | tuple | set | frozenset)
        if not is_list or not all(isinstance(listed_name, str) for listed_name in value):
            yield f"Meta.{name} = {shown(value)}; write names in a tuple, such as ('notes',)"
    keep_id = vars(meta).get("keep_id") if meta is not None else None
    if keep_id is not None and not isinstance(keep_id, bool):
        yield f"Meta.keep_id = {shown(keep_id)}; write True or False"
    include = vars(meta).get("include", {}) if meta is not None else {}
    if not isinstance(include, Mapping):
        yield f"Meta.include = {shown(include)}; write a mapping of fields by name"


def unknown_options(meta: Any) -> Iterator[str]:
    """Yield what is wrong with an option's name; a misspelt one would silently do nothing."""
    for name in vars(meta):
        if not name.startswith("__") and name not in OPTIONS:
            yield f"Meta.{name} isn't an option; expected one of: {nearest(name, sorted(OPTIONS))}"


def names_in(option: Any) -> tuple[str, ...]:
    """Return the names that an option gives: one as a string, several, or none."""
    if option is None:
        return ()
    is_list = isinstance(option, Iterable) and not isinstance(option, str)
    return tuple(option) if is_list else (option,)


class Excluded:
    """The fields that marshmallow's ``exclude`` and ``fields`` options leave out."""

    def __init__(self, schema: type[ma.Schema]) -> None:
        self.names = set(getattr(schema.Meta, "exclude", ()))
        self.only = set(getattr(schema.Meta, "fields", ()))

    def __contains__(self, name: str) -> bool:
        return self.leaves_out(name)

    def leaves_out(self, *names: str) -> bool:
        """Tell whether a field is left out, by any of the names that it goes by."""
        wanted = set(names)
        return bool(wanted & self.names) or (bool(self.only) and not wanted & self.only)

    def unknown(self, known: set[str]) -> list[str]:
        """Return the names of unknown fields; a misspelt one would leave nothing out."""
        return sorted((self.names | self.only) - known)


def stored_names(schema: type[ma.Schema]) -> tuple[str, ...]:
    """Return the fields whose values a schema lets travel as they are stored."""
    return names_in(getattr(schema.__dict__.get("Meta"), "stored", None))


def hidden_names(schema: type[ma.Schema]) -> set[str]:
    """Return the fields that a schema hides, and those that its bases hide."""
    metas = (base.__dict__.get("Meta") for base in schema.__mro__)
    return {name for meta in metas for name in names_in(getattr(meta, "hidden", None))}


def declares_model(cls: type[ma.Schema]) -> bool:
    """Tell whether a schema stands for an entity, and not for an abstract base."""
    return getattr(cls.Meta, "model", None) is not None


def option(cls: type[ma.Schema], name: str) -> Any:
    """Return a ``Meta`` option of the class or of the nearest base that gives it."""
    for base in cls.__mro__:
        value = getattr(base.__dict__.get("Meta"), name, None)
        if value is not None:
            return value
    return None


def own_option(schema: type[ma.Schema], name: str) -> Any:
    """Return an option of the schema's own ``Meta``, which bases don't pass on."""
    return getattr(schema.__dict__.get("Meta"), name, None)
