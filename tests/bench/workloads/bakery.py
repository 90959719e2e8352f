"""The bakery: thirty tables and more with references, owned rows, links, and a cycle.

It has one size, a season, and nobody wrote its export by hand.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bakery import bakery, fill
from bakery.models import Base
from bench.workloads.base import Workload


def fill_season(engine: sa.Engine, records: int) -> None:
    """Make one season, however many records are asked for."""
    with Session(engine) as session, session.begin():
        fill(session)


WORKLOAD = Workload(
    name="bakery",
    title="the bakery's season",
    metadata=Base.metadata,
    catalog=bakery,
    fill=fill_season,
    is_fixed=True,
)
