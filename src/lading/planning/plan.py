"""What users have of changes: the plan of an import, and a diff."""

from __future__ import annotations

from lading.planning.change_set import ChangeSet


class ImportPlan(ChangeSet):
    """What an import would do, before it does it.

    ``import_all(..., dry_run=True)`` returns one; ``bool`` of it tells whether anything would
    change, and ``str`` says what, in a bounded number of lines.
    """

    title = "import plan"
    problem_note = (
        "an import with problems writes nothing, unless on_error='continue' leaves out the bad "
        "records"
    )


class Diff(ChangeSet):
    """What would have to happen to the first side of a diff to make it the second.

    :func:`lading.diff` returns one.  It is false if the sides are equal: there is no change, and
    no record that couldn't be compared.
    """

    title = "diff"

    def __bool__(self) -> bool:
        return super().__bool__() or bool(self.problems)
