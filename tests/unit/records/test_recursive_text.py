"""Keys that recur, read from their text: flat tuples of levels, and what is refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column

from lading import Catalog
from lading.model.recursive_keys import DEEPEST
from lading.records import recursive_text
from lading.records.recursive_text import RecurringKeys
from support.cookbook import rows
from support.declaring import new_base, schema_for, table


def reader(entity: str = "recipes", field: str = "category") -> RecurringKeys:
    """Return the reader of a reference's keys."""
    (reference,) = (item for item in rows(entity).references if item.name == field)
    return RecurringKeys(reference)


def nested(*names: str) -> bytes:
    """Return the text of a category by the names from the root down."""
    text = b"null"
    for name in names:
        text = b'{"parent":%s,"name":"%s"}' % (text, name.encode())
    return text


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (b"null", None),
        (nested("a"), (("a",),)),
        (nested("a", "b", "c"), (("a",), ("b",), ("c",))),
        (b' {"name" : "b", "parent": {"name":"a","parent":null}} ', (("a",), ("b",))),
        (rb'{"parent":null,"name":"\u00e9"}', (("é",),)),
    ],
)
def test_a_text_is_read_from_the_root_down(text: bytes, key: Any) -> None:
    """However it is spelt."""
    assert reader().read(msgspec.Raw(text)) == key


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b'{"parent":null,"name":"a","name":"b"}', "twice"),
        (b'{"parent":null}', "missing required field `name`"),
        (b'{"parent":{"parent":null,"name":5},"name":"a"}', "got `int` - at `$.parent.name`"),
        (b'{"parent":null,"name":"a","x":1}', "unknown field `x`"),
        (b'{"parent":[],"name":"a"}', "got `array`"),
        (b'"a"', "got `str`"),
        (nested(*"a" * (DEEPEST + 1)), f"has more than {DEEPEST} levels"),
    ],
    ids=["duplicate", "missing", "type", "unknown", "array", "text", "deep"],
)
def test_what_is_no_key_is_a_value_error(text: bytes, fault: str) -> None:
    """Of msgspec or of lading."""
    with pytest.raises(ValueError, match=fault.replace("$", r"\$").replace(".", r"\.")):
        reader().read(msgspec.Raw(text))


def test_the_deepest_key_is_read_from_deep_in_the_stack() -> None:
    """One level more would be refused; the record's own reference has one level less."""
    text = msgspec.Raw(nested(*"a" * DEEPEST))
    keys = reader()

    def deep(levels: int) -> Any:
        return deep(levels - 1) if levels else keys.read(text)

    assert len(deep(700)) == DEEPEST
    own = reader("categories", "parent")
    assert len(own.read(msgspec.Raw(nested(*"a" * (DEEPEST - 1))))) == DEEPEST - 1  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"more than {DEEPEST - 1} levels"):
        own.read(text)


def test_equal_texts_and_levels_are_one_object(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neighbours in a file share them; what is remembered is bounded."""
    monkeypatch.setattr(recursive_text, "REMEMBERED", 4)
    keys = reader()
    first = keys.read(msgspec.Raw(nested("a", "b")))
    assert keys.read(msgspec.Raw(nested("a", "b"))) is first
    second = keys.read(msgspec.Raw(nested("a", "c")))
    assert first is not None
    assert second is not None
    assert second[0] is first[0]
    for name in "defgh":
        keys.read(msgspec.Raw(nested(name)))
    assert len(keys.remembered) <= 4
    assert len(keys.levels) <= 4


def test_a_part_in_another_spelling_is_refused() -> None:
    """As every value is that the compiled way takes; marshmallow makes it canonical."""
    base, catalog = new_base(), Catalog("test")
    model = table(
        base,
        "nodes",
        slug=None,
        weight=mapped_column(sa.Numeric(6, 2), nullable=False),
        up_id=mapped_column(sa.ForeignKey("nodes.id")),
    )
    schema_for(model, catalog, natural_key=("up", "weight"))
    (reference,) = catalog.use()["nodes"].references
    keys = RecurringKeys(reference)
    assert keys.read(msgspec.Raw(b'{"up":null,"weight":"1.50"}')) == (("1.50",),)
    with pytest.raises(ValueError, match=r"'1\.5' is not canonical"):
        keys.read(msgspec.Raw(b'{"up":null,"weight":"1.5"}'))
