"""Finds the row and field that can't be written, after the code for all fields has failed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import InvalidOperation
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapper

from lading.adopting.preferred_types import PREFERRED
from lading.codegen import CodeBuilder
from lading.database.dialects.base import Row
from lading.database.dialects.real_columns import UnfitValue
from lading.database.dialects.sqlite_decimals import Unscaled
from lading.database.dialects.sqlite_moments import Zoned
from lading.database.dialects.type_processors import NotUndone
from lading.errors import LadingError, TargetError
from lading.mapping.columns import kind_of, underlying
from lading.mapping.meta_options import stored_names
from lading.messages import Message
from lading.model.hidden import HIDDEN, hides, masked_fault
from lading.model.rowsets import Member, Reference, RowSet, Value
from lading.records.lines import encode_lines
from lading.values.base import article

#: Where models come from that nobody has declared.
WRITTEN = "lading init writes models for tables without any, which you may edit"


class MissingTarget(ValueError):
    """A foreign key is set, and its target doesn't exist."""


class PartlyNull(ValueError):
    """Some columns of a foreign key are null, and others aren't."""


class RowFaults:
    """Runs the source of each field by itself.

    Args:
        rows: whose rows are written.
        source: what compiled the code that fails, with the names that it uses.
        fields: the source of each field, by its name.
        loop: what binds a row's discriminator in that source, if there is one.
        width: how many columns a row has.
        is_loose: whether columns may hold what isn't of their type.
    """

    def __init__(
        self,
        rows: RowSet,
        source: CodeBuilder,
        fields: Mapping[str, str],
        loop: str,
        width: int,
        *,
        is_loose: bool,
    ) -> None:
        self.rows = rows
        self.source = source
        self.fields = fields
        self.loop = loop
        self.width = width
        self.is_loose = is_loose

    def located(
        self,
        rows: Sequence[Row],
        nested: Sequence[Sequence[Any]],
        keys: Sequence[Mapping[Row, Any]],
        error: Exception,
    ) -> LadingError:
        """Return the error that names the first row and field that can't be written.

        Args:
            rows: what was to be written, with ``nested`` and ``keys`` as its encoder got them.
            nested: one list per links and children.
            keys: the keys that recur, for each reference that has such.
            error: what the encoder raised.
        """
        discriminator = self.rows.discriminator
        texts = {} if discriminator is None else {discriminator.name: "d"}
        for place, columns in enumerate(rows):
            row = (*columns, *(lists[place] for lists in nested))
            for name, text in [*texts.items(), *self.fields.items()]:
                try:
                    self._run(text, row, keys)
                except Exception as cause:
                    return self._unwritable(columns, keys, name, cause)
        return TargetError(
            Message("value-unwritable", f"a row can't be written: {error}"), entity=self.rows.name
        )

    def _run(self, text: str, row: Row, keys: Sequence[Mapping[Row, Any]]) -> Any:
        """Run the source of a field for a row, which may come without its nested records."""
        columns = [f"c{place}" for place in range(self.width)]
        nested = [f"n{place}" for place in range(len(row) - self.width)]
        result = f"[{text}{self.loop}][0]" if self.loop else text
        function = self.source.compile(
            f"lambda {', '.join([*columns, *nested])}, keys, rounded: {result}"
        )
        return function(*row, keys, defaultdict(int))

    def _unwritable(
        self, row: Row, keys: Sequence[Mapping[Row, Any]], name: str, cause: Exception
    ) -> LadingError:
        key = self._best_key(row, keys)
        member = next(member for member in self.rows.members if member.name == name)
        problem = str(cause)
        if not isinstance(cause, ValueError):
            value = f"{article(member.kind.name)} value" if isinstance(member, Value) else "a value"
            problem = f"the database holds what can't be read as {value}{_why(cause)}"
        problem = masked_fault(self.rows, member.written, problem)
        row_text = f" (in the row with {key})" if key else ""
        return TargetError(
            Message("value-unwritable", f"{problem}{row_text}"),
            self._remedy(member, cause),
            entity=self.rows.name,
            field=member.written,
            key=key or None,
        )

    def _remedy(self, member: Member, cause: Exception) -> str:
        """Say what to do about a member that can't be written."""
        is_misfit = isinstance(cause, Zoned | UnfitValue | PartlyNull | NotUndone) or (
            self.is_loose and isinstance(member, Value) and not isinstance(cause, Unscaled)
        )
        if is_misfit and PREFERRED in self.rows.table.info:
            return self._preferred_remedy(member, cause)
        if isinstance(cause, UnfitValue):
            return "Alter the column to what the model says, or the model to what the column is."
        if isinstance(cause, Unscaled):
            return (
                "Correct the row, or export such numbers as SQLAlchemy reads them, by the "
                "catalog's option sqlite_decimals='as_read'."
            )
        if isinstance(cause, Zoned) and isinstance(member, Value):
            return (
                f"In the model, let column {member.column} be Text, as mapped_column(Text): that "
                f"carries such texts as they are; {WRITTEN}."
            )
        if isinstance(cause, NotUndone):
            return stored_remedy(self.rows, member.name)
        if isinstance(cause, PartlyNull):
            return self._partly_null_remedy(member)
        if isinstance(cause, MissingTarget):
            return "Add the missing row, or set the foreign key to one that exists."
        if self.is_loose and isinstance(member, Value):
            return f"Correct the row, or let the column's model say what it holds; {WRITTEN}."
        return "Correct the row and export again."

    def _preferred_remedy(self, member: Member, cause: Exception) -> str:
        """Say what fits records from elsewhere, which decide what a reflected column has."""
        if isinstance(member, Value):
            value = article(member.kind.name)
            value = "what would be stored" if isinstance(cause, NotUndone) else f"{value} there"
            fitting = f"set {member.column.name} to {value}"
        else:
            assert isinstance(member, Reference)
            fitting = _completion(member)
        return (
            f"Delete the row, or {fitting}, as it is in the records that are imported or compared, "
            "and so with all rows alike."
        )

    def _partly_null_remedy(self, member: Member) -> str:
        """Say how to declare that a foreign key's columns are fields, ready to be pasted."""
        assert isinstance(member, Reference)
        columns = member.columns
        if _leads_back(member):
            return f"Correct the row: {_completion(member)}."
        mapper: Mapper[Any] = self.rows.mapper
        names = [mapper.get_property_by_column(column).key for column in columns]
        schema = self.rows.schema
        stored = tuple(dict.fromkeys([*stored_names(schema), *names]))
        remove = (
            f"remove the field {member.name}, and "
            if member.name in schema._declared_fields
            else ""
        )
        return (
            "Correct the row, or let the foreign key's columns be fields that hold what is stored: "
            f"{remove}write stored = {stored} in the Meta of {schema.__name__}; {WRITTEN}."
        )

    def _best_key(self, row: Row, keys: Sequence[Mapping[Row, Any]]) -> str:
        """Describe the row by the parts of its key that can be read."""
        parts = []
        for part in self.rows.key:
            try:
                value = self._run(self.fields[part.name], row, keys)
            except Exception:  # noqa: S112 - the key itself may be what is broken
                continue
            text = HIDDEN if hides(part) else encode_lines([value])[0].decode()
            parts.append(f"{part.written} {text}")
        return ", ".join(parts)


