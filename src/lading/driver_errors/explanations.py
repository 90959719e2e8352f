"""What the codes of each engine mean, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lading.messages import Message

#: What is wrong, and the remedy.
Explanation = tuple[Message, str]

LOST: Explanation = (
    Message(
        "connection-lost",
        "the connection to the database was lost before the commit, so nothing was committed",
    ),
    "See that the server runs and is reachable, and try again.",
)
DEADLOCK: Explanation = (
    Message(
        "deadlock",
        "the database ended a deadlock with another transaction by rolling this one back",
    ),
    "Try again.",
)
CONFLICT: Explanation = (
    Message(
        "serialization",
        "the database can't put this transaction in one order with others that wrote meanwhile",
    ),
    "Try again.",
)
LOCKED: Explanation = (
    Message("lock-timeout", "another transaction holds a lock for longer than this session waits"),
    "Try again when the other one has ended, or raise {setting}.",
)
TIMEOUT: Explanation = (
    Message("statement-timeout", "a statement was stopped, by a time limit or by somebody"),
    "Raise {setting} for this session, and try again.",
)
READ_ONLY: Explanation = (
    Message("read-only", "the database (or this session) is read-only"),
    "Give an engine that may write: {setting}.",
)
DENIED: Explanation = (
    Message("privilege-missing", "the database user lacks a privilege"),
    "GRANT it, or connect as another user.",
)
DENIED_POSTGRESQL: Explanation = (
    DENIED[0],
    "GRANT it (an import needs SELECT, USAGE and UPDATE of sequences), or connect as another user.",
)
FULL: Explanation = (
    Message("database-full", "the database has no room left"),
    "Make room where it keeps its data, and try again.",
)
PACKET: Explanation = (
    Message("packet-too-large", "a statement is larger than the server takes (max_allowed_packet)"),
    "Raise max_allowed_packet on the server, and try again.",
)

REFUSED: Explanation = Message("database-refused", "the database refused"), ""
BROKEN: Explanation = (
    REFUSED[0],
    "A view, a trigger or a function of the database names what isn't there: repair or drop it.",
)
DAMAGED: Explanation = (
    REFUSED[0],
    "The database's files are damaged: rescue what can be read{setting}, or restore a backup.",
)
NO_DATABASE: Explanation = (
    REFUSED[0],
    "Check the path; a file that is encrypted can't be read by SQLite either.",
)
LIMITED: Explanation = REFUSED[0], "Raise the server's limit that this is about, and try again."

POSTGRESQL: Mapping[str, Explanation] = {
    "40P01": DEADLOCK,
    "40001": CONFLICT,
    "55P03": LOCKED,
    "57014": TIMEOUT,
    "25006": READ_ONLY,
    "42501": DENIED_POSTGRESQL,
    "53100": FULL,
    "53200": LIMITED,
    "53400": LIMITED,
    "42P01": BROKEN,
    "42703": BROKEN,
    "42704": BROKEN,
    "42883": BROKEN,
    "XX001": DAMAGED,
    "XX002": DAMAGED,
}
MARIADB: Mapping[int, Explanation] = {
    1213: DEADLOCK,
    1020: CONFLICT,
    1205: LOCKED,
    1317: TIMEOUT,
    1969: TIMEOUT,
    1290: READ_ONLY,
    1792: READ_ONLY,
    1836: READ_ONLY,
    1044: DENIED,
    1142: DENIED,
    1143: DENIED,
    1227: DENIED,
    1021: FULL,
    1114: FULL,
    1153: PACKET,
    1038: LIMITED,
    1206: LIMITED,
    1054: BROKEN,
    1146: BROKEN,
    1305: BROKEN,
    1356: BROKEN,
    1449: BROKEN,
    1034: DAMAGED,
    1194: DAMAGED,
    1712: DAMAGED,
    1932: DAMAGED,
}
#: By SQLite's primary result codes.
SQLITE: Mapping[int, Explanation] = {
    5: LOCKED,
    6: LOCKED,
    8: READ_ONLY,
    11: DAMAGED,
    13: FULL,
    26: NO_DATABASE,
}
BY_CODE: Mapping[str, Mapping[Any, Explanation]] = {
    "postgresql": POSTGRESQL,
    "mysql": MARIADB,
    "sqlite": SQLITE,
}
#: The setting that a remedy names, by engine.
SETTINGS: Mapping[str, Mapping[Explanation, str]] = {
    "postgresql": {
        LOCKED: "lock_timeout",
        TIMEOUT: "statement_timeout",
        READ_ONLY: "without default_transaction_read_only, and not a standby",
    },
    "mysql": {
        LOCKED: "innodb_lock_wait_timeout",
        TIMEOUT: "max_statement_time",
        READ_ONLY: "without SET SESSION TRANSACTION READ ONLY, and not a replica",
    },
    "sqlite": {
        LOCKED: "the engine's timeout: connect_args={'timeout': 60}",
        READ_ONLY: "without PRAGMA query_only or mode=ro, on a file that may be written",
        DAMAGED: " by sqlite3 FILE .recover",
    },
}
#: What SQLite says of what only the application's connections have.
_UNREGISTERED = re.compile(
    r"^(?:no such (collation sequence|function|module)|unknown function): (\w+)"
)
_ABSENT = re.compile(r"^no such (?:table|column): ")
REGISTER = (
    "Only the application's connections have it. Beside the catalog, write a function of "
    "(connection, record) that calls connection.{}, as the application does, and decorate it with "
    "@sqlalchemy.event.listens_for(sqlalchemy.Engine, 'connect')."
)
CALLS = {
    "collation sequence": "create_collation({!r}, ...)",
    "function": "create_function({!r}, ...)",
    "module": "load_extension(...) of the module {!r}",
}


def explained(orig: BaseException) -> Explanation:
    """Explain a driver's error by its code, and on SQLite, which has one for most, by its text."""
    engine, code = code_of(orig)
    explanation = BY_CODE[engine].get(code, REFUSED)
    if engine == "sqlite" and explanation is REFUSED:
        return _explained_by_text(str(orig))
    return explanation[0], explanation[1].format(setting=SETTINGS[engine].get(explanation, ""))


def registration(text: str) -> str | None:
    """Say how to register what SQLite says that it lacks, if an application can do so."""
    match = _UNREGISTERED.search(text)
    return match and REGISTER.format(CALLS[match[1] or "function"].format(match[2]))


def _explained_by_text(text: str) -> Explanation:
    """Explain what SQLite lacks."""
    if remedy := registration(text):
        return REFUSED[0], remedy
    return BROKEN if _ABSENT.search(text) else REFUSED


def code_of(orig: BaseException) -> tuple[str, Any]:
    """Return the engine of a driver's error, and its SQLSTATE, number or primary code."""
    if hasattr(orig, "sqlite_errorcode"):
        return "sqlite", orig.sqlite_errorcode & 0xFF
    if orig.args and isinstance(orig.args[0], int):
        return "mysql", orig.args[0]
    return "postgresql", getattr(orig, "sqlstate", None) or getattr(orig, "pgcode", None)
