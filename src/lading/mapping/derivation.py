"""Derives a catalog's row sets from its schemas, and reports every mistake at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from operator import attrgetter

import sqlalchemy as sa
from sqlalchemy import orm

from lading.errors import DeclarationError
from lading.mapping.checks import (
    circles_of_keys,
    empty_keys,
    entity_faults,
    key_faults,
    lost_targets,
    name_faults,
)
from lading.mapping.context import Context
from lading.mapping.coverage import stale_excuses
from lading.mapping.declarations import open_schema, sorting_name, table_name
from lading.mapping.errors import AmbiguousDeclaration
from lading.mapping.fields import Ref, RefList, schema_of
from lading.mapping.link_lists import add_link_lists
from lading.mapping.load_order import closing_keys, required_circle
from lading.mapping.members import Members
from lading.mapping.meta_options import names_in, option, own_option
from lading.mapping.natural_keys import IDENTITY, Decision, choices, choose_key, identity_key
from lading.mapping.ownership import Ownership
from lading.mapping.references import written_parts
from lading.mapping.settings import Settings
from lading.mapping.surrogate_keys import key_names
from lading.mapping.unknown_names import with_hint
from lading.messages import Message
from lading.model.entities import Entities
from lading.model.rowsets import Column, Links, Reference, RowSet, SchemaClass, Value


def derive(schemas: Sequence[SchemaClass], settings: Settings) -> Entities:
    """Derive a catalog's entities from its schemas, which stay as they are.

    Adopted tables that can't be entities are left out, each with its mistake as the reason.
    Raises ``DeclarationError`` with every mistake of declared schemas.
    """
    configure_models(schemas)
    while True:
        derivation = Derivation(Context(schemas, settings))
        entities = derivation.entities()
        refused = derivation.refused()
        if refused:
            schemas = [schema for schema in schemas if schema not in refused]
            settings = replace(
                settings, left_out={**settings.left_out, **derivation.reasons(refused)}
            )
            continue
        if derivation.context.mistakes:
            raise DeclarationError("schema-malformed", derivation.context.mistakes)
        before = settings
        settings = replace(
            settings, opened=_opened(entities, settings), closing=_closing(entities, settings)
        )
        if settings == before:
            return entities


def _opened(entities: Entities, settings: Settings) -> frozenset[tuple[Column, ...]]:
    """Return the adopted foreign keys that open circles: those so far, and one more if needed."""
    owners = {
        reference: rows.schema for rows in entities.plain.values() for reference in rows.references
    }
    for reference in required_circle(entities) if settings.adopted else ():
        schema = owners.get(reference)
        if schema in settings.adopted and reference.name not in key_names(schema):
            return settings.opened | {reference.columns}
    return settings.opened


def _closing(entities: Entities, settings: Settings) -> frozenset[tuple[Column, ...]]:
    """Return the adopted foreign keys that no load order restores as plain fields."""
    keys = closing_keys(entities) if settings.adopted else ()
    return settings.closing.union(
        columns for rows, columns, _ in keys if rows.schema in settings.adopted
    )


def configure_models(
    schemas: Iterable[SchemaClass], registries: Iterable[orm.registry] = ()
) -> None:
    """Configure what schemas and registries map; ``DeclarationError`` where models have mistakes.

    Other registries of the process may be faulty or half declared, which is no concern of these.
    """
    models = (sa.inspect(option(schema, "model"), raiseerr=False) for schema in schemas)
    own = [mapper.registry for mapper in models if isinstance(mapper, orm.Mapper)]
    try:
        for registry in dict.fromkeys([*own, *registries]):
            registry.configure(cascade=True)
    except sa.exc.SQLAlchemyError as error:
        raise DeclarationError(
            "models-malformed", f"the models can't be configured: {error}"
        ) from error


class Derivation:
    """One derivation: phases over all schemas, and the mistakes found on the way."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.plain = context.plain
        self.decisions: dict[SchemaClass, Decision] = {}

    def entities(self) -> Entities:
        """Run every phase, and return what comes of it; the context has the mistakes."""
        roots, context = self.run(), self.context
        entities = Entities(
            context.settings.name,
            roots,
            context.plain,
            choices(context.plain, self.decisions, context.decisions),
            context.settings.leaves_out,
            context.left_out,
            bool(context.settings.adopted),
        )
        if not context.mistakes:
            context.mistakes += [Message("excuse-stale", text) for text in stale_excuses(entities)]
        return entities

    def refused(self) -> set[SchemaClass]:
        """Return the adopted schemas that have mistakes, but for those whose key a person gave."""
        mistaken = self.context.settings.adopted.intersection(self.context.mistaken)
        return {schema for schema in mistaken if not key_names(schema)}

    def reasons(self, refused: set[SchemaClass]) -> dict[str, str]:
        """Map the tables of refused schemas to their mistakes."""
        return {table_name(schema): "; ".join(self.context.mistaken[schema]) for schema in refused}

    def run(self) -> dict[str, RowSet]:
        """Run every phase that the mistakes so far allow; return the entities by name."""
        context = self.context
        for schema in sorted(context.schemas, key=sorting_name):
            context.declare(schema)
            open_schema(context, schema)
        self._fill()
        self._keys()
        self._bind_parts()
        self._end_keys()
        for rows, fault in key_faults(self.plain.values()) if not context.mistakes else ():
            if rows is None:
                context.mistakes.append(Message("key-undecided", fault))
            else:
                context.report(rows.schema, "key-undecided", fault)
        for schema, rows in self.plain.items():
            decision = self.decisions.get(schema)
            rows.is_known_by_id = decision is not None and decision.reason == IDENTITY
            self._finish(rows)
        for schema, text in lost_targets(context):
            context.report(schema, "column-lost", text)
        roots = Ownership(context).roots()
        self._check(roots)
        if not context.mistakes:
            self._bind(roots)
        return roots

    def _fill(self) -> None:
        """Give every row set its members, but the owned lists."""
        fillers = [Members(draft) for draft in self.context.drafts.values()]
        for filler in fillers:
            filler.fill()
        add_link_lists(self.context)
        for filler in fillers:
            filler.discriminate()
            filler.leftovers()

    def _keys(self) -> None:
        """Choose every row set's natural key."""
        context = self.context
        for schema, rows in self.plain.items():
            declared = own_option(schema, "natural_key")
            try:
                is_adopted = self.context.drafts[schema].is_adopted
                decision = choose_key(rows, declared, is_adopted=is_adopted)
                preferred = context.settings.preferred_keys.get(schema)
                if preferred in decision.offered and preferred != decision.names:
                    decision = choose_key(rows, preferred, is_adopted=is_adopted)
                self.decisions[schema] = decision
                rows.key = decision.key
            except AmbiguousDeclaration as error:
                failed = context.failed(schema)
                is_known = error.name in failed or (declared is None and failed)
                if (schema not in context.owners or declared is not None) and not is_known:
                    context.report(schema, "key-undecided", str(error))

    def _bind_parts(self) -> None:
        """Set the members of its target by which each reference is written."""
        for schema, rows in self.plain.items():
            for member in rows.members:
                reference = member.reference if isinstance(member, Links) else member
                if not isinstance(reference, Reference):
                    continue
                try:
                    reference.parts = written_parts(reference, self.context.owners)
                except AmbiguousDeclaration as error:
                    is_known = self.context.is_without_key(reference.target)
                    if not self._is_owner(schema, reference.target) and not is_known:
                        self.context.report(schema, "key-undecided", f"{reference.name}: {error}")

    def _end_keys(self) -> None:
        """Give adopted row sets their primary key where natural keys lead back to themselves."""
        adopted = {
            rows
            for schema, rows in self.plain.items()
            if self.context.drafts[schema].is_adopted and not key_names(schema)
        }
        while True:
            circles = [rows for circle in circles_of_keys(self.plain.values()) for rows in circle]
            rows = min(adopted.intersection(circles), key=attrgetter("name"), default=None)
            if rows is None:
                return
            adopted.remove(rows)
            try:
                rows.key, reason = identity_key(rows)
            except AmbiguousDeclaration as error:
                self.context.report(rows.schema, "key-undecided", str(error))
                return
            offered = self.decisions[rows.schema].offered
            self.decisions[rows.schema] = Decision(rows.key, reason, offered)
            self._bind_parts()

    def _is_owner(self, child: SchemaClass, target: RowSet) -> bool:
        """A child's way to its owner is carried by nesting, so it needs no key."""
        return any(owner is target.schema for owner, _, _ in self.context.owners.get(child, ()))

    def _finish(self, rows: RowSet) -> None:
        """Take the surrogate out of the members, and put the key first."""
        rest = [
            member
            for member in rows.members
            if member not in rows.key
            and not (
                isinstance(member, Value) and member.column is rows.surrogate and member.writable
            )
        ]
        rows.members = [*rows.key, *rest]
        known = {member.name for member in rows.members}
        for listing in ("volatile", "hidden"):
            for name in names_in(own_option(rows.schema, listing)):
                if name not in known | self.context.failed(rows.schema):
                    self.context.report(
                        rows.schema,
                        "field-unmatched",
                        f"{listing} names an unknown field {with_hint(rows, name, sorted(known))}",
                    )

    def _check(self, roots: dict[str, RowSet]) -> None:
        """Report what is wrong with entities as a whole."""
        context = self.context
        nested = [rows for root in roots.values() for rows in root.tree()]
        for rows in dict.fromkeys([*self.plain.values(), *nested]):
            for text in name_faults(rows):
                context.report(rows.schema, "schema-malformed", text)
        for root in roots.values():
            for fault in entity_faults(root, roots, context):
                context.report(root.schema, "entity-undecided", fault)
        for rows, fault in empty_keys(roots.values()) if not context.mistakes else ():
            context.report(rows.schema, "key-undecided", fault)

    def _bind(self, roots: dict[str, RowSet]) -> None:
        """Give every row set its fields, and check that marshmallow can use them."""
        for schema, rows in self.plain.items():
            _bind_fields(rows)
            for name, field in self.context.declared[schema].items():
                is_left_out = self.context.drafts[schema].excluded.leaves_out(name)
                if not isinstance(field, Ref) and not is_left_out:
                    rows.fields.setdefault(name, field)
        for root in roots.values():
            for rows in root.tree():
                _bind_fields(rows)
        for schema, rows in self.plain.items():
            try:
                schema_of(rows)
            except Exception as error:  # an application's own fields may raise anything
                self.context.report(
                    schema, "field-unmatched", f"its fields can't be used ({error!r}); correct them"
                )


def _bind_fields(rows: RowSet) -> None:
    """List a row set's fields in written order, and bind each to its member."""
    for member in rows.members:
        field = member.field
        if field.data_key is None and member.written != member.name:
            field.data_key = member.written
        if isinstance(field, Ref) and isinstance(member, Reference):
            field.bound = member
        elif isinstance(field, RefList) and isinstance(member, Links):
            field.bound = member.reference
    for children in rows.children:
        children.field.bound = children  # type: ignore[attr-defined]
    rows.fields = {member.name: member.field for member in rows.members} | rows.fields
