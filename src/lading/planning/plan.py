"""The plan of an import: what it would do, before it does it."""

from __future__ import annotations

import os
from pathlib import Path

from lading.options import check_path
from lading.planning.change_file import read_change_file
from lading.planning.change_set import ChangeSet


class ImportPlan(ChangeSet):
    """What an import would do, before it does it.

    ``import_all(..., dry_run=True)`` returns one; ``bool`` of it tells whether anything would
    change, and ``str`` says what, in a bounded number of lines.
    """

    title = "import plan"

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> ImportPlan:
        """Read a plan that ``write`` wrote, of an import or a diff.

        Args:
            path: the file.

        Returns:
            The plan, whose changes are in a temporary file of its own.

        Raises:
            ArgumentError: the path isn't one.
            BundleError: the file is missing, cut off, or no plan.
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
            header=header,
        )
