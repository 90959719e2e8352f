"""A row set's foreign keys: which there are, what each is called, and which column is whose.

Foreign keys may share columns, with each other and with the primary key (a tenant's id
is in most of its tables' keys).  A column then has one carrier, and the other
references only have to agree with it: the reference that is never null or has the
fewest columns carries it, or a field of its own where a null reference wouldn't restore it
for the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from lading.mapping.context import RowSetDraft
from lading.mapping.errors import AmbiguousDeclaration
from lading.mapping.fields import Ref
from lading.mapping.foreign_key_names import ForeignKeyNames, Pairs, names_of
from lading.mapping.relationships import has_conditions, plain_pairs
from lading.model.rowsets import Column
from lading.model.uniqueness import leads_to_one

#: Under which a column's ``info`` names the foreign keys, by their columns, that begin with it and
#: of which some rows have only a part.
PARTLY_NULL = "lading: partly null"
#: Under which it names those whose columns are plain fields in the bundle to be read.
AS_FIELDS = "lading: plain in the bundle"


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

    ``key_columns`` are the columns that references alone carry, ``plain`` those of foreign keys
    that are no references: of an adopted schema, or because ``Meta.stored`` names them.
    """

    def __init__(self, draft: RowSetDraft) -> None:
        self.draft = draft
        self.rows = draft.rows
        self.names = ForeignKeyNames(draft)
        self.order = {column: n for n, column in enumerate(draft.hierarchy.columns())}
        self.plain: set[Column] = set()
        all_pairs = sorted(self._all_pairs(), key=self._fewest_first)
        self.excluded: set[Column] = set()
        self.keys = [key for pairs in all_pairs for key in self._named(pairs)]
        carried: set[Column] = set()
        fields: set[Column] = set()
        for key in self.keys:
            apart = self._fields_in(key, carried)
            key.shared = frozenset(carried & set(key.local)) | apart
            fields |= apart
            carried.update(key.local)
        self.key_columns = (carried | self.excluded) - fields
        for column in self.order:
            self._refuse_two_ids(column)
        self._refuse_stored_ids()

    def at(self, column: Column) -> Iterator[ForeignKey]:
        """Yield the foreign keys whose references stand where this column does."""
        for key in self.keys:
            if key.local[0] is column:
                yield key

    def _fewest_first(self, pairs: Pairs) -> tuple[bool, int, list[int], list[str]]:
        """What is never null restores its columns for others, so it comes first."""
        may_be_null = any(near.nullable for near, _ in pairs)
        targets = [f"{far.table.fullname}.{far.name}" for _, far in pairs]
        return may_be_null, len(pairs), [self.order[near] for near, _ in pairs], targets

    def _all_pairs(self) -> list[Pairs]:
        """Return the pairs of columns of each foreign key: by constraints, or by relationships."""
        keys = dict.fromkeys(self._by_constraints())
        constrained = {near for pairs in keys for near, _ in pairs} | self.plain
        for relationship, _ in self.draft.relationships.values():
            pairs = plain_pairs(relationship)
            if constrained & pairs.keys() or has_conditions(relationship):
                continue  # one with conditions isn't a plain foreign key
            near, far = tuple(pairs), tuple(pairs.values())
            if pairs and leads_to_one(far):
                if not self._is_plain(near, far):
                    keys[tuple(pairs.items())] = None
            elif pairs:
                self._refuse_declared(str(relationship.key), tuple(pairs.items()))
        return list(keys)

    def _by_constraints(self) -> Iterator[Pairs]:
        """Yield the tables' foreign keys, but those by which subclasses' tables join the base's."""
        joining = {near for extension in self.rows.extensions for near, _ in extension.pairs}
        constraints = [c for table in self.rows.tables for c in table.foreign_key_constraints]
        for elements in (constraint.elements for constraint in constraints):
            near = tuple(element.parent for element in elements)
            if self._is_stored(near):
                self.plain.update(near)
                continue
            try:
                far = tuple(element.column for element in elements)
            except sa.exc.SQLAlchemyError as error:
                if self.draft.is_adopted:
                    self._keep_ids_in(near, f"its foreign key can't be resolved ({error})")
                    continue
                self.draft.failed |= {str(column.name).removesuffix("_id") for column in near}
                self.draft.report(
                    "reference-undecided",
                    f"{names_of(near)}: its foreign key can't be resolved ({error})",
                )
                continue
            if not self._is_plain(near, far) and not (
                set(near) <= joining and far[0].table in self.rows.tables
            ):
                yield tuple(zip(near, far, strict=True))

    def _is_stored(self, near: tuple[Column, ...]) -> bool:
        """Tell whether ``Meta.stored`` names all of a foreign key's columns."""
        return set(self.names.attributes_of(near)) <= self.draft.stored

    def _is_plain(self, near: tuple[Column, ...], far: tuple[Column, ...]) -> bool:
        """Tell whether an adopted foreign key is no reference, and record why."""
        names = tuple(column.name for column in near)
        if near in self.draft.context.settings.opened:
            self._keep_ids_in(near, "as a reference it would close a circle of required ones")
        elif self.draft.is_adopted and not self.draft.context.of_table(far[0].table):
            self._keep_ids_in(near, f"{far[0].table.fullname} isn't carried")
        elif self.draft.is_adopted and names in near[0].info.get(AS_FIELDS, ()):
            self._keep_ids_in(near, "it does in the bundle")
        elif self._is_partly_null(near):
            self._keep_ids_in(near, "some rows have only a part of its foreign key")
        return self.plain.issuperset(near)

    def _is_partly_null(self, near: tuple[Column, ...]) -> bool:
        """Tell whether some rows have only a part of an adopted foreign key, which can be plain."""
        names = tuple(column.name for column in near)
        is_noted = self.draft.is_adopted and names in near[0].info.get(PARTLY_NULL, ())
        return is_noted and near not in self.draft.context.settings.closing

    def _keep_ids_in(self, near: tuple[Column, ...], reason: str) -> None:
        """Record that a foreign key's columns are plain fields of an adopted schema."""
        self.plain.update(near)
        for name in self.names.attributes_of(near):
            self.draft.decide(name, f"holds the id itself, for {reason}")

    def _refuse_declared(self, relationship: str, pairs: Pairs) -> None:
        """Report a ``Ref`` whose relationship has no foreign key and may lead to several rows."""
        for name, field in self.draft.declared.items():
            if isinstance(field, Ref) and (field.relationship or name) == relationship:
                self.draft.used.add(name)
                remote = names_of(tuple(far for _, far in pairs))
                table = pairs[0][1].table.fullname
                self.draft.report(
                    "reference-undecided",
                    f"{name} = Ref(...): {relationship} has no foreign key, and no constraint "
                    f"makes {remote} of {table} unique, so it could lead to several rows; make "
                    f"{remote} unique in the model, or remove {name}: without it "
                    f"{names_of(tuple(near for near, _ in pairs))} is a plain field",
                )

    def _named(self, pairs: Pairs) -> Iterator[ForeignKey]:
        """Yield one foreign key with its name; nothing if it can't be named or is left out."""
        try:
            name, field, relationship = self.names.name_of(pairs)
        except AmbiguousDeclaration as error:
            self.draft.failed |= self.names.possible(pairs)
            self.draft.report("reference-undecided", str(error))
            return
        self.draft.names.add(name)
        if name in self.draft.excluded:
            self.excluded.update(near for near, _ in pairs)
        else:
            yield ForeignKey(pairs, name, field, relationship)

    def _fields_in(self, key: ForeignKey, carried: set[Column]) -> frozenset[Column]:
        """Return the columns of a foreign key that become fields of their own.

        A nullable composite reference can leave a column unset; if that column is never null,
        or is in another foreign key as well, it becomes a field of its own.  So does a
        discriminator, and a column of a primary key that the reference reaches beyond, so that
        the rest of it can be a natural key.  A column that holds a generated id can't be a field,
        so the declaration is refused where such a column is needed.
        """
        may_be_null = len(key.pairs) > 1 and any(column.nullable for column in key.local)
        primary = set(self.rows.identity)
        reaches_beyond = len(primary) > 1 and not set(key.local) <= primary
        apart = set()
        for near, far in key.pairs:
            if self.draft.is_discriminator(near):
                apart.add(near)
                continue
            needed = may_be_null and (not near.nullable or self._is_shared(near))
            if near in carried or not (needed or (near in primary and reaches_beyond)):
                continue
            attribute = self.draft.hierarchy.attribute(near)
            is_field = attribute is not None and attribute not in self.draft.excluded
            if is_field and not self._generated_ids(far):
                apart.add(near)
            elif needed:
                self.draft.report(
                    "reference-undecided",
                    f"{key.name}: a null reference wouldn't restore {near.name}, which is in its "
                    f"foreign key ({names_of(key.local)}) and "
                    f"{'in others' if near.nullable else 'is never null'}; give {near.name} a "
                    "foreign key of its own, or make all of the columns nullable or none",
                )
        return frozenset(apart)

    def _is_shared(self, column: Column) -> bool:
        return sum(column in key.local for key in self.keys) > 1

    def _refuse_two_ids(self, column: Column) -> None:
        """Report a column that holds generated ids of two tables: imports make them anew."""
        keys = [(key, dict(key.pairs)[column]) for key in self.keys if column in key.local]
        ids_by_key = [self._generated_ids(far) for _, far in keys]
        whole = frozenset[Column]().union(*ids_by_key)
        if any(ids_of_key != whole for ids_of_key in ids_by_key):
            names = " and ".join(key.name for key, _ in keys)
            ids = ", ".join(sorted(map(str, whole)))
            self.draft.report(
                "reference-undecided",
                f"{names} share {column.name}, which would have to hold {ids} and another value "
                "that is the same in this database alone; leave one of them out with Meta.exclude",
            )

    def _refuse_stored_ids(self) -> None:
        """Report a plain column that holds an id which an import makes anew."""
        for column in (
            [] if self.draft.is_adopted else sorted(self.plain, key=self.order.__getitem__)
        ):
            try:
                ids = ", ".join(sorted(map(str, self._generated_ids(column) - {column})))
            except sa.exc.SQLAlchemyError:
                continue  # what it refers to isn't there
            if ids:
                (name,) = self.names.attributes_of((column,))
                self.draft.report(
                    "reference-undecided",
                    f"Meta.stored names {name!r}, which holds {ids}, an id that "
                    "every import makes anew; keep those ids with keep_id = True",
                )

    def _generated_ids(
        self, column: Column, visited: frozenset[Column] = frozenset()
    ) -> frozenset[Column]:
        """Return the generated primary keys that a column refers to, through other keys as well."""
        targets = {foreign.column for foreign in column.foreign_keys} - visited
        if targets:
            ids_by_target = (self._generated_ids(target, visited | {column}) for target in targets)
            return frozenset[Column]().union(*ids_by_target)
        table = column.table
        surrogates = {rows.surrogate for rows in self.draft.context.of_table(table)}
        return frozenset({column} if column in surrogates else ())
