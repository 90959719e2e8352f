"""Draws the entity schemas over an application's models: keys, ownership, options."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

from support.drawn.kinds import KINDS
from support.drawn.names import Names
from support.drawn.spec import App, Column, ForeignKey, Schema, Table

#: Types whose Python values only a declared field knows; those without one are refused.
FIELDS = {
    "tags": "ma.fields.List(ma.fields.String())",
    "instant": "ma.fields.AwareDateTime()",
}
#: Those that some engine can't hold, or no engine can portably, are often left out.
UNKNOWN = ("pickle", "zoned")


class SchemaDraw:
    """Draws schemas: mostly as a careful person would write them, sometimes not."""

    def __init__(self, app: App, rng: random.Random) -> None:
        self.app = app
        self.rng = rng
        self.careful = rng.random() < 0.9

    def draw(self) -> None:
        """Draw a schema for most tables, and what they say of each other."""
        for table in self.app.tables:
            if self.rng.random() < (0.96 if table.base is None else 0.05):
                self.app.schemas.append(Schema(f"{table.model}Schema", table))
        if not self.app.schemas:
            self.app.schemas.append(Schema("OnlySchema", self.app.tables[0].root))
        self.rng.shuffle(self.app.schemas)
        self._ownership()
        for schema in self.app.schemas:
            self._columns(schema)
            self._references(schema)
        for schema in self.app.schemas:
            self._key(schema)
            self._options(schema)
        self._beside()

    def chance(self, share: float) -> bool:
        """Return true in this share of draws."""
        return self.rng.random() < share

    # Ownership

    def _ownership(self) -> None:
        for child in list(self.app.schemas):
            ways = [fk for fk in child.table.foreign_keys if self._can_own(fk, child)]
            self.rng.shuffle(ways)
            for number, fk in enumerate(ways):
                if not self.chance(0.3 if number == 0 else 0.5 if child.owners else 0.1):
                    continue
                owner = self.app.schema_of(fk.target)
                if owner is None or owner is child or self._is_below(owner, child):
                    continue
                self._own(owner, child, fk)
        self._children_first()

    def _can_own(self, fk: ForeignKey, child: Schema) -> bool:
        return not fk.is_self and fk.target.base is None and child.table.base is None

    def _is_below(self, owner: Schema, child: Schema) -> bool:
        """Tell whether the child owns its owner already."""
        return owner is child or any(self._is_below(owner, nested) for nested in child.owns)

    def _own(self, owner: Schema, child: Schema, fk: ForeignKey) -> None:
        lists = [item for item in fk.relationships if item.many]
        name = reference_name(fk)
        if lists:
            field = lists[0].attr
            via = f", via={name!r}" if name and self.chance(0.3) else ""
        elif name:
            field = Names.fresh(
                f"own_{child.table.model.lower()}", {*owner.fields, *owner.table.attrs()}
            )
            via = f", via={name!r}"
        else:
            return
        more = ", data_key='Inner List'" if self.chance(0.05) else ""
        owner.fields[field] = f"Owned({child.name}{via}{more})"
        owner.owns.append(child)
        child.owners.append(fk)
        ordered = bool(lists) and lists[0].ordered
        self.app.features.add("owned ordered" if ordered else "owned")
        if len(child.owners) > 1:
            self.app.features.add("owned by several")
        if owner.owners:
            self.app.features.add("owned in owned")

    def _children_first(self) -> None:
        """A class must stand before the one that names it."""
        placed: list[Schema] = []

        def place(schema: Schema) -> None:
            for child in schema.owns:
                place(child)
            if schema not in placed:
                placed.append(schema)

        for schema in self.app.schemas:
            place(schema)
        self.app.schemas[:] = placed

    # Fields

    def _columns(self, schema: Schema) -> None:
        excluded, shown = [], []
        for column in _family_columns(schema.table):
            if column.filled not in {"value", "computed"}:
                continue
            if column.kind in FIELDS and self.chance(0.9):
                schema.fields[column.attr] = FIELDS[column.kind]
            elif (column.kind in UNKNOWN and self.chance(0.5)) or (
                self.chance(0.01) and _may_be_missing(column)
            ):
                excluded.append(column.attr)
            elif self.chance(0.01) and _may_be_missing(column):
                shown.append(column.attr)
                schema.dump_only.append(column)
            elif column.kind == "text" and self.chance(0.03) and not column.pk:
                none = ", allow_none=True" if column.nullable else ""
                schema.fields[column.attr] = f"ma.fields.String(data_key='The {column.attr}'{none})"
                self.app.features.add("data_key")
        if excluded:
            schema.meta["exclude"] = tuple(excluded)
            self.app.features.add("exclude")
        if shown:
            schema.meta["dump_only"] = tuple(shown)
            self.app.features.add("dump_only")

    def _references(self, schema: Schema) -> None:
        for fk in schema.table.foreign_keys:
            ups = [item.attr for item in fk.relationships if not item.many]
            name = reference_name(fk)
            if fk in schema.owners:
                continue
            if len(ups) > 1 and self.careful:
                schema.fields[ups[0]] = "Ref()"
                continue
            target = self.app.schema_of(fk.target)
            careless = not name or target is None
            if careless and self.careful and name and fk.nullable and fk not in schema.owners:
                schema.meta["exclude"] = (*schema.meta.get("exclude", ()), name)
                continue
            if name and name.isidentifier():
                self._declare(schema, fk, name, target)

    def _declare(self, schema: Schema, fk: ForeignKey, name: str, target: Schema | None) -> None:
        roll = self.rng.random()
        if roll < 0.04 and target is not None:
            schema.fields[name] = "Ref(flat=True)"
            self.app.features.add("flat")
        elif roll < 0.07 and target is not None:
            names = [
                c for u in fk.target.uniques if len(u.columns) == 1 and u.is_key for c in u.columns
            ]
            names = names or [c for c in fk.target.columns if c.kind == "text" and not c.nullable]
            if names:
                schema.fields[name] = f"Ref(by={names[0].attr!r})"
                self.app.referred_by.append(names[0])
                self.app.features.add("by")
        elif roll < 0.10 and fk.relationships:
            schema.fields[Names.fresh("renamed_ref", schema.fields)] = f"Ref({name!r})"
            self.app.features.add("renamed reference")
        elif roll < 0.12:
            schema.fields[name] = "Ref(data_key='See Also')"
        elif roll < 0.15:
            schema.fields[name] = "Ref()"

    # Keys

    def _key(self, schema: Schema) -> None:
        table = schema.table
        candidates = [
            u.columns for u in table.uniques if u.is_key and self._usable(schema, u.columns)
        ]
        conventional = [c for c in candidates if len(c) == 1 and c[0].attr == "slug"]
        business = [c for c in candidates if not any(column.generates for column in c)]
        if not self.careful or self.chance(0.04):
            self._any_key(schema)
        elif conventional:
            schema.key = conventional[0]
        elif len(business or candidates) == 1 and not self._unclear(schema):
            (schema.key,) = business or candidates
        elif candidates:
            self._declare_key(schema, self.rng.choice(candidates))
        elif table.surrogate is None or table.surrogate.kind == "uuid":
            schema.key = table.key
        elif not schema.owners or self._is_referred(table) or self.chance(0.3):
            self._made_key(schema)

    def _usable(self, schema: Schema, columns: Sequence[Column]) -> bool:
        hidden = {*schema.meta.get("exclude", ()), *schema.meta.get("dump_only", ())}
        return all(column.attr not in hidden for column in columns)

    def _unclear(self, schema: Schema) -> bool:
        """A nullable slug is a question to be answered, whatever else is unique."""
        return any(
            column.attr == "slug" and column.nullable
            for unique in schema.table.uniques
            for column in unique.columns
        )

    def _is_referred(self, table: Table) -> bool:
        links = [side for link in self.app.links for side in link.sides]
        return any(fk.target.root is table for fk in (*self.app.foreign_keys(), *links))

    def _made_key(self, schema: Schema) -> None:
        table = schema.table
        plain = [c for c in table.columns if c.filled == "value" and c.type in KINDS[c.kind].keys]
        plain = [column for column in plain if self._usable(schema, [column])]
        ups = [fk for fk in table.foreign_keys if reference_name(fk) and fk not in schema.owners]
        if self.chance(0.35) or not plain:
            assert table.surrogate is not None
            self._declare_key(schema, (table.surrogate,))
            self.app.features.add("key is the id")
            return
        columns: tuple[Column, ...] = tuple(
            self.rng.sample(plain, self.rng.choice((1, min(2, len(plain)))))
        )
        if ups and self.chance(0.6):
            fk = self.rng.choice(ups)
            self.app.features.add("key recurs" if fk.is_self else "key through a reference")
            self._declare_key(schema, columns, fk)
            return
        self._declare_key(schema, columns)

    def _declare_key(
        self, schema: Schema, columns: Iterable[Column], through: ForeignKey | None = None
    ) -> None:
        names = []
        for column in columns:
            own = [fk for fk in schema.table.foreign_keys if column in fk.columns]
            # An id that a key shares has a field of its own, and the reference may be null.
            is_reference = own and column.filled != "id"
            names.append((is_reference and reference_name(own[0])) or column.attr)
        schema.key = tuple(columns)
        if through is not None:
            names.insert(0, str(reference_name(through)))
            schema.key += through.columns
        if any(column.nullable for column in schema.key):
            self.app.features.add("nullable key")
        unique = tuple(dict.fromkeys(names))
        schema.meta["natural_key"] = unique[0] if len(unique) == 1 else unique

    def _any_key(self, schema: Schema) -> None:
        """Whatever comes to mind: derived, wrong, or of a type that is no key."""
        if self.chance(0.5):
            return
        columns = self.rng.sample(schema.table.columns, min(len(schema.table.columns), 2))
        self._declare_key(schema, columns)
        if self.chance(0.2):
            schema.meta["natural_key"] = self.rng.choice(("nothing", (), 5, ("id", "no such")))

    # Options

    def _options(self, schema: Schema) -> None:
        name = schema.table.name
        is_odd = not all(ch.isalnum() or ch in "_- " for ch in name)
        if (is_odd and self.careful) or self.chance(0.05):
            schema.meta["name"] = f"the-{schema.table.model.lower()}"
        if self.chance(0.08):
            schema.meta["version"] = self.rng.choice((2, 7))
        plain = [c for c in schema.table.columns if c.filled == "value" and c not in schema.key]
        plain = [column for column in plain if self._usable(schema, [column])]
        if plain and self.chance(0.06):
            schema.meta["volatile"] = (self.rng.choice(plain).attr,)
            self.app.features.add("volatile")
        others = [item for item in self.app.schemas if not item.owners and item is not schema]
        if others and self.chance(0.04) and not schema.owners:
            other = self.rng.choice(others)
            schema.meta["depends_on"] = (other.meta.get("name", other.table.name),)
            self.app.features.add("depends_on")

    def _beside(self) -> None:
        """A second catalog over some models, and copies of tables in another metadata."""
        whole = [table for table in self.app.tables if table.base is None]
        if self.chance(0.1):
            self.app.second = self.rng.sample(whole, self.rng.randint(1, len(whole)))
            self.app.features.add("second catalog")
        if self.chance(0.06):
            self.app.twice = self.rng.sample(whole, 1)
            self.app.features.add("two metadata")


def _may_be_missing(column: Column) -> bool:
    """Tell whether the database itself has something for a column that no record carries."""
    has_default = any(option.startswith("server_default") for option in column.options)
    return not column.pk and (column.nullable or has_default)


def _family_columns(table: Table) -> Iterable[Column]:
    for member in table.family():
        yield from member.columns


def reference_name(fk: ForeignKey) -> str | None:
    """Return what the reference is called: by its relationship, or by its column."""
    ups = [item.attr for item in fk.relationships if not item.many]
    if ups:
        return ups[0]
    return fk.columns[0].attr.removesuffix("_id") if len(fk.columns) == 1 else None
