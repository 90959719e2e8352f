"""Hypothesis profiles for an application's round trips: ``lading-dev``, ``-ci``, ``-deep``.

Choose one by ``settings.load_profile("lading-ci")`` or ``pytest --hypothesis-profile=lading-ci``.
None has a deadline, for an example writes and reads several databases, and none suppresses a
health check.
"""

from __future__ import annotations

from hypothesis import settings

#: Examples for each profile: a look, a pull request, a night.
EXAMPLES = {"lading-dev": 20, "lading-ci": 100, "lading-deep": 1000}
#: A pull request must not fail for what another one did, so its examples are always the same;
#: the others look at new ones each time, and keep what failed.
SAME_EACH_TIME = ("lading-ci",)


def register_profiles() -> None:
    """Make the profiles known to Hypothesis; whatever else it was told stays as it is."""
    for name, examples in EXAMPLES.items():
        settings.register_profile(
            name,
            max_examples=examples,
            derandomize=name in SAME_EACH_TIME,
            deadline=None,
            print_blob=True,
            suppress_health_check=(),
        )
