"""Sample values of a field in their written form, each tried by the field itself.

No chance is involved: the same declarations give the same values everywhere.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from lading.locking.constraints import constraints_of, validators_of
from lading.locking.sample_patterns import matching
from lading.mapping.fields import OneOfClasses, ValueField
from lading.model.rowsets import Value
from lading.values.arrays import Array, LabelSet
from lading.values.base import CUSTOM, Kind
from lading.values.datetimes import Date, DateTime, Interval, Time
from lading.values.scalars import Boolean, Bytes, Choice, Float, Integer, Json, Number, Text, Uuid

#: A plain value, the least that the field takes, and the most.
PLAIN, LEAST, FULLEST = "plain", "least", "fullest"
#: How many candidates are tried; the longest text that is made, and of a field without a limit.
TRIES = 60
LONGEST = 500
UNLIMITED = 80
_FIRST, _DAY, _LAST = map(
    dt.datetime.fromisoformat, ("2000-01-01T00:00:00", "2025-01-31T12:30:00", "2037-06-30T23:59:00")
)
Made = Iterator[Any]


class NoSample(Exception):
    """A field takes none of the values that are made for it."""


@dataclass
class Wanted:
    """What a value is made for: its field's name and limits, a number, and the style."""

    name: str
    said: dict[str, Any]
    n: int
    style: str


def sample(value: Value, n: int, style: str = PLAIN, *, taken: Any = ()) -> Any:
    """Return a value's written form that its field takes, by number and style.

    Those in ``taken`` are avoided.  Raises ``NoSample`` where nothing passes.
    """
    for way in dict.fromkeys((style, PLAIN)):
        for more in range(TRIES):
            wanted = Wanted(value.written, constraints_of(value), n + more, way)
            for candidate in islice(_candidates(value, wanted), TRIES):
                found = _taken_by(value, candidate)
                if found and found[0] not in taken:
                    return found[0]
            if not taken and more > 3:
                break
    raise NoSample(value.name)


def _taken_by(value: Value, candidate: Any) -> list[Any]:
    """Return the canonical form of what the field takes, in a list; nothing of what it refuses."""
    try:
        loaded = value.field.deserialize(candidate)
        return [value.kind.write(loaded)] if loaded is not None else []
    except Exception:  # a field of the application's own may raise anything
        return []


def _candidates(value: Value, wanted: Wanted) -> Made:
    known = [one for one in value.field.validators if isinstance(one, OneOfClasses)]
    if known:
        yield from sorted(kind for kind in known[0].classes if kind is not None)
    choices = wanted.said.get("choices")
    if choices:
        start = {PLAIN: wanted.n, LEAST: 0, FULLEST: -1}[wanted.style] % len(choices)
        yield from [*choices[start:], *choices[:start]]
    yield from _special(value.field, wanted)
    kind = value.kind
    if kind.name == CUSTOM or not isinstance(value.field, ValueField):
        yield from _by_field(wanted, kind)
        return
    yield from _of_kind(kind, wanted)


def _special(field: ma.fields.Field[Any], wanted: Wanted) -> Made:
    """Texts of forms that validators or fields of marshmallow's ask for."""
    validators = list(validators_of(field))
    for one in validators:
        if isinstance(one, validate.Regexp):
            for more in (0, 1, 3):
                yield matching(one.regex, wanted.n, more=more)
    if isinstance(field, fields.Email) or any(isinstance(v, validate.Email) for v in validators):
        yield f"{wanted.name.lower()}{wanted.n}@example.org"
        yield f"a{wanted.n}@b.io"
    if isinstance(field, fields.Url) or any(isinstance(v, validate.URL) for v in validators):
        yield f"https://example.org/{wanted.n}"
    if isinstance(field, fields.Enum):
        names = [member.name for member in field.enum]
        yield from names[wanted.n % len(names) :] + names


def _by_field(wanted: Wanted, kind: Kind) -> Made:
    """What a field of the application's own may take: every form in turn."""
    yield from _of_kind(kind, wanted)
    for one in _ANY:
        yield from _of_kind(one, wanted)
    n = wanted.n
    yield from (f"10.0.0.{n % 256}", f"2001:db8::{n:x}", f"#{n:06x}", [], {}, [n], {"n": n}, [n, n])


def _of_kind(kind: Kind, wanted: Wanted) -> Made:
    for match, make in _MAKERS:
        if isinstance(kind, match):
            yield from make(kind, wanted)
            return


#: The kinds whose forms a field of the application's own may take.
_ANY: tuple[Kind, ...] = (
    *(Text(), Integer(), Number(), Boolean(), Date(), DateTime(), DateTime(aware=True)),
    *(Time(), Uuid(), Interval(), Float(), Bytes()),
)


# One kind each


def _texts(_: Text, wanted: Wanted) -> Made:
    room = min(wanted.said.get("longest", UNLIMITED), LONGEST)
    least = wanted.said.get("shortest", 0)
    number = str(wanted.n)
    if wanted.style == LEAST:
        yield "" if not least else "a" * least
    text = f"{wanted.name} {number}"
    if len(text) > room:
        text = f"{wanted.name[: max(0, room - len(number))]}{number}"[-room or len(text) :]
    if wanted.style == FULLEST:
        tail = "x" * (room - len(text))
        yield f"é{tail[1:]}{text}" if tail else text
    yield text.ljust(least, "x")
    yield f"a{number}"[:room].ljust(least, "x")
    yield number.rjust(least, "0")
    yield chr(ord("a") + wanted.n % 26) * max(least, 1)


