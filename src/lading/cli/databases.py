"""Database URLs: from an argument or ``DATABASE_URL``, checked, masked, and opened."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import sqlalchemy as sa

from lading.cli.secrets import masked
from lading.driver_errors.refusals import refusals
from lading.errors import TargetError
from lading.messages import Message

VARIABLE = "DATABASE_URL"
#: The engines by their names in URLs: the driver that lading knows best, and its extra.
DRIVERS = {
    "postgresql": ("psycopg", "postgresql"),
    "mysql": ("pymysql", "mariadb"),
    "mariadb": ("pymysql", "mariadb"),
    "sqlite": ("", ""),
}
#: What others call an engine.
ALIASES = {
    "postgres": "postgresql",
    "pgsql": "postgresql",
    "psql": "postgresql",
    "sqlite3": "sqlite",
    "file": "sqlite",
}
EXPECTED = (
    "expected one such as sqlite:///app.db, postgresql+psycopg://user:password@host/name or "
    "mysql+pymysql://user:password@host/name"
)


def is_url(text: str) -> bool:
    """Tell whether an argument is a database's URL, and not a path."""
    return "://" in text


def places_of(places: tuple[str, ...], *names: str) -> tuple[str, ...]:
    """Return the arguments of a command, the first of which may be left out for ``DATABASE_URL``.

    Args:
        places: What was written.
        names: What the arguments are called in the command's usage.
    """
    variable = os.environ.get(VARIABLE)
    if len(places) == len(names) - 1 and variable and not any(map(is_url, places)):
        return (variable, *places)
    if len(places) < len(names):
        remedy = f" (or set {VARIABLE})" if len(places) == len(names) - 1 else ""
        raise click.UsageError(f"Missing argument: expected {' '.join(names)}{remedy}.")
    if len(places) > len(names):
        extra = masked(places[len(names)])
        raise click.UsageError(f"Unexpected argument {extra!r}; expected {' '.join(names)}.")
    return places


def place_or_variable(place: str | None, name: str) -> str:
    """Return a command's only argument, or ``DATABASE_URL`` where it is left out."""
    return places_of(() if place is None else (place,), name)[0]


@contextmanager
def connected(text: str) -> Iterator[sa.Engine]:
    """Open the database of a URL, and see that it answers; close it at the end.

    Raises ``UsageError`` for a URL that can't be used, and ``TargetError`` if no database answers.
    """
    engine = engine_of(text)
    try:
        _refuse_missing_file(engine)
        with refusals():
            _answer(engine, masked(text))
        yield engine
    finally:
        engine.dispose()


def _answer(engine: sa.Engine, shown: str) -> None:
    """Connect once; a driver may fail in its own way where it doesn't know a parameter.

    That connection isn't used again, for modules of declarations that are imported later may
    listen to new ones.
    """
    try:
        with engine.connect() as connection:
            connection.detach()
    except (AttributeError, LookupError, TypeError) as error:
        raise click.UsageError(
            f"{shown!r} can't be used: the driver fails with {type(error).__name__}: {error}. "
            "Check the parameters after '?', such as charset."
        ) from None


def engine_of(text: str) -> sa.Engine:
    """Return the engine of a URL, which isn't connected yet.

    Raises ``UsageError`` for a URL that can't be used, naming the one to use instead.
    """
    shown = masked(text)
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        raise click.UsageError(f"{shown!r} isn't a database URL; {EXPECTED}.") from None
    try:
        is_async = url.get_dialect().is_async
    except sa.exc.NoSuchModuleError:
        raise click.UsageError(_unknown_text(url, shown)) from None
    if is_async:
        raise click.UsageError(
            f"{shown!r} has a driver for asyncio, and a command waits for its answers; write "
            f"{_with_driver(url, url.get_backend_name())!r}."
        )
    try:
        return sa.create_engine(url)
    except ModuleNotFoundError as error:
        raise click.UsageError(_missing_driver_text(url, shown, str(error.name))) from None
    except (sa.exc.SQLAlchemyError, TypeError, ValueError) as error:
        raise click.UsageError(f"{shown!r} can't be used: {error}") from None


def _with_driver(url: sa.URL, engine_name: str) -> str:
    """Return a URL with the driver that lading knows best, masked."""
    driver, _ = DRIVERS.get(engine_name, ("", ""))
    name = f"{engine_name}+{driver}" if driver else engine_name
    return masked(url.set(drivername=name).render_as_string(hide_password=True))


def _unknown_text(url: sa.URL, shown: str) -> str:
    engine_name = ALIASES.get(url.drivername)
    if engine_name is None:
        return f"{shown!r}: there is no engine {url.drivername!r}; {EXPECTED}."
    return f"{shown!r} isn't what SQLAlchemy calls it; write {_with_driver(url, engine_name)!r}."


def _missing_driver_text(url: sa.URL, shown: str, module: str) -> str:
    """Say how a driver is had, or which other one serves."""
    driver, extra = DRIVERS.get(url.get_backend_name(), ("", ""))
    if not extra:
        return f"{shown!r} needs {module!r}, which isn't installed; {EXPECTED}."
    install = f"pip install 'lading[{extra}]'"
    if module == driver:
        return f"{shown!r} needs {module!r}, which isn't installed: {install}"
    better = _with_driver(url, url.get_backend_name())
    return f"{shown!r} needs {module!r}, which isn't installed; write {better!r} ({install})."


def _refuse_missing_file(engine: sa.Engine) -> None:
    """Refuse a SQLite file that isn't there, which connecting would create."""
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name or name == ":memory:" or "file:" in name:
        return
    path = Path(name)
    if not path.is_file():
        problem = "is a folder" if path.is_dir() else "doesn't exist"
        raise TargetError(
            Message("database-missing", f"the SQLite file {str(path)!r} {problem}"),
            "Check the path (sqlite:///relative.db, sqlite:////absolute.db); lading creates no "
            "databases, so let the application create its tables first.",
        )
