"""One season of a small home bakery that sells gift boxes, from September to Valentine's Day.

The chapters beside this module tell it in order: each writes records, none asks the clock,
and chance comes from the seed alone, so that equal seeds give equal seasons.
"""

from sqlalchemy.orm import Session

from .days import Season
from .diary import Diary
from .events import plan_events
from .kitchen import write_book
from .materials import Wrapping
from .oven import Oven
from .packing import PackingTable
from .pantry import open_pantry
from .stock import Stock

__all__ = ["fill"]


def fill(session: Session, *, seed: int = 2024) -> None:
    """Add the season to an empty database and flush it; the caller commits."""
    diary = Diary(seed)
    pantry = open_pantry(diary)
    stock = Stock(diary, pantry)
    stock.count_opening_stock()
    wrapping = Wrapping(diary, pantry)
    book = write_book(diary, pantry, wrapping.units)
    events = plan_events(diary, book)
    oven = Oven(diary, pantry, stock)
    table = PackingTable(diary, stock, wrapping, oven)
    Season(diary, book, stock, oven, table, events).live()
    session.add_all(diary.records)
    session.flush()
