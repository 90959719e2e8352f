"""What the loaders of one load share, and what a load passes on to the next one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lading.database.live.base import Database
from lading.database.tables import TableCounts
from lading.importing.duplicates import Duplicate
from lading.importing.journal import Journal
from lading.importing.outcomes import KeyHashes, Outcomes
from lading.importing.resolvers import Resolvers
from lading.importing.unique_sets import UniqueSets
from lading.mapping.load_order import LoadOrder
from lading.model.entities import Entities
from lading.report import Problem, Problems
from lading.scratch.pool import Pool
from lading.scratch.spool import Spool


@dataclass(frozen=True, slots=True)
class LoadContext:
    """What the loaders of one load share: where it writes, and where it notes what happens.

    An import loads its payload once, or again where records turn out bad after they were
    written; each load has a context of its own.  ``cascade`` says whether deletions may take
    along rows outside of the records, and ``keeps_good`` whether bad records are left out.
    ``renames`` has the new natural keys of rows, once a plan has found those that need some;
    until then ``former_keys`` has their old keys, by entity and new key.
    """

    database: Database
    entities: Entities
    order: LoadOrder
    tables: TableCounts
    resolvers: Resolvers
    unique: UniqueSets
    outcomes: Outcomes
    exclusions: Exclusions
    journal: Journal
    cascade: bool
    keeps_good: bool
    renames: Mapping[str, Spool] | None
    former_keys: Pool


class Exclusions:
    """The records of an import that are left out from the beginning of a load.

    A record may turn out bad after it was written: an import that keeps good records then
    begins again without it.  One that doesn't goes on, to find every problem.
    """

    def __init__(self, *, keeps_good: bool) -> None:
        self.keeps_good = keeps_good
        self.must_restart = False
        self.problems = Problems()
        self.failed_keys = KeyHashes()
        #: The numbers of bad records, by entity.
        self.bad: dict[str, set[int]] = {}
        #: The records that share a natural key by number, of entities that were searched for them.
        self.duplicates: dict[str, dict[int, Duplicate]] = {}

    def of(self, name: str) -> set[int]:
        """Return the numbers of an entity's records that are left out."""
        return self.bad.get(name, set()) | self.duplicates.get(name, {}).keys()

    def add_bad(self, name: str, numbers: set[int]) -> None:
        """Leave out records that turned out bad after they, or rows beside them, were written."""
        bad = self.bad.setdefault(name, set())
        if self.keeps_good and not numbers <= bad:
            bad |= numbers
            self.must_restart = True

    def add_duplicates(self, name: str, duplicates: dict[int, Duplicate]) -> None:
        """Leave out records that share a natural key, though some may be written already."""
        self.duplicates[name] = duplicates
        self.must_restart = True

    def explain(
        self, name: str, file: str, problems: Iterable[Problem], *, keeps_whole: bool = False
    ) -> None:
        """Remember why an entity's records are left out: the problems that a load found.

        Args:
            name: the entity.
            file: its file.
            problems: the problems.
            keeps_whole: whether to remember those of the whole file as well, which a load without
                the bad records may not find again.
        """
        known = {(problem.file, problem.record) for problem in self.problems}
        bad = self.bad.setdefault(name, set())
        for problem in problems:
            if problem.file != file:
                continue
            if problem.record is None and keeps_whole and problem not in self.problems:
                bad.add(0)
                self.problems.append(problem)
            elif problem.record in bad:
                self.failed_keys.add(name, problem.key)
                if (problem.file, problem.record) not in known:
                    self.problems.append(problem)
        # A record whose problem wasn't kept, because there were too many, still counts.
        explained = {(problem.file, problem.record) for problem in self.problems}
        self.problems.more = sum(map(len, self.bad.values())) - len(explained)
