"""The records of an import in their newest form, wherever they come from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from lading.catalog import Catalog
from lading.changes.link_sides import Relinking, moved_lists
from lading.changes.replay import Flow
from lading.changes.run import Piece, Upgrade
from lading.changes.streams import Failed, Origin, Streams
from lading.errors import BundleError
from lading.messages import Message
from lading.model.entities import Entities
from lading.model.hidden import WITHHELD, has_hidden, masked
from lading.model.rowsets import RowSet
from lading.report import Problem


class Payload(ABC):
    """Records in their newest form, whatever version they were written at.

    Close it after use: lookups of an upgrade are in temporary files.
    """

    origin: Origin
    upgrade: Upgrade
    #: The catalog's entities by name.
    rows: Mapping[str, RowSet]
    streams: Streams | None = None
    relinking: Relinking
    #: Whether records may be missing that the database had when they were exported.
    is_partial = False
    #: The ``content_sha256`` of a bundle; ``None`` for a document.
    digest: str | None = None
    #: The alembic revisions of the database that a bundle was exported from.
    revisions: Sequence[str] = ()

    @abstractmethod
    def check(self, catalog: Catalog) -> None:
        """Refuse what isn't of this catalog, or can't be upgraded to it, before any insert."""

    def take(self, upgrade: Upgrade, entities: Entities) -> None:
        """Run records through an upgrade, and move links to the side that declares them today."""
        self.rows = entities.roots
        self.upgrade = upgrade
        self.streams = Streams(self.origin, upgrade)
        self.relinking = Relinking(self.streams, moved_lists(entities, upgrade.after))
        for moved in self.relinking.moved:
            if moved.source in self.names and moved.holder not in self.names:
                raise BundleError(
                    Message(
                        "entity-missing",
                        f"{moved.source}.{moved.field} holds links that {moved.holder} declares "
                        f"today, but there are no records of {moved.holder}",
                    ),
                    f"Export both, or declare {moved.field} = Ref() in the schema of "
                    f"{moved.source}.",
                    file=self.file(moved.source),
                    field=moved.field,
                )

    def close(self) -> None:
        """Give temporary files back."""
        if self.streams is not None:
            self.streams.close()
            self.relinking.close()

    @property
    def names(self) -> list[str]:
        """Today's names of the entities that have records."""
        return list(self.upgrade.flows)

    def note(self, name: str, needed: int) -> str:
        """Say for messages how changes upgraded an entity's records; empty if they didn't."""
        return self.upgrade.note(name, needed)

    def blocks(self, name: str, size: int, failed: Failed = lambda _: None) -> Iterator[Piece]:
        """Yield an entity's records in blocks, upgraded.

        Records that can't be upgraded are left out, and ``failed`` is called with the problem.
        """
        rows = self.rows[name]
        report = partial(_tell_hidden, failed, rows) if has_hidden(rows) else failed
        assert self.streams is not None, "check comes first"
        return self.relinking.pieces(name, size, report)

    @property
    def _streams(self) -> Streams:
        assert self.streams is not None, "check comes first"
        return self.streams

    def as_written(self, name: str) -> str | None:
        """Return the payload's own name of an entity whose records aren't upgraded, or ``None``."""
        flow = self.upgrade.flows[name]
        return flow.source if isinstance(flow.source, str) and not flow.actions else None

    def has_ids(self, name: str) -> bool:
        """Tell whether blocks carry surrogate ids, which are then ignored."""
        written = self.as_written(name)
        return written is not None and self.origin.has_ids(written)

    def links(self, name: str) -> Mapping[str, int]:
        """Return how many links each reference must have in the blocks, where that is known."""
        written = self.as_written(name)
        return {} if written is None else self.relinking.links(name, self.origin.links(written))

    def total(self, name: str) -> int:
        """Return how many records an entity has, including those that can't be upgraded."""
        return self._streams.total(self.upgrade.flows[name])

    def file(self, name: str) -> str:
        """Return what messages call the file of an entity's records.

        For records that are made of others, it names the files of those.
        """
        flow = self.upgrade.flows[name]
        if isinstance(flow.source, str):
            return self.origin.file(flow.source)
        return f"{name} (of {self._streams.files(flow)})"

    def located(self, problems: Iterable[Problem]) -> list[Problem]:
        """Give problems of records that are made of others the places of those."""
        flows = {
            self.file(name): flow
            for name, flow in self.upgrade.flows.items()
            if not isinstance(flow.source, str)
        }
        return [self._located(problem, flows.get(problem.file)) for problem in problems]

    def _located(self, problem: Problem, flow: Flow | None) -> Problem:
        if flow is None or problem.record is None:
            return problem
        file, record = self._streams.locate(flow, problem.record)
        return replace(problem, file=file, record=record)

    def record_at(self, name: str, number: int) -> str:
        """Name a record of an entity by its place: ``record 3``, with the file if it's another."""
        flow = self.upgrade.flows[name]
        if isinstance(flow.source, str):
            return f"record {number}"
        file, record = self._streams.locate(flow, number)
        return f"record {record} of {file}"


def _tell_hidden(failed: Failed, rows: RowSet, problem: Problem) -> None:
    """Report that a record can't be upgraded, without its values."""
    step = problem.message.partition(": ")[0]
    failed(replace(problem, key=masked(rows.key, problem.key), message=f"{step}: {WITHHELD}"))
