"""Recognises the rows that an import has written, so that their made-up ids are known."""

from __future__ import annotations

from typing import Any, NoReturn

import sqlalchemy as sa

from lading.testing.assertions import RoundTripError
from lading.testing.compare.differences import Difference
from lading.testing.datasets.dataset import Instance, MadeUp
from lading.testing.datasets.table_plan import Plan
from lading.testing.stateful.database import Read
from lading.testing.stateful.import_model import Merge


class Recognition:
    """Finds the new rows of a merge in the database, and gives their ids to the model.

    ``written`` are the source's rows as SQLAlchemy read them when they were exported, ``read``
    the target's as it reads them now.  Raises ``RoundTripError`` if rows are missing, there
    are more than there should be, or none holds what a record says.
    """

    def __init__(self, merge: Merge, written: Read, read: Read) -> None:
        self.merge = merge
        self.written = written
        self.read = read
        self.free: dict[Plan, list[dict[str, Any]]] = {}

    def run(self) -> None:
        """Recognise all rows; rows that nothing tells apart may stand for each other."""
        waiting = [copy for copy in self.merge.copies if _unknown(copy) is not None]
        for plan in dict.fromkeys(item.plan for item in self.merge.state.instances):
            if plan.made_up is not None:
                self._count(plan)
        while waiting:
            left = [copy for copy in waiting if not self._find(copy, lone=True)]
            if len(left) == len(waiting):
                self._find(left.pop(0), lone=False)
            waiting = left
        for copy, item in self.merge.copies.items():
            if copy.plan.made_up is not None:
                self._hold(copy, item)

    def _count(self, plan: Plan) -> None:
        """Note the rows that are new, and see that they are as many as was foretold."""
        own = plan.made_up
        assert own is not None
        known = {_id(item) for item in self.merge.state.of(plan)}
        rows = self.read[plan.table]
        self.free[plan] = [row for (key, *_), row in sorted(rows.items()) if key not in known]
        wanted = sum(copy.plan is plan for copy in self.merge.copies)
        if len(self.free[plan]) > wanted:
            raise RoundTripError(
                f"the import should have added {wanted} rows to {plan.table.fullname}, "
                f"but added {len(self.free[plan])}: {self.free[plan]}"
            )

    def _find(self, copy: Instance, *, lone: bool) -> bool:
        """Find the row of a copy; with ``lone`` only if no other could be it."""
        free = self.free[copy.plan]
        item = self.merge.copies[copy]
        found = [row for row in free if not self._unlike(copy, item, copy.plan.table, row)]
        if not found:
            self._miss(copy, item)
        if lone and len(found) > 1:
            return False
        made = _unknown(copy)
        assert made is not None
        assert copy.plan.made_up is not None
        made.value = found[0][copy.plan.made_up.name]
        free.remove(found[0])
        return True

    def _miss(self, copy: Instance, item: Instance) -> NoReturn:
        """Say that a row is missing, and what the one nearest to it holds."""
        free = self.free[copy.plan]
        waiting = [one for one in self.merge.copies if one.plan is copy.plan and _unknown(one)]
        if len(free) < len(waiting):
            raise RoundTripError(
                f"the import should have added {self._named(item)}, which isn't there: "
                f"{item.rows[item.plan.table]}"
            )
        near = [self._unlike(copy, item, copy.plan.table, row) for row in free]
        found = [self._difference(item, *differing) for differing in min(near, key=len)]
        raise RoundTripError("the import wrote a row that holds something else:", found)

    def _hold(self, copy: Instance, item: Instance) -> None:
        """Hold a row that is known by now against what it should say, in all of its tables."""
        for table in copy.rows:
            row = self.read[table].get((_id(copy),))
            if row is None:
                raise RoundTripError(f"{self._named(item)} has no row in {table.fullname}")
            found = self._unlike(copy, item, table, row)
            if found:
                raise RoundTripError(
                    "the import wrote a row that holds something else:",
                    [self._difference(item, *differing) for differing in found],
                )

    def _unlike(
        self, copy: Instance, item: Instance, table: sa.Table, row: dict[str, Any]
    ) -> list[tuple[str, Any, Any]]:
        """List the columns in which a row isn't what it should be, as far as that is known."""
        source = self.written[table][(_id(item),)]
        carried = self._carried(copy.plan)
        found = []
        for name, cell in copy.rows[table].items():
            if name not in carried or (isinstance(cell, MadeUp) and cell.value is None):
                continue
            if isinstance(cell, MadeUp) or cell is None:
                wanted = cell.value if cell is not None else None
            elif _alike(cell, item.rows[table][name]):
                wanted = source[name]
            else:
                continue  # a key of a target that has other values here; exports say where it leads
            if not _alike(wanted, row[name]):
                found.append((name, wanted, row[name]))
        return found

    def _carried(self, plan: Plan) -> set[str]:
        """The columns that records carry; others are the target's own business."""
        rows = plan.rows
        if rows is None:
            return {column.name for item in plan.foreign for column in item.columns}
        made = {value.column for value in rows.values if not value.writable}
        return {column.name for column in rows.carried() - made}

    def _named(self, item: Instance) -> str:
        return self.merge.source.named(item)

    def _difference(self, item: Instance, name: str, wanted: Any, is_: Any) -> Difference:
        return Difference(self._named(item), None, name, repr(wanted), repr(is_))


def _id(item: Instance) -> Any:
    """Return a row's primary key, where that is made up; ``None`` while it is unknown."""
    assert item.plan.made_up is not None
    cell = item.cell(item.plan.made_up)
    return cell.value if isinstance(cell, MadeUp) else cell


def _unknown(item: Instance) -> MadeUp | None:
    own = item.plan.made_up
    cell = item.cell(own) if own is not None else None
    return cell if isinstance(cell, MadeUp) and cell.value is None else None


def _alike(one: Any, two: Any) -> bool:
    return bool(one == two) or repr(one) == repr(two)
