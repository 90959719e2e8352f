"""The profiles: how many examples each tries, and that nothing else is let off."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import settings
from hypothesis.internal.conjecture import engine

from lading.testing.profiles import EXAMPLES, register_profiles


@pytest.fixture(autouse=True)
def registered() -> None:
    """Register them, while the tests' own profile is in force."""
    before = settings.default
    register_profiles()
    assert settings.default is before


@pytest.mark.parametrize(("name", "examples"), EXAMPLES.items())
def test_no_health_check_is_suppressed(name: str, examples: int) -> None:
    """And no example is hurried, for it writes several databases."""
    found = settings.get_profile(name)
    assert found.max_examples == examples
    assert found.deadline is None
    assert found.print_blob
    assert not found.suppress_health_check


def test_a_pull_request_tries_the_same_each_time() -> None:
    """The other profiles try others, so that in time more is tried."""
    found = {name: settings.get_profile(name).derandomize for name in EXAMPLES}
    assert found == {"lading-dev": False, "lading-ci": True, "lading-deep": False}


@pytest.mark.parametrize(("before", "after"), [(300, 60), (900, 900), (5, 5)])
def test_shrinking_ends_in_time(monkeypatch: pytest.MonkeyPatch, before: int, after: int) -> None:
    """Each try is a whole trip; a limit that somebody has set stays."""
    monkeypatch.setattr(engine, "MAX_SHRINKING_SECONDS", before)
    register_profiles()
    assert after == engine.MAX_SHRINKING_SECONDS


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [("", "lading-default None 100"), ("settings.load_profile('ci')", "ci None 100")],
)
def test_only_where_nobody_chose_one_is_a_profile_loaded(chosen: str, expected: str) -> None:
    """It is Hypothesis's own but for the deadline, which no trip of a large catalog meets."""
    lines = [
        "from hypothesis import settings",
        "settings.load_profile('default')",  # a CI's environment has another
        chosen,
        "import lading.testing",
        "now = settings.default",
        "print(settings.get_current_profile_name(), now.deadline, now.max_examples)",
    ]
    made = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True
    )
    assert made.stdout.strip() == expected
