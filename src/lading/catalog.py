"""The set of an application's entity schemas, derived once, when first used.

Whoever declares a schema imports this module, so what a catalog is used with is imported when it
is: mapping and adopting, and the libraries below them, take several times as long as the rest.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import marshmallow as ma
import sqlalchemy as sa

from lading.errors import ArgumentError, DeclarationError
from lading.mapping.meta_options import declares_model
from lading.mapping.settings import Settings
from lading.mapping.type_fields import checked_types
from lading.messages import is_text, listed, shown
from lading.model.entities import Entities, KeyChoice
from lading.model.rowsets import SchemaClass
from lading.model.shape import shape_of

if TYPE_CHECKING:
    from lading.adopting.entities import Adoption

#: Every catalog in use; an error about the empty default catalog names them.
_catalogs: weakref.WeakSet[Catalog] = weakref.WeakSet()


#: How doubles in SQLite with more digits than their decimal column's scale are exported.
EXACT, AS_READ = "exact", "as_read"


class Catalog:
    """The set of an application's entity schemas, and what follows from it.

    Everything is derived when the catalog is first used, and again after a further schema or
    change was registered.  Schemas themselves are never altered, so one schema may serve
    several catalogs.

    Args:
        name: What bundles call the catalog; a bundle loads into a catalog of the same name.
        bind: The engine (or session factory) of calls without a session.
        source: The application and version that write the bundles.
        releases: Maps an application's labels to entity versions.
        unlabelled: Which of these labels a document without one has.
        leaves_out: Maps tables (``"sessions"``) and columns (``"users.token"``) to the reason
            why no bundle carries them.
        keep_ids: Whether records carry the ids that the database numbers, as a field ``id``;
            ``Meta.keep_id`` says otherwise for an entity.
        types: Maps classes of column types to the field of every column of such a type (or of a
            subclass of it), where its schema declares none: a class of fields, a field, or a
            function from the column's type to a field.
        sqlite_decimals: What becomes of a double in SQLite that has more digits than its decimal
            column's scale: it is refused (``"exact"``), or written as SQLAlchemy reads it
            (``"as_read"``), rounded, with a warning and counted in the manifest.

    Raises:
        DeclarationError: An option isn't of these forms.
    """

    def __init__(
        self,
        name: str,
        *,
        bind: Any = None,
        source: str | None = None,
        releases: Mapping[str, Mapping[str, int]] | None = None,
        unlabelled: str | None = None,
        leaves_out: Mapping[str, str] | None = None,
        keep_ids: bool = False,
        types: Mapping[Any, Any] | None = None,
        sqlite_decimals: str = EXACT,
    ) -> None:
        _check_texts(name, source)
        for option, value in (("leaves_out", leaves_out), ("releases", releases)):
            if value is not None and not isinstance(value, Mapping):
                raise _malformed(option, value, "give it a mapping")
        self.name = name
        self.bind = bind
        self.source = source
        self.releases = dict(releases or {})
        self.unlabelled = unlabelled
        if not isinstance(keep_ids, bool):
            raise _malformed("keep_ids", keep_ids, "give it True or False")
        self.leaves_out = dict(leaves_out or {})
        self.keep_ids = keep_ids
        self.types = checked_types(types)
        if sqlite_decimals not in (EXACT, AS_READ):
            expected = f"expected one of: {EXACT!r}, {AS_READ!r}"
            raise _malformed("sqlite_decimals", sqlite_decimals, expected)
        self.sqlite_decimals = sqlite_decimals
        self.schemas: list[SchemaClass] = []
        self._adoption: Adoption | None = None
        #: The classes of its changes.
        self.changes: list[Any] = []
        self._entities: Entities | None = None
        self._lock = threading.RLock()
        _catalogs.add(self)

    @classmethod
    def from_metadata(
        cls,
        source: Any,
        *,
        name: str | None = None,
        owned: bool = False,
        natural_keys: Mapping[str, Any] | None = None,
        leaves_out: Mapping[str, str] | None = None,
        schemas: Iterable[SchemaClass] = (),
    ) -> Catalog:
        """Return a catalog of everything that a source has, without any declaration.

        Each table gets an entity when the catalog is first used.  What would be ambiguous in a
        declared schema is decided, and :meth:`choices` says how and why; what no record can
        carry is left out, and :meth:`coverage` gives the reason.  Nobody has looked at such a
        catalog yet, so it has ``keep_ids=True`` and ``sqlite_decimals="as_read"``.

        Args:
            source: A declarative base (``db.Model`` of Flask-SQLAlchemy, ``SQLModel``), a
                ``registry``, a ``MetaData``, a list of mapped classes, or an engine or
                connection, whose database is reflected.  An engine is the catalog's ``bind``.
            name: The catalog's name; by default the engine's database, or ``"adopted"``.
            owned: Whether a record holds the rows that its deletion takes along, by the foreign key
                or by a relationship's cascade, where nothing else refers to them; by default every
                table is an entity of its own, but for those whose only key has a float.
            natural_keys: Natural keys by the full names of tables: a field or a tuple of fields.
            leaves_out: Like the option of ``Catalog``.
            schemas: Schemas of your own; the rest of the source is adopted beside them.

        Returns:
            The catalog; an engine's database is reflected when it is first used.

        Raises:
            DeclarationError: ``source`` isn't of these forms, or another option has a mistake.
        """
        from lading.adopting.entities import Adoption
        from lading.adopting.sources import check_source, name_of

        check_source(source)
        if natural_keys is not None and not isinstance(natural_keys, Mapping):
            raise DeclarationError(
                "catalog-malformed",
                f"Catalog.from_metadata: natural_keys is {shown(natural_keys)}; give it a mapping",
            )
        if not isinstance(owned, bool):
            raise DeclarationError(
                "catalog-malformed",
                f"Catalog.from_metadata: owned is {shown(owned)}; give it True or False",
            )
        if not isinstance(schemas, Iterable):
            raise DeclarationError(
                "catalog-malformed",
                f"Catalog.from_metadata: schemas is {shown(schemas)}; give it a list of schemas",
            )
        catalog = cls(
            name if name is not None else name_of(source),
            bind=source if isinstance(source, sa.Engine) else None,
            leaves_out=leaves_out,
            keep_ids=True,
            sqlite_decimals=AS_READ,
        )
        for schema in schemas:
            catalog.register(schema)
        catalog._adoption = Adoption(source, natural_keys or {}, owned=owned)
        return catalog

    def prefer(
        self, keys: Mapping[str, Iterable[str]], shapes: Mapping[str, Mapping[str, Any]]
    ) -> None:
        """Let adopted entities have the natural keys and kinds of values of a bundle.

        They have what they could have.  What a reflected database gives as a key may depend on its
        rows, and the one to restore into has none; its columns may be of another engine's types.

        Args:
            keys: The names of key fields by entity.
            shapes: The shapes of records by entity.
        """
        if self._adoption is not None:
            self._adoption.preferred_keys = {name: tuple(key) for name, key in keys.items()}
            self._adoption.preferred_shapes = dict(shapes)
            self._entities = None

    def of_database(self, bind: Any) -> Catalog | None:
        """Return a database's own catalog, with the keys and kinds that this one's records have.

        Args:
            bind: What the database is read by.

        Returns:
            The catalog, if this one is of another database as it is; otherwise ``None``.
        """
        adoption = self._adoption
        is_database = isinstance(bind, sa.Engine | sa.Connection) and bind is not self.bind
        if adoption is None or not adoption.is_reflected or not is_database:
            return None
        entities = self.use()
        if adoption.schemas != set(self.schemas):
            return None
        owned, leaves_out = adoption.owned, self.leaves_out
        other = Catalog.from_metadata(bind, name=self.name, owned=owned, leaves_out=leaves_out)
        roots = {name: entities[name] for name in entities.roots}
        other.prefer(
            {name: rows.key_names for name, rows in roots.items()},
            {name: shape_of(rows) for name, rows in roots.items()},
        )
        return other

    def __repr__(self) -> str:
        return f"<Catalog {self.name!r}: {len(self.schemas)} schemas>"

    def register(self, schema: SchemaClass) -> None:
        """Add a schema; subclasses of ``EntitySchema`` do this by themselves.

        A schema that was declared in another catalog may be added as well, with those that it
        owns: each catalog then carries its rows by its own options.  An instance, such as
        ``PurchaseSchema()``, works by the catalog that the class was declared in.

        Args:
            schema: A subclass of ``EntitySchema`` whose ``Meta`` names a model.

        Raises:
            DeclarationError: It isn't such a class.
        """
        declared: Any = schema
        is_schema = isinstance(declared, type) and issubclass(declared, ma.Schema)
        if not is_schema or not declares_model(schema):
            raise DeclarationError(
                "catalog-malformed",
                f"catalog {self.name!r} can't register {shown(schema)}; "
                "give it an EntitySchema with model = …",
            )
        with self._lock:
            if schema not in self.schemas:
                self.schemas.append(schema)
            self._entities = None

    def register_change(self, change: Any) -> None:
        """Add a change; subclasses of ``Change`` do this by themselves.

        A further catalog of the same schemas needs their changes as well, in the same order.

        Args:
            change: A subclass of ``Change``.

        Raises:
            DeclarationError: It is something else.
        """
        is_change = isinstance(change, type) and hasattr(change, "upgrades")
        if not is_change or not hasattr(change, "steps"):
            raise DeclarationError(
                "catalog-malformed",
                f"catalog {self.name!r} can't register {shown(change)}; "
                "give it a Change with upgrades = …",
            )
        with self._lock:
            if change not in self.changes:
                self.changes.append(change)
            self._entities = None

    def use(self) -> Entities:
        """Derive everything from the declarations, once.

        Returns:
            The entities by name; the same object until a schema or change is registered.

        Raises:
            DeclarationError: The catalog is empty, or its schemas have mistakes, each of which
                the error lists.
        """
        from lading.mapping.derivation import derive

        with self._lock:
            if self._adoption is not None:
                # The module of EntitySchema knows this one, so only its name stands here.
                base = import_module("lading.schema").EntitySchema
                self._adoption.adopt(self, base)
            if not self.schemas:
                raise DeclarationError("catalog-empty", self._emptiness())
            if self._entities is None:
                self._entities = derive(self.schemas, self._settings())
            return self._entities

    def _settings(self) -> Settings:
        settings = Settings(self.name, self.keep_ids, self.types, self.leaves_out)
        if self._adoption is None:
            return settings
        adoption = self._adoption
        return replace(
            settings,
            adopted=adoption.schemas,
            left_out=adoption.left_out,
            decisions=adoption.decisions,
            preferred_keys=adoption.preferred(),
        )

    def coverage(self) -> dict[str, str | None]:
        """List what no schema carries: tables and columns of the models' metadata.

        Columns that look like references by ids which no record carries are among them: see
        ``mapping.soft_references`` for the rule.

        Returns:
            The reason that ``leaves_out`` gives for each name (``"sessions"``,
            ``"users.token"``), or ``None``; sorted by name.

        Raises:
            DeclarationError: The catalog is empty, or its schemas have mistakes.
        """
        from lading.mapping.coverage import coverage

        return dict(coverage(self.use()))

    def choices(self) -> tuple[KeyChoice, ...]:
        """Say which natural key each entity has, what it was chosen from, and why.

        For an adopted entity it says as well what was decided about its fields.

        Returns:
            The choices sorted by name, those of owned lists with a key of their own included.

        Raises:
            DeclarationError: The catalog is empty, or its schemas have mistakes.
        """
        return self.use().choices

    def _emptiness(self) -> str:
        others = filled_catalogs() if self is default_catalog else []
        if others:
            return f"the default catalog is empty; {listed(others, separator=', ')}: pass catalog=…"
        if self._adoption is not None:
            reasons = [f"{name}: {text}" for name, text in self._adoption.left_out.items()]
            names = listed(reasons) or "it has no tables"
            return (
                f"catalog {self.name!r} is empty; nothing of its source can be adopted:\n  {names}"
            )
        return f"catalog {self.name!r} is empty; declare an EntitySchema with model = … in it"


def _malformed(option: str, value: Any, expected: str) -> DeclarationError:
    text = f"Catalog: {option} is {shown(value)}; {expected}"
    return DeclarationError("catalog-malformed", text)


def _check_texts(name: Any, source: Any) -> None:
    """Refuse a name or source that no file can hold."""
    if not name or type(name) is not str or not is_text(name):
        raise _malformed("name", name, "give it a non-empty string")
    if source is not None and not is_text(source):
        raise _malformed("source", source, "give it a string")


default_catalog = Catalog("default")


def filled_catalogs() -> list[str]:
    """Name the catalogs that have schemas, each with their number."""
    counts = {catalog.name: len(catalog.schemas) for catalog in _catalogs if catalog.schemas}
    return [
        f"{name!r} has {count} schema{'s' * (count > 1)}" for name, count in sorted(counts.items())
    ]


def catalog_of(catalog: Any) -> Catalog:
    """Return the catalog to work with: the default one where none is given."""
    if catalog is None:
        return default_catalog
    if not isinstance(catalog, Catalog):
        raise ArgumentError("catalog", catalog, "a Catalog")
    return catalog


def import_order(catalog: Catalog | None = None) -> dict[str, int]:
    """Return each entity's place in the import order, counted from 1, in that order.

    Args:
        catalog: The catalog of the entities; by default the default one.

    Returns:
        The places by the names of the entities.

    Raises:
        DeclarationError: The catalog is empty, its schemas have mistakes, or required references
            form a cycle, whose path the error shows.
    """
    from lading.mapping.load_order import load_order_of

    names = load_order_of(catalog_of(catalog).use()).entities
    return {name: place for place, name in enumerate(names, 1)}
