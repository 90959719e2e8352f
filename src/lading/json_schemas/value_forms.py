"""The JSON Schema of every type's written form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import marshmallow as ma

from lading.changes.rewriting.shapes import Shape
from lading.values.scalars import INFINITIES, JSON_KEY, NOT_A_NUMBER

Schema = dict[str, Any]

_WORDS = [NOT_A_NUMBER, *INFINITIES]
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{6})?"
_DAY = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_OFFSET = r"(Z|[+-][0-9]{2}:[0-5][0-9](:[0-5][0-9])?)"
_INTERVAL = (
    r"-?P(?=.)([0-9]{1,9}D)?(T(?=[0-9])([0-9]{1,2}H)?([0-9]{1,2}M)?"
    r"([0-9]{1,2}(\.[0-9]{6})?S)?)?"
)
_BASE64 = r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"
_UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
#: JSON's own null in a column that keeps JSON.
JSON_NULL: Schema = {
    "type": "object",
    "properties": {JSON_KEY: {"type": "null"}},
    "required": [JSON_KEY],
    "additionalProperties": False,
}
_LIMITS = {"least": "minimum", "most": "maximum", "above": "exclusiveMinimum"}
_LIMITS |= {"below": "exclusiveMaximum"}
_LENGTHS = {"longest": "maxLength", "shortest": "minLength"}


def value_schema(inner: Shape) -> Schema:
    """Return the schema of a plain value, null included where it may be."""
    if not _is_ours(inner):
        return {}
    make = _FORMS.get(str(inner.get("type")))
    if make is None:
        return {}
    form = limited(make(inner), inner)
    if inner.get("type") == "json":
        return {} if inner.get("nullable") else {"not": {"type": "null"}}
    return nullable(form) if inner.get("nullable") or inner.get("computed") else form


def _is_ours(inner: Shape) -> bool:
    """Tell whether values are written as their type is, and not as a field of one's own likes."""
    name = inner.get("constraints", {}).get("field")
    if name is None:
        return True
    field = getattr(ma.fields, name, object)
    known = _BY_FIELD.get(str(inner.get("type")))
    return known is not None and isinstance(field, type) and issubclass(field, known)


_BY_FIELD = {
    "string": ma.fields.String,
    "integer": ma.fields.Integer,
    "boolean": ma.fields.Boolean,
    "date": ma.fields.Date,
}


def limited(form: Schema, inner: Shape) -> Schema:
    """Add what a field's limits say, as far as JSON Schema can."""
    limits = inner.get("constraints", {})
    limited_form = dict(form)
    if inner["type"] == "string":
        limited_form |= {_LENGTHS[name]: limits[name] for name in _LENGTHS if name in limits}
    if inner["type"] == "integer":
        limited_form |= {_LIMITS[name]: limits[name] for name in _LIMITS if name in limits}
    if inner["type"] in ("string", "integer") and limits.get("choices"):
        limited_form["enum"] = list(limits["choices"])
    return limited_form


def nullable(form: Schema) -> Schema:
    """Return a schema that takes null as well."""
    if not form:
        return {}
    if isinstance(form.get("type"), str) and "enum" not in form:
        return {**form, "type": [form["type"], "null"]}
    return {"anyOf": [form, {"type": "null"}]}


def _text(pattern: str, **more: Any) -> Callable[[Shape], Schema]:
    return lambda _: {"type": "string", "pattern": f"^{pattern}$", **more}


def _decimal(inner: Shape) -> Schema:
    """Digits in the column's scale; without one as many as there are, but no trailing zero."""
    precision, scale = inner.get("precision"), inner.get("scale")
    more = "*"
    if precision is not None and scale is not None:
        whole = int(precision) - int(scale)
        more = f"{{0,{whole - 1}}}" if whole > 0 else ""
    number = f"(0|[1-9][0-9]{more})" if more else "0"
    if scale is None:
        number += r"(\.[0-9]*[1-9])?"
    elif scale > 0:
        number += rf"\.[0-9]{{{scale}}}"
    return {"type": "string", "pattern": f"^(-?{number}|{'|'.join(_WORDS)})$"}


def _float(_: Shape) -> Schema:
    return {"anyOf": [{"type": "number"}, {"enum": list(_WORDS)}]}


def _time(inner: Shape) -> Schema:
    zone = _OFFSET if inner.get("aware") else ""
    return {"type": "string", "pattern": f"^{_CLOCK}{zone}$"}


def _datetime(inner: Shape) -> Schema:
    zone = "Z" if inner.get("aware") else ""
    return {"type": "string", "pattern": f"^{_DAY}T{_CLOCK}{zone}$"}


def _array(inner: Shape) -> Schema:
    items = nullable(value_schema(inner["items"]))
    levels = inner.get("dimensions")
    if levels is None:
        items = {"anyOf": [items, {"type": "array"}]} if items else {}
    schema: Schema = {"type": "array", "items": items}
    for _ in range((levels or 1) - 1):
        schema = {"type": "array", "items": schema}
    return {"anyOf": [schema, JSON_NULL]}


def _set(inner: Shape) -> Schema:
    label = {"type": "string", "enum": list(inner["names"])}
    return {"type": "array", "items": label, "uniqueItems": True}


_FORMS: dict[str, Callable[[Shape], Schema]] = {
    "string": lambda _: {"type": "string"},
    "integer": lambda _: {"type": "integer"},
    "boolean": lambda _: {"type": "boolean"},
    "float": _float,
    "decimal": _decimal,
    "date": _text(_DAY, format="date"),
    "time": _time,
    "datetime": _datetime,
    "interval": _text(_INTERVAL),
    "uuid": _text(_UUID, format="uuid"),
    "bytes": _text(_BASE64, contentEncoding="base64"),
    "enum": lambda inner: {"type": "string", "enum": list(inner["names"])},
    "json": lambda _: {},
    "set": _set,
    "array": _array,
}
