"""What a catalog infers: natural keys, the names of references, and what is left out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapper, MapperProperty, RelationshipDirection, RelationshipProperty
from sqlalchemy.orm.exc import UnmappedColumnError

from lading.declare.columns import is_generated, is_unique, unique_columns
from lading.declare.rowsets import Column, Reference, RowSet, Value
from lading.errors import alike, nearest, shown
from lading.kind import article

if TYPE_CHECKING:
    from lading.declare.derivation import Entities

CONVENTIONAL = ("slug", "uuid")


class Unclear(Exception):
    """A rule has no answer, or several; the text says which and what to write.

    ``name`` is the field that it looked for in vain, where it did.
    """

    def __init__(self, text: str, name: str | None = None) -> None:
        super().__init__(text)
        self.name = name


def attribute_of(mapper: Mapper[Any], column: Column) -> str | None:
    """Return the name of the attribute that maps a column, or ``None``."""
    try:
        prop: MapperProperty[Any] = mapper.get_property_by_column(column)
    except UnmappedColumnError:
        return None
    return str(prop.key)  # reflected names are of a subclass of str


def surrogate_of(table: sa.Table, key_columns: set[Column]) -> Column | None:
    """Return the lone, generated primary key outside the natural key, if there is one."""
    columns = list(table.primary_key.columns)
    if len(columns) != 1 or columns[0] in key_columns or columns[0].foreign_keys:
        return None
    return columns[0] if is_generated(columns[0]) else None


def plain_pairs(relationship: RelationshipProperty[Any]) -> dict[Column, Column]:
    """Return a many-to-one's columns with those that they hold; nothing of other relationships."""
    if relationship.direction is not RelationshipDirection.MANYTOONE or relationship.viewonly:
        return {}
    pairs: Any = relationship.local_remote_pairs or []
    return dict(pairs)


def many_to_one(
    relationships: Iterable[RelationshipProperty[Any]], pairs: Iterable[tuple[Column, Column]]
) -> list[RelationshipProperty[Any]]:
    """Return the relationships that follow a foreign key.

    Where several keys have the same columns, those that lead where it does.
    """
    wanted = dict(pairs)
    found = [item for item in relationships if plain_pairs(item).keys() == wanted.keys()]
    exact = [item for item in found if plain_pairs(item) == wanted]
    return exact or found


def natural_key(rows: RowSet, declared: Any) -> tuple[Value | Reference, ...]:
    """Return the members of a row set's natural key: declared, or by the default rule.

    The rule: ``slug`` if unique and NOT NULL, else ``uuid`` likewise; else the only
    unique constraint or plain unique index without nullable columns; else a
    primary key made of references; else a primary key that isn't generated.
    ``Unclear`` says what to declare instead.
    """
    if declared is not None:
        return _declared_key(rows, declared)
    for name in CONVENTIONAL:
        found = [
            value
            for value in rows.values
            if value.name == name and value.kinds is None and value.writable
        ]
        if found and is_unique(found[0].column):
            if not found[0].column.nullable:
                return (found[0],)
            raise Unclear(f"{name} is unique but nullable; {_suggest(rows)}")
    candidates = _candidates(rows)
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        raise Unclear(f"several columns could be its natural key; {_suggest(rows)}")
    columns = rows.identity
    members = _covering(rows, columns)
    if columns and members and not (len(columns) == 1 and is_generated(columns[0])):
        return members
    raise Unclear(f"it has no natural key; {_suggest(rows)}")


def _declared_key(rows: RowSet, declared: Any) -> tuple[Value | Reference, ...]:
    """Return the members that ``natural_key`` names."""
    names = (declared,) if isinstance(declared, str) else declared
    if not isinstance(names, tuple | list) or not all(isinstance(n, str) for n in names):
        raise Unclear(f"natural_key = {shown(declared)}; write a field's name, or several")
    if not names:
        raise Unclear("natural_key names no field; write at least one")
    if len(set(names)) < len(names):
        raise Unclear(f"natural_key = {shown(declared)} names a field twice; name each once")
    return tuple(_key_member(rows, name) for name in names)


