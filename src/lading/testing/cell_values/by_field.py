"""What a field of the application's own deserializes to, by marshmallow's classes of fields."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Callable
from typing import Any

import marshmallow as ma
from hypothesis import strategies as st
from marshmallow import fields, validate

from lading.mapping.custom_fields import class_of
from lading.testing.cell_values.datetimes import (
    date_supply,
    interval_supply,
    moment_supply,
    time_supply,
)
from lading.testing.cell_values.json_arrays import array_supply
from lading.testing.cell_values.numbers import decimal_supply, float_supply, integer_supply
from lading.testing.cell_values.supply import Facts, Supply, joined, listed_supply, picked, stepped
from lading.testing.cell_values.texts import text_supply, uuid_supply
from lading.testing.cell_values.validators import demands_of, has_validator

#: Inside of lists and objects there is no column to ask.
UNLIMITED = 40
PLAIN_JSON: tuple[Any, ...] = (
    None,
    True,
    0,
    1,
    -7,
    "",
    "text",
    "é",
    0.5,
    [],
    [1, "a"],
    {},
    {"a": [None]},
)


def field_supply(field: ma.fields.Field[Any], facts: Facts) -> Supply | None:
    """Return the values of a field; ``None`` where its class says nothing of them."""
    for kind, make in _RULES:
        if isinstance(field, kind):
            made: Supply | None = make(field, facts)
            return made
    if class_of(field) in (fields.Raw, fields.Field):
        return listed_supply(PLAIN_JSON[1:], facts)
    return None


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
    site = form.partition("@")[2]
    drawn = st.text("ab1+-_%'{}=", min_size=1, max_size=12).map(lambda name: f"{name}@{site}")
    return Supply(lambda n: form.format(word, n + 1), None, edges, drawn)


def _urls(facts: Facts) -> Supply:
    site = "http://a.io" if facts.room is not None and facts.room < 40 else "https://example.org"
    edges = [
        *("http://a.co", f"{site}/?q=1&r=%20#x", f"{site}:8080/a%2Fb;c", "http://127.0.0.1/"),
        *("https://user:pw@example.com/", f"{site}/'quoted'", f"{site}/a,b"),
    ]
    paths = st.text("abc/-_.~%20?=&", max_size=12).map(lambda path: f"{site}/{path}")
    return Supply(lambda n: f"{site}/{facts.word}/{n + 1}", None, edges, paths)


# Single values


def _choices(field: fields.Enum[Any], facts: Facts) -> Supply:
    members: Any = field.enum
    return listed_supply(members, facts)


def _booleans(_field: fields.Boolean, facts: Facts) -> Supply:
    return listed_supply([False, True], facts)


def _decimals(field: fields.Decimal, facts: Facts) -> Supply:
    places = field.places
    exponent = abs(int(places.as_tuple().exponent)) if places is not None else None
    made = decimal_supply(facts, None, exponent)
    if field.allow_nan:
        return made
    return dataclasses.replace(made, edges=[edge for edge in made.edges if edge.is_finite()])


def _addresses(kind: Callable[[int], Any], first: int, bits: int) -> Callable[..., Supply]:
    def make(_field: Any, facts: Facts) -> Supply:
        numbers = stepped(facts, first, 1, 2**16)
        edges = [kind(number) for number in (0, 1, first, 2**bits - 1, 2 ** (bits - 1))]
        drawn = st.integers(0, 2**bits - 1).map(kind)
        return Supply(lambda n: kind(numbers.plain(n)), 2**16, edges, drawn)

    return make


def _either(field: Any, facts: Facts) -> Supply:
    four, six = _FOUR(field, facts), _SIX(field, facts)
    drawn = joined(four.drawn, six.drawn)
    return Supply(four.plain, four.count, [*four.edges, *six.edges], drawn)


def _interface4(number: int) -> Any:
    return ipaddress.IPv4Interface((number, 24))


def _interface6(number: int) -> Any:
    return ipaddress.IPv6Interface((number, 64))


_FOUR = _addresses(ipaddress.IPv4Address, 0x0A000001, 32)
_SIX = _addresses(ipaddress.IPv6Address, 0x20010DB8 << 96, 128)
_FOUR_NET = _addresses(_interface4, 0x0A000001, 32)
_SIX_NET = _addresses(_interface6, 0x20010DB8 << 96, 128)


# Values that hold others


def inner_facts(field: ma.fields.Field[Any], facts: Facts, name: str) -> Facts:
    """Return the facts of a field inside of another, which has no column."""
    demands = demands_of(field)
    return dataclasses.replace(
        facts,
        name=f"{facts.word}{name}",
        everywhere=lambda _: True,
        least=demands.least,
        most=demands.most,
        shortest=demands.shortest,
        room=demands.longest if demands.longest is not None else UNLIMITED,
        longest=demands.longest if demands.longest is not None else UNLIMITED,
        exact=None,
        aware=isinstance(field, fields.AwareDateTime),
    )


def inner_supply(field: ma.fields.Field[Any], facts: Facts, name: str) -> Supply | None:
    """Return the values of a field inside of another, which its validators take."""
    demands = demands_of(field)
    if demands.choices:
        return listed_supply(demands.choices, facts)
    own = inner_facts(field, facts, name)
    return address_supply(field, own) or field_supply(field, own)


def _lists(field: fields.List[Any], facts: Facts) -> Supply | None:
    item = inner_supply(field.inner, facts, "item")
    if item is None:
        return None
    made = array_supply(item, 1, as_tuple=False)
    if field.inner.allow_none:
        return made
    edges = [edge for edge in made.edges if None not in edge]
    values = joined(picked(list(item.edges) or [item.plain(0)]), item.drawn)
    shortest = facts.shortest
    drawn = st.lists(values, min_size=shortest, max_size=max(shortest, facts.longest or 4))

    def plain(n: int) -> Any:
        return [item.plain(n + more) for more in range(max(1, shortest))]

    return Supply(plain, item.count, edges, drawn)


def _tuples(field: fields.Tuple, facts: Facts) -> Supply | None:
    inner = [inner_supply(one, facts, str(place)) for place, one in enumerate(field.tuple_fields)]
    items = [item for item in inner if item is not None]
    if len(items) < len(inner):
        return None
    return _together(items, tuple)


def _objects(field: fields.Mapping[Any], facts: Facts) -> Supply | None:
    keys = inner_supply(field.key_field or fields.String(), facts, "key")
    values = inner_supply(field.value_field or fields.Raw(), facts, "value")
    if keys is None or values is None:
        return None
    make = field.mapping_type
    edges = [make(), *(make({key: values.plain(0)}) for key in keys.edges)]
    edges += [make({keys.plain(0): value}) for value in values.edges]
    drawn = st.dictionaries(_of(keys), _of(values), max_size=4).map(make)
    return Supply(lambda n: make({keys.plain(n): values.plain(n)}), None, edges, drawn)


def _records(field: fields.Nested, facts: Facts) -> Supply | None:
    schema = field.schema
    names, items = [], []
    for name, one in schema.load_fields.items():
        item = inner_supply(one, facts, name)
        if item is None:
            return None
        names.append(one.attribute or name)
        items.append(item)

    def make(values: Any) -> Any:
        return dict(zip(names, values, strict=True))

    single = _together(items, make)
    return array_supply(single, 1, as_tuple=False) if schema.many else single


def _together(items: list[Supply], make: Callable[[Any], Any]) -> Supply:
    """Return the supply of values that hold one of each item."""
    longest = max((len(item.edges) for item in items), default=0)

    def edge(place: int) -> Any:
        return make(
            [item.edges[place] if place < len(item.edges) else item.plain(place) for item in items]
        )

    return Supply(
        lambda n: make([item.plain(n) for item in items]),
        None if items else 1,
        [edge(place) for place in range(longest)],
        st.tuples(*map(_of, items)).map(make),
    )


def _of(item: Supply) -> Any:
    """Return one strategy for all of a supply."""
    return joined(picked([item.plain(0), *item.edges]), item.drawn)


# The first match counts, so a subclass stands before its base.
_RULES: list[tuple[Any, Any]] = [
    (fields.Email, lambda _field, facts: _emails(facts)),
    (fields.Url, lambda _field, facts: _urls(facts)),
    (fields.UUID, lambda _field, facts: uuid_supply(facts, as_text=False)),
    (fields.String, lambda _field, facts: text_supply(facts)),
    (fields.Boolean, _booleans),
    (fields.Integer, lambda _field, facts: integer_supply(facts)),
    (fields.Decimal, _decimals),
    (fields.Float, lambda _field, facts: float_supply(facts)),
    (
        fields.AwareDateTime,
        lambda _field, facts: moment_supply(dataclasses.replace(facts, aware=True)),
    ),
    (
        fields.NaiveDateTime,
        lambda _field, facts: moment_supply(dataclasses.replace(facts, aware=False)),
    ),
    (fields.DateTime, lambda _field, facts: moment_supply(facts)),
    (fields.Time, lambda _field, facts: time_supply(facts)),
    (fields.Date, lambda _field, facts: date_supply(facts)),
    (fields.TimeDelta, lambda _field, facts: interval_supply(facts)),
    (fields.IPv4Interface, _FOUR_NET),
    (fields.IPv6Interface, _SIX_NET),
    (fields.IPInterface, _FOUR_NET),
    (fields.IPv4, _FOUR),
    (fields.IPv6, _SIX),
    (fields.IP, _either),
    (fields.Enum, _choices),
    (fields.Constant, lambda field, _facts: listed_supply([field.constant])),
    (fields.List, _lists),
    (fields.Tuple, _tuples),
    (fields.Mapping, _objects),
    (fields.Pluck, lambda _field, _facts: None),
    (fields.Nested, _records),
]
