"""What a catalog says of all of its schemas, for their derivation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lading.mapping.type_fields import Types
from lading.model.rowsets import Column, SchemaClass


@dataclass(frozen=True, slots=True)
class Settings:
    """What a catalog says of all of its schemas; see :class:`~lading.Catalog`."""

    name: str
    keep_ids: bool = False
    types: Types = field(default_factory=dict)
    leaves_out: Mapping[str, str] = field(default_factory=dict)
    #: The schemas that nobody declared: what is ambiguous in these is decided, and recorded.
    adopted: frozenset[SchemaClass] = frozenset()
    #: What an adopted database has and no bundle carries, with the reason for each.
    left_out: Mapping[str, str] = field(default_factory=dict)
    #: What was decided about fields of adopted schemas before anything was derived.
    decisions: Mapping[SchemaClass, Mapping[str, str]] = field(default_factory=dict)
    #: The columns of adopted foreign keys that are carried as plain fields, to open circles.
    opened: frozenset[tuple[Column, ...]] = frozenset()
    #: The columns of adopted foreign keys that stay references, though rows have only a part of
    #: them: rows with plain fields in their place would have no load order.
    closing: frozenset[tuple[Column, ...]] = frozenset()
    #: The keys that adopted schemas have where they could have them.
    preferred_keys: Mapping[SchemaClass, tuple[str, ...]] = field(default_factory=dict)
