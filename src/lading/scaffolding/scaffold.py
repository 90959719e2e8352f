"""The order of events of ``lading init``: models, schemas, the round trip, and then the files."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lading.adopting.key_nulls import note_nulls
from lading.adopting.odd_types import note_odd_keys, note_unknown_types
from lading.adopting.reflection import connection_of
from lading.adopting.sources import name_of
from lading.bundle.stores.files import reported
from lading.bundle.stores.whole_file import whole_file
from lading.catalog import Catalog
from lading.errors import ArgumentError
from lading.fresh_databases.factories import EngineFactory
from lading.scaffolding.entity_sources import catalog_source
from lading.scaffolding.loaded import package, registries
from lading.scaffolding.memory import NAME, Memory, memory_of
from lading.scaffolding.model_places import ModelPlaces, of_modules, of_package
from lading.scaffolding.models_module import classes_of, extend_models, write_models
from lading.scaffolding.proof import round_trip, unproved
from lading.scaffolding.result import Scaffolding
from lading.scaffolding.schemas_module import Places, catalog_in, extend_schemas, write_schemas

_INIT = '"""Declarations of {name}: models and entity schemas."""\n'


def scaffold(
    bind: sa.Engine | sa.Connection | None,
    folder: str | os.PathLike[str],
    *,
    name: str | None = None,
    models: Any = None,
    owned: bool = False,
    scratch: EngineFactory | None = None,
) -> Scaffolding:
    """Write a package that declares a database, or add to one what is new.

    The modules are tried out elsewhere first: their declarations are loaded, the database is
    exported by them, imported into a scratch database and compared.  Only then are files written.
    Lines that are there stay as they are.

    Args:
        bind: An engine or connection of the database; without one only schemas are written, and
            nothing is compared.
        folder: The package's folder; it may be there.
        name: The catalog's name; by default the database's.
        models: A declarative base, a registry or a list of models that are there; only schemas
            are written for them.
        owned: Whether records hold the rows that are deleted along with them.
        scratch: Makes the scratch database; by default it is SQLite in a file.

    Returns:
        What was written, and what was not.

    Raises:
        ArgumentError: Neither a database nor models are given, or the folder is a file.
        DeclarationError: The package's own modules can't be used.
        TargetError: The database can't be read, or no models of it can be used.
        BundleError: A file can't be written.
    """
    target = Path(folder)
    if bind is None and models is None:
        raise ArgumentError("bind", None, "an engine, or models")
    if target.exists() and not target.is_dir():
        raise ArgumentError("folder", os.fspath(folder), "a folder, or a path where none is")
    called = name or (name_of(bind) if bind is not None else target.name)
    result = Scaffolding(target)
    with _staged(target) as stage:
        _Run(bind, stage, called, models, owned, scratch, result).run()
        _publish(stage, target, result)
    return result


@contextmanager
def _staged(target: Path) -> Iterator[Path]:
    """Yield a folder of the same name with the package's modules, to try them out."""
    with tempfile.TemporaryDirectory(prefix="lading-init-") as parent:
        stage = Path(parent, target.resolve().name)
        stage.mkdir()
        for path in [*target.rglob("*.py"), target / NAME] if target.exists() else []:
            if path.is_file():
                copy = stage / path.relative_to(target)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
        yield stage


def _publish(stage: Path, target: Path, result: Scaffolding) -> None:
    """Write the files that differ, each at once."""
    with reported(target, "written"):
        target.mkdir(parents=True, exist_ok=True)
    for name in ("__init__.py", "models.py", "schemas.py", NAME):
        new, path = stage / name, target / name
        if not new.exists() or (path.exists() and path.read_bytes() == new.read_bytes()):
            continue
        with reported(path, "written"), whole_file(path) as file:
            file.write(new.read_bytes())
        result.written.append(path)


