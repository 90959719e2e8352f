"""Rekey: the step that gives an entity another natural key, wherever it is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lading.changes.rewriting.lookups import KeyLookup, Pair, Record
from lading.changes.rewriting.rekey_references import flat_links, replacing, restate
from lading.changes.rewriting.rename_references import flat_fields
from lading.changes.rewriting.shapes import KEY_UNKNOWN, Shapes, StepMismatch, is_owned
from lading.changes.steps.base import Effect, Known, Step, entity_of, key_faults, names_text
from lading.mapping.meta_options import names_in


class Rekey(Step):
    """Gives an entity another natural key, made of fields that its records have by then.

    Every reference is rewritten, at any depth, in every entity: the record that it leads to says
    its newer key, so that record must be in the same bundle or document.

    Args:
        entity: The entity.
        key: A field, or the fields of the new key.
        was: The fields of the former key, which bundles say by themselves.  Documents need it where
            references are flat, and where an older change alters what that key holds.
    """

    def __init__(
        self, entity: str, key: str | Iterable[str], *, was: str | Iterable[str] | None = None
    ) -> None:
        self.path = entity
        self.key = names_in(key)
        self.was = None if was is None else names_in(was)

    def __repr__(self) -> str:
        return f"Rekey({self.path!r}, {self.key!r})"

    def faults(self) -> Iterator[str]:
        """Yield what is wrong with the arguments."""
        yield from super().faults()
        yield from key_faults("key", self.key)
        if self.was is not None:
            yield from key_faults("was", self.was)

    def alters(self, shapes: Shapes) -> str | None:
        """The entity."""
        return str(self.path)

    def undo(self, shapes: Shapes) -> Known:
        """Give the entity its former key, if it is told."""
        shape = entity_of(shapes, self.path)
        if shape.pop(KEY_UNKNOWN, False):  # a later Rekey doesn't say what it was
            for name in self.key:
                shapes.field(self.path, name)
            shape["key"] = list(self.key)
        if list(shape["key"]) != list(self.key) and not shape.get("open"):
            raise StepMismatch(
                f"the natural key of {self.path} is {names_text(shape['key'])} after this step; "
                "name that one, or correct natural_key"
            )
        for name in self.was or ():
            shapes.field(self.path, name)
        if self.was is not None:
            flat_keys = flat_fields(shapes, self.was[0]) if len(self.was) == 1 else set()
            restate(shapes, self.path, self.key, self.was)
            return Known(kept=flat_keys)
        flat = sorted(flat_links(shapes, self.path))
        if flat:
            raise StepMismatch(
                f"{flat[0][1]!r} of {flat[0][0]} is a flat reference, which doesn't say by which "
                "key it was written; name the fields of the former key by was"
            )
        shape["key"] = []
        shape[KEY_UNKNOWN] = True
        return Known()

    def run(self, shapes: Shapes, known: Known) -> Sequence[Effect]:
        """Give every reference the newer key."""
        shape = entity_of(shapes, self.path)
        old = None if shape.pop(KEY_UNKNOWN, False) else list(shape["key"])
        if old == list(self.key):
            raise StepMismatch(f"the natural key of {self.path} is {names_text(old)} already")
        for name in self.key:
            inner = shapes.field(self.path, name)
            if is_owned(inner) or inner.get("type") == "references":
                raise StepMismatch(
                    f"{name!r} of {self.path} is a list, which can't be part of a key"
                )

        def pair(record: Record, names: Sequence[str]) -> Pair | None:
            if not record.keys() >= {*names, *self.key}:
                return None
            return ({name: record[name] for name in names}, {n: record[n] for n in self.key})

        lookup = KeyLookup(self.path, pair)
        actions = replacing(shapes, lookup, old)
        return [lookup, *actions, *restate(shapes, self.path, old or (), self.key, known.kept)]
