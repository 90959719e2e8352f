"""The lines of a file of changes: a header, the changes, and a summary with a checksum."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from lading.bundle.validation import Closed, Count, Digest, Name
from lading.planning.record_change import DELETE, INSERT, Action, Cascade
from lading.report import Counts, Problem
from lading.version import __version__

PLAN_VERSION = "1.0"
PlanVersion = Annotated[str, Meta(extra_json_schema={"const": PLAN_VERSION})]
#: What a change must have, by its action.
_FORMS = {INSERT: (False, True), DELETE: (True, False)}


class PlanHeader(Closed, frozen=True, kw_only=True):
    """The first line: what the changes are of.

    ``bundle`` is the ``content_sha256`` of the bundle that the changes come from, ``None`` for a
    document; ``database`` is a fingerprint of the database that they are for, where there is one.
    """

    version: PlanVersion = PLAN_VERSION
    lading_version: str = __version__
    catalog: str
    bundle: Digest | None
    database: str | None


class ChangeLine(Closed, frozen=True):
    """A change, in the words of Terraform's plans.

    ``before`` is null for an insert and ``after`` for a delete; for an update both have the
    fields that differ.
    """

    entity: Name
    key: dict[str, Any]
    action: Action
    before: dict[str, Any] | None
    after: dict[str, Any] | None

    def __post_init__(self) -> None:
        has_before, has_after = _FORMS.get(self.action, (True, True))
        if (self.before is not None, self.after is not None) != (has_before, has_after):
            raise ValueError(f"before and after as action {self.action!r} has them")


class PlanSummary(Closed, frozen=True, omit_defaults=True):
    """The last line: totals, and what they leave open.

    ``differences`` are the fields in which records differ that are left as the database has them,
    at most a thousand, and ``more_differences`` how many there are beyond; absent without any.
    ``changes`` is the number of lines between header and summary.  In a file, ``sha256`` follows:
    the digest of all bytes before that field.
    """

    changes: Count
    entities: dict[str, Counts]
    problems: tuple[Problem, ...]
    more_problems: Count
    cascades: tuple[Cascade, ...]
    unchecked: tuple[str, ...]
    differences: tuple[Problem, ...] = ()
    more_differences: Count = 0


class SealedSummary(PlanSummary, frozen=True, kw_only=True):
    """A summary as it stands in a file."""

    sha256: Digest
