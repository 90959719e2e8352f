"""What databases and connections of PostgreSQL in other encodings than UTF-8 can't hold."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from typing import Any

from lading.codegen import Expression, calling
from lading.database.dialects.limits import Check, unstorable


def within(encodings: Iterable[str], bind: Expression) -> Expression:
    """Return a function that binds a value, and refuses texts that an encoding lacks."""
    for encoding in encodings:
        bind = _checked(bind, encodable(encoding))
    return bind


def _checked(bind: Expression, check: Check) -> Expression:
    make = bind.function()
    return calling(lambda written: check(make(written)))


def encodable(encoding: str) -> Check:
    """Refuse texts, in lists as well, that an encoding of PostgreSQL's has no bytes for.

    If Python doesn't know the encoding, the server decides.
    """
    codec = _codec_of(encoding)

    def check(value: Any) -> Any:
        if isinstance(value, list | tuple):
            for element in value:
                check(element)
        if codec is not None and isinstance(value, str) and not value.isascii():
            try:
                value.encode(codec)
            except UnicodeEncodeError as error:
                lacking = value[error.start]
                raise unstorable(
                    f"it holds {lacking!r}, which the database's encoding {encoding} can't store"
                ) from error
        return value

    return check


def _codec_of(encoding: str) -> str | None:
    """Return Python's name of an encoding: WIN1252 is cp1252, KOI8R is koi8_r."""
    for name in (encoding, encoding.replace("WIN", "cp"), f"{encoding[:-1]}_{encoding[-1]}"):
        try:
            return codecs.lookup(name).name
        except LookupError:
            continue
    return None
