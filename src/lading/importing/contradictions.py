"""Finds what in a manifest contradicts the manifest itself, or the catalog.

An import follows the catalog, so most contradictions would change nothing; but a manifest
that contradicts its records misleads whoever reads it.  A catalog may have changed since, at
the same version, in ways that need no ``Change``: these are no contradictions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from lading.bundle.manifest import Deferred, External, FileEntry, LinkCount, Manifest
from lading.bundle.shape_format import is_shape
from lading.changes.compatibility import NARROWER, type_ways
from lading.changes.rewriting.shapes import Shape, is_link, is_owned
from lading.errors import BundleError
from lading.filenames import MANIFEST
from lading.messages import DAMAGED, Message, shown
from lading.model.entities import Entities
from lading.model.shape import shape_of

#: A place in the manifest, its value, and what is expected.
Contradiction = tuple[str, Any, str]

#: What to do with a bundle of a catalog that was another when it was written.
CHANGED = "If the catalog has changed since, raise the entity's version and declare a change."
MIGRATED = (
    "If the database's tables have changed since, load it into one with the tables of then, "
    "migrate that, and export again. Where another engine has no such type, declare models, and "
    "pass --catalog."
)


def contradictions(
    manifest: Manifest, entities: Entities | None, *, current: bool
) -> Iterator[BundleError]:
    """Yield how a manifest contradicts itself or the catalog, if one is given.

    ``current`` says that all entities are at the catalog's own versions.
    """
    of_files = _of_files(manifest, entities if current else None)
    is_adopted = entities is not None and entities.is_adopted
    for where, value, expected in chain(of_files, _of_edges(manifest)):
        yield BundleError(
            Message("manifest-contradicts", f"is {shown(value)}; expected {expected}"),
            f"{DAMAGED} {MIGRATED if is_adopted else CHANGED}",
            file=MANIFEST,
            field=where,
        )


def _of_files(manifest: Manifest, entities: Entities | None) -> Iterator[Contradiction]:
    names = {entry.entity_type for entry in manifest.files}
    for n, entry in enumerate(manifest.files):
        place = f"files[{n}]"
        if is_shape(entry.shape):
            yield from _within(place, entry, names)
            if entities is not None:
                declared = shape_of(entities[entry.entity_type])
                yield from _key(f"{place}.natural_key", entry, declared)
                where, is_adopted = f"{place}.shape", entities.is_adopted
                yield from _fields(where, entry.shape, declared, is_adopted=is_adopted)
        elif entities is not None:
            yield f"{place}.shape", dict(entry.shape), "the shape of the records"


def _of_edges(manifest: Manifest) -> Iterator[Contradiction]:
    """Check that deferred and external edges are references of the bundle's own entities."""
    entries = {entry.entity_type: entry for entry in manifest.files}
    edges: list[tuple[str, Deferred | External]] = [
        *((f"deferred[{n}]", edge) for n, edge in enumerate(manifest.deferred)),
        *((f"external[{n}]", edge) for n, edge in enumerate(manifest.external)),
    ]
    for place, edge in edges:
        entry = entries.get(edge.entity)
        links = None if entry is None else entry.references.get(edge.field)
        if links is None:
            holder = repr(edge.entity) if entry else "an entity of the bundle"
            yield f"{place}.field", edge.field, f"a reference of {holder}"
        elif isinstance(edge, External):
            yield from _external(place, edge, links, manifest)
        elif edge.references not in entries:
            yield f"{place}.references", edge.references, "an entity of the bundle"


def _external(
    place: str, edge: External, links: LinkCount, manifest: Manifest
) -> Iterator[Contradiction]:
    if not manifest.partial:
        yield place, edge.field, "nothing: the bundle isn't partial"
    if edge.references != links.entity:
        yield f"{place}.references", edge.references, f"{links.entity!r}, as its references say"
    if edge.count > links.count:
        yield f"{place}.count", edge.count, f"at most {links.count}, the number of its links"


def _within(place: str, entry: FileEntry, names: set[str]) -> Iterator[Contradiction]:
    """Check that what an entry says twice is the same."""
    key = list(entry.natural_key)
    if key != entry.shape["key"]:
        yield f"{place}.natural_key", key, f"{entry.shape['key']!r}, as its shape says"
    links = dict(_links(entry.shape))
    references = {path: links_to.entity for path, links_to in entry.references.items()}
    if references != links:
        yield f"{place}.references", references, f"{links!r}, as its shape says"
    for name in entry.dependencies:
        if name not in names or name == entry.entity_type:
            yield f"{place}.dependencies", name, "another entity of the bundle"
    for target in links.values():
        holders = {name for name in names if f"{target}.".startswith(f"{name}.")}
        if holders and not holders & {*entry.dependencies, entry.entity_type}:
            expected = f"{' or '.join(sorted(holders))} among them, to which its references lead"
            yield f"{place}.dependencies", list(entry.dependencies), expected


def _links(shape: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the references of records: dotted path and entity."""
    pending = [("", shape)]
    while pending:
        path, inner = pending.pop()
        for name, field in inner["fields"].items():
            if is_link(field):
                yield f"{path}{name}", field["entity"]
            elif is_owned(field):
                pending.append((f"{path}{name}.", field))


def _key(place: str, entry: FileEntry, declared: Shape) -> Iterator[Contradiction]:
    if set(entry.natural_key) != set(declared["key"]):
        yield place, list(entry.natural_key), f"{declared['key']!r}, as the catalog declares"


def _fields(
    place: str, shape: Mapping[str, Any], declared: Shape, *, is_adopted: bool
) -> Iterator[Contradiction]:
    """Compare fields with declared ones, which may take more values by now.

    Another engine's columns may take less, where nobody declared them: each record is checked.
    """
    fields, expected = shape["fields"], declared["fields"]
    for name in fields.keys() | expected.keys():
        field, expected_field = fields.get(name), expected.get(name)
        where = f"{place}.fields.{name}"
        if field is None or expected_field is None:
            if not _may_differ(field or expected_field):
                known = (
                    "no such field"
                    if expected_field is None
                    else f"the {expected_field['type']} that is declared"
                )
                yield where, field, f"{known}, at this version"
            continue
        for part in ("type", "entity", "by", "flat"):
            if field.get(part) != expected_field.get(part):
                declared_part = f"{expected_field.get(part)!r}, as the catalog declares"
                yield f"{where}.{part}", field.get(part), declared_part
        ways = type_ways(field, expected_field)
        is_narrower = field.get("nullable") and not expected_field.get("nullable")
        if ways is None or (not is_adopted and (NARROWER in ways or is_narrower)):
            yield where, field, f"{expected_field!r}, as the catalog declares, or what takes less"
        if is_owned(field) and is_owned(expected_field):
            yield from _fields(where, field, expected_field, is_adopted=is_adopted)


def _may_differ(field: Any) -> bool:
    """Tell whether a field may come or go at one version: computed ones, and lists of links."""
    return bool(field.get("computed")) or field["type"] == "references"
