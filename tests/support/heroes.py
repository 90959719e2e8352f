"""Models of SQLModel with every type that it maps by itself.

SQLModel reads the annotations of relationships as they stand, so they aren't deferred here.
"""

import datetime as dt
import enum
import uuid
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
import sqlmodel
from sqlalchemy.orm import registry


class Color(enum.StrEnum):
    """What pydantic and SQLAlchemy write differently."""

    RED = "red"


class Heroes:
    """A team's hero, with tags."""

    def __init__(self) -> None:
        class Base(sqlmodel.SQLModel, registry=registry()):
            pass

        class Link(Base, table=True):
            hero_id: int | None = sqlmodel.Field(
                default=None, foreign_key="hero.id", primary_key=True
            )
            tag_id: int | None = sqlmodel.Field(
                default=None, foreign_key="tag.id", primary_key=True
            )

        class Tag(Base, table=True):
            id: int | None = sqlmodel.Field(default=None, primary_key=True)
            slug: str = sqlmodel.Field(unique=True, max_length=20)

        class Team(Base, table=True):
            id: uuid.UUID = sqlmodel.Field(default_factory=uuid.uuid4, primary_key=True)
            name: str = sqlmodel.Field(unique=True, max_length=20)

        class Hero(Base, table=True):
            id: int | None = sqlmodel.Field(default=None, primary_key=True)
            name: str = sqlmodel.Field(unique=True)
            born: dt.date | None = None
            wakes: dt.time | None = None
            seen: dt.datetime
            price: Decimal = sqlmodel.Field(max_digits=8, decimal_places=2)
            color: Color = Color.RED
            rests: dt.timedelta | None = None
            data: dict[str, Any] = sqlmodel.Field(default_factory=dict, sa_type=sa.JSON)
            raw: bytes | None = None
            is_good: bool = True
            weight: float = 1.5
            team_id: uuid.UUID | None = sqlmodel.Field(default=None, foreign_key="team.id")
            team: Team | None = sqlmodel.Relationship()
            tags: list[Tag] = sqlmodel.Relationship(link_model=Link)

        self.Base, self.Tag, self.Team, self.Hero = Base, Tag, Team, Hero

    def fill(self, engine: sa.Engine) -> None:
        hero = self.Hero(
            name="Zoë",
            born=dt.date(1990, 2, 28),
            wakes=dt.time(6, 30),
            seen=dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC),
            price=Decimal("1.50"),
            rests=dt.timedelta(hours=8),
            data={"a": [1, None]},
            raw=b"\x00\xff",
            team=self.Team(name="one"),
            tags=[self.Tag(slug="swift")],
        )
        self.Base.metadata.create_all(engine)
        with sqlmodel.Session(engine) as session:
            session.add(hero)
            session.commit()
