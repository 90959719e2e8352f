"""``--scratch``: a server on which databases are made, proved, and dropped again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any, TypeVar

import click
import sqlalchemy as sa

from lading.cli.databases import connected, engine_of
from lading.driver_errors.refusals import refusals
from lading.fresh_databases.factories import EngineFactory
from lading.fresh_databases.servers import ServerDatabases

Command = TypeVar("Command", bound=Callable[..., Any])


def scratch_option(command: Command) -> Command:
    """Give a command the option ``--scratch``."""
    return click.option(
        "--scratch",
        metavar="URL",
        help="A server of PostgreSQL or MariaDB that makes the scratch database, and drops it; by "
        "default SQLite does. The URL's user may create databases.",
    )(command)


@contextmanager
def scratch_databases(url: str | None) -> Iterator[EngineFactory | None]:
    """Yield what makes a database on the server of a URL; ``None`` without one.

    Args:
        url: what ``--scratch`` says.

    Raises:
        click.UsageError: the URL can't be used, or is SQLite's.
        TargetError: no server answers.
    """
    if url is None:
        yield None
        return
    if engine_of(url).dialect.name == "sqlite":
        raise click.UsageError("--scratch is for servers; without it, the database is SQLite's.")
    with connected(url) as engine, closing(ServerDatabases(engine.url)) as databases:

        @contextmanager
        def fresh() -> Iterator[sa.Engine]:
            with ExitStack() as stack:
                with refusals():  # and not of what is done with the database later
                    scratch = stack.enter_context(databases())
                yield scratch

        yield fresh
