"""What a foreign key's reference is called: by its declared field, relationship or column."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from typing import Any

from sqlalchemy.orm import RelationshipDirection, RelationshipProperty

from lading.mapping.context import RowSetDraft
from lading.mapping.errors import AmbiguousDeclaration
from lading.mapping.fields import Ref
from lading.mapping.relationships import many_to_one
from lading.mapping.surrogate_keys import ID
from lading.model.rowsets import Column

#: The columns of a foreign key, each with the one that it holds.
Pairs = tuple[tuple[Column, Column], ...]
#: How a column's name ends that holds the id of another row: ``user_id``, ``userId``, ``userID``.
_ENDING = re.compile(r"_id$|(?<=[a-z0-9])I[dD]$")


def without_id(name: str) -> str:
    """Return a column's name without what says that it holds an id."""
    return _ENDING.sub("", name)


class ForeignKeyNames:
    """Names the foreign keys of one row set."""

    def __init__(self, draft: RowSetDraft) -> None:
        self.draft = draft
        self.relationships = [relationship for relationship, _ in draft.relationships.values()]

    def name_of(self, pairs: Pairs) -> tuple[str, Ref, str | None]:
        """Return the field's name, the field, and the relationship's name.

        Raises ``AmbiguousDeclaration`` where nothing names the foreign key, or too much.
        """
        local = tuple(near for near, _ in pairs)
        names = [str(relationship.key) for relationship in many_to_one(self.relationships, pairs)]
        views = _views(self.relationships, pairs) if len(local) > 1 else []
        declared = self._declared(local, [*names, *views])
        if declared is not None:
            name, field, wanted = declared
            return name, field, wanted if wanted in names else None
        if len(names) == 1:
            return names[0], Ref(), names[0]
        if names:
            if self.draft.is_adopted:
                self.draft.decide(names[0], f"is the first of the relationships {', '.join(names)}")
                return names[0], Ref(), names[0]
            fields = " or ".join(f"{name} = Ref()" for name in names)
            raise AmbiguousDeclaration(
                f"{names_of(local)} has several relationships; write {fields}"
            )
        if len(views) == 1:
            return views[0], Ref(), None
        return self._name_by_column(local), Ref(), None

    def _declared(
        self, local: tuple[Column, ...], relationships: list[str]
    ) -> tuple[str, Ref, Any] | None:
        """Return the declared field of a foreign key, by its name, and what it names in the model.

        Args:
            local: The foreign key's columns.
            relationships: The names of those that lead where it does.
        """
        attributes = self.attributes_of(local)
        plain = [without_id(attributes[0])] if len(local) == 1 else []
        for name, field in self.draft.declared.items():
            if not isinstance(field, Ref) or name in self.draft.used:
                continue
            wanted = field.relationship or name
            if isinstance(wanted, tuple):
                is_declared = set(wanted) in (set(attributes), {column.name for column in local})
            else:
                is_declared = wanted in (*relationships, *plain, *attributes)
            if is_declared:
                self.draft.used.add(name)
                return name, field, wanted
        return None

    def _name_by_column(self, local: tuple[Column, ...]) -> str:
        """Name a reference after its only column."""
        attributes = self.attributes_of(local)
        if self.draft.is_adopted:
            return self._free_name(local, attributes)
        if len(local) > 1:
            raise AmbiguousDeclaration(
                f"the foreign key ({names_of(local)}) has no relationship to be named after; name "
                f"it by its columns, as in name = Ref({tuple(attributes)!r})"
            )
        plain = attributes[0].removesuffix("_id")
        if plain == attributes[0] and self.draft.is_discriminator(local[0]):
            return f"{plain}_ref"  # the discriminator's field has that name
        return plain

    def _free_name(self, local: tuple[Column, ...], attributes: list[str]) -> str:
        """Name an adopted reference after its columns, as nothing else is named."""
        is_alone = len(local) == 1 and not self.draft.is_discriminator(local[0])
        own = set(attributes) if is_alone else set()
        other_names = ({*self.draft.hierarchy.attributes(), ID} - own) | self.draft.names
        joined = "_and_".join(map(without_id, attributes))
        numbered = (f"{joined}_ref{number or ''}" for number in itertools.count())
        candidates = itertools.chain([joined, *own], numbered)
        name = next(name for name in candidates if name not in other_names)
        if name != without_id(attributes[0]):
            self.draft.decide(name, f"is the reference by {names_of(local)}")
        return name

    def attributes_of(self, columns: tuple[Column, ...]) -> list[str]:
        """Return what the model calls columns, else their own names."""
        hierarchy = self.draft.hierarchy
        return [hierarchy.attribute(column) or str(column.name) for column in columns]

    def possible(self, pairs: Pairs) -> set[str]:
        """Return the possible names of a foreign key that couldn't be named."""
        attributes = set(self.attributes_of(tuple(near for near, _ in pairs)))
        names = {str(relationship.key) for relationship in many_to_one(self.relationships, pairs)}
        return names | attributes | set(map(without_id, attributes))


def _views(relationships: Iterable[RelationshipProperty[Any]], pairs: Pairs) -> list[str]:
    """Name the relationships that only read what a foreign key leads to."""
    return [
        str(relationship.key)
        for relationship in relationships
        if relationship.viewonly
        and relationship.direction is RelationshipDirection.MANYTOONE
        and set(relationship.local_remote_pairs or ()) == set(pairs)
    ]


def names_of(columns: tuple[Column, ...]) -> str:
    """Return the names of columns, for people."""
    return ", ".join(column.name for column in columns)
