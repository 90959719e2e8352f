"""Reads the season's data, which is written as tables and blocks of plain text."""

from collections.abc import Iterator
from decimal import Decimal

from ..models import Unit

UNITS = {
    "g": Unit.gram,
    "kg": Unit.kilogram,
    "ml": Unit.millilitre,
    "l": Unit.litre,
    "tsp": Unit.teaspoon,
    "tbsp": Unit.tablespoon,
    "pc": Unit.piece,
}


def cells(line: str, separator: str = "|") -> list[str]:
    """The parts of a line, without the blanks around them."""
    return [cell.strip() for cell in line.split(separator)]


def table(text: str) -> Iterator[list[str]]:
    """The rows of a table; lines that begin with ``#`` are its headings."""
    for line in text.splitlines():
        if line and not line.startswith("#"):
            yield cells(line)


def blocks(text: str) -> Iterator[tuple[list[str], list[str]]]:
    """The blocks between empty lines: the cells of the first line, and the other lines."""
    for block in text.strip().split("\n\n"):
        head, *lines = block.splitlines()
        yield cells(head), lines


def amount(text: str) -> tuple[Decimal, Unit, str]:
    """A quantity, its unit and the words after it: ``25 kg sack``."""
    quantity, unit, *words = text.split(maxsplit=2)
    return Decimal(quantity), UNITS[unit], "".join(words)
