"""What every kind of value has in common."""

from __future__ import annotations

from typing import Any, ClassVar

from lading.messages import shown

#: The kind of columns whose values only a field of the application's understands.
CUSTOM = "custom"


class Kind:
    """One type as it travels.

    ``name`` stands in shapes and messages; ``python`` is the type of its values;
    ``is_key`` says whether it may be part of a natural key; ``written_sorts``
    says whether comparing written forms gives the type's order (else
    :meth:`order` must be asked).
    """

    name: ClassVar[str]
    python: ClassVar[type | tuple[type, ...]]
    is_key: ClassVar[bool] = True
    written_sorts: ClassVar[bool] = True
    #: Whether every text, number or boolean that ``read`` takes is canonical already.
    one_form: ClassVar[bool] = True
    #: Whether records carry it as JSON text of its own: any JSON value, and not a plain one.
    is_json: ClassVar[bool] = False

    @property
    def form(self) -> str:
        """What to write in a record: ``true or false, without quotes``."""
        return "it as an export does"

    def write(self, value: Any) -> Any:
        """Return the canonical written form; ``ValueError`` if it isn't of this kind."""
        raise NotImplementedError

    def read(self, written: Any) -> Any:
        """Return the value of a written form; ``ValueError`` says what was expected."""
        raise NotImplementedError

    def canonical(self, written: Any) -> Any:
        """Return a written form that is canonical already; ``ValueError`` for any other."""
        if self.write(self.read(written)) != written:
            raise ValueError(f"{shown(written)} is not canonical")
        return written

    def order(self, written: Any) -> Any:
        """Return what a canonical written form compares by."""
        return written

    def shape(self) -> dict[str, Any]:
        """Return what a manifest says of this kind, in plain JSON values."""
        return {"type": self.name}

    def check(self, value: Any) -> Any:
        """Return the value if it is exactly of this kind's Python type."""
        kinds = self.python if isinstance(self.python, tuple) else (self.python,)
        if type(value) not in kinds:
            raise ValueError(f"{shown(value)} is not {article(self.name)}")
        return value


def article(name: str) -> str:
    """Return a noun with its indefinite article."""
    return f"an {name}" if name[0] in "aeio" else f"a {name}"
