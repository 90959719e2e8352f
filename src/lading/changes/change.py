"""Changes: how records of older versions become newer ones, as an application declares it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from lading.catalog import Catalog, default_catalog
from lading.changes.steps.fields import Each, Step
from lading.errors import DeclarationError
from lading.messages import shown

#: From one version to the next; ``None`` where there was, or will be, no such entity.
Move = tuple[int | None, int | None]

EXPECTED = "(1, 2) and its like, one version up; (None, 1) begins an entity, (2, None) ends one"


class Change:
    """How records of one or more entities become those of the next version.

    The docstring says what happened, and must be there.  ``upgrades`` maps each entity, by the
    name that it had before, to its versions before and after: ``{"recipes": (1, 2)}``;
    ``(None, 1)`` begins an entity, and ``(2, None)`` ends one.  ``steps`` say how, in
    order; ``after`` lists the changes that must have run before.  ``catalog`` is the catalog
    that the change belongs to.  A subclass without ``upgrades`` is an abstract base.

    Mistakes are reported when the catalog is first used.
    """

    catalog: ClassVar[Catalog] = default_catalog
    upgrades: ClassVar[Mapping[str, Any]]
    after: ClassVar[Sequence[type[Change]]] = ()
    steps: ClassVar[Sequence[Step]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not isinstance(cls.catalog, Catalog):
            raise DeclarationError(
                "change-malformed",
                f"{cls.__name__}: catalog = {shown(cls.catalog)}; give it a Catalog",
            )
        if "upgrades" in cls.__dict__:
            cls.catalog.register_change(cls)


def change(
    entity: str,
    *,
    to: int,
    catalog: Catalog | None = None,
    after: Iterable[type[Change]] = (),
) -> Callable[[Callable[..., Any]], type[Change]]:
    """Make a function of ``(record, parent)`` or ``(record)`` a change of one entity.

    The function gets a copy of each record of the version before ``to``, and returns the
    record of version ``to``; its docstring is the change's.  What it adds and drops needn't
    be declared.

    Args:
        entity: The entity's name.
        to: The version of the records that the function returns.
        catalog: The catalog that the change belongs to; by default the default one.
        after: The changes that must have run before.

    Returns:
        A decorator, which returns the class of the change; ``after`` of others may name it.
    """

    def declare(function: Callable[..., Any]) -> type[Change]:
        before = to - 1 if type(to) is int else None
        others: Any = after
        is_list = isinstance(others, Iterable) and not isinstance(others, str)
        body = {
            "__doc__": function.__doc__,
            "__module__": getattr(function, "__module__", __name__),
            "catalog": catalog or default_catalog,
            "upgrades": {entity: (before, to)},
            "after": tuple(others) if is_list else others,
            "steps": [Each(entity, function, adds=None, drops=None)],
        }
        return type(getattr(function, "__name__", "change"), (Change,), body)

    return declare


def declaration_faults(change: type[Change], catalog: Catalog) -> Iterator[str]:
    """Yield what is wrong with a change of a catalog as it stands, whatever there is beside it."""
    if not (change.__dict__.get("__doc__") or "").strip():
        yield "has no docstring; say in it what became of the records"
    yield from _upgrade_faults(change.upgrades)
    if not isinstance(change.after, list | tuple):
        yield f"after = {shown(change.after)}; write a list of changes"
    else:
        for other in change.after:
            yield from _after_faults(other, catalog)
    if not isinstance(change.steps, list | tuple):
        yield f"steps = {shown(change.steps)}; write a list of steps"
        return
    for step in change.steps:
        if not isinstance(step, Step):
            yield f"steps hold {shown(step)}; write Add(...), Drop(...), Rename(...) and their like"
            continue
        yield from (f"{step!r}: {text}" for text in step.faults())


def _upgrade_faults(upgrades: Any) -> Iterator[str]:
    if not isinstance(upgrades, Mapping) or not upgrades:
        yield f'upgrades = {shown(upgrades)}; write {{"entity": (1, 2)}}'
        return
    for name, move in upgrades.items():
        if not isinstance(name, str) or not name:
            yield f"upgrades names {shown(name)}; write an entity's name"
        if not _follows(move):
            yield f"upgrades {name} by {shown(move)}; write {EXPECTED}"


def _follows(move: Any) -> bool:
    """Tell whether two versions follow each other."""
    if not isinstance(move, tuple | list) or len(move) != 2:
        return False
    before, after = move
    if before is None:
        return type(after) is int and after == 1
    if type(before) is not int or before < 1:
        return False
    return after is None or (type(after) is int and after == before + 1)


def _after_faults(other: Any, catalog: Catalog) -> Iterator[str]:
    if not (isinstance(other, type) and issubclass(other, Change)):
        yield f"after names {shown(other)}; write the class of a change"
    elif other not in catalog.changes:
        yield (
            f"after names {other.__name__}, which isn't a change of catalog "
            f"{catalog.name!r}; name one that has upgrades and that catalog"
        )


def step_faults(change: type[Change]) -> Iterator[str]:
    """Yield the steps for entities that a change doesn't upgrade, and what ends without one."""
    names = set(change.upgrades)
    ending = {name for name, move in change.upgrades.items() if move[1] is None}
    for step in change.steps:
        for path in step.concerns:
            if not any(f"{path}.".startswith(f"{name}.") for name in names):
                yield (
                    f"{step!r} is for {path}, which it doesn't upgrade; it upgrades "
                    f"{', '.join(change.upgrades)}"
                )
        if step.renames is not None:
            names = (names - {step.renames[0]}) | {step.renames[1]}
        begun = step.begins
        if begun in names and change.upgrades.get(begun, (None,))[0] is not None:
            yield f"{step!r} begins {begun}; write (None, 1) as its versions"
        for ended in names.intersection(step.ends):
            if ended not in ending:
                yield f"{step!r} ends {ended}; write (n, None) as its versions"
            ending.discard(ended)
    for name in sorted(ending):
        yield f"upgrades {name} to None, and doesn't drop it; add Drop({name!r}) to its steps"


def names_after(change: type[Change]) -> dict[str, str]:
    """Map each entity that a change upgrades to the name that it has afterwards."""
    names = {name: name for name in change.upgrades}
    for step in change.steps:
        if step.renames is not None:
            old, new = step.renames
            names = {first: new if last == old else last for first, last in names.items()}
    return names
