"""From the text of keys that recur to flat keys: a typed decoder, then level by level."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import msgspec

from lading.codegen import CodeBuilder, Expression
from lading.model.recursive_keys import deepest, recurring
from lading.model.rowsets import Reference, Value
from lading.records.key_source import Leaf, key_source
from lading.records.layout import Key, KeyLayout, Part, attribute
from lading.values.json_text import on_own_stack, parse_json

#: How many texts and levels are remembered, since neighbours in a file often share them: more than
#: a block has, as its keys and references are read one after the other.
REMEMBERED = 2_500
_encoder = msgspec.json.Encoder()


def checked(source: CodeBuilder) -> Leaf:
    """Return what reads the parts of keys that aren't structs, and checks them.

    A plain value is checked where one value has several texts; a key that recurs stands as text.
    """
    readers: dict[Reference, RecurringKeys] = {}

    def leaf(part: Part, x: str) -> str:
        if isinstance(part, Reference):
            if part not in readers:
                readers[part] = RecurringKeys(part)
            return source.use(Expression("levels({x})", {"levels": readers[part].read}), x)
        return _checked_value(source, part, x)

    return leaf


def _checked_value(source: CodeBuilder, value: Value, x: str) -> str:
    if value.kind.one_form:
        return x
    return source.use(Expression("canonical({x})", {"canonical": value.kind.canonical}), x)


class RecurringKeys:
    """Reads the recursive keys that one reference holds."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self.most = deepest(reference)
        self.remembered: dict[bytes, Key] = {}
        self.levels: dict[Key, Key] = {}
        layout = KeyLayout(reference.parts)
        own = recurring(reference.parts)
        assert own is not None
        self.above = attrgetter(attribute(reference.parts.index(own)))
        struct: Any = layout.struct
        self.decoder = msgspec.json.Decoder(struct | None if reference.nullable else struct)
        source = CodeBuilder("levels")
        level = key_source(reference.parts, "l", checked(source))
        self.level = source.compile(f"lambda l: {level}")

    def read(self, text: msgspec.Raw) -> Key | None:
        """Return the key that a text says, or ``None`` for null; ``ValueError`` for any other."""
        line = bytes(text)
        remembered = self.remembered.get(line)  # another thread may clear the cache meanwhile
        if remembered is not None:
            return remembered
        struct = on_own_stack(self.decoder.decode, line)
        # The decoder keeps the last of duplicate names; text that isn't ours is parsed strictly.
        if on_own_stack(_encoder.encode, struct) != line:
            parse_json(line)
        if struct is None:
            return None
        if len(self.remembered) >= REMEMBERED:
            self.remembered.clear()
        key = self.remembered[line] = self._key(struct)
        return key

    def _key(self, lowest: Any) -> Key:
        levels = []
        level, above, at = self.level, self.above, lowest
        while at is not None:
            levels.append(level(at))
            at = above(at)
        if len(levels) > self.most:
            raise ValueError(f"has more than {self.most} levels.")
        if len(self.levels) >= REMEMBERED:
            self.levels.clear()
        shared = self.levels.setdefault
        levels.reverse()
        return tuple(shared(level, level) for level in levels)
