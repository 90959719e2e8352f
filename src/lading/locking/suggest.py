"""Writes the source of a change for what differs, with honest guesses where there are any.

Where nothing can be guessed, a function of ``...`` stands in the source, which a run refuses.
Comments say what a person must fill in, and what would be lost.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lading.catalog import Catalog, default_catalog
from lading.changes.rewriting.rekey_references import flat_links
from lading.changes.rewriting.shapes import Shape, Shapes, is_link, is_owned
from lading.changes.steps.split_entity import Split
from lading.locking.differences import ShapeDifference
from lading.locking.draft import Draft, altered_by
from lading.model.entities import Entities

#: An unknown value, for a person to fill in.
OPEN = "..."
UNCHANGED = "lambda value: value"

# What a person should know of a step.
GOES = "its values are dropped; if they moved or the field was renamed, use Move or Rename instead"
ENDS = "its records are dropped; if it was renamed, use Rename({}, to=...) instead"
FILL_IN = "fill in what older records get"
CONVERT = "fill in what older values become"
TOO_MUCH = "convert the values that no longer fit"
TWINS = "make the values unique"
OTHER_CLASS = "fill in the class that such records have now"


def suggestions(
    catalog: Catalog, before: Shapes, after: Shapes, drafts: Mapping[str, Draft]
) -> dict[str, str]:
    """Return the source of a change for each draft.

    Args:
        catalog: The catalog that the changes are for.
        before: The sealed shapes, as declared changes leave them.
        after: The declared shapes.
        drafts: What each change must do, by the entity's name.

    Returns:
        The sources, by the same names.
    """
    return {
        name: _source(_Writer(catalog, before, after, draft), _earlier(after, drafts, name))
        for name, draft in drafts.items()
    }


def _earlier(shapes: Shapes, drafts: Mapping[str, Draft], name: str) -> list[str]:
    """Name the changes that must run before one: of two whose order matters, the first by name."""
    pairs_in_order = []
    for other in sorted(drafts):
        if other >= name:
            break
        pairs = ((drafts[other], drafts[name]), (drafts[name], drafts[other]))
        if any(
            altered_by(shapes, first) & {*second.names, second.former} for first, second in pairs
        ):
            pairs_in_order.append(drafts[other].title)
    return pairs_in_order


class _Writer:
    """Writes the steps of one change."""

    def __init__(self, catalog: Catalog, before: Shapes, after: Shapes, draft: Draft) -> None:
        self.catalog = catalog
        self.before = before
        self.after = after
        self.draft = draft
        self.steps: list[tuple[str, str]] = []
        self.notes: list[str] = []
        self._write()

    def _write(self) -> None:
        draft = self.draft
        if draft.is_renamed:
            self._step(f"Rename({_text(draft.former)}, to={_text(draft.name)})")
        if draft.move[1] is None:
            name = _text(draft.former)
            self._step(f"Drop({name})", ENDS.format(name))
        for split in draft.splits:
            self._step(_split_text(split))
        for step in draft.renames:
            names = ", ".join(_text(str(argument)) for argument in (step.path, step.old, step.new))
            self._step(f"Rename({names})")
        converted: set[str] = set()
        for difference in sorted(draft.differences, key=self._turn):
            if difference.place not in converted:
                self._take(difference, converted)

    def _step(self, code: str, note: str = "") -> None:
        self.steps.append((code, note))

    def _turn(self, difference: ShapeDifference) -> tuple[int, str]:
        """Fields of a former key go after it, those of the next come before it."""
        rekeyed = any(other.rule == "KEY_CHANGED" for other in self.draft.differences)
        late = rekeyed and difference.rule == "FIELD_REMOVED"
        turns = {"FIELD_REMOVED": 3 if late else 0, "KEY_CHANGED": 2}
        return turns.get(difference.rule, 1), difference.place

    def _take(self, difference: ShapeDifference, converted: set[str]) -> None:
        at = f"{_text(difference.path)}, {_text(difference.field or '')}"
        if difference.rule == "UNIQUE_ADDED":
            self._unique(difference, converted)
        elif difference.rule == "KEY_CHANGED" and difference.path in self.after.roots:
            # A flat reference doesn't say by which key it was written.
            was = (
                f", was={_texts(difference.before)}"
                if flat_links(self.after, difference.path)
                else ""
            )
            self._step(f"Rekey({_text(difference.path)}, {_texts(difference.after)}{was})")
        elif difference.rule == "FIELD_REMOVED":
            gains = any(other.rule == "FIELD_ADDED" for other in self.draft.differences)
            self._step(f"Drop({at})", GOES if gains else "")
        elif difference.rule == "CLASS_REMOVED":
            self._class_gone(difference)
        elif difference.rule == "CLASSES_CHANGED" and self._classes(difference, converted):
            return
        elif difference.rule == "FIELD_ADDED":
            value = self._value(difference)
            self._step(f"Add({at}, {value})", FILL_IN if _is_open(value) else "")
        else:
            self._convert(difference, at, converted)

    def _convert(self, difference: ShapeDifference, at: str, converted: set[str]) -> None:
        """Convert a field; what is no field, or part of a key that would change, is only told."""
        conversion = self._conversion(difference)
        key = (*self.after.key_of(difference.path), *self.before.key_of(difference.path))
        if difference.field is None or (difference.field in key and conversion != UNCHANGED):
            self.notes.append(f"say what became of the records: {difference.text}")
            return
        converted.add(difference.place)
        fits = conversion != UNCHANGED or not difference.rule.endswith("NARROWED")
        note = CONVERT if _is_open(conversion) else "" if fits else TOO_MUCH
        self._step(f"Convert({at}, {conversion})", note)

    def _class_gone(self, difference: ShapeDifference) -> None:
        """Let records be of another class, which only a person can tell."""
        shape, gone = self.after.at(difference.path), _less(difference.before, difference.after)
        name = shape.get("discriminator")
        if name is None or name in shape["key"]:
            self.notes.append(f"say what became of the records: {difference.text}")
            return
        code = f"lambda value: {OPEN} if {_is_among('value', gone)} else value"
        self._step(f"Convert({_text(difference.path)}, {_text(name)}, {code})", OTHER_CLASS)

    def _classes(self, difference: ShapeDifference, converted: set[str]) -> bool:
        """Give a field to records of more classes, or take it from some; tell whether that is all.

        Where only the names of classes differ, what converts these covers the field.
        """
        shape, name = self.after.at(difference.path), str(difference.field)
        kind, is_key = shape.get("discriminator"), name in self.after.key_of(difference.path)
        classes = self.before.at(difference.path).get("kinds", []), shape.get("kinds", [])
        if kind is None or is_key or not all(classes):
            return False
        old = difference.before.get("classes", classes[0])
        new = difference.after.get("classes", classes[1])
        gains = [known for known in _less(new, old) if known in classes[0]]
        loses = [known for known in _less(old, new) if known in classes[1]]
        if not (gains or loses):
            return bool(_less(*classes))
        value = self._value(difference).removeprefix("lambda record: ")
        of_class, code = f"record[{_text(kind)}]", "record"
        if loses:
            rest = f"{{n: v for n, v in record.items() if n != {_text(name)}}}"
            code = f"{rest} if {_is_among(of_class, loses)} else {code}"
        if gains:
            given = f"{{**record, {_text(name)}: {value}}}"
            code = f"{given} if {_is_among(of_class, gains)} else {code}"
        converted.add(difference.place)
        both = f"adds={_text(name)}, drops={_text(name)}"
        note = FILL_IN if gains and _is_open(value) else ""
        self._step(f"Each({_text(difference.path)}, lambda record: {code}, {both})", note)
        return True

    def _unique(self, difference: ShapeDifference, converted: set[str]) -> None:
        """Any field of the set may be made unique, but those of the key."""
        shape, key = self.after.at(difference.path), self.after.key_of(difference.path)
        free = [name for name in difference.after if name in shape["fields"] and name not in key]
        if not free:
            self.notes.append(f"say what became of the records: {difference.text}")
            return
        converted.add(f"{difference.path}.{free[-1]}")
        self._step(f"Convert({_text(difference.path)}, {_text(free[-1])}, {UNCHANGED})", TWINS)

    # Values

    def _value(self, difference: ShapeDifference) -> str:
        """Return the source of what older records get in a new field."""
        inner: Shape = difference.after
        if is_owned(inner) or inner["type"] == "references":
            return "[]"
        if inner.get("nullable"):
            return "None"
        unique = [
            names
            for names in self.after.at(difference.path).get("unique", [])
            if difference.field in names
        ]
        if unique or is_link(inner):
            return f"lambda record: {OPEN}"
        return self._plain(difference)

    def _plain(self, difference: ShapeDifference) -> str:
        """Return the default that somebody declared; an invented value would be taken for data."""
        for default in (difference.after.get("default") or {}).values():
            if default.get("value") is not None:
                return repr(default["value"])
        return f"lambda record: {OPEN}"

    def _conversion(self, difference: ShapeDifference) -> str:
        """Return the source of a function of the old value."""
        before, after = difference.before, difference.after
        if not (isinstance(before, dict) and isinstance(after, dict) and difference.field):
            return ""
        conversion = self._of_type(before, after)
        if before.get("nullable") and not after.get("nullable"):
            null = self._plain(difference) if not is_link(after) else OPEN
            null = OPEN if null.startswith("lambda") else null
            return f"lambda value: {null} if value is None else {conversion}"
        if before.get("nullable") and conversion not in ("value", OPEN):
            conversion = f"None if value is None else {conversion}"
        return f"lambda value: {conversion}"

    def _of_type(self, before: Shape, after: Shape) -> str:
        pair = (before["type"], after["type"])
        if pair in _CONVERSIONS:
            return _CONVERSIONS[pair]
        if pair[0] != pair[1] or is_link(after):
            return OPEN
        return "value"


#: What turns a written form into that of another type, where nothing is lost.
_CONVERSIONS = {
    ("integer", "float"): "value",
    ("integer", "decimal"): "str(value)",
    ("integer", "string"): "str(value)",
    ("integer", "boolean"): "value != 0",
    ("boolean", "integer"): "int(value)",
    ("decimal", "string"): "value",
    ("uuid", "string"): "value",
    ("enum", "string"): "value",
    ("date", "string"): "value",
    ("datetime", "string"): "value",
    ("date", "datetime"): 'f"{value}T00:00:00"',
    ("string", "json"): "value",
    ("integer", "json"): "value",
    ("boolean", "json"): "value",
}


def _is_open(code: str) -> bool:
    """Tell whether a person must fill something in; the text of a value may look like it."""
    nodes = ast.walk(ast.parse(code, mode="eval"))
    return any(isinstance(node, ast.Constant) and node.value is ... for node in nodes)


# The class


def _source(writer: _Writer, after: list[str]) -> str:
    draft = writer.draft
    used = [name for name in _STEPS if any(code.startswith(f"{name}(") for code, _ in writer.steps)]
    imports, named = _catalog(writer.catalog, draft.name)
    moves = [f"{_text(name)}: {move!r}" for name, move in draft.upgrades.items()]
    names = [*(change.__name__ for change in draft.after), *after]
    lines = [
        *imports,
        *_change_imports(writer.catalog.use(), draft),
        f"from lading import {', '.join(sorted(['Change', *used]))}",
        "",
        "",
        *_versioned(draft),
        f"class {draft.title}(Change):",
        f'    """{_story(draft)}"""',
        "",
        *named,
        f"    upgrades = {{{', '.join(moves)}}}",
        *([f"    after = [{', '.join(names)}]"] if names else []),
        *(f"    # {note}" for note in writer.notes),
        *_step_lines(writer.steps),
    ]
    return "\n".join(lines) + "\n"


_STEPS = ("Add", "Convert", "Drop", "Each", "Rekey", "Rename", "Split")


def _versioned(draft: Draft) -> Iterator[str]:
    if draft.move[0] is not None and draft.move[1] is not None:
        yield f"# Set version = {draft.move[1]} in the Meta of {draft.name}'s schema."
    if draft.move[0] is None:
        yield f"# {draft.name}'s schema has version = 1."


def _step_lines(steps: list[tuple[str, str]]) -> list[str]:
    if not steps:
        return ["    steps = []"]
    lines = (f"        {code}," + (f"  # {note}" if note else "") for code, note in steps)
    return ["    steps = [", *lines, "    ]"]


def _story(draft: Draft) -> str:
    name = draft.name
    before, after = draft.move
    if before is None:
        return f"Begins {name}."
    if after is None:
        return f"Ends {name}."
    texts = [f"renamed from {draft.former}"] if draft.is_renamed else []
    texts += [f"{step.old} is now {step.new}" for step in draft.renames]
    texts += [f"{', '.join(step.fields)} moved to {step.into}" for step in draft.splits]
    verbs = {"FIELD_REMOVED": "without", "FIELD_ADDED": "with"}
    for difference in draft.differences:
        what = difference.place[len(name) + 1 :]
        if difference.rule == "KEY_CHANGED":
            texts.append(f"another key{f' in {what}' if what else ''}")
        else:
            texts.append(f"{verbs.get(difference.rule, 'converted')} {what or 'records'}")
    text = ", ".join(dict.fromkeys(texts)) or "unchanged"
    return f"{name}: {text}.".replace("\\", "/").replace('"', "'")


def _catalog(catalog: Catalog, name: str) -> tuple[list[str], list[str]]:
    """Return the lines that import the catalog and name it, as the schema's own module would."""
    if catalog is default_catalog:
        return [], []
    entities = catalog.use()
    schemas = [entities.roots[name].schema] if name in entities.roots else []
    for schema in [*schemas, *catalog.schemas]:
        for base in schema.__mro__:
            for variable, value in vars(sys.modules.get(base.__module__, sys)).items():
                if value is catalog and variable.isidentifier():
                    within = base.__module__ == schema.__module__
                    line = f"from {base.__module__} import {variable}"
                    return [] if within else [line], [f"    catalog = {variable}"]
    return [], [f"    # catalog = the variable that holds the Catalog {catalog.name!r}"]


