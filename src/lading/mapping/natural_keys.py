"""Which natural key each entity has: the default rule, its candidates, and why one was chosen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lading.mapping.errors import AmbiguousDeclaration
from lading.mapping.generated_values import generates, is_numbered
from lading.mapping.unknown_names import with_hint
from lading.messages import shown
from lading.model.entities import KeyChoice, shown_names
from lading.model.rowsets import Column, Reference, RowSet, SchemaClass, Value
from lading.model.uniqueness import FILLED, is_guarded, unique_columns
from lading.values.base import article

Key = tuple[Value | Reference, ...]

CONVENTIONAL = "slug"
DECLARED = "natural_key is declared"
IDENTITY = (
    "the primary key, for nothing else tells all records apart: it means the same record only in "
    "databases that share their ids"
)
ALL_SET = (
    "the only unique columns: they may be null, but no row had a null when the database was "
    "reflected"
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Fields that tell records apart: how they are named, and what is said against them."""

    key: Key
    nullable: bool
    generated: bool
    primary: bool
    #: Whether a reflected database has rows, and none with a null.
    filled: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The fields' names, as ``natural_key`` takes them."""
        return tuple(member.name for member in self.key)


@dataclass(frozen=True, slots=True)
class Decision:
    """The members of a natural key, why they are, and the names of all that could be.

    ``is_default`` says whether a declared schema gets the key without naming it.
    """

    key: Key
    reason: str
    offered: tuple[tuple[str, ...], ...]
    is_default: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The fields' names, as ``natural_key`` takes them."""
        return tuple(member.name for member in self.key)


def choose_key(rows: RowSet, declared: Any, *, is_adopted: bool = False) -> Decision:
    """Decide on a row set's natural key.

    The rule, unless a key is declared: ``slug`` if unique and NOT NULL; else the only
    unique constraint or plain unique index without nullable columns whose values aren't
    generated; else the only one that is generated, with ``uuid`` before others; else a
    primary key that records carry.  For an adopted row set ``_adopted_key`` decides.

    Raises ``AmbiguousDeclaration``, which says what to declare instead.
    """
    offered = candidates(rows)
    is_default = declared is None
    if declared is not None:
        key, reason = _declared_key(rows, declared), DECLARED
    elif is_adopted and not offered:
        raise AmbiguousDeclaration(
            "it has no natural key: no unique columns of it, nor its primary key, can be one"
        )
    elif is_adopted:
        key, reason = _adopted_key(rows, offered)
        is_default = reason != IDENTITY and _is_default(rows, offered, key)
    else:
        key, reason = _default_key(rows, offered)
    return Decision(key, reason, tuple(candidate.names for candidate in offered), is_default)


def _is_default(rows: RowSet, offered: list[Candidate], key: Key) -> bool:
    """Tell whether a declared schema would get a key without naming it."""
    try:
        return _default_key(rows, offered)[0] == key
    except AmbiguousDeclaration:
        return False


def _default_key(rows: RowSet, offered: list[Candidate]) -> tuple[Key, str]:
    conventional = next(
        (candidate for candidate in offered if candidate.names == (CONVENTIONAL,)), None
    )
    if conventional is not None:
        if conventional.nullable:
            raise AmbiguousDeclaration(
                f"{CONVENTIONAL} is unique but nullable; {_suggest(offered)}"
            )
        return conventional.key, "slug is unique and never null"
    unique = [
        candidate for candidate in offered if not candidate.nullable and not candidate.primary
    ]
    business = [candidate for candidate in unique if not candidate.generated]
    conventional = next((candidate for candidate in unique if candidate.names == ("uuid",)), None)
    chosen = business or ([conventional] if conventional is not None else unique)
    if len(chosen) > 1:
        raise AmbiguousDeclaration(f"several columns could be its natural key; {_suggest(offered)}")
    if chosen:
        reason = "the only unique columns that are never null and not generated"
        generated = "unique and never null, though generated; nothing else is"
        return chosen[0].key, generated if chosen[0].generated else reason
    primary = next((candidate for candidate in offered if candidate.primary), None)
    if primary is not None and not _is_surrogate(rows, primary):
        return primary.key, "the primary key"
    raise AmbiguousDeclaration(f"it has no natural key; {_suggest(offered)}")


