"""The arguments of public functions, checked before anything is opened.

Each check raises ``ArgumentError`` with the argument's name, its value and what was expected.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from lading.catalog import Catalog
from lading.errors import ArgumentError
from lading.messages import Message, asyncio_remedy, is_text, nearest, run_sync_call, shown
from lading.model.entities import Entities

ACCEPTED = "a Session, Connection, Engine or sessionmaker"
CONDITION = "a SQLAlchemy condition, such as Purchase.price > 10"
CHOSEN = "an entity that only lists"
DOCUMENT = "a dictionary of lists of records"
#: Replaces a bundle unless it holds the same records.
CHANGED = "changed"
CONFLICTS = ("skip", "update", "error", "mirror")


def session_of(session: Any, catalog: Catalog, argument: str = "session") -> Any:
    """Return the session to work with: the catalog's bind where none is given."""
    owner = catalog.bind if session is None else session
    if isinstance(owner, sa.Engine | sa.Connection | Session | sessionmaker | scoped_session):
        return owner
    remedy = ""
    if session is None:
        remedy = f"Pass one, or give catalog {catalog.name!r} a bind."
    else:
        remedy = asyncio_remedy(owner, run_sync_call())
    is_bind = session is None and owner is not None
    raise ArgumentError(
        "bind" if is_bind else argument, owner, Message("session-malformed", ACCEPTED), remedy
    )


def check_path(argument: str, path: Any, expected: str = "a string or a Path") -> None:
    """Refuse what is no path, an empty string, and objects whose path is no string."""
    try:
        text = os.fspath(path)
    except Exception:  # it is no path, or its own code fails
        text = None
    if not isinstance(text, str) or not text:
        raise ArgumentError(argument, path, Message("path-malformed", expected))


def check_text(argument: str, text: Any) -> None:
    """Refuse what is neither a string that a file can hold nor ``None``."""
    if text is not None and not is_text(text):
        raise ArgumentError(argument, text, "a string or None")


def check_flags(**flags: Any) -> None:
    """Refuse what is neither true nor false."""
    for argument, flag in flags.items():
        if not isinstance(flag, bool):
            raise ArgumentError(argument, flag, "True or False")


def check_overwrite(overwrite: Any) -> None:
    """Refuse what says neither whether to replace a bundle nor to replace it if it changed."""
    if not isinstance(overwrite, bool) and overwrite != CHANGED:
        raise ArgumentError(
            "overwrite", overwrite, Message("choice-unknown", f"True, False or {CHANGED!r}")
        )


def check_progress(progress: Any) -> None:
    """Refuse what can't be called."""
    if progress is not None and not callable(progress):
        raise ArgumentError("progress", progress, "a function that takes a Progress")


def check_number(argument: str, number: Any) -> None:
    """Refuse what is neither a whole number from 1 nor ``None``."""
    if number is not None:
        check_count(argument, number)


def check_count(argument: str, number: Any) -> None:
    """Refuse what is no whole number from 1."""
    if type(number) is not int or number < 1:
        raise ArgumentError(argument, number, "a whole number from 1")


def check_mapping(argument: str, mapping: Any, expected: str) -> None:
    """Refuse what is no mapping; what is in it is for its readers to check."""
    if not isinstance(mapping, Mapping):
        raise ArgumentError(argument, mapping, expected)


def check_choice(argument: str, value: Any, choices: Collection[str]) -> None:
    """Refuse what is none of some texts."""
    if not isinstance(value, str) or value not in choices:
        *others, last = map(repr, choices)
        raise ArgumentError(
            argument, value, Message("choice-unknown", f"{', '.join(others)} or {last}")
        )


def check_entity(argument: str, name: Any, known: Collection[str]) -> None:
    """Refuse what isn't the name of an entity."""
    if not isinstance(name, str) or name not in known:
        expected = Message("name-unknown", f"one of: {nearest(name, known)}")
        subject = "" if argument == "entity" else f"{argument}: unknown entity {shown(name)}"
        raise ArgumentError(argument, name, expected, subject=subject)


