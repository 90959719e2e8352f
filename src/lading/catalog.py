"""The set of an application's entity schemas, derived once, when first used."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lading.errors import DeclarationError
from lading.mapping.value_fields import checked_types
from lading.messages import shown

if TYPE_CHECKING:
    from lading.changes.change import Change
    from lading.mapping.derivation import Entities
    from lading.mapping.natural_keys import KeyChoice
    from lading.schema import EntitySchema


#: Every catalog that is still used, to name those that were meant where none was given.
_catalogs: weakref.WeakSet[Catalog] = weakref.WeakSet()


#: What may become of a double in SQLite that has more digits than its decimal column's scale.
EXACT, AS_READ = "exact", "as_read"


class Catalog:
    """The set of an application's entity schemas.

    ``name`` is written into bundles.  ``bind`` is the engine (or session factory)
    of calls without a session; ``source`` says which application and version
    writes the bundles.  ``releases`` maps an application's labels to entity
    versions, ``unlabelled`` says what a missing label means.  ``leaves_out`` maps
    tables (``"sessions"``) and columns (``"users.token"``) to the reason why no
    bundle carries them.  ``keep_ids`` carries the ids that the database numbers, as a
    field ``id`` of each record; ``Meta.keep_id`` says otherwise for an entity.  ``types`` maps
    classes of column types to the field of every column of such a type (or of a subclass of
    it), where its schema declares none: a class of fields, a field, or a function from the
    column's type to a field.  ``sqlite_decimals`` says what becomes of a double in SQLite that
    has more digits than its decimal column's scale: it is refused (``"exact"``), or written as
    SQLAlchemy reads it (``"as_read"``), rounded, with a warning and counted in the manifest.
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
        if not name or type(name) is not str:
            raise DeclarationError(f"Catalog: name is {shown(name)}; give it a non-empty string")
        for option, given in (("leaves_out", leaves_out), ("releases", releases)):
            if given is not None and not isinstance(given, Mapping):
                raise DeclarationError(f"Catalog: {option} is {shown(given)}; give it a mapping")
        self.name = name
        self.bind = bind
        self.source = source
        self.releases = dict(releases or {})
        self.unlabelled = unlabelled
        if not isinstance(keep_ids, bool):
            raise DeclarationError(f"Catalog: keep_ids is {shown(keep_ids)}; give it True or False")
        self.leaves_out = dict(leaves_out or {})
        self.keep_ids = keep_ids
        self.types = checked_types(types)
        if sqlite_decimals not in (EXACT, AS_READ):
            raise DeclarationError(
                f"Catalog: sqlite_decimals is {shown(sqlite_decimals)}; expected one of: "
                f"{EXACT!r}, {AS_READ!r}"
            )
        self.sqlite_decimals = sqlite_decimals
        self.schemas: list[type[EntitySchema]] = []
        self.changes: list[type[Change]] = []
        self._entities: Entities | None = None
        self._lock = threading.RLock()
        _catalogs.add(self)

    def __repr__(self) -> str:
        return f"<Catalog {self.name!r}: {len(self.schemas)} schemas>"

    def register(self, schema: type[EntitySchema]) -> None:
        """Add a schema; subclasses of ``EntitySchema`` do this by themselves."""
        with self._lock:
            self.schemas.append(schema)
            self._entities = None

    def register_change(self, change: type[Change]) -> None:
        """Add a change; subclasses of ``Change`` do this by themselves."""
        with self._lock:
            self.changes.append(change)
            self._entities = None

    def use(self) -> Entities:
        """Derive everything from the declarations, once.

        Raises ``DeclarationError`` with every mistake found.
        """
        with self._lock:
            if self._entities is None:
                from lading.mapping.derivation import derive  # it imports the schemas, they us

                self._entities = derive(self)
            return self._entities

    def coverage(self) -> dict[str, str | None]:
        """List what no schema carries: tables and columns of the models' metadata.

        Columns that look like references by ids which no record carries are among them: see
        ``declare.softreferences`` for the rule.  Maps each name (``"sessions"``,
        ``"users.token"``) to the reason that ``leaves_out`` gives, or to ``None``; sorted by
        name.
        """
        from lading.mapping.coverage import told_coverage

        return told_coverage(self.use())

    def choices(self) -> tuple[KeyChoice, ...]:
        """Say which natural key each entity has, what it was chosen from, and why.

        Sorted by name; owned lists with a key of their own are among them.
        """
        from lading.mapping.natural_keys import choices

        return choices(self.use())


default_catalog = Catalog("default")


def filled_catalogs() -> list[str]:
    """Name the catalogs that have schemas, each with their number."""
    counts = {catalog.name: len(catalog.schemas) for catalog in _catalogs if catalog.schemas}
    return [
        f"{name!r} has {count} schema{'s' * (count > 1)}" for name, count in sorted(counts.items())
    ]


def import_order(catalog: Catalog | None = None) -> dict[str, int]:
    """Return each entity's place in the import order, counted from 1, in that order.

    Without a catalog, the default one is meant.  Raises ``DeclarationError`` for a cycle
    of required references, with its path.
    """
    from lading.mapping.load_order import order_of  # it imports the entities, they us

    names = order_of((catalog or default_catalog).use()).entities
    return {name: place for place, name in enumerate(names, 1)}
