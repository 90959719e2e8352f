"""Wrong arguments are refused by name, with their value, before anything is opened."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import lading
from lading import (
    ArgumentError,
    export_all,
    export_document,
    formats,
    import_all,
    json_schema,
    lock,
)
from support import worlds

#: A change is declared, and its mistakes are told with those of the other declarations.
DECLARES = {"change"}
FUNCTIONS: list[Callable[..., Any]] = [
    *(getattr(lading, name) for name in lading.__all__ if name not in DECLARES),
    *(getattr(formats, name) for name in dir(formats) if name.endswith("_schema")),
]
ARGUMENTS = [
    (function, name)
    for function in filter(inspect.isfunction, FUNCTIONS)
    for name in inspect.signature(function).parameters
]


@pytest.mark.parametrize(
    ("function", "name"), ARGUMENTS, ids=[f"{f.__name__}-{name}" for f, name in ARGUMENTS]
)
def test_every_argument_is_checked(function: Callable[..., Any], name: str, tmp_path: Path) -> None:
    """Whatever is passed for it, the error says which argument it was and what was expected."""
    catalog = worlds.shelves().catalog
    catalog.bind = sa.create_engine("sqlite:///" + str(tmp_path / "none.db"))
    good = {
        "catalog": catalog,
        "path": tmp_path / "a",
        "to_path": tmp_path / "b",
        "document": {},
        "a": {},
        "b": {},
    }
    parameters = inspect.signature(function).parameters
    arguments = {other: good[other] for other in parameters if other in good}
    if "session" in parameters:
        arguments["session"] = catalog.bind
    wrong = object()
    with pytest.raises(ArgumentError) as caught:
        function(**{**arguments, name: wrong})
    assert (caught.value.argument, caught.value.value) == (name, wrong)
    assert str(caught.value).startswith(f"{name}")
    assert caught.value.expected in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"catalog": "acc"}, "catalog='acc'; expected a Catalog."),
        ({"path": 5}, "path=5; expected a string or a Path."),
        ({"progress": 5}, "progress=5; expected a function that takes a Progress."),
        ({"only": 5}, "only=5; expected a list of entity names."),
        (
            {"only": ["poeple"]},
            "only: unknown entity 'poeple'; expected one of: people, books, loans, shelves.",
        ),
        (
            {"session": "sqlite://"},
            "session='sqlite://'; expected a Session, Connection, Engine or sessionmaker.",
        ),
        (
            {"session": None},
            (
                "session=None; expected a Session, Connection, Engine or sessionmaker. Pass one, "
                "or give catalog 'shelves' a bind."
            ),
        ),
    ],
)
@pytest.mark.parametrize("work", [export_all, import_all])
def test_wrong_arguments_are_named(
    work: Any, options: dict[str, Any], text: str, tmp_path: Path
) -> None:
    """Both directions say what they expected."""
    arguments = {
        "session": sa.create_engine("sqlite://"),
        "path": tmp_path / "out",
        "catalog": worlds.shelves().catalog,
        **options,
    }
    with pytest.raises(ArgumentError) as caught:
        work(**arguments)
    assert str(caught.value) == text
    assert list(tmp_path.iterdir()) == []


class OddPath(os.PathLike[Any]):
    """A path that gives something else than a string, or fails."""

    def __init__(self, given: Any) -> None:
        self.given = given

    def __fspath__(self) -> Any:
        if isinstance(self.given, Exception):
            raise self.given
        return self.given


@pytest.mark.parametrize("path", ["", OddPath(b"out"), OddPath(5), OddPath(OSError("gone"))])
@pytest.mark.parametrize("work", [export_all, import_all])
def test_what_gives_no_string_is_no_path(work: Any, path: Any) -> None:
    """An empty string would be the folder that the process stands in."""
    catalog = worlds.shelves().catalog
    with pytest.raises(ArgumentError) as caught:
        work(sa.create_engine("sqlite://"), path, catalog=catalog)
    assert (caught.value.argument, caught.value.value) == ("path", path)
    with pytest.raises(ArgumentError):
        lock(catalog, path)


def test_a_source_that_no_file_can_hold_is_refused(tmp_path: Path) -> None:
    """A lone surrogate has no bytes, which is told before anything is read."""
    world = worlds.shelves()
    with pytest.raises(ArgumentError, match=r"source='\\ud800'; expected a string or None"):
        export_all(
            sa.create_engine("sqlite://"),
            tmp_path / "out",
            catalog=world.catalog,
            source="\ud800",
        )


@pytest.mark.parametrize("bind", ["", 0, {}, "sqlite://"])
def test_a_wrong_bind_is_called_that(bind: Any) -> None:
    """Also one that counts as false."""
    catalog = worlds.shelves().catalog
    catalog.bind = bind
    with pytest.raises(ArgumentError) as caught:
        export_document(catalog=catalog)
    assert caught.value.argument == "bind"


def test_an_entity_that_is_no_name_is_refused_beside_a_version() -> None:
    """Even what can't be looked up."""
    with pytest.raises(ArgumentError, match=r"entity=\['people'\]"):
        json_schema(worlds.shelves().catalog, ["people"], 1)  # type: ignore[arg-type]


def test_an_argument_error_is_a_value_error() -> None:
    """Whoever catches what Python calls it catches it."""
    with pytest.raises(ValueError, match=r"expected None without an entity. Name the entity"):
        json_schema(worlds.shelves().catalog, version=1)


def test_a_list_of_names_may_be_an_iterator() -> None:
    """It is walked once."""
    world = worlds.shelves()
    engine = sa.create_engine("sqlite://")
    world.filled(engine)
    document = export_document(engine, catalog=world.catalog, only=iter(["people"]))
    assert "people" in document
    assert "books" not in document
