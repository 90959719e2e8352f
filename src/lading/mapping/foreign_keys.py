"""A row set's foreign keys: which there are, what each is called, and which column is whose.

Foreign keys may share columns, with each other and with the primary key (a tenant's id
is in most of its tables' keys).  A column then has one carrier, and the other
references only have to agree with it: the reference that is never null or has the
fewest columns carries it, or a field of its own where a null reference wouldn't restore it
for the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import RelationshipDirection, RelationshipProperty

from lading.mapping.context import RowSetDraft
from lading.mapping.errors import AmbiguousDeclaration
from lading.mapping.fields import Ref
from lading.mapping.relationships import has_conditions, many_to_one, plain_pairs
from lading.model.rowsets import Column
from lading.model.uniqueness import leads_to_one

Pairs = tuple[tuple[Column, Column], ...]


@dataclass(eq=False, slots=True)
class ForeignKey:
    """One foreign key: each local column with the one that it holds, and its reference's name.

    ``shared`` are the columns that another member carries.
    """

    pairs: Pairs
    name: str
    field: Ref
    relationship: str | None
    shared: frozenset[Column] = frozenset()

    @property
    def local(self) -> tuple[Column, ...]:
        """The columns that hold it."""
        return tuple(near for near, _ in self.pairs)

    @property
    def remote(self) -> tuple[Column, ...]:
        """The columns that it refers to."""
        return tuple(far for _, far in self.pairs)


class ForeignKeys:
    """Names a row set's foreign keys and shares out their columns.

    ``held`` are the columns that references alone carry.
    """

    def __init__(self, draft: RowSetDraft) -> None:
        self.draft = draft
        self.rows = draft.rows
        self.order = {column: n for n, column in enumerate(draft.hierarchy.columns())}
        all_pairs = sorted(self._found(), key=self._fewest_first)
        self.excluded: set[Column] = set()
        self.keys = [key for pairs in all_pairs for key in self._named(pairs)]
        carried: set[Column] = set()
        fields: set[Column] = set()
        for key in self.keys:
            apart = self._fields_in(key, carried)
            key.shared = frozenset(carried & set(key.local)) | apart
            fields |= apart
            carried.update(key.local)
        self.held = (carried | self.excluded) - fields
        for column in self.order:
            self._refuse_two_ids(column)

    def at(self, column: Column) -> Iterator[ForeignKey]:
        """Yield the foreign keys whose references stand where this column does."""
        for key in self.keys:
            if key.local[0] is column:
                yield key

    def _fewest_first(self, pairs: Pairs) -> tuple[bool, int, list[int]]:
        """What is never null restores its columns for others, so it comes first."""
        may_be_null = any(near.nullable for near, _ in pairs)
        return may_be_null, len(pairs), [self.order[near] for near, _ in pairs]

    def _found(self) -> list[Pairs]:
        joining = {extension.pairs for extension in self.rows.extensions}
        own = {near for pairs in joining for near, _ in pairs}
        keys: dict[Pairs, None] = {}
        for table in self.rows.tables:
            for constraint in table.foreign_key_constraints:
                elements = constraint.elements
                near = tuple(element.parent for element in elements)
                try:
                    far = tuple(element.column for element in elements)
                except sa.exc.SQLAlchemyError as error:
                    self.draft.failed |= {str(column.name).removesuffix("_id") for column in near}
                    self.draft.report(
                        f"{names_of(near)}: its foreign key can't be resolved ({error})"
                    )
                    continue
                if not (set(near) <= own and far[0].table in self.rows.tables):
                    keys[tuple(zip(near, far, strict=True))] = None
        constrained = {near for pairs in keys for near, _ in pairs}
        for relationship, _ in self.draft.relationships.values():
            pairs = tuple(plain_pairs(relationship).items())
            if (
                not pairs
                or constrained & {near for near, _ in pairs}
                or has_conditions(relationship)
            ):
                continue  # one with conditions leads somewhere only where they hold
            if leads_to_one([far for _, far in pairs]):
                keys[pairs] = None
            else:
                self._refuse_declared(str(relationship.key), pairs)
        return list(keys)

    def _refuse_declared(self, relationship: str, pairs: Pairs) -> None:
        """Without a foreign key, what leads to several rows is no reference; a Ref says it is."""
        for name, field in self.draft.declared.items():
            if isinstance(field, Ref) and (field.relationship or name) == relationship:
                self.draft.used.add(name)
                remote = names_of(tuple(far for _, far in pairs))
                table = pairs[0][1].table.fullname
                self.draft.report(
                    f"{name} = Ref(...): {relationship} has no foreign key, and no constraint "
                    f"makes {remote} of {table} unique, so it could lead to several rows; make "
                    f"{remote} unique in the model, or remove {name}: without it "
                    f"{names_of(tuple(near for near, _ in pairs))} is a plain field"
                )

    def _named(self, pairs: Pairs) -> Iterator[ForeignKey]:
        """Name one foreign key; nothing if it can't be named or is left out."""
        try:
            name, field, relationship = self._name(pairs)
        except AmbiguousDeclaration as error:
            self.draft.failed |= self._possible_names(pairs)
            self.draft.report(str(error))
            return
        self.draft.seen.add(name)
        if name in self.draft.excluded:
            self.excluded.update(near for near, _ in pairs)
        else:
            yield ForeignKey(pairs, name, field, relationship)

    def _possible_names(self, pairs: Pairs) -> set[str]:
        """Return what a foreign key that isn't named might have been called."""
        local = [near for near, _ in pairs]
        attributes = {self.draft.hierarchy.attribute(near) or str(near.name) for near in local}
        relationships = [relationship for relationship, _ in self.draft.relationships.values()]
        names = {str(relationship.key) for relationship in many_to_one(relationships, pairs)}
        return names | attributes | {name.removesuffix("_id") for name in attributes}

    def _name(self, pairs: Pairs) -> tuple[str, Ref, str | None]:
        """Return the field's name, the field, and the relationship's name."""
        local = tuple(near for near, _ in pairs)
        draft = self.draft
        candidates = [relationship for relationship, _ in draft.relationships.values()]
        relationships = [str(item.key) for item in many_to_one(candidates, pairs)]
        attributes = [draft.hierarchy.attribute(column) or str(column.name) for column in local]
        views = _views(candidates, pairs) if len(local) > 1 else []
        plain = attributes[0].removesuffix("_id") if len(local) == 1 else None
        for name, field in draft.declared.items():
            if isinstance(field, Ref) and name not in draft.used:
                wanted = field.relationship or name
                if isinstance(wanted, tuple):
                    is_meant = set(wanted) in (set(attributes), {column.name for column in local})
                else:
                    is_meant = wanted in (*relationships, plain, *attributes, *views)
                if is_meant:
                    draft.used.add(name)
                    return name, field, wanted if wanted in relationships else None
        if len(relationships) == 1:
            return relationships[0], Ref(), relationships[0]
        if relationships:
            known = " or ".join(f"{name} = Ref()" for name in relationships)
            raise AmbiguousDeclaration(
                f"{names_of(local)} has several relationships; write {known}"
            )
        if len(views) == 1:
            return views[0], Ref(), None
        if plain is None:
            raise AmbiguousDeclaration(
                f"the foreign key ({names_of(local)}) has no relationship to be named after; name "
                f"it by its columns, as in name = Ref({tuple(attributes)!r})"
            )
        if plain == attributes[0] and self._is_discriminator(local[0]):
            return f"{plain}_ref", Ref(), None  # the record says its class by a field of that name
        return plain, Ref(), None

    def _is_discriminator(self, column: Column) -> bool:
        """Tell whether a column says which class a record is of, which a reference can't."""
        hierarchy = self.draft.hierarchy
        return column is hierarchy.discriminator and self.rows.classes is not None

    def _fields_in(self, key: ForeignKey, carried: set[Column]) -> frozenset[Column]:
        """Return the columns of a foreign key that need a field of their own.

        So do those that a null reference wouldn't restore, though they are never null or
        others need them, those of a primary key that the reference reaches beyond, so
        that the rest of it can be a natural key, and a discriminator.
        """
        may_be_null = len(key.pairs) > 1 and any(column.nullable for column in key.local)
        primary = set(self.rows.identity)
        reaches_beyond = len(primary) > 1 and not set(key.local) <= primary
        apart = set()
        for near, far in key.pairs:
            if self._is_discriminator(near):
                apart.add(near)
                continue
            needed = may_be_null and (not near.nullable or self._is_shared(near))
            if near in carried or not (needed or (near in primary and reaches_beyond)):
                continue
            attribute = self.draft.hierarchy.attribute(near)
            is_field = attribute is not None and attribute not in self.draft.excluded
            if is_field and not self._made_up(far):
                apart.add(near)
            elif needed:
                self.draft.report(
                    f"{key.name}: a null reference wouldn't restore {near.name}, which is in its "
                    f"foreign key ({names_of(key.local)}) and "
                    f"{'in others' if near.nullable else 'is never null'}; give {near.name} a "
                    "foreign key of its own, or make all of the columns nullable or none"
                )
        return frozenset(apart)

    def _is_shared(self, column: Column) -> bool:
        return sum(column in key.local for key in self.keys) > 1

    def _refuse_two_ids(self, column: Column) -> None:
        """A column can't hold ids of two tables, which another database makes up one by one."""
        keys = [(key, dict(key.pairs)[column]) for key in self.keys if column in key.local]
        ids_by_key = [self._made_up(far) for _, far in keys]
        whole = frozenset[Column]().union(*ids_by_key)
        if any(ids_of_key != whole for ids_of_key in ids_by_key):
            names = " and ".join(key.name for key, _ in keys)
            ids = ", ".join(sorted(map(str, whole)))
            self.draft.report(
                f"{names} share {column.name}, which would have to hold {ids} and another value "
                "that is the same in this database alone; leave one of them out with Meta.exclude"
            )

    def _made_up(self, column: Column, seen: frozenset[Column] = frozenset()) -> frozenset[Column]:
        """Return the ids that only their database knows, of which a column holds one in the end."""
        targets = {foreign.column for foreign in column.foreign_keys} - seen
        if targets:
            ids_by_target = (self._made_up(target, seen | {column}) for target in targets)
            return frozenset[Column]().union(*ids_by_target)
        table = column.table
        surrogates = {rows.surrogate for rows in self.draft.context.of_table(table)}
        return frozenset({column} if column in surrogates else ())


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
