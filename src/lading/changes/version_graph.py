"""The versions of each entity, as changes lead from one to the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import networkx as nx

from lading.changes.change import Change, names_after

#: An entity's name at a version; ``None`` before it begins and once it has ended.
State = tuple[str, int | None]
#: A change, and the state that it leads to, or from.
Step = tuple[type[Change], State]


class VersionGraph:
    """Which change leads from each state of an entity to the next.

    ``current`` are the catalog's entities with their versions.
    """

    def __init__(self, current: Mapping[str, int], changes: Sequence[type[Change]]) -> None:
        self.current = dict(current)
        self.changes = list(changes)
        self.onward: dict[State, Step] = {}
        self.back: dict[State, Step] = {}
        self.faults: list[tuple[type[Change], str]] = []
        for change in self.changes:
            after = names_after(change)
            for name, (before, version) in change.upgrades.items():
                self._lay(change, (name, before), (after[name], version))
        self.names = self._names()

    def _lay(self, change: type[Change], old: State, new: State) -> None:
        known = self.onward.get(old) or self.back.get(new)
        if known is not None:
            what = f"leads to version {new[1]} of {old[0]}"
            if old[1] is None or new[1] is None:
                what = f"{'begins' if old[1] is None else 'ends'} {old[0]}"
            self.faults.append((change, f"{what}, as {known[0].__name__} does already"))
            return
        self.onward[old] = (change, new)
        self.back[new] = (change, old)

    def _names(self) -> set[str]:
        """Return the names that entities have, or had before they were renamed or dropped."""
        names = set(self.current) | {name for name, version in self.back if version is None}
        size = -1
        while size != len(names):
            size = len(names)
            names |= {old[0] for old, (_, new) in self.onward.items() if new[0] in names}
        return names

    def after(self, state: State) -> list[Step]:
        """List the changes that lead on from a state, each with where it leads."""
        return _walked(self.onward, state)

    def before(self, state: State) -> list[Step]:
        """List the changes that led to a state, the last first, each with where from."""
        return _walked(self.back, state)

    def pending(self, states: Iterable[State]) -> set[type[Change]]:
        """Return the changes that lead on from states, and from what these begin."""
        pending: set[type[Change]] = set()
        waiting = list(states)
        while waiting:
            fresh = {change for change, _ in self.after(waiting.pop())} - pending
            pending |= fresh
            for change in fresh:
                names = names_after(change)
                waiting += [
                    (names[name], after)
                    for name, (before, after) in change.upgrades.items()
                    if before is None
                ]
        return pending

    def end(self, state: State) -> State:
        """Return where the changes lead from a state."""
        steps = self.after(state)
        return steps[-1][1] if steps else state

    def first(self, name: str) -> State:
        """Return the earliest state from which changes lead to one of the catalog's entities."""
        state = (name, self.current[name])
        steps = self.before(state)
        return steps[-1][1] if steps else state

    def ends_well(self, state: State) -> bool:
        """Tell whether a state is, or becomes, what the catalog has, or ends for good."""
        name, version = self.end(state)
        return version is None or self.current.get(name) == version

    def live(self, change: type[Change]) -> bool:
        """Tell whether all that a change upgrades becomes what the catalog has."""
        return all(self.ends_well((name, move[0])) for name, move in change.upgrades.items())

    def knows(self, name: str, version: Any) -> bool:
        """Tell whether there may have been records of a name at a version."""
        if type(version) is not int or version < 1 or name not in self.names:
            return False
        return version <= self.newest(name)

    def newest(self, name: str) -> int:
        """Return the highest version at which something had a name; 0 for none."""
        known = [number for at, number in (*self.onward, *self.back) if at == name and number]
        return max([*known, self.current.get(name, 0)])


def _walked(steps: Mapping[State, Step], state: State) -> list[Step]:
    """Follow steps from a state to where an entity ends, begins, or none leads on."""
    path: list[Step] = []
    while (state[1] is not None or not path) and state in steps:
        path.append(steps[state])
        state = path[-1][1]
    return path


def order_graph(graph: VersionGraph) -> Any:
    """Return a graph of changes, whose edges lead to what must come later."""
    order = nx.DiGraph()
    order.add_nodes_from(graph.changes)
    for change in graph.changes:
        order.add_edges_from((earlier, change) for earlier in change.after)
    for state, (change, _) in graph.onward.items():
        if state in graph.back:
            order.add_edge(graph.back[state][0], change)
    return order