def _completion(reference: Reference) -> str:
    """Say how a foreign key isn't partly null."""
    names = ", ".join(column.name for column in reference.columns)
    return f"set all of {names}, or null in all that may be null"


def _leads_back(reference: Reference) -> bool:
    """Tell whether foreign keys lead from a reference's target to its own table, if it isn't that.

    Plain fields in its place would have no load order.
    """
    tables, reached = [reference.target.table], set[Any]()
    while tables:
        table = tables.pop()
        if table not in reached:
            reached.add(table)
            for key in table.foreign_keys:
                with suppress(sa.exc.SQLAlchemyError):  # what it leads to isn't there
                    tables.append(key.column.table)
    return reference.columns[0].table in reached


def stored_remedy(rows: RowSet, name: str) -> str:
    """Say how to declare that a field travels as it is stored, ready to be pasted."""
    names = dict.fromkeys([*stored_names(rows.schema), name])
    field = name in rows.schema._declared_fields
    columns = [value.column for value in rows.values if value.name == name]
    if field and any(kind_of(underlying(column.type)) is None for column in columns):
        return "Correct the field, so that it reads what it wrote."
    remove = f"remove the field {name}, and " if field else ""
    return (
        f"To let the stored value travel as it is, {remove}write stored = "
        f"({', '.join(map(repr, names))},) in the Meta of {rows.schema.__name__}."
    )


def _why(cause: Exception) -> str:
    """Say what a driver or a type says; decimals say no more than the class of their error."""
    return "" if isinstance(cause, InvalidOperation) else f" ({cause})"