def _change_imports(entities: Entities, draft: Draft) -> list[str]:
    """Return the lines that import other changes than those of the schema's own module."""
    schema = entities.roots[draft.name].schema if draft.name in entities.roots else None
    return [
        f"from {change.__module__} import {change.__name__}"
        for change in draft.after
        if schema is None or change.__module__ != schema.__module__
        if vars(sys.modules.get(change.__module__, sys)).get(change.__name__) is change
    ]


def _split_text(step: Split) -> str:
    pairs = step.fields.items()
    fields = ", ".join(f"{_text(old)}: {_text(new)}" for old, new in pairs)
    fields_text = f"{{{fields}}}" if any(old != new for old, new in pairs) else _tuple(step.fields)
    return (
        f"Split({_text(str(step.path))}, {_text(step.into)}, fields={fields_text}, "
        f"key={_texts(list(step.key))}, ref={_text(step.ref)})"
    )


def _tuple(names: Iterable[str]) -> str:
    texts = [_text(name) for name in names]
    return f"({texts[0]},)" if len(texts) == 1 else f"({', '.join(texts)})"


def _texts(names: list[str]) -> str:
    """Return the source of a key: a name, or a tuple of several."""
    return _text(names[0]) if len(names) == 1 else _tuple(names)


def _text(name: str) -> str:
    """Return a name's source, in double quotes where that is plain."""
    return f'"{name}"' if name.isprintable() and not set('"\\') & set(name) else repr(name)


def _less(names: Iterable[Any], others: Iterable[Any]) -> list[Any]:
    """Return the names that aren't among others."""
    known = list(others)
    return [name for name in names if name not in known]


def _is_among(subject: str, values: list[Any]) -> str:
    """Return the source of what tells whether something is one of some values."""
    texts = [_text(value) if isinstance(value, str) else repr(value) for value in values]
    return f"{subject} == {texts[0]}" if len(texts) == 1 else f"{subject} in ({', '.join(texts)})"
