"""What a run of ``lading init`` did, and what it left to people."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from lading.messages import counted
from lading.report import Problem


@dataclass(slots=True)
class Scaffolding:
    """What was written, and whether it restores the database.

    ``written`` are the files that are new or have more lines, ``added`` what these lines declare.
    ``changes`` are what the database would have otherwise in lines that are there; nothing of it
    was done.  ``remarks`` say what no line could say.  ``records`` is how many records went through
    a scratch database and back, or ``None`` without a database; ``problems`` are those that came
    back otherwise, and ``unproved`` says what the trial could not show, and why.
    """

    folder: Path
    written: list[Path] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    entities: int = 0
    records: int | None = None
    problems: list[Problem] = field(default_factory=list)
    unproved: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        names = ", ".join(path.name for path in self.written)
        lines = [f"{self.folder}: " + (f"wrote {names}" if names else "nothing new")]
        for title, texts in (
            ("added", self.added),
            ("would change", self.changes),
            ("mind", self.remarks),
        ):
            lines += [f"  {title}: {text}" for text in texts]
        if self.records is not None:
            lines.append(self._verdict(self.records))
        lines += [f"  {problem}" for problem in self.problems]
        return "\n".join([*lines, *(f"  not proved: {text}" for text in self.unproved)])

    def _verdict(self, records: int) -> str:
        total = f"{counted(self.entities, 'entity', 'entities')}, {counted(records, 'record')}"
        if self.problems and not records:
            return f"{total}: the records can't be exported, so nothing is proved"
        if self.problems:
            return f"{total}: not all come back from a scratch database"
        return f"{total}: all come back from a scratch database"
