"""Surrogate keys: which ids records carry, under which name, and which an import generates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lading.mapping.context import RowSetDraft
from lading.mapping.fields import Owned, Ref
from lading.mapping.generated_values import generates, is_integer, is_numbered
from lading.mapping.meta_options import option
from lading.model.rowsets import Column, SchemaClass

#: The name of a kept id in records.
ID = "id"
#: Notes in ``info`` of a column that its integers aren't ids: its field isn't called ``id``.
IS_NO_ID = "lading: is no id"


def surrogate_of(draft: RowSetDraft) -> Column | None:
    """Return the lone primary key that records don't restore, if there is one.

    It is an integer that the database numbers, unless the natural key holds it, the schema
    declares a field for it, or ids are kept.  It may also be any generated value that the
    schema excludes or only dumps.
    """
    columns = list(draft.hierarchy.table.primary_key.columns)
    if len(columns) != 1 or columns[0].foreign_keys:
        return None
    (column,) = columns
    attribute = draft.hierarchy.attribute(column)
    if attribute is None or _is_one_way(draft, attribute):
        return column if generates(column) else None
    name = field_name(draft, attribute)
    is_field = is_kept(draft) or declared_name(draft, attribute) or name in key_names(draft.schema)
    return column if is_numbered(column) and not is_field else None


def is_kept(draft: RowSetDraft) -> bool:
    """Tell whether records carry ids that the database numbers."""
    keep_id = option(draft.schema, "keep_id")
    return draft.context.settings.keep_ids if keep_id is None else bool(keep_id)


def lost_id(draft: RowSetDraft) -> str | None:
    """Report a schema whose own ``Meta`` both keeps ids and doesn't restore them."""
    columns = list(draft.hierarchy.table.primary_key.columns)
    meta = draft.schema.__dict__.get("Meta")
    if len(columns) != 1 or meta is None or vars(meta).get("keep_id") is not True:
        return None
    attribute = draft.hierarchy.attribute(columns[0])
    if attribute is None or not _is_one_way(draft, attribute):
        return None
    name = field_name(draft, attribute)
    return (
        f"keep_id = True, and {name} is left out or dump_only, so that no import would keep it; "
        "remove one of the two"
    )


def field_name(draft: RowSetDraft, attribute: str) -> str:
    """Return the name of a lone primary key's field.

    A declared field keeps its name.  An integer that is kept, and whatever ``natural_key`` calls
    ``id``, is called ``id``, unless something else is, or it is noted to be no id.  Otherwise it is
    the attribute's name.
    """
    declared = declared_name(draft, attribute)
    if declared is not None:
        return declared
    key = key_names(draft.schema)
    is_kept_integer = is_kept(draft) and all(
        is_integer(column) and IS_NO_ID not in column.info
        for column in draft.hierarchy.table.primary_key.columns
    )
    is_id = (is_kept_integer or ID in key) and attribute not in key
    is_free = ID not in draft.hierarchy.attributes() and ID not in draft.declared
    return ID if is_id and is_free else attribute


def declared_name(draft: RowSetDraft, attribute: str) -> str | None:
    """Return the name of the field that a schema declares for an attribute, if it does."""
    for name, field in draft.declared.items():
        if (field.attribute or name) == attribute and not isinstance(field, Ref | Owned):
            return name
    return None


def key_names(schema: SchemaClass) -> set[str]:
    """Return the names in ``natural_key``; the keys' own check reports what isn't a name."""
    declared: Any = getattr(schema.__dict__.get("Meta"), "natural_key", None)
    names: Iterable[Any] = (declared,) if isinstance(declared, str) else declared
    return {n for n in names if isinstance(n, str)} if isinstance(names, tuple | list) else set()


def _is_one_way(draft: RowSetDraft, attribute: str) -> bool:
    """Tell whether a schema excludes the field, or only dumps it."""
    name = field_name(draft, attribute)
    field = draft.declared.get(name)
    return (
        draft.excluded.leaves_out(name, attribute)
        or name in draft.schema.opts.dump_only
        or (field is not None and field.dump_only)
    )
