"""What the page of a bundle or database says, as the JSON that its script reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lading.drawing.entity_graph import EntityGraph
from lading.html.sample import EntitySample, EntityTotal
from lading.model.entities import KeyChoice

#: What a field's shape says of its type, after the type's name.
TYPE_OPTIONS = ("precision", "scale", "dimensions", "by")
FLAGS = ("nullable", "computed", "optional", "flat", "stored")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ReportSubject:
    """What is reported, beside the records: texts by label, and what isn't carried.

    ``shapes``, ``versions`` and ``links`` (numbers by path, where they are known) are by entity.
    """

    title: str
    facts: Mapping[str, str]
    shapes: Mapping[str, Mapping[str, Any]]
    versions: Mapping[str, int]
    left_out: Mapping[str, str | None]
    links: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    choices: Sequence[KeyChoice] = ()
    notes: Sequence[str] = ()


def report_data(
    subject: ReportSubject,
    graph: EntityGraph,
    entities: Sequence[EntityTotal],
    samples: Sequence[EntitySample],
) -> Json:
    """Return a report as JSON: entities in import order, with their records.

    Args:
        subject: what the report is of.
        graph: the entities and their references.
        entities: their numbers of records, in import order.
        samples: the records of each that are shown.
    """
    total = sum(entity.total for entity in entities)
    shown = sum(len(sample.rows) for sample in samples)
    return {
        "title": subject.title,
        "facts": list(subject.facts.items()),
        "notes": list(subject.notes),
        "sample": sample_text(shown, total, any(entity.is_withheld for entity in entities)),
        "entities": [
            _entity(subject, graph, entity, sample)
            for entity, sample in zip(entities, samples, strict=True)
        ],
        "leftOut": [list(table_and_reason) for table_and_reason in subject.left_out.items()],
    }


def sample_text(shown: int, total: int, has_withheld: bool) -> str:
    """Say which records a page holds."""
    if has_withheld:
        withheld = " Entities whose hidden values can't be told from others show none."
    else:
        withheld = ""
    if shown == total:
        records = "The 1 record is" if total == 1 else f"All {total:,} records are"
        return f"{records} in this page.{withheld}"
    return (
        f"This page holds {shown:,} of {total:,} records: of each entity the first by key, and "
        f"records that those refer to. Search and links reach these alone.{withheld}"
    )


def _entity(
    subject: ReportSubject, graph: EntityGraph, entity: EntityTotal, sample: EntitySample
) -> Json:
    name = entity.name
    shape = subject.shapes.get(name, {})
    node = graph[name]
    numbers = {other.name: n for n, other in enumerate(graph.nodes, 1)}
    return {
        "name": name,
        "anchor": numbers[name],
        "layer": node.layer,
        "version": subject.versions.get(name),
        "total": entity.total,
        "withheld": entity.is_withheld,
        "key": list(shape.get("key", node.key)),
        "choices": list(_choices(subject.choices, name)),
        "fields": [list(line) for line in field_lines(shape)],
        "references": list(_references(graph, subject, name)),
        "columns": sample.columns,
        "rows": sample.rows,
        "links": sample.links,
    }


def _choices(choices: Iterable[KeyChoice], entity: str) -> Iterator[str]:
    """Yield what was decided about an entity and the lists that it owns."""
    for choice in choices:
        if choice.entity == entity or choice.entity.startswith(f"{entity}."):
            yield str(choice)


def _references(graph: EntityGraph, subject: ReportSubject, name: str) -> Iterator[Json]:
    counts = subject.links.get(name, {})
    for edge in graph.edges_from(name):
        for path in edge.fields:
            yield {
                "path": path,
                "to": edge.target,
                "form": edge.form,
                "deferred": edge.is_deferred,
                "links": counts.get(path),
            }


def field_lines(shape: Mapping[str, Any], depth: int = 0) -> Iterator[tuple[int, str, str, str]]:
    """Yield the fields of a shape: depth, name, type, and what else is to be known."""
    keys, hidden = shape.get("key", ()), set(shape.get("hidden", ()))
    for name, inner in shape.get("fields", {}).items():
        notes = ["key"] * (name in keys) + ["hidden"] * (name in hidden)
        notes += [flag for flag in FLAGS if inner.get(flag)]
        if "classes" in inner:
            notes.append(f"of {', '.join(map(str, inner['classes']))}")
        yield depth, name, _type(inner), ", ".join(notes)
        if inner.get("type") == "owned":
            below = {path.partition(".")[2] for path in hidden if path.startswith(f"{name}.")}
            yield from field_lines({**inner, "hidden": sorted(below)}, depth + 1)


def _type(inner: Mapping[str, Any]) -> str:
    name = str(inner.get("type"))
    if name in ("reference", "references"):
        return f"{name} to {inner.get('entity')}"
    if name == "owned":
        return f"owned records, a {inner.get('order', 'set')}"
    items = inner.get("items")
    if isinstance(items, Mapping):
        name = f"{name} of {_type(items)}"
    options = [
        f"{option} {inner[option]}" for option in TYPE_OPTIONS if inner.get(option) is not None
    ]
    names = inner.get("names")
    if names:
        options.append(" | ".join(map(str, names)))
    return f"{name} ({', '.join(options)})" if options else name
