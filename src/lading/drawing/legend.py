"""The legend below a picture of an entity graph."""

from __future__ import annotations

from collections.abc import Iterator

#: What each sort of line and mark stands for, with the width of its text.
LINES = (
    ("required", "required reference", 118),
    ("optional", "optional reference", 116),
    ("links", "list of links", 80),
    ("required deferred", "deferred: set after the load", 158),
)
NOTES = (
    "Entities on the left load before those on the right; the number is the import order.",
    "A square marks owned records, which are part of their parent's.",
)
LEGEND_WIDTH, LEGEND_HEIGHT = 700, 62


def legend() -> Iterator[str]:
    """Yield the legend's elements, from its upper left corner."""
    yield '<g class="legend">'
    x = 0
    for names, text, width in LINES:
        yield f'<g class="edge {names} neutral"><path class="line" d="M{x} 8h26"/>'
        yield f'<path class="head" d="M{x + 32} 8l-8 -3.6v7.2Z"/></g>'
        yield f'<text x="{x + 40}" y="12">{text}</text>'
        x += 40 + width + 20
    for place, note in enumerate(NOTES):
        yield f'<text x="0" y="{34 + 18 * place}">{note}</text>'
    yield "</g>"
