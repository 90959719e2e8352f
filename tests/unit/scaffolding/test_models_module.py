"""What another run of ``lading init`` adds to models that people edit, and what it only tells."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import declarative_base

from lading.scaffolding import models_module
from lading.scaffolding.database_models import Models, table_name
from lading.scaffolding.memory import Memory
from lading.scaffolding.models_module import classes_of, extend_models
from lading.scaffolding.result import Scaffolding

ITEM = """
class Item(Base):
    __tablename__ = "items"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
"""
WRITTEN = {
    "__tablename__": "__tablename__ = 'items'",
    "id": "id: Mapped[int] = mapped_column(primary_key=True)",
    "name": "name: Mapped[str] = mapped_column(Text)",
}


class Item(declarative_base()):  # type: ignore[misc]
    __tablename__ = "items"
    id = sa.Column(sa.Integer, primary_key=True)
    name = sa.Column(sa.Text)


class Extended:
    """One run over a module; ``database`` is what it would declare of the database now."""

    def __init__(self, path: Path, module: str, memory: Memory, database: str) -> None:
        tables = {str(table_name(node)): node for node in ast.parse(database).body}
        self.models = Models(tables=tables)
        self.memory = memory
        self.result = Scaffolding(path.parent)
        self.path = path
        path.write_text(module)

    def run(self, monkeypatch: pytest.MonkeyPatch, classes: dict[str, type]) -> str:
        """Extend the module, and return its text."""
        monkeypatch.setattr(models_module, "models_of", lambda *_, **__: self.models)
        monkeypatch.setattr(models_module, "known_names", lambda *_: None)
        bind: Any = None
        extend_models(bind, self.path, classes, self.memory, self.result)
        return self.path.read_text()


@pytest.mark.parametrize(
    ("module", "remembered", "database", "changes"),
    [
        (ITEM, {"items": WRITTEN, "gone": {}}, ITEM, []),
        (ITEM, {}, ITEM, []),
        (ITEM, {"items": {**WRITTEN, "name": "name = other"}}, ITEM, []),
        (ITEM, {"items": {n: WRITTEN[n] for n in ("__tablename__", "id")}}, ITEM, []),
        (
            ITEM,
            {"items": WRITTEN},
            ITEM.replace("(Text)", "(Date)"),
            ["models.py: items: name would be: name: Mapped[str] = mapped_column(Date)"],
        ),
        (
            ITEM,
            {"items": WRITTEN},
            ITEM.rpartition("    name")[0],
            ["models.py: items: name would be gone"],
        ),
        (ITEM, {"items": WRITTEN}, "", ["models.py: items is gone from the database"]),
        (
            "items = Table('items', Base.metadata, Column('id', Integer))\n",
            {"items": {"id": 'Column("id", Integer)'}},
            "items = Table('items', Base.metadata, Column('id', Integer), Column('n', Integer))",
            ['models.py: items would have: Column("n", Integer)'],
        ),
    ],
    ids=["same", "unknown", "edited alike", "added alike", "type", "column", "table", "links"],
)
def test_lines_that_are_there_stay_as_they_are(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    remembered: dict[str, dict[str, str]],
    database: str,
    changes: list[str],
) -> None:
    """What they would be by now is told, unless somebody has written it already."""
    run = Extended(tmp_path / "models.py", module, Memory(remembered), database)
    assert run.run(monkeypatch, {}) == module
    assert run.result.changes == changes
    assert "gone" not in run.memory.models


def test_a_column_declared_otherwise_is_not_added_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mixin may declare it: the mapped class has it, and the module doesn't say so."""
    module = "class Item(Named, Base):\n    __tablename__ = 'items'\n"
    memory = Memory({"items": {"__tablename__": WRITTEN["__tablename__"]}})
    run = Extended(tmp_path / "models.py", module, memory, ITEM)
    assert run.run(monkeypatch, {"items": Item}) == module
    assert run.result.changes == run.result.added == []
    assert memory.models["items"] == WRITTEN


def test_a_new_column_stands_behind_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the class of its table, and it is remembered."""
    database = f"{ITEM}    note: Mapped[str] = mapped_column(Text)\n"
    run = Extended(tmp_path / "models.py", ITEM, Memory({"items": dict(WRITTEN)}), database)
    assert run.run(monkeypatch, {"items": Item}) == database
    assert run.result.added == ["models.py: Item.note"]
    assert run.memory.models["items"]["note"] == "note: Mapped[str] = mapped_column(Text)"


def test_what_is_mapped_to_no_table_is_no_table_s_class() -> None:
    """A class may be mapped to a join or a subquery."""

    class Joined:
        pass

    registry = Item.registry  # type: ignore[attr-defined]
    registry.map_imperatively(Joined, sa.join(Item.__table__, Item.__table__.alias("other"),
        sa.text("1 = 1")), exclude_properties=["other_id"],
        primary_key=[Item.__table__.c.id])  # fmt: skip

    class Module:
        item = Item
        joined = Joined

    assert classes_of(Module) == {"items": Item}


def test_only_tables_are_taken_from_a_module() -> None:
    """Other statements declare none."""
    texts = ["x = 1", "x = call('items', metadata)", "items = Table('items', Base.metadata)", ITEM]
    names = [table_name(ast.parse(text).body[0]) for text in texts]
    assert names == [None, None, "items", "items"]
