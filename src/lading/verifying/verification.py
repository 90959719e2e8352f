"""What a verification found, for people and as a file that is kept as evidence."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from lading.bundle.stores.place import Place
from lading.bundle.stores.whole_file import whole_file
from lading.bundle.validation import Closed, Count, Digest, Name
from lading.errors import BundleError
from lading.messages import Message, counted, listed
from lading.options import check_path
from lading.report import Problem
from lading.version import __version__

EVIDENCE_VERSION = "1.0"


class VerifiedFile(Closed, frozen=True):
    """One entity file: how many records its manifest says, and the digest of what was read.

    ``sha256`` is ``None`` where the file couldn't be read.
    """

    entity: Name
    filename: str
    record_count: Count
    sha256: Digest | None


class LocatedProblem(Closed, frozen=True):
    """One problem; ``key`` is its record's natural key in portable form."""

    file: str
    record: int | None
    key: Any
    field: str | None
    message: str
    code: str


class EvidenceFormat(Closed, frozen=True):
    """The file that ``Verification.write`` leaves."""

    version: Annotated[str, Meta(extra_json_schema={"const": EVIDENCE_VERSION})]
    bundle: str
    verified_at: str
    seconds: float
    lading_version: str
    catalog: str | None
    exported_at: str | None
    content_sha256: Digest | None
    checks: tuple[str, ...]
    outcome: Literal["whole", "faulty"]
    problem_count: Count
    files: tuple[VerifiedFile, ...]
    problems: tuple[LocatedProblem, ...]


@dataclass(frozen=True, slots=True)
class Verification:
    """What a look through a bundle found; it is true if the bundle is whole.

    ``problems`` holds the first thousand, ``more_problems`` is how many there were beyond.
    ``catalog`` names the catalog that records were held against, if any.  ``checks`` name what
    was looked at: ``"files"``, ``"records"``, ``"references"``, with a catalog ``"catalog"``, and
    ``"restore"``.  ``content_sha256`` is of the entity files as they were read, ``None`` if one
    couldn't be.
    """

    path: Path
    verified_at: datetime
    seconds: float
    catalog: str | None
    exported_at: datetime | None
    content_sha256: str | None
    checks: tuple[str, ...]
    files: tuple[VerifiedFile, ...]
    problems: list[Problem]
    more_problems: int = 0

    def __bool__(self) -> bool:
        return not self.problems

    @property
    def problem_count(self) -> int:
        """The number of problems, with those that aren't kept."""
        return len(self.problems) + self.more_problems

    @property
    def errors(self) -> list[str]:
        """The problems' texts, each with its place."""
        return [str(problem) for problem in self.problems]

    def __str__(self) -> str:
        records = sum(file.record_count for file in self.files)
        contents = (
            f"{counted(len(self.files), 'entity', 'entities')}, "
            f"{counted(records, 'record')}, in {self.seconds:.2f} s"
        )
        if not self.problems:
            return f"{self.path}: whole ({', '.join(self.checks)}); {contents}"
        count = counted(self.problem_count, "problem")
        texts = listed(self.errors, separator="\n  ! ", limit=20, total=self.problem_count)
        return f"{self.path}: {count}; {contents}\n  ! {texts}"

    def to_bytes(self) -> bytes:
        """Describe what was found for a program.

        Returns:
            The evidence: JSON, by ``lading.formats.verification_schema``.
        """
        evidence = EvidenceFormat(
            version=EVIDENCE_VERSION,
            bundle=str(self.path),
            verified_at=_instant(self.verified_at),
            seconds=round(self.seconds, 3),
            lading_version=__version__,
            catalog=self.catalog,
            exported_at=None if self.exported_at is None else _instant(self.exported_at),
            content_sha256=self.content_sha256,
            checks=self.checks,
            outcome="faulty" if self.problems else "whole",
            problem_count=self.problem_count,
            files=self.files,
            problems=tuple(
                LocatedProblem(p.file, p.record, p.key, p.field, p.message, p.code)
                for p in self.problems
            ),
        )
        plain = msgspec.to_builtins(evidence)
        return json.dumps(plain, indent=2, ensure_ascii=False).encode("utf-8", "replace") + b"\n"

    def write(self, path: str | os.PathLike[str]) -> Path:
        """Write the evidence to a file, whole or not at all, in place of what is there.

        Args:
            path: The file's path.

        Returns:
            The path.

        Raises:
            ArgumentError: It is no path.
            BundleError: It can't be written, or it would be a bundle's file or stand among them.
        """
        check_path("path", path)
        file = Path(os.fsdecode(path))
        place, bundle = Place(file).path, Place(self.path).path
        if bundle in (place, place.parent):
            raise BundleError(
                Message(
                    "path-unusable",
                    "is the bundle that was verified, or inside of it, which it would make "
                    "unreadable",
                ),
                "Name a path beside the bundle.",
                file=str(file),
            )
        with whole_file(file) as sink:
            sink.write(self.to_bytes())
        return file


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").removesuffix("+00:00") + "Z"
