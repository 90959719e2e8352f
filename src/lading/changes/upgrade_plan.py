"""Which changes upgrade a payload, given the versions that it says of its entities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import networkx as nx

from lading.changes.change import Change
from lading.changes.history import History
from lading.changes.replay import ChangeMismatch, Undone, newest, undo
from lading.changes.rewriting.records import copied
from lading.changes.rewriting.shapes import Shapes
from lading.changes.version_graph import State
from lading.errors import VersionError
from lading.messages import Message, listed, shown

#: How many plans a history keeps: one for each release whose payloads are read.
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


def plan_upgrade(
    history: History,
    versions: Mapping[str, Any],
    *,
    file: str,
    targets: Mapping[str, int] | None = None,
    whole: bool = False,
    writer: str = "",
) -> UpgradePlan:
    """Return what upgrades a payload that holds entities at these versions.

    Args:
        history: The history of the catalog that reads the payload.
        versions: The version of each entity that the payload holds.
        file: What messages call the payload's list of versions.
        targets: The versions of entities that it only refers to, where it says so.
        whole: Whether it holds all entities that there were.
        writer: Who wrote and who reads it, for the message that it is too new.

    Returns:
        The changes to undo from today's shapes, so that they can be run.  The shapes are the
        caller's own.

    Raises:
        VersionError: Nothing leads from these versions to the catalog's.
    """
    for name, version in versions.items():
        _refuse_unreachable(history, (name, version), file, writer)
    others = {name: number for name, number in (targets or {}).items() if name not in versions}
    key = (tuple(versions.items()), frozenset(others.items()), whole)
    if key not in history.plans:
        if len(history.plans) >= KEPT_PLANS:
            history.plans.clear()
        history.plans[key] = _planned(history, versions, others, file, whole=whole)
    plan: UpgradePlan = history.plans[key]
    return replace(plan, shapes=Shapes(copied(plan.shapes.roots), copied(plan.shapes.targets)))


def _planned(
    history: History,
    versions: Mapping[str, int],
    others: Mapping[str, int],
    file: str,
    *,
    whole: bool,
) -> UpgradePlan:
    """Find the changes that lead on from versions, and undo them; see :func:`plan_upgrade`."""
    graph = history.version_graph
    reachable = [state for state in others.items() if _is_reachable(history, state)]
    states: list[State] = [*versions.items(), *reachable]
    done = {change for state in states for change, _ in graph.before(state)}
    done |= {older for change in done for older in nx.ancestors(history.order_graph, change)}
    pending = graph.pending(states)
    _refuse_mixed(history, pending & done, versions, file)
    if not whole:
        pending |= _of_first_versions(history, {graph.end(state)[0] for state in states}) - done
    _refuse_dead_ends(history, pending - history.live, versions, file)
    order = [change for change in history.order if change in pending]
    shapes = newest(history.entities) if order else Shapes({}, {})
    try:
        undone = undo(shapes, order)
    except ChangeMismatch as error:
        raise VersionError(
            Message(
                "versions-mixed",
                f"the payload's versions ({_listed(versions)}) don't go together: {error}",
            ),
            "Export it again with the application that wrote it.",
            file=file,
        ) from error
    return UpgradePlan(tuple(undone), shapes, dict(versions), _begun(history, done))


def _is_reachable(history: History, state: tuple[str, Any]) -> bool:
    """Tell whether changes lead from a version to what the catalog has."""
    return type(state[1]) is int and history.version_graph.ends_well(state)


def _of_first_versions(history: History, known: set[str]) -> set[type[Change]]:
    """Return the changes that alter references to entities whose versions nobody says.

    They were at their first version when the payload was written, or their version would
    stand in it.
    """
    graph = history.version_graph
    names = set(graph.current) - known
    changes = [change for name in names for change, _ in graph.after(graph.first(name))]
    return {change for change in changes if change in history.altered and change in history.live}


def _begun(history: History, done: set[type[Change]]) -> frozenset[str]:
    """Name the entities that changes begin which hadn't run when the payload was written."""
    graph = history.version_graph
    firsts = {name: graph.first(name) for name in graph.current}
    return frozenset(
        name
        for name, state in firsts.items()
        if state[1] is None and graph.onward[state][0] not in done
    )


# What can't be upgraded


def _refuse_unreachable(history: History, state: tuple[str, Any], file: str, writer: str) -> None:
    """Refuse a version from which nothing leads to what the catalog has.

    Args:
        history: The history of the catalog that reads the payload.
        state: The entity and its version.
        file: What messages call the payload's list of versions.
        writer: Who wrote and who reads it, or an empty text.
    """
    if _is_reachable(history, state):
        return
    graph, (name, version) = history.version_graph, state
    end: State = graph.end(state) if type(version) is int else state
    needed = graph.current.get(end[0])
    wanted = f"this catalog needs version {needed}"
    if needed is None:
        wanted = f"this catalog knows versions up to {graph.newest(name)}"
    if type(version) is int and needed is not None and version > needed:
        more = f": {writer}" if writer else ""
        remedy = f"Upgrade the application that reads it{more}."
    elif end == state:
        remedy = "No change leads from one to the other."
    else:
        remedy = (
            f"Changes lead to {end[0]} {end[1]}, and none from there; declare one with "
            f'upgrades = {{"{end[0]}": ({end[1]}, {(end[1] or 0) + 1})}}.'
        )
    raise VersionError(
        Message("version-unreadable", f"entity {name!r} has version {shown(version)}; {wanted}"),
        remedy,
        file=file,
        found=version,
        needed=needed,
    )


def _refuse_mixed(
    history: History, both: set[type[Change]], versions: Mapping[str, Any], file: str
) -> None:
    """Refuse changes that have run for a part of a payload, and not for the rest.

    Args:
        history: The history of the catalog that reads the payload.
        both: The changes that have run, and must still run.
        versions: The payload's versions.
        file: What messages call their list.
    """
    if not both:
        return
    change = next(change for change in history.order if change in both)
    moves = ", ".join(
        f"{name} from {before} to {after}" for name, (before, after) in change.upgrades.items()
    )
    raise VersionError(
        Message(
            "versions-mixed",
            f"its versions are mixed ({_listed(versions)}): {change.__name__} upgrades {moves}, "
            "and it, or a later change, has run for only some of them",
        ),
        "Export it again with the application that wrote it, and correct its versions if they "
        "were written by hand.",
        file=file,
        found=dict(versions),
    )


def _refuse_dead_ends(
    history: History, dead: set[type[Change]], versions: Mapping[str, Any], file: str
) -> None:
    """Refuse changes that must run, and lead to what the catalog doesn't have.

    Args:
        history: The history of the catalog that reads the payload.
        dead: These changes.
        versions: The payload's versions.
        file: What messages call their list.
    """
    if not dead:
        return
    change = next(change for change in history.order if change in dead)
    ends = [history.version_graph.end((name, move[0])) for name, move in change.upgrades.items()]
    places = [f"{end[0]} {end[1]}" for end in ends if not history.version_graph.ends_well(end)]
    raise VersionError(
        Message(
            "change-mismatch",
            f"{change.__name__} must run, and leads to {', '.join(places)}, which this catalog "
            "doesn't have",
        ),
        "Declare the changes that lead on from there.",
        file=file,
        found=dict(versions),
    )


def _listed(versions: Mapping[str, Any]) -> str:
    states = (f"{name} {shown(version)}" for name, version in versions.items())
    return listed(states, separator=", ")
