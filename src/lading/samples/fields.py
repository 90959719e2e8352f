"""What a field of the application's own deserializes to, by marshmallow's classes of fields."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Callable, Iterator
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from lading.mapping.custom_fields import FieldKind, class_of
from lading.samples.constraints import limits_of, validators_of
from lading.samples.datetimes import date_supply, interval_supply, moment_supply, time_supply
from lading.samples.json_arrays import array_supply
from lading.samples.numbers import decimal_supply, float_supply, integer_supply
from lading.samples.supply import Facts, Supply, facts_of, listed_supply, stepped
from lading.samples.texts import text_supply, uuid_supply

#: Inside of lists and objects there is no column to ask.
UNLIMITED = 40
PLAIN_JSON: tuple[Any, ...] = (
    *(None, True, 0, 1, -7, "", "text", "é", 0.5, [], [1, "a"], {}, {"a": [None]}),
)


def field_supply(field: ma.fields.Field[Any], facts: Facts) -> Supply | None:
    """Return the samples of a field; ``None`` where its class says nothing of them."""
    for kind, make in _RULES:
        if isinstance(field, kind):
            supply: Supply | None = make(field, facts)
            return supply
    if class_of(field) in (fields.Raw, fields.Field):
        return listed_supply(PLAIN_JSON[1:], facts)
    return None


def has_validator(field: ma.fields.Field[Any] | None, kind: type) -> bool:
    """Tell whether a field has a validator of a kind."""
    return field is not None and any(
        isinstance(validator, kind) for validator in validators_of(field)
    )


def patterns_of(field: ma.fields.Field[Any] | None) -> Iterator[re.Pattern[str]]:
    """Yield the regular expressions that a field's validators ask for."""
    for validator in validators_of(field) if field is not None else ():
        if isinstance(validator, validate.Regexp):
            yield validator.regex  # type: ignore[misc]


def address_supply(field: ma.fields.Field[Any] | None, facts: Facts) -> Supply | None:
    """Return e-mail or web addresses for a field that wants either, else ``None``."""
    if isinstance(field, fields.Email) or has_validator(field, validate.Email):
        return _emails(facts)
    if isinstance(field, fields.Url) or has_validator(field, validate.URL):
        return _urls(facts)
    return None


def _emails(facts: Facts) -> Supply:
    narrow = facts.room is not None and facts.room < 30
    form = "{0}{1}@a.io" if narrow else "{0}-{1}@example.org"
    word = facts.word[:1] if narrow else facts.word
    edges = ["a@b.co", "first.last+tag@sub.example.com", "o'neil@example.org", "a%b@x-y.example"]
    return Supply(lambda n: form.format(word, n + 1), None, edges)


def _urls(facts: Facts) -> Supply:
    site = "http://a.io" if facts.room is not None and facts.room < 40 else "https://example.org"
    edges = [
        *("http://a.co", f"{site}/?q=1&r=%20#x", f"{site}:8080/a%2Fb;c", "http://127.0.0.1/"),
        *("https://user:pw@example.com/", f"{site}/'quoted'", f"{site}/a,b"),
    ]
    return Supply(lambda n: f"{site}/{facts.word}/{n + 1}", None, edges)


def _decimals(field: fields.Decimal, facts: Facts) -> Supply:
    places = field.places
    exponent = abs(int(places.as_tuple().exponent)) if places is not None else None
    supply = decimal_supply(facts, None, exponent)
    if field.allow_nan:
        return supply
    return dataclasses.replace(supply, edges=[edge for edge in supply.edges if edge.is_finite()])


def _moments(aware: bool | None) -> Callable[..., Supply]:
    def make(_field: Any, facts: Facts) -> Supply:
        return moment_supply(facts if aware is None else dataclasses.replace(facts, aware=aware))

    return make


def _addresses(kind: Callable[[int], Any], first: int, bits: int) -> Callable[..., Supply]:
    def make(_field: Any, facts: Facts) -> Supply:
        numbers = stepped(facts, first, 1, 2**16)
        edges = [kind(number) for number in (0, 1, first, 2**bits - 1, 2 ** (bits - 1))]
        return Supply(lambda n: kind(numbers.plain(n)), 2**16, edges)

    return make


def _interface4(number: int) -> Any:
    return ipaddress.IPv4Interface((number, 24))


def _interface6(number: int) -> Any:
    return ipaddress.IPv6Interface((number, 64))


_FOUR = _addresses(ipaddress.IPv4Address, 0x0A000001, 32)
_SIX = _addresses(ipaddress.IPv6Address, 0x20010DB8 << 96, 128)
_FOUR_NET = _addresses(_interface4, 0x0A000001, 32)
_SIX_NET = _addresses(_interface6, 0x20010DB8 << 96, 128)


