"""Which fields a row of a hierarchy has: source text that asks its discriminator.

A row must hold nothing in the columns of other classes, and have a row in exactly the
tables of its own; anything else would be forgotten, and is a ``ValueError``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lading.codegen import CodeBuilder
from lading.exporting.query import Selection
from lading.model.rowsets import Member, RowSet


class ClassSource:
    """Binds a row's discriminator to ``d`` in generated code; does nothing without one.

    ``written`` is source for the discriminator's written form.
    """

    def __init__(
        self, rows: RowSet, selection: Selection, source: CodeBuilder, written: str
    ) -> None:
        self.source = source
        self.loop = ""
        if rows.discriminator is not None:
            places = [selection.raw(extension.pairs[0][0]) for extension in rows.extensions]
            check = source.name(_checked(rows), "check")
            arguments = ", ".join([written, *(f"c{place}" for place in places)])
            self.loop = f" for d in ({check}({arguments}),)"

    def only(self, member: Member, text: str, empty: str) -> str:
        """Return source for a field that only some classes have; ``empty`` tells that it is."""
        if member.classes is None:
            return text
        classes = self.source.name(member.classes, "classes")
        stray = self.source.name(_stray(member), "stray")
        return f"({text} if d in {classes} else UNSET if {empty} else {stray}(d))"


def _checked(rows: RowSet) -> Callable[..., Any]:
    known = rows.classes or frozenset()

    def check(identity: Any, *own: Any) -> Any:
        if identity not in known:
            names = ", ".join(sorted(repr(name) for name in known if name is not None))
            raise ValueError(
                f"{identity!r} is the polymorphic_identity of no mapped class (there are {names}); "
                "import the module that declares it, or correct the row"
            )
        for extension, own_key in zip(rows.extensions, own, strict=True):
            if (own_key is not None) != (identity in extension.classes):
                has = "has a row" if own_key is not None else "has no row"
                raise ValueError(
                    f"a row of class {identity!r} {has} in {extension.table.fullname}, "
                    "unlike its class"
                )
        return identity

    return check


def _stray(member: Member) -> Callable[[Any], Any]:
    def fail(identity: Any) -> Any:
        raise ValueError(
            f"rows of class {identity!r} have no {member.written}, and this one does: it would be "
            "forgotten; set it to null (an owned list: to none)"
        )

    return fail