def entity_names(argument: str, names: Any, known: Collection[str]) -> set[str]:
    """Return the names that an argument lists: one may stand alone, and ``None`` means all."""
    if names is None:
        return set(known)
    listed = listed_names(argument, names)
    for name in listed:
        check_entity(argument, name, known)
    return set(listed)


def listed_names(argument: str, names: Any) -> list[str]:
    """Return the names that an argument lists, whether there are such entities or not."""
    is_list = isinstance(names, Iterable) and not isinstance(names, str)
    listed = list(names) if is_list else [names]
    if not all(isinstance(name, str) for name in listed):
        raise ArgumentError(argument, names, "a list of entity names")
    return listed


def conflict_modes(on_conflict: Any, known: Collection[str]) -> dict[str, str]:
    """Return what happens to conflicts by entity, with ``"*"`` for those that aren't named."""
    modes = dict(on_conflict) if isinstance(on_conflict, Mapping) else {"*": on_conflict}
    for name, mode in modes.items():
        if name != "*":
            check_entity("on_conflict", name, known)
        check_choice("on_conflict", mode, CONFLICTS)
    return modes


def conditions_of(
    where: Any, entities: Entities, names: Collection[str]
) -> dict[str, sa.ColumnElement[bool]]:
    """Return the conditions of ``where`` by entity, each of which is among ``names``."""
    if where is None:
        return {}
    if not isinstance(where, Mapping):
        raise _lone_condition(where, entities)
    conditions = {name: _clause(condition) for name, condition in where.items()}
    for name, condition in conditions.items():
        check_entity("where", name, entities.roots)
        if not _is_condition(condition):
            expected = Message("where-malformed", CONDITION)
            subject = f"where[{name!r}] is {shown(condition)}"
            raise ArgumentError("where", condition, expected, subject=subject)
        _refuse_joins(entities, name, condition)
        if name not in names:
            expected, subject = Message("where-outside", CHOSEN), f"where filters {name!r}"
            raise ArgumentError("where", name, expected, "Add it to only.", subject=subject)
    return conditions


def _lone_condition(where: Any, entities: Entities) -> ArgumentError:
    """Return the error for a condition without its entity, which is named if it can be told."""
    condition = _clause(where)
    known = ", ".join(entities.roots)
    remedy = f"Write where={{'an entity': condition}}; the entities are: {known}."
    if _is_condition(condition):
        tables = set(sa.select(condition).get_final_froms())
        names = [name for name in entities.roots if tables & set(entities[name].tables)]
        if len(names) == 1:
            remedy = f"Write where={{{names[0]!r}: condition}}."
    subject = f"where={condition}" if _is_condition(condition) else ""
    expected = Message("where-malformed", "a mapping of conditions by entity")
    return ArgumentError("where", where, expected, remedy, subject=subject)


def _refuse_joins(entities: Entities, name: str, condition: sa.ColumnElement[bool]) -> None:
    """Another table in a condition would multiply rows, not filter them."""
    table = entities[name].table
    sources = sa.select(*table.primary_key).where(condition).get_final_froms()
    others = [
        str(source) or f"an alias of {getattr(source, 'element', name)}"
        for source in sources
        if source is not table
    ]
    if others:
        raise ArgumentError(
            "where",
            condition,
            Message(
                "where-joins",
                f"a condition on its own table; {', '.join(others)} would multiply its rows",
            ),
            "Ask by a relationship, as in Post.author.has(User.name == 'x'), by EXISTS, or of a "
            "subclass by Base.id.in_(select(Subclass.id).where(...)).",
            subject=f"where[{name!r}] is {condition}",
        )


def _clause(condition: Any) -> Any:
    """Return the column that a mapped attribute stands for, and anything else as it is."""
    has_clause = hasattr(condition, "__clause_element__")
    return condition.__clause_element__() if has_clause else condition


def _is_condition(value: Any) -> bool:
    """Tell whether something is a SQL expression that may be a boolean."""
    affinity = getattr(getattr(value, "type", None), "_type_affinity", None)
    return isinstance(value, sa.ColumnElement) and affinity in (sa.Boolean, sa.types.NullType)
