"""What a drawn application consists of, before it is source text or a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]


@dataclass(eq=False)
class Column:
    """A column: ``attr`` in Python, ``name`` in the database, ``kind`` as in ``kinds.KINDS``.

    ``filled`` says where its values come from: ``value``, ``id``, ``reference``,
    ``computed`` or ``class`` (a discriminator).
    """

    attr: str
    name: str
    kind: str
    type: str
    nullable: bool = False
    pk: bool = False
    filled: str = "value"
    options: list[str] = field(default_factory=list)
    of: Table | None = None

    @property
    def generates(self) -> bool:
        """Whether a default makes up another value for each row."""
        makers = ("lambda", "uuid4", "func.", "today", "=dict")
        return any(
            option.startswith(("default=", "server_default="))
            and any(maker in option for maker in makers)
            for option in self.options
        )


@dataclass(eq=False)
class ForeignKey:
    """A foreign key; ``inline`` ones stand at their column, others in ``__table_args__``."""

    table: Table
    columns: tuple[Column, ...]
    target: Table
    remote: tuple[Column, ...]
    inline: bool
    relationships: list[Relationship] = field(default_factory=list)

    @property
    def nullable(self) -> bool:
        """Whether it may be null."""
        return any(column.nullable for column in self.columns)

    @property
    def is_self(self) -> bool:
        """Whether it refers to its own table."""
        return self.target.root is self.table.root

    @property
    def follows_an_index(self) -> bool:
        """Whether the columns that it refers to are the first of an index, in its order."""
        held = self.target.held
        indexes = [held.key, *(unique.columns for unique in held.uniques)]
        return any(columns[: len(self.remote)] == self.remote for columns in indexes)


@dataclass(eq=False)
class Relationship:
    """An attribute of a class that is a relationship, rendered as ``source``."""

    attr: str
    source: str
    many: bool = False
    viewonly: bool = False
    ordered: bool = False


@dataclass(eq=False)
class Check:
    """A CHECK: its source, and what it says of a row."""

    source: str
    holds: Callable[[Row], bool]


@dataclass(eq=False)
class Unique:
    """A unique set of columns: a ``constraint``, an ``index``, or a ``partial`` index.

    A partial one holds where ``where`` isn't null.
    """

    columns: tuple[Column, ...]
    style: str
    where: Column | None = None
    nulls_equal: bool = False

    @property
    def is_key(self) -> bool:
        """Whether it tells every row apart, as the database sees it."""
        return self.style != "partial" and not any(column.nullable for column in self.columns)


@dataclass(eq=False)
class Table:
    """A mapped class with its table; a subclass has a ``base``, and no table if ``single``."""

    model: str
    name: str
    schema: str | None = None
    columns: list[Column] = field(default_factory=list)
    foreign_keys: list[ForeignKey] = field(default_factory=list)
    uniques: list[Unique] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    relationships: list[Relationship] = field(default_factory=list)
    extras: list[str] = field(default_factory=list)
    base: Table | None = None
    single: bool = False
    subclasses: list[Table] = field(default_factory=list)
    discriminator: Column | None = None
    identity: str | None = None
    keyless: bool = False

    @property
    def root(self) -> Table:
        """The base of its hierarchy, or itself."""
        return self if self.base is None else self.base.root

    @property
    def held(self) -> Table:
        """The class whose table holds its columns."""
        return self.base.held if self.base is not None and self.single else self

    @property
    def fullname(self) -> str:
        """The table's key in the metadata."""
        name = self.held.name
        return f"{self.held.schema}.{name}" if self.held.schema else name

    @property
    def key(self) -> tuple[Column, ...]:
        """The primary key's columns."""
        return tuple(column for column in self.held.columns if column.pk)

    @property
    def surrogate(self) -> Column | None:
        """The lone, made-up primary key, if there is one."""
        key = self.key
        return key[0] if len(key) == 1 and key[0].filled == "id" else None

    def attrs(self) -> set[str]:
        """Every attribute name in use, its bases' and subclasses' included."""
        return {
            name
            for table in self.root.family()
            for name in (
                *(column.attr for column in table.columns),
                *(item.attr for item in table.relationships),
                *(text.partition(" ")[0] for text in table.extras),
            )
        }

    def family(self) -> Iterator[Table]:
        """Yield itself and all its subclasses."""
        yield self
        for table in self.subclasses:
            yield from table.family()


@dataclass(eq=False)
class LinkTable:
    """A many-to-many link table: two foreign keys, maybe more columns."""

    variable: str
    name: str
    schema: str | None
    sides: tuple[ForeignKey, ForeignKey]
    keyed: str
    extra: Column | None = None

    @property
    def fullname(self) -> str:
        """The table's key in the metadata."""
        return f"{self.schema}.{self.name}" if self.schema else self.name


@dataclass(eq=False)
class Schema:
    """An entity schema: its fields as source, and its Meta options."""

    name: str
    table: Table
    fields: dict[str, str] = field(default_factory=dict)
    meta: dict[str, Any] = field(default_factory=dict)
    owners: list[ForeignKey] = field(default_factory=list)
    owns: list[Schema] = field(default_factory=list)
    dump_only: list[Column] = field(default_factory=list)
    key: tuple[Column, ...] = ()


@dataclass(eq=False)
class App:
    """A drawn application."""

    seed: int
    tables: list[Table] = field(default_factory=list)
    links: list[LinkTable] = field(default_factory=list)
    schemas: list[Schema] = field(default_factory=list)
    second: list[Table] = field(default_factory=list)
    twice: list[Table] = field(default_factory=list)
    referred_by: list[Column] = field(default_factory=list)
    features: set[str] = field(default_factory=set)

    @property
    def keeps_ids(self) -> bool:
        """Whether the catalog keeps the ids that the database numbers."""
        return self.seed % 5 == 3

    @property
    def engines(self) -> set[str]:
        """The engines that can make its tables: only one has arrays.

        MariaDB's schemas are databases, which two fresh ones would share; it takes no CHECK
        over a column that counts up, and no foreign key to columns that aren't the first of
        an index, in its order, and no name beyond the basic multilingual plane.
        """
        types = [column.type for table in self.tables for column in table.columns]
        if any(type_.startswith("sa.ARRAY") for type_ in types):
            return {"postgresql"}
        is_indexed = all(fk.follows_an_index for fk in self.foreign_keys())
        names = [item.name for item in (*self.tables, *self.links)]
        names += [column.name for table in self.tables for column in table.columns]
        is_named = max(map(max, names)) <= "\uffff"
        has_check = "check of a self reference" in self.features
        if self.databases or has_check or not is_indexed or not is_named:
            return {"sqlite", "postgresql"}
        return {"sqlite", "postgresql", "mariadb"}

    @property
    def databases(self) -> set[str]:
        """The schemas (``shop.items``) that must exist."""
        return {item.schema for item in (*self.tables, *self.links) if item.schema}

    def foreign_keys(self) -> Iterator[ForeignKey]:
        """Yield every foreign key of the mapped tables."""
        for table in self.tables:
            yield from table.foreign_keys

    def schema_of(self, table: Table) -> Schema | None:
        """Return the schema over a table or its base."""
        found = [item for item in self.schemas if item.table is table.root]
        return found[0] if found else None