def _key_member(rows: RowSet, name: str) -> Value | Reference:
    for member in rows.members:
        if member.name == name:
            if not isinstance(member, Value | Reference):
                raise Unclear(f"natural_key names {name!r}, which is a list; name another field")
            if member.kinds is not None:
                raise Unclear(
                    f"natural_key names {name!r}, which only some of its classes have; "
                    "name another field"
                )
            if isinstance(member, Value) and not member.writable:
                raise Unclear(
                    f"natural_key names {name!r}, which is never read back; name another field"
                )
            if isinstance(member, Value) and not member.kind.is_key:
                kind = article(member.kind.name)
                raise Unclear(
                    f"natural_key names {name!r}, and {kind} field is no key; name another field"
                )
            return member
    names = [member.name for member in rows.members if isinstance(member, Value | Reference)]
    known = nearest(name, names)
    text = f"natural_key names {name!r}, which is no field of it; its fields are {known}"
    raise Unclear(text, name)


def by_field(target: RowSet, name: str) -> Value:
    """Return the field that ``by`` names; ``Unclear`` where it can't identify a target."""
    found = [item for item in target.values if item.name == name]
    known = [item.name for item in target.values if item.kind.is_key and item.kinds is None]
    like = f" such as {', '.join(alike(name, known))}" if alike(name, known) else ""
    if not found or not found[0].kind.is_key:
        raise Unclear(
            f"by={name!r} is no field of {target.schema.__name__} that can be a key; "
            f"name another{like}, or remove by"
        )
    if found[0].kinds is not None:
        raise Unclear(
            f"by={name!r} is a field that only some classes of {target.schema.__name__} have; "
            "name another, or remove by"
        )
    return found[0]


def _candidates(rows: RowSet) -> list[tuple[Value | Reference, ...]]:
    groups = []
    for columns in unique_columns(rows.table):
        if any(column.nullable for column in columns):
            continue
        members = _covering(rows, columns)
        if members:
            groups.append(members)
    return groups


def _covering(rows: RowSet, columns: tuple[Column, ...]) -> tuple[Value | Reference, ...]:
    """Return the members that hold exactly these columns, or nothing."""
    all_columns = wanted = set(columns)
    chosen: list[tuple[int, Value | Reference]] = []
    members: list[Value | Reference] = [*rows.values, *rows.references]
    for member in members:
        if member.kinds is not None:
            continue  # a key is every record's
        held: set[Column] = set()
        if isinstance(member, Reference):
            held = set(member.columns)
        elif member.kind.is_key and member.writable:
            held = {member.column}
        if held <= all_columns and held & wanted:
            position = min(i for i, column in enumerate(columns) if column in held & wanted)
            chosen.append((position, member))
            wanted = wanted - held
    return () if wanted else tuple(member for _, member in sorted(chosen, key=lambda c: c[0]))


def _suggest(rows: RowSet) -> str:
    """Say what could be written, with every candidate."""
    groups = [_covering(rows, columns) for columns in unique_columns(rows.table)]
    names = [tuple(member.name for member in group) for group in groups if group]
    if not names:
        column = rows.identity[0].name if rows.identity else "id"
        return (
            "write natural_key = (...) with the fields that identify a record outside any "
            f"database, or natural_key = {column!r} if the id itself is the identity"
        )
    shown_names = [shown(name[0] if len(name) == 1 else name) for name in names]
    return f"write natural_key = one of: {'; '.join(shown_names)}"


def coverage(entities: Entities) -> dict[str, str | None]:
    """List what no schema carries; see :meth:`Catalog.coverage`."""
    catalog = entities.catalog
    carried: dict[sa.Table, set[Column]] = {}
    for rows in entities.all_rows():
        for table in rows.tables:
            carried.setdefault(table, set()).update(rows.carried())
        for links in rows.links:
            held = {column for column, _ in links.local} | set(links.reference.columns)
            carried.setdefault(links.table, set()).update(held)
    left: dict[str, str | None] = {}
    for metadata in {table.metadata for table in carried}:
        for table in metadata.tables.values():
            if table not in carried:
                left[table.fullname] = catalog.leaves_out.get(table.fullname)
                continue
            for column in table.columns:
                if column not in carried[table]:
                    name = f"{table.fullname}.{column.name}"
                    left[name] = catalog.leaves_out.get(name)
    return dict(sorted(left.items()))
