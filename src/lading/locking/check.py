"""Compares what a lock has sealed, once changes have run over it, with what a catalog declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import networkx as nx

from lading.catalog import Catalog
from lading.changes.change import Change
from lading.changes.history import History, altered_by_changes, in_order
from lading.changes.replay import ChangeMismatch, redo, undo
from lading.changes.rewriting.records import copied
from lading.changes.rewriting.shapes import Shape, Shapes, StepMismatch
from lading.changes.steps.fields import Each
from lading.changes.version_graph import VersionGraph, order_graph
from lading.errors import DeclarationError
from lading.locking.differences import ShapeDifference, differences, freed, marked, plain
from lading.locking.draft import Draft, altered_by
from lading.locking.renames import follow_rekeys, renamed_entities, renamed_fields, split_entities
from lading.locking.sealed_shape import sealed_shapes
from lading.locking.suggest import suggestions
from lading.report import BREAKING, NEEDS_CHANGE, SAFE, Finding

#: What is found of an entity's version because of other findings.
HEADS = ("VERSION_NOT_COUNTED_UP", "CHANGE_NOT_DELIVERED")
LOCK_AGAIN = "Lock again to seal it"
SPLIT = "its shape is now that of the new {}.{}; declare that it was split off, or where it went"
RENAMED = "an equal shape was called {}; declare that it was renamed, or what else became of both"


def drift(
    catalog: Catalog, versions: Mapping[str, int], shapes: Mapping[str, Shape]
) -> list[Finding]:
    """Return what differs between sealed shapes and those that a catalog declares.

    ``versions`` and ``shapes`` are those of the entities that were sealed.  What functions
    in ``Convert`` and ``Each`` produce is taken as declared.
    """
    return _Check(catalog, versions, shapes).run()


def shapes_before(
    catalog: Catalog, versions: Mapping[str, int], shapes: Mapping[str, Shape]
) -> Shapes:
    """Return sealed shapes with the owned tables that references led to then.

    Raises ``ChangeMismatch`` for changes that can't be undone.
    """
    check = _Check(catalog, versions, shapes)
    earlier = Shapes(copied(check.after.roots), copied(check.after.targets))
    undo(earlier, check.pending() or [])
    earlier.roots |= copied(dict(shapes))
    return earlier


class _Check:
    """One comparison: runs the changes over the sealed shapes, and says what remains."""

    def __init__(
        self, catalog: Catalog, versions: Mapping[str, int], shapes: Mapping[str, Shape]
    ) -> None:
        self.catalog = catalog
        entities = catalog.use()
        self.versions = versions
        self.sealed = shapes
        self.current = {name: rows.version for name, rows in entities.roots.items()}
        self.version_graph = VersionGraph(self.current, self.catalog.changes)
        self.after = sealed_shapes(entities)
        self.findings: list[Finding] = []
        self.drafts: dict[str, Draft] = {}
        #: The sealed entities that are there, as changes leave them: names today, and versions.
        self.reached: dict[str, int] = {}

    def run(self) -> list[Finding]:
        """Return the findings, unsorted."""
        pending = self.pending()
        if pending is None:
            return self.findings
        try:
            before = self._changed(pending)
        except ChangeMismatch as error:
            self._misfit(error.change.__name__, str(error))
            return self.findings
        self._compare(before)
        if all(finding.severity == SAFE for finding in self.findings):
            self._history()
        return self.findings

    def pending(self) -> list[type[Change]] | None:
        """List the changes that lead on from what is sealed; ``None`` where they can't be told."""
        states = list(self.versions.items())
        done = {change for state in states for change, _ in self.version_graph.before(state)}
        pending = self.version_graph.pending(states)
        for change in sorted(done & pending, key=lambda edited: edited.__name__):
            self._add(
                "CHANGE_EDITED",
                change.__name__,
                BREAKING,
                "some of the entities that it upgrades were sealed at the newer version, some at "
                "the older; restore its upgrades as released, and declare another change",
            )
        for state in states:
            name, version = self.version_graph.end(state)
            if version is not None:
                self.reached[name] = version
        return None if done & pending else [c for c in in_order(self.version_graph) if c in pending]

    def _changed(self, pending: list[type[Change]]) -> Shapes:
        """Return the sealed shapes as the changes make them."""
        shapes = Shapes(copied(self.after.roots), copied(self.after.targets))
        undone = undo(shapes, pending)
        shapes.roots |= {name: marked(name, copied(shape)) for name, shape in self.sealed.items()}
        for undone_change in undone:
            free = [step.path for step in undone_change.change.steps if isinstance(step, Each)]
            _free(shapes, free)
            redo(shapes, [undone_change], ())
            _free(shapes, free)
        return shapes

    def _history(self) -> None:
        """Older changes must still fit, though nothing that is sealed needs them."""
        try:
            History(self.catalog)
        except DeclarationError as error:
            for text in error.mistakes:
                self._misfit(text.split(",", maxsplit=1)[0].split(":", maxsplit=1)[0], text)

    def _misfit(self, name: str, text: str) -> None:
        self._add("CHANGE_DOES_NOT_FIT", name, BREAKING, f"{text}; correct the change")

    def _add(
        self,
        rule: str,
        path: str,
        severity: str,
        message: str,
        *,
        before: Any = None,
        after: Any = None,
    ) -> None:
        self.findings.append(Finding(rule, path, severity, before, after, message))

    # What remains

    def _compare(self, before: Shapes) -> None:
        altered = self._altered(before)
        gone = [name for name in self.reached if name not in self.current]
        new = [name for name in self.current if name not in self.reached]
        new = [name for name in new if self.version_graph.first(name)[1] is not None]
        for name in new:
            before.forget(name)  # undoing has left it there
        pairs = renamed_entities(before, self.after, gone, new)
        for old, name in pairs.items():
            self._renamed(old, name)
        self._gone([name for name in gone if name not in pairs])
        former = {name: old for old, name in pairs.items()}
        remaining = [name for name in self.current if name in self.reached or name in former]
        split = self._split(before, [n for n in remaining if n not in former], new, pairs)
        self._new([name for name in new if name not in {*pairs.values(), *split}])
        for step in renamed_fields(before, self.after, remaining):
            entity = self.after.split(step.path)[0]
            self._draft(entity, former.get(entity, entity)).rename(step)
            self._field_renamed(before, step.path, str(step.old), str(step.new))
        follow_rekeys(before, self.after, remaining)
        for name in remaining:
            for difference in differences(name, before, self.after):
                self._difference(difference, former.get(name, name))
            self._head(name, former.get(name, name))
        for draft in self.drafts.values():
            draft.after = self._earlier(draft, altered)
        self._suggest(before)

    def _draft(self, name: str, former: str) -> Draft:
        version = self.reached[former]
        draft = Draft(former, (version, version + 1), name)
        return self.drafts.setdefault(name, draft)

    def _renamed(self, old: str, name: str) -> None:
        self._draft(name, old).rename_entity()
        self._add(
            "ENTITY_RENAMED",
            name,
            NEEDS_CHANGE,
            RENAMED.format(old),
            before=plain(self._sealed(old)),
            after=self.after.roots[name],
        )

    def _field_renamed(self, before: Shapes, path: str, old: str, new: str) -> None:
        self._add(
            "FIELD_RENAMED",
            f"{path}.{new}",
            NEEDS_CHANGE,
            RENAMED.format(old),
            before=plain(before.field(path, old)),
            after=plain(self.after.field(path, new)),
        )

    def _split(
        self, before: Shapes, remaining: list[str], new: list[str], pairs: Mapping[str, str]
    ) -> set[str]:
        """Note the new entities that others were split into; return their names."""
        free = [name for name in new if name not in pairs.values() and self.current[name] == 1]
        split = set()
        for step in split_entities(before, self.after, remaining, free):
            entity = str(step.path)
            split.add(step.into)
            self._draft(entity, entity).split(step)
            for old, name in step.fields.items():
                text = SPLIT.format(step.into, name)
                self._add("FIELD_REMOVED", f"{entity}.{old}", NEEDS_CHANGE, text)
            text = f"it refers to the new {step.into} in place of {', '.join(step.fields)}"
            self._add("FIELD_ADDED", f"{entity}.{step.ref}", NEEDS_CHANGE, text)
            shape = self.after.roots[step.into]
            text = f"the entity is new and has fields of {entity}; declare that it was split off"
            self._add("ENTITY_ADDED", step.into, NEEDS_CHANGE, text, after=shape)
        return split

    def _altered(self, before: Shapes) -> dict[type[Change], set[str]]:
        """Return what each declared change alters, and the entities that refer to it."""
        version_graph = VersionGraph(self.reached, self.catalog.changes)
        shapes = Shapes(plain(copied(before.roots)), copied(before.targets))
        return altered_by_changes(version_graph, in_order(version_graph), shapes)[0]

    def _earlier(
        self, draft: Draft, altered: Mapping[type[Change], set[str]]
    ) -> list[type[Change]]:
        """List the declared changes that a suggested one must come after, and doesn't already."""
        graph = order_graph(self.version_graph)
        mine = altered_by(self.after, draft)
        earlier = []
        for change in in_order(self.version_graph):
            moved = {self.version_graph.end((n, move[0]))[0] for n, move in change.upgrades.items()}
            if altered.get(change, set()) & draft.names or mine & moved:
                earlier.append(change)
        state = (draft.former, draft.move[0])
        before = [change for change, _ in self.version_graph.before(state)] if draft.move[0] else []
        known = {other for change in before for other in (change, *nx.ancestors(graph, change))}
        known |= {other for change in earlier for other in nx.ancestors(graph, change)}
        return [change for change in earlier if change not in known]

    def _gone(self, names: list[str]) -> None:
        for name in names:
            self.drafts[name] = Draft(name, (self.reached[name], None), name)
            self._add(
                "ENTITY_REMOVED",
                name,
                NEEDS_CHANGE,
                "the entity no longer has a schema; declare a change that ends it",
                before=plain(self._sealed(name)),
            )

    def _new(self, names: list[str]) -> None:
        for name in names:
            self.drafts[name] = Draft(name, (None, 1), name)
            more = "" if self.current[name] == 1 else "; set version = 1 in its Meta"
            self._add(
                "ENTITY_ADDED",
                name,
                NEEDS_CHANGE,
                f"the entity is new, and older bundles have no file of it; declare a change that "
                f"begins it{more}",
                after=self.after.roots[name],
            )

    def _difference(self, difference: ShapeDifference, former: str) -> None:
        entity = self.after.split(difference.path)[0]
        todo = LOCK_AGAIN if difference.severity == SAFE else "Declare it in a change"
        if difference.severity != SAFE:
            self._draft(entity, former).take(difference)
        text = f"{difference.text}. {todo}."
        self._add(
            difference.rule,
            difference.place,
            difference.severity,
            text,
            before=difference.before,
            after=difference.after,
        )

    def _head(self, name: str, former: str) -> None:
        """Say what is wrong with an entity's version, if anything is."""
        version, needed = self.reached[former], self.current[name]
        rule, severity = "", NEEDS_CHANGE
        if needed < version:
            rule, severity = "VERSION_WENT_DOWN", BREAKING
            text = f"its version is {needed}, below the sealed {version}; versions only count up"
        elif needed > version:
            rule = "VERSION_GAP"
            self._draft(name, former)
            text = f"its version is {needed}, but no change leads from {version} to it; declare one"
            if needed > version + 1:
                text += f", and set version = {version + 1} in its Meta"
        elif name in self.drafts and former == name:
            ran = self._ran(name)
            rule = HEADS[bool(ran)]
            text = f"it differs from what was sealed as version {version}"
            if ran:
                names = ", ".join(ran)
                text = f"the changes {names} lead to version {version}, but not to what is declared"
            text += f"; set version = {version + 1} in its Meta and declare a change"
            if ran:
                text += ", or correct the steps"
        if rule:
            shapes = {"before": plain(self._sealed(former)), "after": self.after.roots[name]}
            self._add(rule, name, severity, text, **shapes)

    def _sealed(self, former: str) -> Any:
        """Return the shape that was sealed of an entity, by its name as changes leave it."""
        state = self._state_of(former)
        return self.sealed.get(state[0]) if state is not None else None

    def _ran(self, name: str) -> list[str]:
        """Name the changes since the seal that upgrade an entity."""
        state = self._state_of(name)
        steps = self.version_graph.after(state) if state is not None else ()
        return [change.__name__ for change, _ in steps]

    def _state_of(self, name: str) -> tuple[str, int] | None:
        """Return the sealed state from which changes lead to an entity, if there is one."""
        states = self.versions.items()
        return next((state for state in states if self.version_graph.end(state)[0] == name), None)

    def _suggest(self, before: Shapes) -> None:
        """Give each entity's first finding that needs a change the source of one."""
        texts = suggestions(self.catalog, before, self.after, self.drafts)
        self.findings.sort(key=order_of_finding)
        for place, finding in enumerate(self.findings):
            for name in list(texts):
                if finding.severity == NEEDS_CHANGE and f"{finding.path}.".startswith(f"{name}."):
                    self.findings[place] = replace(finding, suggestion=texts.pop(name))
                    break


def _free(shapes: Shapes, paths: list[str]) -> None:
    """Mark what functions may alter; a path leads there before the change, or after it."""
    for path in paths:
        try:
            freed(shapes.at(path))
        except StepMismatch:
            continue


def order_of_finding(finding: Finding) -> Any:
    """Return what findings are sorted by: path, then rule."""
    return (finding.path, finding.rule, finding.message)
