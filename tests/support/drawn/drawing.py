"""Draws an application: the same one for the same seed, always."""

from __future__ import annotations

import random

from support.drawn.mappings import MappingDraw
from support.drawn.names import Names
from support.drawn.references import ReferenceDraw
from support.drawn.schemas import SchemaDraw
from support.drawn.spec import App
from support.drawn.tables import TableDraw, draw_checks


def draw(seed: int) -> App:
    """Draw the application of a seed."""
    rng = random.Random(f"application {seed}")
    app = App(seed)
    names = Names(rng, 0.35 if rng.random() < 0.2 else 0.0)
    if names.oddity:
        app.features.add("odd names")
    tables = TableDraw(app, rng, names)
    tables.draw()
    ReferenceDraw(app, rng, names, tables).draw()
    draw_checks(app, rng)
    MappingDraw(app, rng).draw()
    SchemaDraw(app, rng).draw()
    return app
