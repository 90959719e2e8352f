"""A change of one entity as a check drafts it: its versions, and what it must do."""

from __future__ import annotations

from dataclasses import dataclass, field

from lading.changes.change import Change
from lading.changes.rewriting.shapes import Shapes
from lading.changes.steps.base import Step
from lading.changes.steps.fields import Rename
from lading.changes.steps.split_entity import Split
from lading.locking.differences import ShapeDifference


@dataclass
class Draft:
    """A change of one entity, as it is put together.

    ``former`` and ``name`` are the entity's before and after; ``move`` its versions.
    """

    former: str
    move: tuple[int | None, int | None]
    name: str
    renames: list[Rename] = field(default_factory=list)
    splits: list[Split] = field(default_factory=list)
    #: The changes that it must come after.
    after: list[type[Change]] = field(default_factory=list)
    differences: list[ShapeDifference] = field(default_factory=list)
    is_renamed: bool = False

    def rename_entity(self) -> None:
        """Note that the entity was renamed."""
        self.is_renamed = True

    def rename(self, step: Rename) -> None:
        """Note that a field was renamed."""
        self.renames.append(step)

    def split(self, step: Split) -> None:
        """Note that another entity was split off."""
        self.splits.append(step)

    def take(self, difference: ShapeDifference) -> None:
        """Note a difference."""
        self.differences.append(difference)

    @property
    def upgrades(self) -> dict[str, tuple[int | None, int | None]]:
        """The versions between which the change moves each entity."""
        return {self.former: self.move, **{step.into: (None, 1) for step in self.splits}}

    @property
    def names(self) -> set[str]:
        """The entities that it moves, by their newer names."""
        return {self.name, *(step.into for step in self.splits)}

    @property
    def title(self) -> str:
        """The name of the change's class."""
        words = "".join(word.capitalize() for word in _words(self.name)) or "Entity"
        word = words if words[0].isalpha() else f"Entity{words}"
        before, after = self.move
        if before is None:
            return f"Begin{word}"
        return f"End{word}" if after is None else f"{word}{after}"


def _words(name: str) -> list[str]:
    return "".join(c if c.isalnum() and c.isascii() else " " for c in name).split()


def altered_by(shapes: Shapes, draft: Draft) -> set[str]:
    """Return the entities whose records hold references that a change rewrites."""
    targets = {draft.name} if draft.is_renamed else set()
    steps: list[Step] = [*draft.renames, *draft.splits]
    targets |= {str(step.path) for step in steps if step.alters(shapes) is not None}
    targets |= {
        difference.path for difference in draft.differences if difference.rule == "KEY_CHANGED"
    }
    names = {name.split(".", maxsplit=1)[0] for name in targets}
    return names | {name for target in targets for name in shapes.referrers(target)}
