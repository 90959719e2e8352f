"""How values, lists and places are written in messages."""

from __future__ import annotations

import inspect
import reprlib
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, Self, TypeGuard

#: The remedy for a file that isn't as it was written.
DAMAGED = "Export again, or use an undamaged copy."
#: And for one that people may have edited.
EDITED = "Seal the bundle if the edit was meant; otherwise use an undamaged copy."
REPR_LIMIT = 80
LISTED = 5
#: How many of the names that exist are listed to whoever wrote another, and how alike is near.
NAMES = 20
LIKENESS = 0.6


class Message(str):
    """What is wrong, with the ``code`` of such situations: ``reference-missing``.

    A code is written where its message is, never changes, and is an anchor of the page that
    explains it.  Parts of a message and texts made of it are plain strings, without a code.
    """

    __slots__ = ("code",)
    code: str

    def __new__(cls, code: str, text: str) -> Self:
        """Give a text its code."""
        message = super().__new__(cls, text)
        message.code = code
        return message

    def __reduce__(self) -> tuple[type[Self], tuple[str, str]]:
        """Return what copies are made of, in other processes and files too."""
        return type(self), (self.code, self.plain)

    def __str__(self) -> str:
        """Return the message itself, so that ``str`` of an exception that carries it keeps it."""
        return self

    @property
    def plain(self) -> str:
        """The text alone."""
        return super().__str__()


def coded(text: str, code: str, remedy: str = "") -> Message:
    """Return a message as it is, and any other text with a code and a remedy."""
    return text if isinstance(text, Message) else noted(Message(code, text), remedy)


def noted(message: Message, note: str) -> Message:
    """Return a message with a further sentence behind it, if there is one."""
    return Message(message.code, sentence("", message, note)) if note else message


def is_text(value: object) -> TypeGuard[str]:
    """Tell whether a value is a string that a file in UTF-8 can hold: one without surrogates."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def shown(value: object) -> str:
    """Return the ``repr`` of a value, cut to 80 characters."""
    try:
        text = repr(value)
    except RecursionError:  # it nests deeper than the stack has room
        text = reprlib.repr(value)
    return text if len(text) <= REPR_LIMIT else text[: REPR_LIMIT - 3] + "..."


def listed(
    items: Iterable[str],
    *,
    separator: str = "\n  ",
    limit: int = LISTED,
    total: int | None = None,
) -> str:
    """Join some items, and say how many more there are.

    Args:
        items: The texts.
        separator: What stands between them.
        limit: How many are shown at most.
        total: How many there are, if ``items`` aren't all of them.
    """
    texts = list(items)
    extra = (len(texts) if total is None else total) - limit
    shown_items = texts[:limit] if extra > 0 else texts
    tail = f"{separator}and {extra} more" if extra > 0 else ""
    return separator.join(shown_items) + tail


def counted(number: int, singular: str, plural: str = "") -> str:
    """Write a number of things: ``1 record``, ``2,000 records``.

    Args:
        number: How many there are.
        singular: What one of them is called.
        plural: What several are called; by default the singular with an *s*.
    """
    return f"{number:,} {singular if number == 1 else plural or f'{singular}s'}"


def nearest(name: object, names: Iterable[object], *, limit: int = NAMES) -> str:
    """Join the names that exist: those most like a misspelt one first, the others as they stand.

    Args:
        name: What was written instead of one of the names.
        names: The names that would have been right; where there are none, the answer is ``none``.
        limit: How many to list; the others are counted.
    """
    known = [str(other) for other in names]
    ordered = dict.fromkeys([*alike(name, known), *known])
    return listed(ordered, separator=", ", limit=limit) or "none"


def alike(name: object, names: Iterable[object]) -> list[str]:
    """List the names that a misspelt one may stand for, the most like it first."""
    known: dict[str, list[str]] = {}
    for other in map(str, names):
        known.setdefault(other.casefold(), []).append(other)
    close = get_close_matches(str(name).casefold(), known, n=LISTED, cutoff=LIKENESS)
    return [other for folded in close for other in known[folded]]


def closest(text: str, others: Iterable[str]) -> str | None:
    """Return the text that a misspelt one stands for, as far as anybody can tell."""
    return next(iter(alike(text, (other for other in others if other != text))), None)


def place(
    *,
    file: str | None = None,
    record: int | None = None,
    entity: str | None = None,
    field: str | None = None,
) -> str:
    """Render a location: ``recipes.json record 17, author``.

    Args:
        file: The file's name, which stands in place of the entity's.
        record: The record's number in the file, from 1.
        entity: The entity's name.
        field: The field's name or path.
    """
    start = file or entity or ""
    if record is not None:
        start = f"{start} record {record}".strip()
    return ", ".join(part for part in (start, field or "") if part)


def run_sync_call() -> str:
    """Return what to await in place of the function that the application called."""
    name, frame = "", inspect.currentframe()
    while frame is not None:
        if str(frame.f_globals.get("__name__")).partition(".")[0] == "lading":
            name = frame.f_code.co_name
        frame = frame.f_back
    return f"async_session.run_sync({name}, ...)"


def asyncio_remedy(owner: object, call: str) -> str:
    """Return what to do with an object of SQLAlchemy's for asyncio; nothing for others.

    Args:
        owner: What was given in place of a session, connection or engine.
        call: What to await instead.
    """
    modules = [cls.__module__ for cls in type(owner).__mro__]
    if not any("asyncio" in module.split(".") for module in modules):
        return ""
    remedy = f"For asyncio: await {call}."
    if _driver_of(owner) == "asyncpg":
        remedy += " asyncpg isn't supported: use postgresql+psycopg://, which serves asyncio too."
    return remedy


def _driver_of(owner: Any) -> str:
    """Return the name of the driver of an object for asyncio, where it can be known."""
    try:
        factory = getattr(owner, "kw", {})  # of an async_sessionmaker
        bind = factory.get("bind") or getattr(owner, "bind", None) or owner
        driver: str = bind.dialect.driver
    except Exception:  # it has none, or isn't connected yet
        return ""
    return driver


def sentence(location: str, problem: str, remedy: str = "") -> str:
    """Render ``location: problem. remedy.`` with each part optional but the problem."""
    text = f"{location}: {problem}" if location else problem
    if not text.endswith((".", "?", "!")):
        text += "."
    return f"{text} {remedy}".rstrip()