def _bounds(said: dict[str, Any], step: Any, low: Any, high: Any) -> tuple[Any, Any]:
    """Return the bounds of numbers, those that are excluded moved in by a step."""
    kind = type(step)
    lows = [kind(said["least"])] if "least" in said else []
    lows += [kind(said["above"]) + step] if "above" in said else []
    highs = [kind(said["most"])] if "most" in said else []
    highs += [kind(said["below"]) - step] if "below" in said else []
    low = max([low, *lows]) if lows else min([low, *highs])
    return low, min([high, *highs])


def _numbered(wanted: Wanted, low: Any, high: Any, step: Any) -> Made:
    if wanted.style == LEAST:
        yield low
    if wanted.style == FULLEST:
        yield high
    first = low if low > 0 else type(low)(1)
    yield first + step * wanted.n
    yield low + step * wanted.n
    yield high


def _integers(_: Integer, wanted: Wanted) -> Made:
    most = 2 ** (8 * wanted.said.get("bytes", 4) - 1) - 1
    yield from _numbered(wanted, *_bounds(wanted.said, 1, 0, most), 1)


def _numbers(kind: Number, wanted: Wanted) -> Made:
    scale = 2 if kind.scale is None else kind.scale
    step = Decimal(1).scaleb(-scale)
    digits = 9 if kind.precision is None else kind.precision
    most = Decimal(10) ** min(digits - scale, 12) - step
    low, high = _bounds(wanted.said, step, Decimal(0), most)
    for number in _numbered(wanted, low, high, step):
        yield kind.write(number)


def _floats(_: Float, wanted: Wanted) -> Made:
    low, high = _bounds(wanted.said, 0.5, 0.0, 1048576.5)
    yield from _numbered(wanted, low, high, 0.5)


def _booleans(_: Boolean, wanted: Wanted) -> Made:
    one = {PLAIN: wanted.n % 2 == 1, LEAST: False, FULLEST: True}[wanted.style]
    yield from (one, not one)


def _choices(kind: Choice, wanted: Wanted) -> Made:
    names = list(kind.members)
    start = {PLAIN: wanted.n, LEAST: 0, FULLEST: len(names) - 1}[wanted.style] % len(names)
    yield from names[start:] + names[:start]


def _moment(wanted: Wanted) -> dt.datetime:
    ends = {PLAIN: _DAY, LEAST: _FIRST, FULLEST: _LAST}
    return ends[wanted.style] + dt.timedelta(days=wanted.n)


def _dates(kind: Date, wanted: Wanted) -> Made:
    yield kind.write(_moment(wanted).date())


def _datetimes(kind: DateTime, wanted: Wanted) -> Made:
    moment = _moment(wanted)
    yield kind.write(moment.replace(tzinfo=dt.UTC) if kind.aware else moment)


def _times(kind: Time, wanted: Wanted) -> Made:
    seconds = {PLAIN: 30000 + wanted.n, LEAST: wanted.n, FULLEST: 86399 - wanted.n}[wanted.style]
    moment = _DAY.replace(hour=0, minute=0) + dt.timedelta(seconds=seconds % 86400)
    yield kind.write(moment.time().replace(tzinfo=dt.UTC if kind.aware else None))


def _intervals(kind: Interval, wanted: Wanted) -> Made:
    minutes = {PLAIN: 90, LEAST: 0, FULLEST: 60 * 24 * 999}[wanted.style] + wanted.n
    yield kind.write(dt.timedelta(minutes=minutes))


def _uuids(kind: Uuid, wanted: Wanted) -> Made:
    style = (PLAIN, LEAST, FULLEST).index(wanted.style)
    yield kind.write(uuid.uuid5(uuid.NAMESPACE_OID, f"{wanted.name} {wanted.n} {style}"))


def _bytes(kind: Bytes, wanted: Wanted) -> Made:
    room = min(wanted.said.get("longest", 32), 64)
    data = {PLAIN: b"\x00\xff", LEAST: b"", FULLEST: b"\xff" * room}[wanted.style]
    yield kind.write(data)
    yield kind.write(wanted.n.to_bytes(4, "big").lstrip(b"\x00")[:room])
    yield kind.write(bytes([wanted.n % 256]) * max(1, wanted.said.get("shortest", 1)))


def _json(_: Json, wanted: Wanted) -> Made:
    plain = {"n": wanted.n, "text": "é"}
    full = {"empty": {}, "list": [1, "a", None, True, 2.5], "nested": {"n": wanted.n}}
    yield {PLAIN: plain, LEAST: {}, FULLEST: full}[wanted.style]


def _arrays(kind: Array, wanted: Wanted) -> Made:
    items = list(islice(_of_kind(kind.item, wanted), 2))
    if wanted.style == LEAST:
        yield []
    made: Any = items[:1] if wanted.style == PLAIN else items
    for _ in range((kind.depth or 1) - 1):
        made = [made]
    yield made
    yield []


def _label_sets(kind: LabelSet, wanted: Wanted) -> Made:
    labels = list(kind.labels)
    count = {PLAIN: 1, LEAST: 0, FULLEST: len(labels)}[wanted.style]
    yield kind.write(set(labels[:count]))
    for label in labels:
        yield [label]


_MAKERS: list[tuple[type, Callable[[Any, Wanted], Made]]] = [
    (Text, _texts),
    (Integer, _integers),
    (Number, _numbers),
    (Float, _floats),
    (Boolean, _booleans),
    (Choice, _choices),
    (Date, _dates),
    (DateTime, _datetimes),
    (Time, _times),
    (Interval, _intervals),
    (Uuid, _uuids),
    (Bytes, _bytes),
    (Json, _json),
    (Array, _arrays),
    (LabelSet, _label_sets),
]
