"""What the season's chapters share: chance, the records written so far, and rounding."""

from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import TypedDict, TypeVar
from uuid import UUID

from ..models import Base

OPENING = date(2024, 9, 1)
CLOSING = date(2025, 2, 16)

R = TypeVar("R", bound=Base)


class Stamps(TypedDict):
    """The columns that say when a record was written."""

    created_at: datetime
    updated_at: datetime


class Diary:
    """Everything that happened, in order, and the only source of chance."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.records: list[Base] = []
        self.now = at(OPENING)

    def add(self, record: R) -> R:
        """Write a record down."""
        self.records.append(record)
        return record

    def uuid(self) -> UUID:
        """A UUID that the seed decides."""
        return UUID(int=self.random.getrandbits(128), version=4)

    def moment(self, day: date, hour: int) -> datetime:
        """A time of that day, within the hour."""
        return at(day, hour) + timedelta(seconds=self.random.randrange(3600))

    def next_moment(self, day: date, hour: int) -> datetime:
        """The same, but some minutes after whatever was done before."""
        soonest = self.now + timedelta(seconds=self.random.randrange(300, 900))
        self.now = max(self.moment(day, hour), soonest)
        return self.now

    def is_lucky(self, chance: float) -> bool:
        """Whether something happens that happens with this chance."""
        return self.random.random() < chance


def at(day: date, hour: int = 9) -> datetime:
    """A full hour of a day."""
    return datetime.combine(day, time(hour))


def stamps(created: datetime, updated: datetime | None = None) -> Stamps:
    """Explicit timestamps: a season that asked the clock would differ at each call."""
    return Stamps(created_at=created, updated_at=updated or created)


def rounded(value: Decimal, places: int) -> Decimal:
    """The value in the scale of its column."""
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def money(value: Decimal) -> Decimal:
    """An amount of money, to four places."""
    return rounded(value, 4)
