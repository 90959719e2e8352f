"""Many-to-many: each article has three of two hundred tags."""

from __future__ import annotations

from itertools import count, groupby
from operator import itemgetter
from pathlib import Path

import msgspec
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from bench.by_hand import Slug, ids_by_slug, insert, read_lines, write_lines, write_records
from bench.workloads.base import Workload, add_rows, scattered, schema_for
from lading import Catalog

TAGS, EACH = 200, 3


class Base(DeclarativeBase):
    """The models of this workload."""

    id: Mapped[int] = mapped_column(primary_key=True)


tagged = sa.Table(
    "tagged",
    Base.metadata,
    sa.Column("article_id", sa.ForeignKey("articles.id"), primary_key=True),
    sa.Column("tag_id", sa.ForeignKey("tags.id"), primary_key=True),
)


class Tag(Base):
    """What articles are found by."""

    __tablename__ = "tags"
    slug: Mapped[str] = mapped_column(sa.String(60), unique=True)


class Article(Base):
    """What has tags."""

    __tablename__ = "articles"
    slug: Mapped[str] = mapped_column(sa.String(60), unique=True)
    title: Mapped[str] = mapped_column(sa.String(120))
    tags: Mapped[list[Tag]] = relationship(secondary=tagged)


catalog = Catalog("links")
for model in (Tag, Article):
    schema_for(catalog, model)


class ArticleLine(msgspec.Struct):
    """An article, by hand."""

    slug: str
    title: str
    tags: list[Slug]


def fill(engine: sa.Engine, records: int) -> None:
    """Make so many articles; there are three times as many links."""
    with engine.begin() as connection:
        add_rows(connection, Tag, ({"id": n + 1, "slug": f"tag-{n}"} for n in range(TAGS)))
        add_rows(
            connection,
            Article,
            (
                {"id": n + 1, "slug": scattered(n), "title": f"About the number {n}"}
                for n in range(records)
            ),
        )
        add_rows(
            connection,
            tagged,
            (
                {"article_id": n // EACH + 1, "tag_id": (n // EACH * 7 + n % EACH * 31) % TAGS + 1}
                for n in range(records * EACH)
            ),
        )


def export_by_hand(engine: sa.Engine, folder: Path) -> None:
    """Join articles, links and tags in one order, and gather neighbours."""
    statement = (
        sa.select(Article.slug, Article.title, Tag.slug)
        .outerjoin(tagged, tagged.c.article_id == Article.id)
        .outerjoin(Tag, tagged.c.tag_id == Tag.id)
        .order_by(Article.slug, Tag.slug)
    )
    with engine.connect() as connection:
        write_lines(
            connection,
            sa.select(Tag.slug).order_by(Tag.slug),
            lambda rows: [Slug(slug) for (slug,) in rows],
            folder / "tags.jsonl",
        )
        result = connection.execute(statement, execution_options={"stream_results": True})
        rows = (row for part in result.partitions(10_000) for row in part)
        records = (
            ArticleLine(slug, title, [Slug(tag) for _, _, tag in links if tag is not None])
            for (slug, title), links in groupby(rows, itemgetter(0, 1))
        )
        write_records(records, folder / "articles.jsonl")


def import_by_hand(engine: sa.Engine, folder: Path) -> None:
    """Decode, number, look up, insert."""
    ids = count(1)
    with engine.begin() as connection:
        for slugs in read_lines(folder / "tags.jsonl", Slug):
            insert(connection, Tag, "slug", [(record.slug,) for record in slugs])
        tags = ids_by_slug(connection, Tag)
        for records in read_lines(folder / "articles.jsonl", ArticleLine):
            articles = [(next(ids), record) for record in records]
            rows = [(id_, record.slug, record.title) for id_, record in articles]
            insert(connection, Article, "id, slug, title", rows)
            links = [(id_, tags[tag.slug]) for id_, record in articles for tag in record.tags]
            insert(connection, tagged, "article_id, tag_id", links)


WORKLOAD = Workload(
    name="links",
    title="many-to-many",
    metadata=Base.metadata,
    catalog=catalog,
    fill=fill,
    by_hand=(export_by_hand, import_by_hand),
)
