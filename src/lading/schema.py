"""``EntitySchema``: a marshmallow schema whose fields follow from a SQLAlchemy model.

The class only registers itself; its fields are derived when the catalog is first
used, because a mapper that is configured before its related classes exist stays
broken for good.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import marshmallow as ma

from lading.catalog import Catalog, default_catalog
from lading.errors import DeclarationError
from lading.mapping.meta_options import declares_model, option, option_faults
from lading.messages import shown

if TYPE_CHECKING:
    from lading.model.rowsets import RowSet


class EntitySchema(ma.Schema):
    """One kind of record: a mapped class and how its rows are written.

    ``class Meta`` takes ``model``, ``name`` (by default the table's),
    ``natural_key`` (a field or a tuple of fields), ``version`` (by default 1),
    ``depends_on``, ``volatile``, ``hidden`` (fields that no message shows), ``keep_id``
    (whether records carry an id that the database numbers), ``catalog``, and marshmallow's own
    options.  Without ``model`` the class is an abstract base, whose ``catalog``, ``volatile``,
    ``hidden`` and ``keep_id`` its subclasses inherit.

    ``load`` returns plain data with natural keys for references; it needs no
    session and creates nothing.
    """

    catalog: ClassVar[Catalog]
    rows: ClassVar[RowSet | None] = None
    declared: ClassVar[dict[str, ma.fields.Field[Any]]]
    as_written: ClassVar[dict[str, ma.fields.Field[Any]]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        faults = [f"{cls.__name__}: {text}" for text in option_faults(cls.__dict__.get("Meta"))]
        if faults:
            raise DeclarationError(faults)
        cls.catalog = option(cls, "catalog") or default_catalog
        if not isinstance(cls.catalog, Catalog):
            raise DeclarationError(
                f"{cls.__name__}: catalog = {shown(cls.catalog)}; give it a Catalog"
            )
        cls.rows = None
        if declares_model(cls):
            cls.catalog.register(cls)

    def __init__(self, **options: Any) -> None:
        if type(self).rows is None and declares_model(type(self)):
            type(self).catalog.use()
        self._by_class: dict[frozenset[str], EntitySchema] = {}
        super().__init__(**options)

    @classmethod
    def begin(cls) -> None:
        """Set ``declared`` to fresh copies of the fields as the application wrote them."""
        if "as_written" not in cls.__dict__:
            cls.as_written = dict(cls._declared_fields)
        cls.declared = {name: copy.copy(field) for name, field in cls.as_written.items()}

    @classmethod
    def nested(cls, rows: RowSet) -> EntitySchema:
        """Return a schema for owned rows: without what the nesting itself says."""
        carried = {member.name for member in rows.members}
        return cls(exclude=tuple(name for name in cls._declared_fields if name not in carried))

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
        rows = type(self).rows
        if rows is None or rows.discriminator is None or not isinstance(data, Mapping):
            return self
        names = {member.name for member in rows.members_of(data)}
        others = {member.name for member in rows.members} - names
        kept = frozenset(self.fields.keys() - others)
        if kept == self.fields.keys():
            return self
        if kept not in self._by_class:
            self._by_class[kept] = type(self)(only=kept)
        return self._by_class[kept]

    def _without_computed(self, data: Any, many: bool | None) -> Any:
        computed = {
            name if field.data_key is None else field.data_key
            for name, field in self.dump_fields.items()
            if name not in self.load_fields
        }
        if not computed:
            return data
        if (self.many if many is None else many) and isinstance(data, Sequence):
            return [_drop(item, computed) for item in data]
        return _drop(data, computed)


def _drop(data: Any, names: set[str]) -> Any:
    if not isinstance(data, Mapping):
        return data
    return {name: value for name, value in data.items() if name not in names}
