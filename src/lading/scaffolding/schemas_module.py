"""The module of schemas: written once, and later given the entities that are new."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lading.catalog import Catalog, default_catalog
from lading.errors import DeclarationError
from lading.messages import listed
from lading.scaffolding.code_layout import comment
from lading.scaffolding.entity_sources import COMMON, CatalogSource, EntitySource, catalog_lines
from lading.scaffolding.insertion import Module
from lading.scaffolding.memory import Memory
from lading.scaffolding.result import Scaffolding

DOCSTRING = '''"""Entity schemas of {name}, each beside those that it belongs to.

Written by lading init. Edit them as you like: another run only adds what is new in
the database.
"""'''
_COMMON = f'''class {COMMON}(EntitySchema):
    """What all schemas have in common."""

    class Meta:
        catalog = catalog'''


@dataclass(frozen=True, slots=True)
class Places:
    """How a module of schemas names what it is about.

    ``catalog_name`` is the catalog's name, ``imports`` are the statements that import the models of
    what is new, and ``base`` is the expression for what is adopted beside the schemas.
    """

    catalog_name: str
    imports: list[str]
    base: str | None


def write_schemas(
    path: Path, places: Places, source: CatalogSource, memory: Memory, result: Scaffolding
) -> None:
    """Write a module of all schemas.

    Args:
        path: Its path.
        places: How it names what it is about.
        source: What it says.
        memory: Takes what was written.
        result: Takes what was done.
    """
    name, base = places.catalog_name, places.base
    names = ", ".join(sorted({"Catalog", "EntitySchema"}.union(*_fields(source.entities))))
    elsewhere = [
        comment(f"in no bundle: {left}, for {reason}")
        for left, reason in sorted(source.elsewhere.items())
    ]
    blocks = [
        DOCSTRING.format(name=name) + f"\n\nfrom lading import {names}",
        "\n".join(places.imports),
        "\n".join([*elsewhere, catalog_lines(source, name, base)]),
    ]
    classes = [_COMMON]
    family = None
    for entity in source.entities:
        header = comment(f"Family: {entity.family}") + "\n\n\n" if entity.family != family else ""
        family = entity.family
        classes.append(header + entity.source)
        memory.schemas[entity.entity] = entity.source
        result.added.append(f"schemas.py: {entity.name}")
    path.write_text("\n\n".join(blocks) + "\n\n\n" + "\n\n\n".join(classes) + "\n", "utf-8")


def extend_schemas(
    path: Path,
    schemas: Any,
    places: Places,
    source: CatalogSource,
    *,
    memory: Memory,
    result: Scaffolding,
) -> None:
    """Add the schemas of what is new to a module, and list what would be written otherwise.

    Args:
        path: Its path.
        schemas: The module itself.
        places: How it names what is new.
        source: What a new module would say.
        memory: Says what was written before, and takes what is now.
        result: Takes what was done, and what would change.
    """
    variable, catalog = catalog_in(schemas, path)
    module = Module(path)
    declared = {
        schema.Meta.model: schema.__name__  # type: ignore[attr-defined]
        for schema in catalog.schemas
    }
    new = _compared(module, set(declared), source, memory, result)
    _list_reasons(catalog, source, result)
    families = {
        declared[entity.model]: entity.family
        for entity in source.entities
        if entity.model in declared
    }
    for entity in new:
        module.append_block(_block(module, entity, variable), _last_of(module, families, entity))
        memory.schemas[entity.entity] = entity.source
        result.added.append(f"schemas.py: {entity.name}")
    _import(module, new, places.imports)
    for name in sorted(memory.schemas.keys() - {entity.entity for entity in source.entities}):
        del memory.schemas[name]
    if module.is_changed:
        path.write_bytes(module.source().encode("utf-8"))


def _compared(
    module: Module,
    declared: set[type],
    source: CatalogSource,
    memory: Memory,
    result: Scaffolding,
) -> list[EntitySource]:
    """List what would be written otherwise by now; return the entities that are new."""
    new = []
    for entity in source.entities:
        before = memory.schemas.get(entity.entity)
        if entity.model in declared:
            if before not in (None, entity.source) and entity.source not in module.text:
                result.changes.append(f"schemas.py: {entity.name} would be:\n{entity.source}")
            else:
                memory.schemas[entity.entity] = entity.source
        elif before is not None:
            result.remarks.append(
                f"schemas.py has no schema for {entity.entity} any more, so no bundle carries it"
            )
        elif entity.owner in declared:
            result.changes.append(f"schemas.py would have:\n{entity.source}")
        else:
            new.append(entity)
    return new


def _list_reasons(catalog: Catalog, source: CatalogSource, result: Scaffolding) -> None:
    """List what would be named in ``leaves_out`` by now."""
    for name, reason in sorted(source.leaves_out.items()):
        if name not in catalog.leaves_out:
            result.changes.append(f"schemas.py: leaves_out would have {name!r}: {reason!r}")


def _block(module: Module, entity: EntitySource, variable: str) -> str:
    """Return an entity's schema, below the base that the module's schemas have."""
    if module.class_named(COMMON) is not None:
        return entity.source
    head, _, rest = entity.source.partition(f"({COMMON}):")
    model, _, options = rest.partition("class Meta:\n")
    return f"{head}(EntitySchema):{model}class Meta:\n        catalog = {variable}\n{options}"


def _last_of(
    module: Module, families: Mapping[str, str], entity: EntitySource
) -> ast.ClassDef | None:
    """Return the last class of an entity's family, if the module has one."""
    classes = [node for node in module.classes() if families.get(node.name) == entity.family]
    return classes[-1] if classes else None


def _fields(entities: Iterable[EntitySource]) -> list[frozenset[str]]:
    return [entity.fields for entity in entities]


def _import(module: Module, new: list[EntitySource], imports: Iterable[str]) -> None:
    if not new:
        return
    wanted = {"EntitySchema"} if module.class_named(COMMON) is None else set()
    module.add_imports({"lading": wanted.union(*_fields(new))}, ())
    for line in imports:
        module.add_import(line)


def catalog_in(schemas: Any, path: Path) -> tuple[str, Catalog]:
    """Return the catalog that a module of schemas makes, after its variable's name.

    Args:
        schemas: The module.
        path: Where it is.

    Raises:
        DeclarationError: It has none, or several.
    """
    catalogs = {
        candidate: name
        for name, candidate in vars(schemas).items()
        if isinstance(candidate, Catalog) and candidate is not default_catalog
    }
    if len(catalogs) != 1:
        raise DeclarationError(
            "package-unusable",
            f"{path} has {listed(sorted(catalogs.values())) if catalogs else 'no catalog'}; "
            "expected one Catalog. Give the module one: catalog = Catalog(...)",
        )
    ((catalog, variable),) = catalogs.items()
    return variable, catalog
