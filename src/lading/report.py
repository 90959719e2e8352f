"""Frozen values that say what happened: problems, progress, an import's outcome.

Nothing here decides anything; the stories fill these in and hand them out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from lading.messages import Message, listed, place, sentence, shown

#: How many problems a report keeps, for each takes memory.
MOST_PROBLEMS = 1_000
#: What a difference from a sealed shape means for the payloads that were written before it.
SAFE = "safe"
NEEDS_CHANGE = "needs a change"
BREAKING = "breaking"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with one record of an import.

    ``file`` is the file's name within the bundle (for a document, the name of
    its list), ``record`` counts from 1, ``key`` is the record's natural key in
    portable form or ``None`` where it couldn't be read.  ``code`` names the situation, and never
    changes: each is explained under "Errors and findings" in the documentation.
    """

    file: str
    record: int | None
    key: Any
    field: str | None
    message: str
    code: str

    @classmethod
    def of(
        cls,
        message: Message,
        file: str,
        record: int | None = None,
        key: Any = None,
        field: str | None = None,
    ) -> Problem:
        """Return the problem that a message tells of a file, or of a record of it.

        Args:
            message: What is wrong, with its code.
            file: The file's name.
            record: The record's number in it, from 1.
            key: The record's natural key, in portable form.
            field: The field's path.
        """
        return cls(file, record, key, field, message.plain, message.code)

    @property
    def text(self) -> Message:
        """The message with its code."""
        return Message(self.code, self.message)

    def __str__(self) -> str:
        return sentence(place(file=self.file, record=self.record, field=self.field), self.message)


class Problems:
    """Problems as they are found: the first of them are kept, and all are counted."""

    def __init__(self, problems: Iterable[Problem] = (), more: int = 0) -> None:
        self.kept: list[Problem] = []
        self.more = more
        self.extend(problems)

    def append(self, problem: Problem) -> None:
        """Count a problem, and keep it unless there are many already."""
        if len(self.kept) < MOST_PROBLEMS:
            self.kept.append(problem)
        else:
            self.more += 1

    def extend(self, problems: Iterable[Problem]) -> None:
        """Add problems."""
        for problem in problems:
            self.append(problem)

    def __bool__(self) -> bool:
        return bool(self.kept)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self.kept)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a call is: ``done`` of ``total`` records of ``entity``.

    ``total`` is ``None`` where it isn't known yet.  ``step`` is ``"export"``, ``"import"``,
    ``"verify"`` (``seal`` too), ``"upgrade"`` or ``"write"``.
    """

    step: str
    entity: str
    done: int
    total: int | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference between what a catalog declares and what its lock has sealed.

    ``rule`` is a stable name such as ``FIELD_REMOVED``, and ``code`` the same name as codes of
    errors and problems are written: ``field-removed``.  ``path`` says where
    (``recipes.uses.amount``).  ``severity`` is ``"safe"`` (older payloads load and mean the
    same), ``"needs a change"`` or ``"breaking"`` (which no change mends).  ``before`` and
    ``after`` are the shapes, ``None`` where there is none.  ``message`` says what is, what was and
    what to do; ``suggestion`` is the source of a ``Change`` that says so, or ``None``.
    """

    rule: str
    path: str
    severity: str
    before: Any
    after: Any
    message: str
    suggestion: str | None = None
    code: str = field(init=False)

    def __post_init__(self) -> None:
        """Derive the code from the rule."""
        object.__setattr__(self, "code", self.rule.lower().replace("_", "-"))

    @property
    def kind(self) -> str:
        """The severity, by its former name."""
        return self.severity

    def __str__(self) -> str:
        text = f"{sentence(f'{self.path}: {self.rule} ({self.severity})', self.message)}"
        return f"{text}\n\n{self.suggestion}" if self.suggestion else text


@dataclass(frozen=True, slots=True)
class Alteration:
    """A field whose values the database changed after an import wrote them.

    ``field`` is a dotted path into owned rows (``lines.amount``), ``count`` how many records
    differ in it.  The rest is an example: a record's natural ``key`` in portable form, and
    what was ``written`` and what was ``found`` instead.
    """

    entity: str
    field: str
    count: int
    key: Any
    written: Any
    found: Any

    def __str__(self) -> str:
        records = "1 record doesn't" if self.count == 1 else f"{self.count} records don't"
        return (
            f"{self.entity}, {self.field}: {records} hold what was written; that of "
            f"{shown(self.key)} was {shown(self.written)} and is {shown(self.found)}"
        )