def _either(field: Any, facts: Facts) -> Supply:
    four, six = _FOUR(field, facts), _SIX(field, facts)
    return dataclasses.replace(four, edges=[*four.edges, *six.edges])


# Values that hold others


def inner_supply(field: ma.fields.Field[Any], facts: Facts, name: str) -> Supply | None:
    """Return the samples of a field inside of another, which its validators take."""
    kind = FieldKind(field)
    limits = {"longest": UNLIMITED, **limits_of(field, kind)}
    if limits.get("choices"):
        return listed_supply([kind.read(choice) for choice in limits["choices"]], facts)
    own = facts_of(f"{facts.word}{name}", kind, limits)
    own = dataclasses.replace(own, aware=isinstance(field, fields.AwareDateTime))
    return address_supply(field, own) or field_supply(field, own)


def _lists(field: fields.List[Any], facts: Facts) -> Supply | None:
    items = inner_supply(field.inner, facts, "item")
    if items is None:
        return None
    lists = array_supply(items, 1, as_tuple=False)
    if not field.inner.allow_none:
        lists = dataclasses.replace(lists, edges=[edge for edge in lists.edges if None not in edge])
    least = max(1, facts.shortest)
    return dataclasses.replace(lists, plain=lambda n: [items.plain(n + m) for m in range(least)])


def _tuples(field: fields.Tuple, facts: Facts) -> Supply | None:
    return _together(list(enumerate(field.tuple_fields)), facts, tuple)


def _records(field: fields.Nested, facts: Facts) -> Supply | None:
    inner = field.schema.load_fields
    names = [inner_field.attribute or name for name, inner_field in inner.items()]
    single = _together(list(inner.items()), facts, lambda v: dict(zip(names, v, strict=True)))
    return array_supply(single, 1, as_tuple=False) if field.schema.many and single else single


def _together(
    inner: list[tuple[Any, ma.fields.Field[Any]]], facts: Facts, make: Callable[[Any], Any]
) -> Supply | None:
    """Return the supply of values that hold one of each field."""
    supplies = [inner_supply(field, facts, str(name)) for name, field in inner]
    items = [supply for supply in supplies if supply is not None]
    if len(items) < len(supplies):
        return None
    longest = max((len(supply.edges) for supply in items), default=0)
    edges = [
        make([supply.edges[n] if n < len(supply.edges) else supply.plain(n) for supply in items])
        for n in range(longest)
    ]
    count = None if items else 1
    return Supply(lambda n: make([supply.plain(n) for supply in items]), count, edges)


def _objects(field: fields.Mapping[Any], facts: Facts) -> Supply | None:
    keys = inner_supply(field.key_field or fields.String(), facts, "key")
    values = inner_supply(field.value_field or fields.Raw(), facts, "value")
    if keys is None or values is None:
        return None
    make = field.mapping_type
    edges = [make(), *(make({key: values.plain(0)}) for key in keys.edges)]
    edges += [make({keys.plain(0): value}) for value in values.edges]
    return Supply(lambda n: make({keys.plain(n): values.plain(n)}), None, edges, (), make())


# The first match counts, so a subclass stands before its base.
_RULES: list[tuple[Any, Any]] = [
    (fields.Email, lambda _field, facts: _emails(facts)),
    (fields.Url, lambda _field, facts: _urls(facts)),
    (fields.UUID, lambda _field, facts: uuid_supply(facts, as_text=False)),
    (fields.String, lambda _field, facts: text_supply(facts)),
    (fields.Boolean, lambda _field, facts: listed_supply([False, True], facts)),
    (fields.Integer, lambda _field, facts: integer_supply(facts)),
    (fields.Decimal, _decimals),
    (fields.Float, lambda _field, facts: float_supply(facts)),
    (fields.AwareDateTime, _moments(aware=True)),
    (fields.NaiveDateTime, _moments(aware=False)),
    (fields.DateTime, _moments(aware=None)),
    (fields.Time, lambda _field, facts: time_supply(facts)),
    (fields.Date, lambda _field, facts: date_supply(facts)),
    (fields.TimeDelta, lambda _field, facts: interval_supply(facts)),
    (fields.IPv4Interface, _FOUR_NET),
    (fields.IPv6Interface, _SIX_NET),
    (fields.IPInterface, _FOUR_NET),
    (fields.IPv4, _FOUR),
    (fields.IPv6, _SIX),
    (fields.IP, _either),
    (fields.Enum, lambda field, facts: listed_supply(field.enum, facts)),
    (fields.Constant, lambda field, _facts: listed_supply([field.constant])),
    (fields.List, _lists),
    (fields.Tuple, _tuples),
    (fields.Mapping, _objects),
    (fields.Pluck, lambda _field, _facts: None),
    (fields.Nested, _records),
]
