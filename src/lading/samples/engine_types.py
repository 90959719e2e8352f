"""Harmless values of types that one engine alone has, as the engine gives them."""

from __future__ import annotations

import re
from typing import Any

from lading.mapping.engine_types import EngineType
from lading.samples.supply import Facts, Supply, listed_supply

#: How many values of a type there are at most.
MOST = 250
#: How many bits a column of any number of them gets.
BITS = 8
#: A value of each type that is a text, by a number from 1 on.
TEXTS: dict[str, dict[str, str]] = {
    "postgresql": {
        "inet": "10.0.0.{0}/24",
        "cidr": "10.0.{0}.0/24",
        "macaddr": "08:00:2b:01:02:{0:02x}",
        "macaddr8": "08:00:2b:01:02:03:04:{0:02x}",
        "tsvector": "'a{0}':1",
        "tsquery": "'a{0}'",
        "point": "({0},1)",
        "line": "{{1,-1,{0}}}",
        "lseg": "[(0,0),({0},1)]",
        "box": "({0},1),(0,0)",
        "path": "((0,0),({0},1))",
        "polygon": "((0,0),({0},1),(1,0))",
        "circle": "<({0},0),1>",
        "pg_lsn": "0/{0:X}",
        "int4range": "[{0},300)",
        "int8range": "[{0},300)",
        "numrange": "[{0},300)",
        "daterange": "[1{0:03}-01-01,2000-01-01)",
        "tsrange": '["1{0:03}-01-01 00:00:00","2000-01-01 00:00:00")',
        "int4multirange": "{{[{0},300)}}",
        "int8multirange": "{{[{0},300)}}",
        "nummultirange": "{{[{0},300)}}",
        "datemultirange": "{{[1{0:03}-01-01,2000-01-01)}}",
        "tsmultirange": '{{["1{0:03}-01-01 00:00:00","2000-01-01 00:00:00")}}',
        "jsonpath": '$."a{0}"',
        "xml": "<a>{0}</a>",
    },
    "mariadb": {
        "inet4": "10.0.0.{0}",
        "inet6": "fe80::{0:x}",
        "date": "2{0:03}-01-01",
        "datetime": "2{0:03}-01-01 00:00:00",
        "timestamp": "2001-01-01 {1:02}:{2:02}:00",
    },
}
_TYPE = re.compile(r"([a-z0-9_ ]+)(?:\((\d+)\))?(\[\])?")
_SPECIAL = re.compile(r'[{}",\\\s]')


def engine_supply(type_: EngineType, facts: Facts) -> Supply | None:
    """Return samples of a type's values; ``None`` if nobody knows its values."""
    match = _TYPE.fullmatch(type_.name.lower())
    if match is None:
        return None
    name, limit, is_array = match.groups()
    values = _values(type_.engine, name, int(limit or 0))
    if is_array:
        values = [_array(name, text) for text in values]
    return listed_supply(values, facts) if values else None


def _values(engine: str, name: str, limit: int) -> list[Any]:
    """Return values of a type, none if it is unknown; ``limit`` is 0 where it has none."""
    if name == "year":
        return list(range(1901, 1901 + MOST))
    if name in ("bit", "bit varying"):
        width = limit or (1 if name == "bit" else BITS)
        numbers = range(min(2**width, MOST))
        return list(numbers) if engine == "mariadb" else [f"{n:0{width}b}" for n in numbers]
    template = TEXTS.get(engine, {}).get(name)
    if template is None:
        return []
    fraction = f".{'0' * limit}" if limit else ""
    return [f"{template}{fraction}".format(n, *divmod(n, 60)) for n in range(1, MOST + 1)]


def _array(name: str, text: str) -> str:
    """Return an array of one text; boxes alone have another delimiter than a comma."""
    if name != "box" and _SPECIAL.search(text):
        text = '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'
    return f"{{{text}}}"
