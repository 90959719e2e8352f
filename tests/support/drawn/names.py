"""Names as they are found in the wild: of tables, columns, attributes and classes."""

from __future__ import annotations

import random
from collections.abc import Container

TABLES = (
    "shops", "items", "orders", "lines", "people", "notes", "parts", "places", "recipes", "steps",
    "teams", "members", "pages", "events", "tickets", "stores", "boxes", "crates", "labels", "jobs",
)  # fmt: skip
ODD_TABLES = (
    "order", "group", "user", "Table", "select", "my things", "100% sure", 'say "hi"', "größen",
    "UPPER", "it's", "t1", "semi;colon", "a-b", "data_1", "excluded", "späti 😀", "c:d",
)  # fmt: skip
COLUMNS = (
    "name", "code", "title", "size", "price", "weight", "day", "state", "note", "rank", "amount",
    "label", "kind", "email", "phone", "count", "extra", "data", "seen", "colour",
)  # fmt: skip
# No parentheses, which psycopg's own placeholders can't hold in a bound name; no dots where a
# foreign key leads to, for SQLAlchemy splits 'table.column' there.
ODD_COLUMNS = (
    "order", "select", "default", "my name", "50%", 'in "quotes"', "straße", "CAPS", "camelCase",
    "colon:ed", "type", "key", "values", "o'clock", "to", "rowid_", "数", "back\\slash",
)  # fmt: skip
ODD_ATTRIBUTES = (
    "load",
    "dump",
    "fields",
    "validate",
    "context",
    "opts",
    "größe",
    "type_",
    "self_",
)


class Names:
    """Draws names of one application; ``odd`` ones are drawn where ``oddity`` allows."""

    def __init__(self, rng: random.Random, oddity: float) -> None:
        self.rng = rng
        self.oddity = oddity
        self.tables = rng.sample(TABLES, len(TABLES))
        self.odd_tables = rng.sample(ODD_TABLES, len(ODD_TABLES))

    def table(self) -> str:
        """Return a table's name that is new."""
        return self.odd_tables.pop() if self.rng.random() < self.oddity else self.tables.pop()

    def column(self, taken: Container[str]) -> str:
        """Return a column's name that is new in its table."""
        pool = ODD_COLUMNS if self.rng.random() < self.oddity else COLUMNS
        return self.fresh(self.rng.choice(pool), taken)

    def attribute(self, column: str, taken: Container[str]) -> str:
        """Return the attribute for a column: its name where that is one in Python."""
        plain = column.isidentifier() and not _is_reserved(column)
        roll = self.rng.random()
        if roll < self.oddity / 3:
            return self.fresh(self.rng.choice(ODD_ATTRIBUTES), taken)
        if plain and roll < 0.9:
            return self.fresh(column, taken)
        return self.fresh(f"{self.rng.choice(COLUMNS)}_attr", taken)

    @staticmethod
    def fresh(name: str, taken: Container[str]) -> str:
        """Return the name, or the first of its numbered variants that isn't taken."""
        found, number = name, 2
        while found in taken:
            found, number = f"{name}_{number}", number + 1
        return found


def class_name(table: str, taken: Container[str]) -> str:
    """Return a class name for a table."""
    words = "".join(ch if ch.isascii() and ch.isalnum() else " " for ch in table).split()
    plain = "".join(word.capitalize() for word in words) or "Thing"
    return Names.fresh(plain if plain[0].isalpha() else f"T{plain}", taken)


def _is_reserved(name: str) -> bool:
    """Tell whether declarative classes or Python itself use the name."""
    import keyword

    return keyword.iskeyword(name) or name in {"metadata", "registry"}
