"""Wrong arguments are refused by name, with their value, before anything is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lading import LadingError, export_all, import_all
from support import worlds


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"catalog": "acc"}, "catalog='acc'; expected a Catalog."),
        ({"path": 5}, "path=5; expected a string or a Path."),
        ({"progress": 5}, "progress=5; expected a function that takes a Progress."),
        ({"only": 5}, "only=5; expected a list of entity names."),
    ],
)
@pytest.mark.parametrize("work", [export_all, import_all])
def test_wrong_arguments_are_named(
    work: Any, options: dict[str, Any], text: str, tmp_path: Path
) -> None:
    """Both directions say what they expected."""
    arguments = {"path": tmp_path / "out", "catalog": worlds.shelves().catalog, **options}
    with pytest.raises(LadingError) as caught:
        work(sa.create_engine("sqlite://"), **arguments)
    assert str(caught.value) == text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("options", [{"dry_run": True}, {"expect": "a plan"}])
def test_plans_are_refused_until_they_exist(options: dict[str, Any], tmp_path: Path) -> None:
    """A dry run that wrote would be the worst of all."""
    with pytest.raises(LadingError, match="isn't supported yet; leave it out"):
        import_all(
            sa.create_engine("sqlite://"),
            tmp_path / "out",
            catalog=worlds.shelves().catalog,
            **options,
        )
