"""Hypothesis profiles for an application's round trips: ``lading-dev``, ``-ci``, ``-deep``.

Choose one by ``settings.load_profile("lading-ci")`` or ``pytest --hypothesis-profile=lading-ci``.
None has a deadline, for an example writes and reads several databases, and none suppresses a
health check.  Shrinking a failure ends after a minute, where Hypothesis itself would take five:
each try is a whole trip, and the error names entity, record and field before any of them.
Where nobody has chosen a profile, ``lading-default`` is loaded, which is
Hypothesis's own default but for the deadline.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis.internal.conjecture import engine

#: Examples for each profile: a look, a pull request, a night.
EXAMPLES = {"lading-dev": 20, "lading-ci": 100, "lading-deep": 1000}
#: Hypothesis's own profile, which is loaded unless somebody chooses another.
DEFAULT = "default"
#: How many seconds a failing example is made smaller at most, and Hypothesis's own limit.
SHRINKING, LONG = 60, 300


def register_profiles() -> None:
    """Make the profiles known to Hypothesis; a profile or limit that somebody chose stays."""
    # Hypothesis keeps one limit for all tests of a process, and means it to be set so.
    if getattr(engine, "MAX_SHRINKING_SECONDS", None) == LONG:
        engine.MAX_SHRINKING_SECONDS = SHRINKING
    settings.register_profile("lading-default", settings.get_profile(DEFAULT), deadline=None)
    if settings.get_current_profile_name() == DEFAULT:
        settings.load_profile("lading-default")
    for name, examples in EXAMPLES.items():
        settings.register_profile(
            name,
            max_examples=examples,
            # A pull request must not fail for what another one did; the other profiles look at
            # new examples each time, and keep what failed.
            derandomize=name == "lading-ci",
            deadline=None,
            print_blob=True,
            suppress_health_check=(),
        )
