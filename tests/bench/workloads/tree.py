"""A tree, in which every row hangs below any earlier one and its key doesn't say where."""

from __future__ import annotations

import random
from pathlib import Path

import msgspec
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, aliased, mapped_column, relationship

from bench.by_hand import Slug, insert, read_lines, write_lines
from bench.workloads.base import Workload, add_rows, scattered, schema_for
from lading import Catalog

ROOTS = 20


class Base(DeclarativeBase):
    """The model of this workload."""

    id: Mapped[int] = mapped_column(primary_key=True)


class Node(Base):
    """A row of the tree."""

    __tablename__ = "nodes"
    slug: Mapped[str] = mapped_column(sa.String(60), unique=True)
    name: Mapped[str] = mapped_column(sa.String(60))
    parent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("nodes.id"))
    parent: Mapped[Node | None] = relationship(remote_side="Node.id")


catalog = Catalog("tree")
schema_for(catalog, Node)

_parent = aliased(Node)
#: The nodes in the order of their keys.
NODES = (
    sa.select(Node.slug, Node.name, _parent.slug)
    .outerjoin(_parent, Node.parent_id == _parent.id)
    .order_by(Node.slug)
)


class NodeLine(msgspec.Struct):
    """A node, by hand."""

    slug: str
    name: str
    parent: Slug | None


def fill(engine: sa.Engine, records: int) -> None:
    """Make so many nodes."""
    choose = random.Random(1).randrange
    with engine.begin() as connection:
        add_rows(
            connection,
            Node,
            (
                {
                    "id": n,
                    "slug": scattered(n),
                    "name": f"Node {n}",
                    "parent_id": choose(1, n) if n > ROOTS else None,
                }
                for n in range(1, records + 1)
            ),
        )


def export_by_hand(engine: sa.Engine, folder: Path) -> None:
    """Join each node with its parent."""
    with engine.connect() as connection:
        write_lines(
            connection,
            NODES,
            lambda rows: [NodeLine(s, n, Slug(p) if p is not None else None) for s, n, p in rows],
            folder / "nodes.jsonl",
        )


def import_by_hand(engine: sa.Engine, folder: Path) -> None:
    """Number the nodes, and insert them level by level."""
    nodes = [node for chunk in read_lines(folder / "nodes.jsonl", NodeLine) for node in chunk]
    ids = {node.slug: id_ for id_, node in enumerate(nodes, 1)}
    below: dict[str | None, list[NodeLine]] = {}
    for node in nodes:
        below.setdefault(node.parent and node.parent.slug, []).append(node)
    level = below.get(None, [])
    with engine.begin() as connection:
        while level:
            rows = [(ids[n.slug], n.slug, n.name, n.parent and ids[n.parent.slug]) for n in level]
            insert(connection, Node, "id, slug, name, parent_id", rows)
            level = [child for node in level for child in below.get(node.slug, ())]


WORKLOAD = Workload(
    name="tree",
    title="tree",
    metadata=Base.metadata,
    catalog=catalog,
    fill=fill,
    by_hand=(export_by_hand, import_by_hand),
)
