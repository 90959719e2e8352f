"""The links of records that aren't decoded, counted by the texts of their references."""

from __future__ import annotations

from functools import cached_property

from lading.model.rowsets import RowSet
from lading.records.field_texts import FieldTexts


class LinkTexts:
    """Counts the links of lines that an export wrote."""

    def __init__(self, rows: RowSet) -> None:
        self.rows = rows
        #: Whether all links are references of the records themselves, which all classes have.
        self.is_possible = not (rows.links or rows.children or rows.discriminator)
        self.required = [ref.written for ref in rows.references if not ref.nullable]
        self.nullable = [ref.written for ref in rows.references if ref.nullable]

    @cached_property
    def texts(self) -> FieldTexts:
        """Cuts lines into the references that may be null."""
        return FieldTexts(f"{self.rows.name} links", self.nullable)

    def count(self, lines: list[bytes]) -> dict[str, int]:
        """Return the number of links of each reference."""
        counts = dict.fromkeys(self.required, len(lines))
        if self.nullable:
            is_set, records = self.texts.is_set, self.texts.cut(lines)
            counts |= {n: sum(is_set(record, n) for record in records) for n in self.nullable}
        return counts
