"""A Hypothesis kit that applications run on their own catalogs.

``datasets`` and ``records`` draw what a catalog declares; ``assert_round_trip`` and
``assert_moves`` prove that nothing of it is lost or altered on its way, ``RoundTripMachine``
that changes and imports in any order do what they should, ``assert_import`` that an import of
any mode leaves what it should, ``assert_upgrades`` that every sealed
version's records arrive at today's.  Importing this registers the
Hypothesis profiles ``lading-dev``, ``lading-ci`` and ``lading-deep``.
"""

from lading.testing.assertions import RoundTripError, assert_moves, assert_round_trip
from lading.testing.imports import assert_import
from lading.testing.machine import RoundTripMachine
from lading.testing.profiles import register_profiles
from lading.testing.strategies import datasets, records
from lading.testing.upgrades import assert_upgrades

register_profiles()

__all__ = [
    "RoundTripError",
    "RoundTripMachine",
    "assert_import",
    "assert_moves",
    "assert_round_trip",
    "assert_upgrades",
    "datasets",
    "records",
]
