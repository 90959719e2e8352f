"""What would happen to a database: counts, problems, and changes on disk."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Self

from lading.options import check_entity, check_path
from lading.planning.change_file import read_change_file, write_change_file
from lading.planning.change_log import ChangeLog
from lading.planning.file_format import PlanHeader, PlanSummary
from lading.planning.record_change import Cascade, RecordChange
from lading.planning.summary_text import summary_text
from lading.report import Counts, Problem, total_of


class ChangeSet:
    """What would happen to a database, change by change.

    ``entities`` has the counts of each entity, with a report's names, and ``total`` their sum.
    ``problems`` are as in a report: the first thousand, and ``more_problems`` beyond these.
    ``cascades`` are the rows that the database deletes or alters along with deleted records, and
    ``unchecked`` names what only the database can decide.  ``differences`` are, as in a report,
    the fields in which records differ that stay as the database has them.  The changes
    are in a temporary file, and memory doesn't grow with their number.
    """

    #: What its text begins with.
    title = "changes"
    #: What problems mean to whoever reads its text.
    problem_note: str | None = None

    def __init__(
        self,
        entities: Mapping[str, Counts],
        changes: ChangeLog,
        *,
        problems: Iterable[Problem] = (),
        more_problems: int = 0,
        cascades: Iterable[Cascade] = (),
        unchecked: Iterable[str] = (),
        differences: Iterable[Problem] = (),
        more_differences: int = 0,
        header: PlanHeader,
    ) -> None:
        self.entities = dict(entities)
        self.log = changes
        self.problems = list(problems)
        self.more_problems = more_problems
        self.cascades = tuple(cascades)
        self.unchecked = tuple(unchecked)
        self.differences = list(differences)
        self.more_differences = more_differences
        self.header = header

    @property
    def total(self) -> Counts:
        """The sum over all entities."""
        return total_of(self.entities.values())

    def __getitem__(self, entity: str) -> Counts:
        return self.entities[entity]

    def __bool__(self) -> bool:
        return len(self.log) > 0

    def __str__(self) -> str:
        return summary_text(
            self.title, self._summary(), self.log.groups, problem_note=self.problem_note
        )

    def changes(self, entity: str | None = None) -> Iterator[RecordChange]:
        """Iterate over the changes, which are read from the disk one after the other.

        Args:
            entity: the entity whose changes are meant; by default all.

        Returns:
            An iterator over ``RecordChange`` objects.

        Raises:
            ArgumentError: there is no such entity.
        """
        if entity is not None:
            check_entity("entity", entity, self.entities)
        return self.log.changes(entity)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the changes to a file, one JSON value a line.

        The first line is a header, the last a summary with a checksum;
        :func:`lading.formats.plan_schema` describes each.

        Args:
            path: where to write; a file that is there is replaced.

        Raises:
            ArgumentError: the path isn't one.
            BundleError: the file can't be written.
        """
        check_path("path", path)
        write_change_file(Path(os.fsdecode(path)), self.header, self.log, self._summary())

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Read what ``write`` wrote, be it a plan or a diff.

        Args:
            path: the file.

        Returns:
            The plan or diff, whose changes are in a temporary file of its own.

        Raises:
            ArgumentError: the path isn't one.
            BundleError: the file is missing, cut off, or holds something else.
            ChecksumError: it was edited.
            VersionError: it is of another format.
        """
        check_path("path", path)
        header, log, summary = read_change_file(Path(os.fsdecode(path)))
        return cls(
            summary.entities,
            log,
            problems=summary.problems,
            more_problems=summary.more_problems,
            cascades=summary.cascades,
            unchecked=summary.unchecked,
            differences=summary.differences,
            more_differences=summary.more_differences,
            header=header,
        )

    def _summary(self) -> PlanSummary:
        return PlanSummary(
            len(self.log),
            self.entities,
            tuple(self.problems),
            self.more_problems,
            self.cascades,
            self.unchecked,
            tuple(self.differences),
            self.more_differences,
        )
