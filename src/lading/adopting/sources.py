"""What a source has to adopt: its mapped classes, its tables without one, and what can't be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapper, registry

from lading.adopting.reflection import reflected
from lading.errors import DeclarationError
from lading.mapping.inheritance import family
from lading.messages import asyncio_remedy, is_text, shown

EXPECTED = (
    "a declarative base, a registry, a MetaData, a list of mapped classes, or an engine to reflect"
)


@dataclass(slots=True)
class Stock:
    """What a source has: mapped classes, tables that a class may map, and what is left out."""

    mappers: list[Mapper[Any]] = field(default_factory=list)
    tables: list[sa.Table] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def stock_of(source: Any) -> Stock:
    """Take stock of a source.

    Raises ``DeclarationError`` for what isn't one.

    Args:
        source: A declarative base, a registry, a MetaData, mapped classes, or an engine.
    """
    if isinstance(source, sa.Engine | sa.Connection):
        tables, left_out = reflected(source)
        return Stock(tables=tables, left_out=left_out)
    if isinstance(source, sa.MetaData):
        return Stock(tables=list(source.tables.values()))
    models = _models_of(source)
    if isinstance(models, registry):
        return _of_registry(models)
    return Stock(mappers=list(_bases(_mapper_of(model) for model in models)))


def check_source(source: Any) -> None:
    """Refuse what is no source, before it is first used."""
    if not isinstance(source, sa.Engine | sa.Connection | sa.MetaData):
        models = _models_of(source)
        for model in () if isinstance(models, registry) else models:
            _mapper_of(model)


def registries_of(source: Any) -> list[registry]:
    """Return the registries of a source's mapped classes, which are to be configured."""
    if isinstance(source, sa.MetaData | Stock):
        return []
    models = _models_of(source)
    if isinstance(models, registry):
        return [models]
    return [_mapper_of(model).registry for model in models]


def name_of(source: Any) -> str:
    """Return the name of a source's catalog: its database's, where that has one."""
    database = source.engine.url.database if isinstance(source, sa.Engine | sa.Connection) else None
    return Path(database).stem if database and is_text(database) else "adopted"


def _models_of(source: Any) -> registry | list[Any]:
    """Return the registry that a source is or has, or its list of classes."""
    if isinstance(source, registry):
        return source
    if isinstance(source, list | tuple | set | frozenset):
        return list(source)
    if isinstance(source, type) and source is not DeclarativeBase:
        if isinstance(sa.inspect(source, raiseerr=False), Mapper):
            return [source]
        for name in ("registry", "_sa_registry"):  # the second is what SQLModel has
            if isinstance(getattr(source, name, None), registry):
                return getattr(source, name)  # type: ignore[no-any-return]
    raise DeclarationError(
        "catalog-malformed",
        f"Catalog.from_metadata: source is {shown(source)}; expected {EXPECTED}{_hint(source)}",
    )


def _hint(source: Any) -> str:
    """Say what to give in place of an extension or of an object for asyncio."""
    if hasattr(source, "Model") and hasattr(source, "metadatas"):
        return ". Of an extension like Flask-SQLAlchemy, give it db.Model"
    remedy = asyncio_remedy(source, "async_connection.run_sync(Catalog.from_metadata)")
    return f". {remedy.removesuffix('.')}" if remedy else ""


def _mapper_of(model: Any) -> Mapper[Any]:
    mapper = sa.inspect(model, raiseerr=False)
    if not isinstance(mapper, Mapper):
        raise DeclarationError(
            "catalog-malformed",
            f"Catalog.from_metadata: source holds {shown(model)}, which isn't a mapped class; "
            f"expected {EXPECTED}",
        )
    return mapper


def _of_registry(models: registry) -> Stock:
    """Take a registry's classes, and the tables beside theirs that no class and no list maps."""
    mappers = sorted(models.mappers, key=lambda mapper: _place(mapper.class_))
    mapped = {table for mapper in mappers for table in mapper.tables}
    metadatas = dict.fromkeys([models.metadata, *_metadatas(mappers)])
    linking = set(_link_tables(mappers))
    tables = [table for metadata in metadatas for table in metadata.tables.values()]
    return Stock(
        mappers=list(_bases(mappers)),
        tables=[table for table in tables if table not in mapped | linking],
    )


def _metadatas(mappers: Iterable[Mapper[Any]]) -> Iterator[sa.MetaData]:
    for mapper in mappers:
        for table in mapper.tables:
            if isinstance(table, sa.Table):
                yield table.metadata


def _link_tables(mappers: Iterable[Mapper[Any]]) -> Iterator[Any]:
    """Yield the tables that hold the links of a relationship, and nothing else."""
    for mapper in mappers:
        for relationship in mapper.relationships:
            table = relationship.secondary
            if isinstance(table, sa.Table) and not relationship.viewonly:
                pairs = relationship.local_remote_pairs or []
                if set(table.columns) <= {column for pair in pairs for column in pair}:
                    yield table


def _bases(mappers: Iterable[Mapper[Any]]) -> Iterator[Mapper[Any]]:
    """Yield each hierarchy's base, once; of several classes over one table, the first."""
    mapped: set[Any] = set()
    for mapper in mappers:
        base = _base_of(mapper)
        tables = {member.local_table for member in family(base)}
        if not tables & mapped:
            mapped |= tables
            yield base


def _base_of(mapper: Mapper[Any]) -> Mapper[Any]:
    while mapper.inherits is not None and not mapper.concrete:
        mapper = mapper.inherits
    return mapper


def _place(model: type) -> tuple[str, str]:
    return model.__qualname__, model.__module__
