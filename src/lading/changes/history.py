"""Which changes lead from the versions of a payload to the catalog's, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import networkx as nx

from lading.catalog import Catalog
from lading.changes.change import Change
from lading.changes.records import copied
from lading.changes.replay import Misfit, Undone, newest, undo, undo_one
from lading.changes.shapes import Shapes
from lading.changes.version_checks import version_graph_of
from lading.changes.version_graph import State, VersionGraph, order_graph
from lading.errors import DeclarationError, VersionError
from lading.messages import listed, shown
from lading.model.entities import Entities

#: How many plans are kept: one for each release whose bundles are read.
KEPT_PLANS = 64


@dataclass(frozen=True, slots=True)
class UpgradePlan:
    """What upgrades a payload: changes, as they were undone from the newest shapes.

    ``shapes`` are those that the payload should have by the declarations; ``versions``
    holds each of its entities' versions, by its name there.  ``begun`` are the catalog's
    entities that there weren't yet when it was written.
    """

    undone: tuple[Undone, ...]
    shapes: Shapes
    versions: Mapping[str, int]
    begun: frozenset[str]


def in_order(version_graph: VersionGraph) -> list[type[Change]]:
    """List every change after those that it must come after; else as they were declared."""
    place = {change: n for n, change in enumerate(version_graph.changes)}
    return list(nx.lexicographical_topological_sort(order_graph(version_graph), key=place.get))


def altered_by_changes(
    version_graph: VersionGraph, changes: Sequence[type[Change]], shapes: Shapes
) -> tuple[dict[type[Change], set[str]], Misfit | None]:
    """Undo changes, the last first; return what each alters, and what doesn't fit the shapes.

    What a change alters are the entities to which references are written otherwise since, and
    those that have such references, as they are called today.  After a misfit nothing is known.
    """
    altered: dict[type[Change], set[str]] = {}
    for change in reversed(changes):
        if not version_graph.live(change):
            continue
        try:
            undone = undo_one(shapes, change)
        except Misfit as error:
            return altered, error
        if undone.altered:
            names = {name for found in undone.altered.values() for name in found}
            names |= {target.split(".", maxsplit=1)[0] for target in undone.altered}
            altered[change] = {_today(version_graph, name) for name in names}
    return altered, None


def _today(version_graph: VersionGraph, name: str) -> str:
    """Return what an entity is called today, given its name just before or after a change."""
    for state in (*version_graph.onward, *version_graph.back):
        if state[0] == name and version_graph.ends_well(state):
            return version_graph.end(state)[0]
    return name


class History:
    """A catalog's versions and changes, checked.

    Raises ``DeclarationError`` for steps that can't lead to what the catalog declares, and for
    changes that need an order and have none.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.entities = catalog.use()
        self.version_graph = version_graph_of(catalog)
        self.graph = order_graph(self.version_graph)
        #: Every change, each after those that it must come after; else as they were declared.
        self.order = in_order(self.version_graph)
        self.live = {change for change in self.order if self.version_graph.live(change)}
        #: What each change alters, and the entities that refer to it, as they are called today.
        self.altered: dict[type[Change], set[str]] = {}
        self._plans: dict[Any, UpgradePlan] = {}
        mistakes = [*self._replay(), *self._unordered()]
        if mistakes:
            raise DeclarationError(mistakes)

    def _replay(self) -> list[str]:
        """Undo everything once, so that a step which can't be right is found now."""
        shapes = newest(self.entities) if self.live else Shapes({}, {})
        self.altered, misfit = altered_by_changes(self.version_graph, self.order, shapes)
        # What is older stands on what is newer, so only the first can be told.
        return [f"{misfit}; correct the step, or the schema"] if misfit is not None else []

    def _unordered(self) -> Iterable[str]:
        """Yield the pairs of changes whose order matters, and is open."""
        names = {
            change: {
                self.version_graph.end((name, move[0]))[0] for name, move in change.upgrades.items()
            }
            for change in self.order
        }
        for one, two in combinations(self.order, 2):
            clash = self.altered.get(one, set()) & names[two]
            clash |= self.altered.get(two, set()) & names[one]
            if clash and not (
                nx.has_path(self.graph, one, two) or nx.has_path(self.graph, two, one)
            ):
                renames, other = (one, two) if one in self.altered else (two, one)
                yield (
                    f"{renames.__name__} renames what references are written by, and "
                    f"{other.__name__} changes {', '.join(sorted(clash))}, which has such "
                    f"references: their order matters; write after = [...] in one of them"
                )

    # A payload

    def plan(
        self,
        versions: Mapping[str, Any],
        *,
        file: str,
        targets: Mapping[str, int] | None = None,
        whole: bool = False,
        writer: str = "",
    ) -> UpgradePlan:
        """Return what upgrades a payload that holds entities at these versions.

        Args:
            versions: The version of each entity that the payload holds.
            file: What messages call the payload's list of versions.
            targets: The versions of entities that it only refers to, where it says so.
            whole: Whether it holds all entities that there were.
            writer: Who wrote and who reads it, for the message that it is too new.

        Returns:
            The changes to undo from today's shapes, so that they can be run.

        Raises:
            VersionError: Nothing leads from these versions to the catalog's.
        """
        for name, version in versions.items():
            self._refuse_unreachable(name, version, file, writer)
        known = frozenset(
            state for state in (targets or {}).items() if state[0] not in versions
        ).union(versions.items())
        key = (tuple(versions.items()), known, whole)
        if key not in self._plans:
            if len(self._plans) >= KEPT_PLANS:
                self._plans.clear()
            self._plans[key] = self._planned(versions, known, file, whole=whole)
        plan = self._plans[key]
        shapes = Shapes(copied(plan.shapes.roots), copied(plan.shapes.targets))
        return replace(plan, shapes=shapes)

    def _planned(
        self, versions: Mapping[str, int], known: frozenset[State], file: str, *, whole: bool
    ) -> UpgradePlan:
        """Find the changes that lead on from versions, and undo them.

        Args:
            versions: Those of the payload's entities, from each of which changes lead to today's.
            known: The same, with the versions of entities that are only referred to.
            file: What messages call the payload's list of versions.
            whole: Whether it holds all entities that there were.
        """
        states = [state for state in known if self._well(*state)]
        done = {change for state in states for change, _ in self.version_graph.before(state)}
        done |= {older for change in done for older in nx.ancestors(self.graph, change)}
        pending = self.version_graph.pending(states)
        self._refuse_mixed(pending & done, versions, file)
        if not whole:
            pending |= self._unsaid({self.version_graph.end(state)[0] for state in states}) - done
        self._refuse_dead(pending - self.live, versions, file)
        order = [change for change in self.order if change in pending]
        shapes = newest(self.entities) if order else Shapes({}, {})
        try:
            undone = undo(shapes, order)
        except Misfit as error:
            raise VersionError(
                f"the payload's versions ({_listed(versions)}) don't go together: {error}",
                "Export it again with the application that wrote it.",
                file=file,
            ) from error
        return UpgradePlan(tuple(undone), shapes, dict(versions), self._begun(done))

    def _well(self, name: str, version: Any) -> bool:
        return type(version) is int and self.version_graph.ends_well((name, version))

    def _unsaid(self, known: set[str]) -> set[type[Change]]:
        """Return the changes that alter references to entities whose versions aren't said.

        They were at their first version when the payload was written, or their version would
        stand in it.
        """
        names = set(self.version_graph.current) - known
        steps = [
            change
            for n in names
            for change, _ in self.version_graph.after(self.version_graph.first(n))
        ]
        return {change for change in steps if change in self.altered and change in self.live}

    def _refuse_unreachable(self, name: str, version: Any, file: str, writer: str) -> None:
        if self._well(name, version):
            return
        end: State = (name, version)
        if type(version) is int:
            end = self.version_graph.end(end)
        needed = self.version_graph.current.get(end[0])
        wanted = f"this catalog needs {needed}"
        if needed is None:
            wanted = f"this catalog knows them up to version {self.version_graph.newest(name)}"
        if type(version) is int and needed is not None and version > needed:
            more = f": {writer}" if writer else ""
            remedy = f"Upgrade the application that reads it{more}."
        elif end == (name, version):
            remedy = "No change leads from one to the other."
        else:
            remedy = (
                f"Changes lead to {end[0]} {end[1]}, and none from there; declare one with "
                f'upgrades = {{"{end[0]}": ({end[1]}, {(end[1] or 0) + 1})}}.'
            )
        raise VersionError(
            f"{name} are at version {shown(version)}, {wanted}",
            remedy,
            file=file,
            found=version,
            needed=needed,
        )

    def _refuse_mixed(
        self, both: set[type[Change]], versions: Mapping[str, Any], file: str
    ) -> None:
        if not both:
            return
        change = next(change for change in self.order if change in both)
        moves = ", ".join(
            f"{name} from {before} to {after}" for name, (before, after) in change.upgrades.items()
        )
        raise VersionError(
            f"its versions are mixed ({_listed(versions)}): {change.__name__} upgrades {moves}, "
            "and has run for a part of them, or a later change has",
            "Export it again with the application that wrote it, and correct its versions if they "
            "were written by hand.",
            file=file,
            found=dict(versions),
        )

    def _refuse_dead(self, dead: set[type[Change]], versions: Mapping[str, Any], file: str) -> None:
        if not dead:
            return
        change = next(change for change in self.order if change in dead)
        ends = [
            f"{end[0]} {end[1]}"
            for name, move in change.upgrades.items()
            if not self.version_graph.ends_well(end := self.version_graph.end((name, move[0])))
        ]
        raise VersionError(
            f"{change.__name__} must run, and leads to {', '.join(ends)}, which this catalog "
            "doesn't have",
            "Declare the changes that lead on from there.",
            file=file,
            found=dict(versions),
        )

    def _begun(self, done: set[type[Change]]) -> frozenset[str]:
        firsts = {name: self.version_graph.first(name) for name in self.version_graph.current}
        return frozenset(
            name
            for name, state in firsts.items()
            if state[1] is None and self.version_graph.onward[state][0] not in done
        )

    def has_changed(self, name: str) -> bool:
        """Tell whether changes lead to an entity's version, so that versions must be told."""
        return bool(self.version_graph.before((name, self.version_graph.current[name])))


def _listed(versions: Mapping[str, Any]) -> str:
    return listed(
        (f"{name} {shown(version)}" for name, version in versions.items()), separator=", "
    )


def history_of(catalog: Catalog) -> History:
    """Return a catalog's history, found once.

    Raises ``DeclarationError`` for changes that can't be right.
    """
    return catalog.use().once(_history, catalog)


def _history(_: Entities, catalog: Catalog) -> History:
    return History(catalog)
