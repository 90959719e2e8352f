"""From the text of records to batches: typed decoding first, then marshmallow for what it refuses.

A block is decoded as one typed list, and its values are checked against the target's columns
while they become driver values.  A record that this refuses is loaded again by marshmallow,
whose errors are the ones reported; what marshmallow accepts goes on in its canonical form.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import Any

import marshmallow as ma
import msgspec

from lading.database.dialects.base import Dialect
from lading.importing.batch import Batch, joined
from lading.importing.row_decoder import Binds, RowDecoder
from lading.mapping.fields import schema_of
from lading.messages import Message
from lading.model.hidden import masked_fault
from lading.model.rowsets import RowSet
from lading.records.describe import masked_key
from lading.records.faults import failed_load, faults_of, unfit
from lading.records.layout import Key, RecordLayout
from lading.records.lines import encode_lines, portable_key, without_ids
from lading.records.marshmallow_path import canonical_record, needs_marshmallow
from lading.report import Problem
from lading.values.json_text import json_text, on_own_stack, parse_json


class CompiledDecoder:
    """The compiled functions that decode an entity's records, shared by all imports."""

    def __init__(self, dialect: Binds, rows: RowSet, ids: bool) -> None:
        self.layout = RecordLayout(rows, ids=ids)
        self.decoder = RowDecoder(dialect, rows, self.layout)
        self.json_records = msgspec.json.Decoder(list[self.layout.decoded])  # type: ignore[name-defined]
        self.json_record = msgspec.json.Decoder(self.layout.decoded)
        self.custom = needs_marshmallow(rows)


class KeyDecoder:
    """Reads the natural keys of an entity's records, whatever else is wrong with these."""

    def __init__(self, dialect: Binds, rows: RowSet) -> None:
        of_key = replace(rows, members=list(rows.key), discriminator=None)
        layout = RecordLayout(of_key)
        self.names = rows.key_names
        self.decoder = RowDecoder(dialect, of_key, layout)
        self.json_record = msgspec.json.Decoder(layout.decoded)

    def key(self, line: bytes) -> Key | None:
        """Return the natural key of a record; ``None`` where it can't be read."""
        try:
            record = parse_json(line)
            text = json_text({name: record[name] for name in self.names})
            struct = on_own_stack(self.json_record.decode, text)
            return self.decoder.batch([struct], [0], [line]).keys[0]
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            return None


class RecordDecoder:
    """Decodes an entity's records, and says what is wrong with those that it can't."""

    def __init__(self, dialect: Dialect, rows: RowSet, file: str, *, ids: bool = False) -> None:
        compiled = dialect.once(CompiledDecoder, rows, ids)
        self.dialect = dialect
        self.rows = rows
        self.file = file
        self.layout = compiled.layout
        self.decoder = compiled.decoder
        self.json_records = compiled.json_records
        self.json_record = compiled.json_record
        self.custom = compiled.custom

    @cached_property
    def schema(self) -> ma.Schema:
        """The entity's marshmallow schema, for records that the typed decoder refuses."""
        return schema_of(self.rows)

    def decode(self, lines: list[bytes], first: int) -> tuple[Batch, list[Problem]]:
        """Return the good records of a block, and the problems of the others.

        ``first`` is the number of the block's first record.
        """
        return self.decode_numbered(lines, list(range(first, first + len(lines))))

    def decode_numbered(
        self, lines: list[bytes], numbers: list[int]
    ) -> tuple[Batch, list[Problem]]:
        """Return the good ones of records with these numbers, and the problems of the others."""
        if not self.custom:
            try:
                records = on_own_stack(self.json_records.decode, b"[" + b",".join(lines) + b"]")
                is_exact = self._refuse_ambiguous(records, lines)
                block = self.decoder.batch(records, numbers, lines)
                block.is_exact = is_exact
                return block, []
            except (ValueError, TypeError, OverflowError, RecursionError):
                pass  # decoding one record at a time finds out which
        batches: list[Batch] = []
        problems: list[Problem] = []
        for number, line in zip(numbers, lines, strict=True):
            batch = self._decode_record(line, number, problems)
            if batch is not None:
                batches.append(batch)
        empty = self.decoder.batch([], [], [])
        return joined(batches) if batches else empty, problems

    def _refuse_ambiguous(self, records: list[Any], lines: list[bytes]) -> bool:
        """Parse text strictly unless it is canonical: the typed decoder accepts duplicate keys.

        Returns whether all of it has the form that equal JSON has.
        """
        encoded = encode_lines(records)
        if encoded == lines:
            return True
        for written, line in zip(encoded, lines, strict=True):
            if written != line:
                parse_json(line)
        return False

    def _decode_record(self, line: bytes, number: int, problems: list[Problem]) -> Batch | None:
        if not self.custom:
            try:
                struct = on_own_stack(self.json_record.decode, line)
                self._refuse_ambiguous([struct], [line])
                return self.decoder.batch([struct], [number], [line])
            except (ValueError, TypeError, OverflowError, RecursionError):
                pass  # marshmallow decides
        try:
            data = parse_json(line)
        except ValueError as error:
            text = "isn't valid JSON: " + masked_fault(self.rows, "", str(error))
            message = Message("json-malformed", f"{text}. Correct it")
            problems.append(Problem.of(message, self.file, number))
            return None
        key = portable_key(self.rows, data)
        try:
            record = canonical_record(self.rows, self.schema.load(without_ids(self.layout, data)))
            struct = self.decoder.struct(record)
            faults = list(unfit(self.rows, self.decoder.faults(struct)))
            if not faults:
                return self.decoder.batch([struct], [number], [line])
        except ma.ValidationError as error:
            faults = list(faults_of(self.rows, data, error.messages))
        except Exception as error:
            faults = list(failed_load(self.rows, error))
        problems += [
            Problem.of(text, self.file, number, key, field or None) for field, text in faults
        ]
        return None

    def key(self, line: bytes) -> Key | None:
        """Return the natural key of a bad record; ``None`` where it can't be read.

        Hooks may make another key of it, so what goes through marshmallow has none here.
        """
        return None if self.custom else self.dialect.once(KeyDecoder, self.rows).key(line)

    def named(self, key: Key) -> Any:
        """Return a key in portable form."""
        return masked_key(self.rows.key, key)


def keys_of(rows: RowSet, blocks: Iterable[Any], numbers: set[int]) -> dict[int, Any]:
    """Return the natural keys of some records, by number, in portable form."""
    keys = {}
    for block in blocks:
        for number, line in enumerate(block.records, block.first):
            if number in numbers:
                with suppress(ValueError):
                    keys[number] = portable_key(rows, parse_json(line))
    return keys
