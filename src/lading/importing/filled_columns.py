"""The columns that an import fills in a row set's tables: compiled once for a dialect."""

from __future__ import annotations

from collections.abc import Callable

from lading.codegen import CodeBuilder
from lading.database.dialects.base import Dialect, Row
from lading.importing.defaults import Defaults
from lading.model.rowsets import Column, Reference, RowSet


class FilledColumns:
    """Which columns an insert of a row set fills, and the function that joins their values.

    ``join`` takes ids (of rows that have generated ones), values, the values of each foreign
    key, those of the columns that owners give, and what the database evaluated: a list each, of
    one entry a row, where a row set has such.
    """

    def __init__(self, dialect: Dialect, rows: RowSet) -> None:
        values = [value.column for value in rows.values if value.writable]
        self.columns: list[Column] = [
            *([rows.surrogate] if rows.surrogate is not None else []),
            *values,
            *(column for reference in rows.references for column in reference.carried_columns),
            *rows.owner_columns,
        ]
        joining = {own for extension in rows.extensions for own, _ in extension.pairs}
        self.defaults = Defaults(dialect, rows, joining.union(self.columns))
        self.columns += self.defaults.columns
        self.place = {column: n for n, column in enumerate(self.columns)}
        for extension in rows.extensions:
            self.place |= {own: self.place[base] for own, base in extension.pairs}
        self.join = self._compiled(rows, self.defaults)
        self.join_carried = self._compiled(rows, None)

    def _compiled(self, rows: RowSet, defaults: Defaults | None) -> Callable[..., list[Row]]:
        """Return what joins ids, values, foreign keys, owners' values and defaults to rows."""
        source = CodeBuilder(f"{rows.name} insert" if defaults else f"{rows.name} update")
        names, items = ["values"], ["*v"]
        targets = ["v"]
        if rows.surrogate is not None:
            names.insert(0, "ids")
            targets.insert(0, "i")
            items.insert(0, "i")
        for place, reference in enumerate(rows.references):
            nulls = source.name((None,) * len(reference.carried_columns), "nulls")
            names.append(f"refs{place}")
            targets.append(f"r{place}")
            items.append(f"*({nulls} if r{place} is None else {_own_source(reference, place)})")
        if rows.owner_columns:
            names.append("own")
            targets.append("o")
            items.append("*o")
        for _, make in defaults.makers if defaults else ():
            items.append(f"{source.name(make, 'default')}()")
        if defaults and defaults.evaluated:
            names.append("evaluated")
            targets.append("e")
            items.append("*e")
        loop = f"for {', '.join(targets)} in zip({', '.join(names)})"
        if len(names) == 1:
            loop = "for v in values"
        join: Callable[..., list[Row]] = source.compile(
            f"lambda {', '.join(names)}: [({', '.join(items)},) {loop}]"
        )
        return join


def _own_source(reference: Reference, place: int) -> str:
    """Return source for what a resolved reference's own columns hold."""
    if not reference.shared:
        return f"r{place}"
    items = [
        f"r{place}[{n}], "
        for n, c in enumerate(reference.columns)
        if c in reference.carried_columns
    ]
    return f"({''.join(items)})"
