"""What a manifest says of its entities, held against itself and against a catalog.

An import goes by the catalog, so most of this changes nothing; but who reads a manifest
that contradicts the records reads a lie.  Only what can't be so is refused: a catalog may
have changed since, at one version, in ways that need no change.
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
from lading.messages import DAMAGED, shown
from lading.model.entities import Entities
from lading.model.shape import shape_of

#: Where in the manifest, what stands there, and what should.
Contradiction = tuple[str, Any, str]


def refuse_contradictions(manifest: Manifest, entities: Entities, *, current: bool) -> None:
    """Raise ``BundleError`` for what in a manifest contradicts itself or the catalog.

    ``current`` says that all of it is at the catalog's own versions.
    """
    contradictions = chain(_of_files(manifest, entities if current else None), _of_edges(manifest))
    for where, found, expected in contradictions:
        raise BundleError(
            f"is {shown(found)}; expected {expected}",
            f"{DAMAGED} If the catalog is another since, count the version up and declare a "
            "change.",
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
                yield from _fields(f"{place}.shape", entry.shape, declared)
        elif entities is not None:
            yield f"{place}.shape", dict(entry.shape), "the shape of the records"


def _of_edges(manifest: Manifest) -> Iterator[Contradiction]:
    """Deferred and external edges are references of the bundle's own entities."""
    entries = {entry.entity_type: entry for entry in manifest.files}
    edges: list[tuple[str, Deferred | External]] = [
        *((f"deferred[{n}]", edge) for n, edge in enumerate(manifest.deferred)),
        *((f"external[{n}]", edge) for n, edge in enumerate(manifest.external)),
    ]
    for place, edge in edges:
        entry = entries.get(edge.entity)
        links = None if entry is None else entry.references.get(edge.field)
        if links is None:
            what = f"a reference of {edge.entity!r}" if entry else "one of an entity of the bundle"
            yield f"{place}.field", edge.field, what
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
    """What an entry says twice is the same."""
    key = list(entry.natural_key)
    if key != entry.shape["key"]:
        yield f"{place}.natural_key", key, f"{entry.shape['key']!r}, as its shape says"
    links = dict(_links(entry.shape))
    found = {path: one.entity for path, one in entry.references.items()}
    if found != links:
        yield f"{place}.references", found, f"{links!r}, as its shape says"
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


def _fields(place: str, found: Mapping[str, Any], declared: Shape) -> Iterator[Contradiction]:
    """Hold fields against declared ones: these may take more by now, which needs no change."""
    fields, expected = found["fields"], declared["fields"]
    for name in fields.keys() | expected.keys():
        one, two = fields.get(name), expected.get(name)
        where = f"{place}.fields.{name}"
        if one is None or two is None:
            if not _may_differ(one or two):
                known = "no such field" if two is None else f"the {two['type']} that is declared"
                yield where, one, f"{known}, at this version"
            continue
        for part in ("type", "entity", "by", "flat"):
            if one.get(part) != two.get(part):
                declared_part = f"{two.get(part)!r}, as the catalog declares"
                yield f"{where}.{part}", one.get(part), declared_part
        ways = type_ways(one, two)
        is_narrower = one.get("nullable") and not two.get("nullable")
        if ways is None or NARROWER in ways or is_narrower:
            yield where, one, f"{two!r}, as the catalog declares, or what takes less"
        if is_owned(one):
            yield from _fields(where, one, two)


def _may_differ(field: Any) -> bool:
    """Tell whether a field may come or go at one version: computed ones, and lists of links."""
    return bool(field.get("computed")) or field["type"] == "references"
