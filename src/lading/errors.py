"""Every public exception.

An error says where, what was wrong, what was expected and what to do, in that
order, and carries each part as an attribute.  This module knows nothing of
databases, files or schemas.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from lading.messages import Message, coded, counted, listed, place, sentence, shown

if TYPE_CHECKING:
    from lading.report import ImportReport


class LadingError(Exception):
    """The root of every error that lading raises on purpose.

    ``problem`` says what was wrong and what was expected, ``remedy`` what to
    do; the other attributes say where, and are ``None`` where they don't apply.
    ``record`` counts from 1, in the order of the file.  ``code`` names the situation in outputs
    and documentation, and never changes; a class's own stands for all of its errors.
    """

    code: str = "lading"

    def __init__(
        self,
        problem: str,
        remedy: str = "",
        *,
        entity: str | None = None,
        file: str | None = None,
        record: int | None = None,
        key: Any = None,
        field: str | None = None,
    ) -> None:
        if isinstance(problem, Message):
            self.code, problem = problem.code, problem.plain
        self.problem = problem
        self.remedy = remedy
        self.entity = entity
        self.file = file
        self.record = record
        self.key = key
        self.field = field
        where = place(file=file, record=record, entity=entity, field=field)
        super().__init__(sentence(where, problem, remedy))


class ArgumentError(LadingError, ValueError):
    """An argument of a public function can't be used; nothing was opened.

    ``argument`` is its name, ``value`` what was passed (of a list or a mapping, the item that
    is wrong), and ``expected`` says what it should be; a message of this has the error's code.
    """

    code = "argument"

    def __init__(
        self, argument: str, value: Any, expected: str, remedy: str = "", *, subject: str = ""
    ) -> None:
        self.argument = argument
        self.value = value
        self.expected = expected
        subject = subject or f"{argument}={shown(value)}"
        code = expected.code if isinstance(expected, Message) else self.code
        super().__init__(Message(code, f"{subject}; expected {expected}"), remedy)


class DeclarationError(LadingError):
    """What an application declared can't be carried out as it stands.

    Raised at a catalog's first use with every mistake at once: ``mistakes``
    holds their texts, each of which names the schema and what to write instead, and has its
    ``code``.  The error has it as well, where all mistakes have the same.
    """

    code = "declaration"

    def __init__(self, code: str, mistakes: str | Iterable[str]) -> None:
        texts = (mistakes,) if isinstance(mistakes, str) else mistakes
        self.mistakes = tuple(coded(text, code) for text in texts)
        if len(self.mistakes) == 1:
            super().__init__(self.mistakes[0])
        else:
            count = f"{len(self.mistakes)} declarations can't be used:\n  "
            super().__init__(count + listed(self.mistakes, limit=len(self.mistakes)))
            codes = {mistake.code for mistake in self.mistakes}
            self.code = codes.pop() if len(codes) == 1 else type(self).code


class BundleError(LadingError):
    """A bundle, a document, a lock or a temporary file isn't whole, or can't be read or written."""

    code = "bundle"


class ChecksumError(BundleError):
    """A file of a bundle isn't what its manifest says.

    ``expected`` and ``found`` are SHA-256 digests in lower-case hexadecimal.
    """

    code = "checksum"

    def __init__(
        self, problem: str, remedy: str = "", *, expected: str, found: str, **where: Any
    ) -> None:
        self.expected = expected
        self.found = found
        super().__init__(problem, remedy, **where)


class VersionError(LadingError):
    """A payload's version is not one that this catalog reads.

    ``found`` and ``needed`` are the two versions, where one is meant.
    """

    code = "version"

    def __init__(
        self, problem: str, remedy: str = "", *, found: Any = None, needed: Any = None, **where: Any
    ) -> None:
        self.found = found
        self.needed = needed
        super().__init__(problem, remedy, **where)


class TargetError(LadingError):
    """The database can't do, hold or give what was asked of it."""

    code = "target"


class OutcomeUnknown(LadingError):
    """The connection was lost during the commit: all was committed, or nothing.

    Look whether a record is there, or import again with ``on_conflict="skip"``.
    """

    code = "outcome-unknown"


class ImportFailed(LadingError):
    """An import found problems and wrote nothing; ``report`` lists each of them."""

    code = "import-failed"

    def __init__(self, report: ImportReport) -> None:
        self.report = report
        problems = [str(problem) for problem in report.problems]
        total = report.problem_count
        count = counted(total, "problem")
        super().__init__(f"nothing was written; {count}:\n  {listed(problems, total=total)}")


class PlanChanged(LadingError):
    """An import would do something else than the plan that it was to carry out; nothing is written.

    ``differences`` are the first, by entity and key.
    """

    code = "plan-changed"

    def __init__(self, differences: Iterable[str], remedy: str = "") -> None:
        self.differences = tuple(differences)
        self.code = next((d.code for d in self.differences if isinstance(d, Message)), self.code)
        super().__init__(
            "nothing was written, for the import would do something else than the plan says:\n  "
            + listed(self.differences),
            remedy or "Make a new plan by dry_run=True, and look at it again.",
        )


class AlteredWarning(UserWarning):
    """The database changed values on their way in, as triggers and rules do."""

    code = "altered"


class ClosureWarning(UserWarning):
    """A closure takes records that a filter of the same export leaves out."""

    code = "closure"


class RoundedWarning(UserWarning):
    """An export wrote decimals with fewer digits than SQLite holds, as the catalog allows."""

    code = "rounded"


class LeftOutWarning(UserWarning):
    """An export leaves out tables or columns that nobody excused by name."""

    code = "left-out"