@dataclass(slots=True)
class Counts:
    """What became of the records of one entity (or of all, in ``ImportReport.total``).

    Owned children and links are part of their record and not counted apart.
    """

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    differing: int = 0
    deleted: int = 0
    failed: int = 0

    @property
    def imported(self) -> int:
        """Records that the import wrote: inserted and updated ones."""
        return self.inserted + self.updated

    def add(self, other: Counts) -> None:
        """Add another entity's counts to these."""
        for count in fields(self):
            setattr(self, count.name, getattr(self, count.name) + getattr(other, count.name))

    def __str__(self) -> str:
        parts = [f"{getattr(self, count.name):,} {count.name}" for count in fields(self)]
        shown = [part for part in parts if not part.startswith("0 ")]
        return ", ".join(shown) or "nothing to do"


def total_of(counts: Iterable[Counts]) -> Counts:
    """Return the sum of entities' counts."""
    total = Counts()
    for entity_counts in counts:
        total.add(entity_counts)
    return total


@dataclass(frozen=True, slots=True)
class RevisionsDiffer:
    """The alembic revisions of a bundle's database, and those of one that it is imported into."""

    bundle: tuple[str, ...]
    database: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"the bundle is of a database at alembic revision {', '.join(self.bundle)}, and this "
            f"one is at {', '.join(self.database)}"
        )


@dataclass(slots=True)
class ImportReport:
    """The outcome of an import, per entity (in import order) and in total.

    ``committed`` is true only where the import itself committed; with a
    session of the caller's it is false, and the caller commits.  ``callers`` says
    that it was such a session, ``rolled_back`` that nothing is left of the import.
    ``problems`` holds the first thousand, ``more_problems`` is how many there were beyond.
    ``altered`` tells what triggers and rules of the database made of what was written.
    ``differences`` are the fields, at most a thousand, in which skipped records differ from
    those that the database has.  ``revisions`` are alembic's of the bundle and of the database,
    if both are known and differ.
    """

    entities: dict[str, Counts] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    committed: bool = False
    callers: bool = False
    rolled_back: bool = False
    more_problems: int = 0
    altered: list[Alteration] = field(default_factory=list)
    differences: list[Problem] = field(default_factory=list)
    more_differences: int = 0
    revisions: RevisionsDiffer | None = None

    @property
    def problem_count(self) -> int:
        """The number of problems, with those that aren't kept."""
        return len(self.problems) + self.more_problems

    @property
    def total(self) -> Counts:
        """The sum over all entities."""
        return total_of(self.entities.values())

    @property
    def errors(self) -> list[str]:
        """The problems' texts, each with its place."""
        return [str(problem) for problem in self.problems]

    @property
    def inserted(self) -> int:
        """Records inserted."""
        return self.total.inserted

    @property
    def updated(self) -> int:
        """Records updated."""
        return self.total.updated

    @property
    def unchanged(self) -> int:
        """Records that an update found equal."""
        return self.total.unchanged

    @property
    def skipped(self) -> int:
        """Records left alone, for their natural key was there already."""
        return self.total.skipped

    @property
    def differing(self) -> int:
        """Those of the skipped whose content differs from the target's."""
        return self.total.differing

    @property
    def deleted(self) -> int:
        """Records deleted."""
        return self.total.deleted

    @property
    def failed(self) -> int:
        """Records that couldn't be imported; each has at least one problem."""
        return self.total.failed

    @property
    def imported(self) -> int:
        """Records written: inserted and updated."""
        return self.total.imported

    def __getitem__(self, entity: str) -> Counts:
        return self.entities[entity]

    def __str__(self) -> str:
        lines = [f"{self.headline()}: {self.total}"]
        width = max((len(name) for name in self.entities), default=0)
        lines += [f"  {name:<{width}}  {counts}" for name, counts in self.entities.items()]
        if self.problems:
            texts = (str(problem) for problem in self.problems)
            listing = listed(texts, separator="\n  ! ", total=self.problem_count)
            lines.append(f"  ! {listing}")
        lines += [f"  ~ {alteration}" for alteration in self.altered]
        if self.differences:
            total = len(self.differences) + self.more_differences
            listing = listed(map(str, self.differences), separator="\n  = ", total=total)
            lines.append(f"  = {listing}")
        if self.revisions is not None:
            lines.append(f"  ? {self.revisions}")
        return "\n".join(lines)

    def as_mapping(self) -> dict[str, dict[str, int]]:
        """Describe the counts for logs and JSON.

        Returns:
            The counts of each entity, by name, as plain dictionaries.
        """
        return {name: asdict(counts) for name, counts in self.entities.items()}

    def headline(self) -> str:
        """Say in a phrase whether anything was committed, and whose turn it is.

        Returns:
            The phrase.
        """
        if self.committed:
            return "committed"
        if self.callers and not self.rolled_back:
            return "not committed: this session is yours; commit it to keep what was written"
        return "not committed: nothing was written"