def _adopted_key(rows: RowSet, offered: list[Candidate]) -> tuple[Key, str]:
    """Decide on the key of a row set that nobody declared, by an order that always has an answer.

    What may be null is passed over, since twins would stop an export.  Then the rule is that of
    declared schemas; of several candidates it takes the first by its columns.  Without any it takes
    the only one that may be null, if no row of a reflected database has a null, and else the
    primary key.
    """
    firm = [candidate for candidate in offered if not candidate.nullable]
    try:
        key, reason = _default_key(rows, firm)
    except AmbiguousDeclaration:
        unique = [candidate for candidate in firm if not candidate.primary]
        business = [candidate for candidate in unique if not candidate.generated]
        if unique:
            return (business or unique)[0].key, "the first of several that are unique and not null"
        return _filled_key(offered) or identity_key(rows, offered)
    is_id = any(isinstance(member, Value) and is_numbered(member.column) for member in key)
    return (_filled_key(offered) or (key, IDENTITY)) if is_id else (key, reason)


def _filled_key(offered: list[Candidate]) -> tuple[Key, str] | None:
    """Return the only candidate beside the primary key, if no row has a null in it."""
    unique = [candidate for candidate in offered if not candidate.primary]
    return (unique[0].key, ALL_SET) if len(unique) == 1 and unique[0].filled else None


def identity_key(rows: RowSet, offered: list[Candidate] | None = None) -> tuple[Key, str]:
    """Return the primary key as the identity, for want of a better.

    Raises ``AmbiguousDeclaration`` where records don't carry it.
    """
    for candidate in candidates(rows) if offered is None else offered:
        if candidate.primary and not _is_surrogate(rows, candidate):
            return candidate.key, IDENTITY
    raise AmbiguousDeclaration(f"it has no natural key; {_suggest(offered or [])}")


def candidates(rows: RowSet) -> list[Candidate]:
    """List the unique sets of columns that could be the natural key, in the order of the offer.

    Those that may be null stand after those that may not, and a lone primary key (``id``)
    stands last.  A set of a lone primary key and other columns is left out: the others add nothing.
    """
    identity = rows.identity
    lone = set(identity) if len(identity) == 1 else set()
    groups = [group for group in unique_columns(rows.table) if not lone & set(group)]
    if len(identity) > 1 and set(identity) not in [set(group) for group in groups]:
        groups.append(identity)
    offered = sorted(_candidates(rows, groups), key=lambda candidate: candidate.nullable)
    offered += _candidates(rows, [identity] if lone else [])
    return [candidate for candidate in offered if _ends(rows, candidate.key)]


def _candidates(rows: RowSet, groups: Iterable[tuple[Column, ...]]) -> list[Candidate]:
    """Return those of the groups of columns that members hold."""
    keys = [(covering(rows, columns), columns) for columns in groups]
    return [_candidate(rows, members, columns) for members, columns in keys if members]


def _candidate(rows: RowSet, members: Key, columns: tuple[Column, ...]) -> Candidate:
    return Candidate(
        members,
        nullable=any(column.nullable for column in columns),
        generated=any(generates(column) for column in columns),
        primary=set(columns) == set(rows.identity),
        filled=all(not column.nullable or FILLED in column.info for column in columns),
    )


def _ends(rows: RowSet, key: Key) -> bool:
    """Tell whether a key ends: it may recur by one nullable reference beside other members."""
    own = [part for part in key if isinstance(part, Reference) and part.target is rows]
    return not own or (len(own) == 1 and own[0].nullable and len(key) > 1)


def _is_surrogate(rows: RowSet, primary: Candidate) -> bool:
    return any(
        isinstance(member, Value) and member.column is rows.surrogate for member in primary.key
    )


