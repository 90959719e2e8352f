"""Holds what an import reports against what was foretold of it."""

from __future__ import annotations

from collections.abc import Mapping

from lading.catalog import Catalog
from lading.messages import listed
from lading.records.marshmallow_path import needs_marshmallow
from lading.report import ImportReport
from lading.testing.assertions import RoundTripError
from lading.testing.stateful.import_model import Merge
from lading.testing.stateful.state import plain_text


def hold_report(
    catalog: Catalog, merge: Merge, report: ImportReport, files: Mapping[str, str], *, kept: bool
) -> None:
    """Raise ``RoundTripError`` where a report says anything that wasn't foretold.

    ``files`` maps the names that problems give to entities; ``kept`` tells whether the import
    kept its good records.  A refused one need not name records that fail only with others.
    """
    found = {(files[item.file], plain_text(item.key)) for item in report.problems}
    least = merge.failed.keys() if kept else merge.blamed
    if not least <= found <= merge.failed.keys():
        raise RoundTripError(f"{reasons(merge)}; but the report says:\n{report}")
    for name, forecast in merge.forecasts.items():
        counts = report[name]
        wanted = {"skipped": forecast.skipped, "inserted": forecast.inserted if kept else 0}
        if kept:
            wanted["failed"] = forecast.failed
        for what, number in wanted.items():
            if getattr(counts, what) != number:
                raise RoundTripError(
                    f"{name}: {number} records should be {what}; the report says: {counts}"
                )
        least_differing, most = forecast.differing, forecast.differing + forecast.unclear
        is_known = not needs_marshmallow(catalog.use()[name])
        if is_known and not least_differing <= counts.differing <= most:
            raise RoundTripError(
                f"{name}: {least_differing} of the skipped records differ; "
                f"the report says: {counts}"
            )


def reasons(merge: Merge) -> str:
    """Say which records should fail, and why."""
    texts = [f"{name} {key} ({why})" for (name, key), why in merge.failed.items()]
    return f"these records should fail: {listed(texts)}" if texts else "no record should fail"
