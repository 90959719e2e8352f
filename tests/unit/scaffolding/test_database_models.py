"""Which form of models is written: the richest that can be configured."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from lading import TargetError
from lading.scaffolding import database_models
from lading.scaffolding.database_models import models_of

TABLES = (
    "CREATE TABLE shops (id INTEGER PRIMARY KEY, slug VARCHAR(9) NOT NULL UNIQUE)",
    "CREATE TABLE sales (id INTEGER PRIMARY KEY, shop_id INTEGER NOT NULL REFERENCES shops (id))",
)


def engine_of(*statements: str) -> sa.Engine:
    """Return a database in memory."""
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    return engine


def failing(monkeypatch: pytest.MonkeyPatch, times: int) -> list[str]:
    """Have the first attempts fail, and return the sources that are tried."""
    tried: list[str] = []

    def fault(source: str) -> Exception | None:
        tried.append(source)
        return ValueError("is ambiguous") if len(tried) <= times else None

    monkeypatch.setattr(database_models, "fault_of_models", fault)
    return tried


def test_models_go_without_relationships_where_none_can_be_configured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is told, for somebody may write them."""
    engine = engine_of(*TABLES)
    assert "relationship(" in models_of(engine).source("Models.")
    tried = failing(monkeypatch, 2)
    models = models_of(engine)
    assert len(tried) == 3
    assert "relationship(" not in models.source("Models.")
    assert models.remarks == ["models.py has no relationships, for none could be configured"]


def test_a_database_for_which_no_form_works_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what is wrong, and what to do."""
    failing(monkeypatch, 9)
    with pytest.raises(TargetError) as caught:
        models_of(engine_of(*TABLES))
    assert "writes no models for this database that can be used (ValueError: is ambiguous" in str(
        caught.value
    )
    assert "--models module:Base" in str(caught.value)