def covering(
    rows: RowSet,
    columns: tuple[Column, ...],
    owned: tuple[Column, ...] = (),
    *,
    every: bool = True,
) -> Key:
    """Return the members that hold exactly these columns, or nothing.

    Those that hold what the rows' owners give, the ``owned`` ones, need no member.  With
    ``every``, rows of every class must have them.

    Args:
        rows: the row set.
        columns: the columns, in the order of the members that are returned.
        owned: those of them that a row's owner gives.
        every: whether members of some classes of a hierarchy are passed over.
    """
    all_columns = set(columns)
    wanted = all_columns - set(owned)
    chosen: list[tuple[int, Value | Reference]] = []
    members: list[Value | Reference] = [*rows.values, *rows.references]
    for member in members:
        if every and member.classes is not None:
            continue
        member_columns: set[Column] = set()
        if isinstance(member, Reference):
            member_columns = set(member.columns)
        elif member.kind.is_key and member.writable:
            member_columns = {member.column}
        if member_columns <= all_columns and member_columns & wanted:
            position = min(
                i for i, column in enumerate(columns) if column in member_columns & wanted
            )
            chosen.append((position, member))
            wanted = wanted - member_columns
    return () if wanted else tuple(member for _, member in sorted(chosen, key=lambda c: c[0]))


def _suggest(offered: list[Candidate]) -> str:
    """Say what could be written, with every candidate."""
    if len(offered) == 1 and offered[0].primary and len(offered[0].key) == 1:
        return (
            "write natural_key = (...) with the fields that identify a record outside any "
            f"database, or natural_key = {shown_names(offered[0].names)} if the id itself is the "
            "identity"
        )
    if not offered:
        return (
            "write natural_key = (...) with the fields that identify a record outside any database"
        )
    keys = "; ".join(shown_names(candidate.names) for candidate in offered)
    return f"write natural_key = one of: {keys}"


def _declared_key(rows: RowSet, declared: Any) -> Key:
    """Return the members that ``natural_key`` names."""
    names = (declared,) if isinstance(declared, str) else declared
    if not isinstance(names, tuple | list) or not all(isinstance(n, str) for n in names):
        raise AmbiguousDeclaration(
            f"natural_key = {shown(declared)}; write a field's name, or several"
        )
    if not names:
        raise AmbiguousDeclaration("natural_key names no field; write at least one")
    if len(set(names)) < len(names):
        raise AmbiguousDeclaration(
            f"natural_key = {shown(declared)} names a field twice; name each once"
        )
    return tuple(_key_member(rows, name) for name in names)


def _key_member(rows: RowSet, name: str) -> Value | Reference:
    for member in rows.members:
        if member.name == name:
            if not isinstance(member, Value | Reference):
                raise AmbiguousDeclaration(
                    f"natural_key names {name!r}, which is a list; name another field"
                )
            if member.classes is not None:
                raise AmbiguousDeclaration(
                    f"natural_key names {name!r}, which only some of its classes have; "
                    "name another field"
                )
            if isinstance(member, Value) and not member.writable:
                why = (
                    "the database computes"
                    if member.column.computed is not None
                    else "is dump_only"
                )
                raise AmbiguousDeclaration(
                    f"natural_key names {name!r}, which {why}, so that no import would write it; "
                    "name another field"
                )
            if isinstance(member, Value) and not member.kind.is_key:
                kind = article(member.kind.name)
                raise AmbiguousDeclaration(
                    f"natural_key names {name!r}, and {kind} field can't be a key; "
                    "name another field"
                )
            return member
    names = [member.name for member in rows.members if isinstance(member, Value | Reference)]
    raise AmbiguousDeclaration(
        f"natural_key names an unknown field {with_hint(rows, name, names)}", name
    )


def choices(
    plain: Mapping[SchemaClass, RowSet],
    decisions: Mapping[SchemaClass, Decision],
    fields: Mapping[SchemaClass, Mapping[str, str]],
) -> tuple[KeyChoice, ...]:
    """Say which key each row set with a natural key has; see :meth:`Catalog.choices`.

    Args:
        plain: The row sets.
        decisions: Their keys.
        fields: What was decided about fields of adopted schemas.
    """
    return tuple(
        sorted(
            (
                KeyChoice(
                    plain[schema].name,
                    tuple(member.name for member in decision.key),
                    decision.offered,
                    decision.reason,
                    is_guarded(plain[schema]),
                    tuple(sorted(fields.get(schema, {}).items())),
                    decision.is_default,
                )
                for schema, decision in decisions.items()
            ),
            key=lambda choice: choice.entity,
        )
    )
