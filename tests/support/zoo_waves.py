"""Worlds of owned rows that must find others of their own table there."""

from __future__ import annotations

from types import SimpleNamespace

import sqlalchemy as sa
from sqlalchemy.orm import Session, relationship

from lading import Catalog, Owned
from support.declaring import new_base, schema_for
from support.world import World, key, number, slug, text, to


def sections() -> World:
    """Sections of papers, each below one that it needs, known by paper and number.

    The topmost is below itself; others may be below one of another paper. Remarks and
    links are nested in what loads late.
    """
    base, catalog = new_base(), Catalog("sections")

    class Tag(base):  # type: ignore[misc, valid-type]
        __tablename__ = "tags"
        id = key()
        slug = slug()

    links = sa.Table(
        "section_tags",
        base.metadata,
        sa.Column("section_id", sa.ForeignKey("sections.id"), primary_key=True),
        sa.Column("tag_id", sa.ForeignKey("tags.id"), primary_key=True),
    )

    class Paper(base):  # type: ignore[misc, valid-type]
        __tablename__ = "papers"
        id = key()
        slug = slug()
        sections = relationship(lambda: Section, back_populates="paper")

    class Section(base):  # type: ignore[misc, valid-type]
        __tablename__ = "sections"
        __table_args__ = (sa.UniqueConstraint("paper_id", "number"),)
        id = key()
        paper_id = to("papers.id")
        number = number()
        above_id = to("sections.id")
        paper = relationship(Paper, back_populates="sections")
        above = relationship("Section", remote_side=id)
        remarks = relationship(lambda: Remark)
        tags = relationship(Tag, secondary=links)

    class Remark(base):  # type: ignore[misc, valid-type]
        __tablename__ = "remarks"
        id = key()
        section_id = to("sections.id")
        words = text()

    remarks = schema_for(Remark, catalog)
    owned = schema_for(Section, catalog, {"remarks": Owned(remarks)})
    schema_for(Paper, catalog, {"sections": Owned(owned)})
    schema_for(Tag, catalog)

    def fill(session: Session) -> None:
        session.execute(sa.insert(Paper), [{"id": n, "slug": f"p{9 - n}"} for n in range(1, 5)])
        session.execute(sa.insert(Tag), [{"id": n, "slug": f"t{n}"} for n in range(1, 4)])
        session.execute(
            sa.insert(Section),
            [
                {"id": n + 1, "paper_id": n % 4 + 1, "number": n // 4, "above_id": n // 2 + 1}
                for n in range(16)
            ],
        )
        session.execute(
            sa.insert(Remark), [{"section_id": n % 5 + 1, "words": f"w{n}"} for n in range(9)]
        )
        session.execute(
            sa.insert(links), [{"section_id": n + 1, "tag_id": n % 3 + 1} for n in range(7)]
        )
        if session.get_bind().dialect.name == "postgresql":
            for table in ("papers", "tags", "sections"):
                session.execute(sa.text(f"SELECT setval('{table}_id_seq', 100)"))

    def more(session: Session) -> None:
        above = session.scalars(sa.select(Section).limit(1)).one()
        session.add(Paper(slug="more", sections=[Section(number=1, above=above)]))

    return World(base, catalog, SimpleNamespace(Paper=Paper, Section=Section), fill, more)


WAVES = (sections,)
