"""Records that are left out of a load that begins again."""

from __future__ import annotations

from lading.importing.context import Exclusions


def test_only_records_that_are_not_left_out_yet_begin_a_load_again() -> None:
    """Otherwise a load whose bad records come back would never end."""
    exclusions = Exclusions(keeps_good=True)
    exclusions.add_bad("shops", {2})
    assert exclusions.must_restart
    exclusions.must_restart = False
    exclusions.add_bad("shops", {2})
    assert not exclusions.must_restart
    exclusions.add_bad("shops", {2, 3})
    assert exclusions.must_restart
    assert exclusions.of("shops") == {2, 3}
