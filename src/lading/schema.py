"""``EntitySchema``: a marshmallow schema whose fields follow from a SQLAlchemy model.

The class only registers itself, and is never altered: what a catalog derives when it is first
used lives in the catalog, and in the instances of the class.  A mapper that is configured
before its related classes exist stays broken for good.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

import marshmallow as ma

from lading.catalog import Catalog, default_catalog
from lading.errors import DeclarationError
from lading.mapping.fields import adopt, schema_of
from lading.mapping.meta_options import declares_model, option, option_faults
from lading.messages import shown
from lading.model.rowsets import RowSet


class EntitySchema(ma.Schema):
    """An entity: a mapped class, and how its rows are written as records.

    ``class Meta`` takes ``model``, ``name`` (by default the table's),
    ``natural_key`` (a field or a tuple of fields), ``version`` (by default 1),
    ``depends_on``, ``volatile``, ``hidden`` (fields that no message shows), ``keep_id``
    (whether records carry an id that the database numbers), ``catalog``, and marshmallow's own
    options.  Without ``model`` the class is an abstract base, whose ``catalog``, ``volatile``,
    ``hidden`` and ``keep_id`` its subclasses inherit.

    ``load`` returns plain data with natural keys for references; it needs no
    session and creates nothing.  An instance works by the catalog that its class is declared
    in, also where :meth:`Catalog.register` gave the class to further ones.
    """

    catalog: ClassVar[Catalog]
    #: The rows that an instance reads and writes, by the catalog that it works by.
    rows: RowSet | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        faults = [f"{cls.__name__}: {text}" for text in option_faults(cls.__dict__.get("Meta"))]
        if faults:
            raise DeclarationError("schema-malformed", faults)
        cls.catalog = option(cls, "catalog") or default_catalog
        if not isinstance(cls.catalog, Catalog):
            raise DeclarationError(
                "schema-malformed",
                f"{cls.__name__}: catalog = {shown(cls.catalog)}; give it a Catalog",
            )
        if declares_model(cls):
            cls.catalog.register(cls)

    def __init__(self, **options: Any) -> None:
        if self.rows is None and declares_model(type(self)):
            adopt(self, type(self).catalog.use().plain[type(self)])
        self._by_class: dict[frozenset[str], EntitySchema] = {}
        super().__init__(**options)

    def load(self, data: Any, *, many: bool | None = None, **options: Any) -> Any:
        """Read records as marshmallow does; computed fields are left aside, not refused."""
        return super().load(self._without_computed(data, many), many=many, **options)

    def validate(self, data: Any, *, many: bool | None = None, **options: Any) -> Any:
        """Return the errors that ``load`` would raise."""
        return super().validate(self._without_computed(data, many), many=many, **options)

    def _deserialize(self, data: Any, *, many: bool = False, **options: Any) -> Any:
        """Read each record of a hierarchy by the fields of its own class."""
        schema = self if many else self._of_class(data)
        return super(EntitySchema, schema)._deserialize(data, many=many, **options)

    def _of_class(self, data: Any) -> EntitySchema:
        """Return a schema with the fields of a record's own class alone."""
        rows = self.rows
        if rows is None or rows.discriminator is None or not isinstance(data, Mapping):
            return self
        names = {member.name for member in rows.members_of(data)}
        others = {member.name for member in rows.members} - names
        carried = frozenset(self.fields.keys() - others)
        if carried == self.fields.keys():
            return self
        if carried not in self._by_class:
            self._by_class[carried] = cast("EntitySchema", schema_of(rows, only=carried))
        return self._by_class[carried]

    def _without_computed(self, data: Any, many: bool | None) -> Any:
        computed = {
            name if field.data_key is None else field.data_key
            for name, field in self.dump_fields.items()
            if name not in self.load_fields
        }
        if not computed:
            return data
        if (self.many if many is None else many) and isinstance(data, Sequence):
            return [_drop(record, computed) for record in data]
        return _drop(data, computed)


def _drop(data: Any, names: set[str]) -> Any:
    if not isinstance(data, Mapping):
        return data
    return {name: value for name, value in data.items() if name not in names}