@dataclass(slots=True)
class _Run:
    """One run over a staged package."""

    bind: sa.Engine | sa.Connection | None
    folder: Path
    name: str
    models: Any
    owned: bool
    scratch: EngineFactory | None
    result: Scaffolding

    def run(self) -> None:
        """Write the modules, and prove them."""
        memory = memory_of(self.folder)
        init = self.folder / "__init__.py"
        if not init.exists():
            init.write_text(_INIT.format(name=self.name), "utf-8")
        elsewhere = self._write_models(memory) if self.models is None else {}
        with package(self.folder) as (models, schemas):
            self._write_schemas(models, schemas, elsewhere, memory)
        (self.folder / NAME).write_text(memory.text(), "utf-8")
        with package(self.folder) as (_, schemas):
            _, catalog = catalog_in(schemas, self.folder / "schemas.py")
            self.result.entities = len(catalog.use().roots)
            for place, reason in catalog.coverage().items():
                if reason is None:
                    self.result.remarks.append(
                        f"no bundle carries {place}; declare it, or name it in leaves_out with the "
                        "reason"
                    )
            if self.bind is not None:
                self.result.records, self.result.problems = round_trip(
                    self.bind,
                    catalog,
                    has_own_models=self.models is not None,
                    scratch=self.scratch,
                )
                self.result.unproved += unproved(
                    self.bind, catalog, is_same_engine=self.scratch is not None
                )

    def _write_models(self, memory: Memory) -> dict[str, str]:
        assert self.bind is not None
        path = self.folder / "models.py"
        if not path.exists():
            return write_models(self.bind, path, self.name, memory, self.result)
        with package(self.folder) as (models, _):
            classes = classes_of(models)
            return extend_models(self.bind, path, classes, memory, self.result)

    def _write_schemas(
        self, models: Any, schemas: Any, elsewhere: dict[str, str], memory: Memory
    ) -> None:
        path = self.folder / "schemas.py"
        base = self._base(models)
        if self.bind is not None and self.models is None:
            with connection_of(self.bind) as connection:
                note_nulls(connection, base.metadata.tables.values())
                note_unknown_types(connection, base.metadata.tables.values())
                note_odd_keys(connection, base.metadata.tables.values())
        adopted = Catalog.from_metadata(base, name=self.name, owned=self.owned)
        mapped = {rows.mapper.class_ for rows in adopted.use().all_rows()}
        places = self._places(models, mapped)
        source = catalog_source(adopted, elsewhere, places.expressions)
        known = {schema.Meta.model for schema in self._declared(schemas)}
        new = [entity.model for entity in source.entities if entity.model not in known]
        beside = [self.models] if source.undeclared and isinstance(self.models, type) else []
        expression = places.expressions.get(beside[0]) if beside else None
        if source.undeclared and expression is None:
            names = ", ".join(source.undeclared)
            self.result.remarks.append(f"no bundle carries {names}: their models can't be imported")
        named = Places(self.name, places.lines([*new, *beside]), expression)
        if schemas is None:
            write_schemas(path, named, source, memory, self.result)
        else:
            extend_schemas(path, schemas, named, source, memory=memory, result=self.result)

    def _declared(self, schemas: Any) -> list[Any]:
        return [] if schemas is None else catalog_in(schemas, self.folder / "schemas.py")[1].schemas

    def _base(self, models: Any) -> Any:
        """Return what is adopted."""
        if self.models is not None:
            return self.models
        bases = registries(vars(models).values())
        if not bases:
            raise ArgumentError("folder", os.fspath(self.folder), "models with a declarative base")
        return bases[0]

    def _places(self, models: Any, mapped: set[type]) -> ModelPlaces:
        if self.models is not None:
            classes = mapped | ({self.models} if isinstance(self.models, type) else set())
            return of_modules(sorted(classes, key=lambda cls: (cls.__module__, cls.__qualname__)))
        names = {cls: name for name, cls in vars(models).items() if isinstance(cls, type)}
        return of_package([cls for cls in mapped if cls in names], names)
