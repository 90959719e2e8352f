"""What a database holds at one moment, in memory, and what an import makes of rows by others."""

from __future__ import annotations

from lading.testing.compare.records import key_text
from lading.testing.datasets.catalog_plan import Plans
from lading.testing.datasets.dataset import Dataset, Instance
from lading.testing.datasets.expected_records import Written
from lading.testing.datasets.table_plan import Foreign
from lading.testing.trips.outcome import Outcome, Who


class State:
    """The rows of one database; ``engine`` is the name of what holds it.

    ``instances`` stand in an order in which required references lead to earlier ones.
    """

    def __init__(self, plans: Plans, engine: str, instances: list[Instance]) -> None:
        self.plans = plans
        self.engine = engine
        self.instances = instances

    def written(self) -> Written:
        """Return the records that the rows make, as the engine holds them."""
        return Written(Dataset(self.plans, self.instances).resolved({self.engine}))

    def named(self, instance: Instance) -> str:
        """Name a row for people: ``products {"slug": "a"}``."""
        rows = instance.plan.rows
        if rows is None or not rows.key:
            return f"{instance.plan.name} #{instance.number}"
        return f"{instance.plan.name} {key_text(rows, self.written().key(rows.key, instance))}"

    def records(self) -> dict[Instance, Who]:
        """Return the record that each row is in; without rows that are in none."""
        written = self.written()
        roots = {root.table: root for root in self.plans.entities.roots.values()}
        whose: dict[Instance, Who] = {}
        for row in self.instances:
            top: Instance | None = row
            while top is not None and top.plan.table not in roots:
                is_link = top.plan in self.plans.links
                ways = top.plan.foreign[:1] if is_link else top.plan.owners
                top = next((top.led[way] for way in ways if top.led.get(way)), None)
            if top is not None:
                root = roots[top.plan.table]
                whose[row] = root.name, key_text(root, written.key(root.key, top))
        return whose


def is_held(state: State, outcome: Outcome) -> bool:
    """Tell whether rows refer by a value that changes or goes, which only a database may allow."""
    whose = state.records()
    return any(
        outcome.alters(whose.get(far), foreign.remote)
        or (
            whose.get(far) in outcome.doomed
            and set(foreign.remote) != set(foreign.target.primary_key.columns)
        )
        for row in state.instances
        for foreign, far in row.led.items()
        if far is not None
    )


def cascaded(target: State, outcome: Outcome) -> State | None:
    """Return what the database leaves of the rows when doomed records go, by its ON DELETE.

    ``None`` where nothing beside them goes or changes.
    """
    whose = target.records()
    doomed = {row for row in target.instances if whose.get(row) in outcome.doomed}
    gone: set[Instance] = set()
    cleared: set[tuple[Instance, Foreign]] = set()
    new = doomed
    while new:
        gone |= new
        leading = [
            (row, foreign)
            for row in target.instances
            if row not in gone and whose.get(row) not in outcome.replaced
            for foreign, far in row.led.items()
            if far in gone
        ]
        new = {row for row, foreign in leading if foreign.on_delete == "CASCADE"}
        cleared.update(pair for pair in leading if pair[1].on_delete == "SET NULL")
    cleared = {pair for pair in cleared if pair[0] not in gone}
    if gone == doomed and not cleared:
        return None
    copies = {row: row.copy() for row in target.instances if row not in gone}
    for row, copy in copies.items():
        copy.led = {key: copies.get(far) if far else None for key, far in row.led.items()}
    for row, foreign in cleared:
        copies[row].lead(foreign, None)
    return State(target.plans, target.engine, list(copies.values()))
