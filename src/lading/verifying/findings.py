"""The problems of a bundle, and which of them rewriting it would mend."""

from __future__ import annotations

from lading.bundle.file_format import LineEndings
from lading.errors import ChecksumError, LadingError
from lading.filenames import SUMS
from lading.messages import Message, sentence
from lading.report import Problem, Problems

#: What a manifest says of files as they were written, and of itself.
_OF_WRITTEN = {"bytes", "record_count", "content_sha256", "manifest_sha256"}


class Findings:
    """Problems as they are found; ``lasting`` are those that no rewriting mends."""

    def __init__(self) -> None:
        self.problems = Problems()
        self.lasting = Problems()

    def add(self, problem: Problem, *, mends: bool = False) -> None:
        """Add a problem; ``mends`` says that rewriting the bundle ends it."""
        self.problems.append(problem)
        if not mends:
            self.lasting.append(problem)

    def add_error(self, error: LadingError, file: str) -> None:
        """Add an error as a problem; ``file`` is its place if it names none."""
        self.add(problem_of(error, file), mends=_mends(error))

    def extend(self, other: Findings) -> None:
        """Add what others found."""
        for own, others in ((self.problems, other.problems), (self.lasting, other.lasting)):
            own.extend(others)
            own.more += others.more


def _mends(error: LadingError) -> bool:
    is_of_written = error.field in _OF_WRITTEN or error.file == SUMS
    return is_of_written or isinstance(error, ChecksumError | LineEndings)


def problem_of(error: LadingError, file: str) -> Problem:
    """Return an error as a problem; ``file`` is its place if it names none."""
    text = sentence("", error.problem, error.remedy).removesuffix(".")
    place = str(error.file or error.entity or file)  # of a table's name, which isn't quite a str
    return Problem.of(Message(error.code, text), place, error.record, error.key, error.field)
