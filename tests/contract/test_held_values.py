"""Values that foreign keys hold beside primary keys: a plan names them, the database decides."""

from __future__ import annotations

from typing import Any

import pytest

from lading import ImportFailed, diff, export_document, import_document
from lading.fresh_databases.factories import database
from support.backends import Backend
from support.zoo import WORLDS


def document(number: int) -> dict[str, Any]:
    """Return a currency with a number, which an account refers to by it."""
    euro = {"code": "EUR"}
    return {
        "currencies": [{**euro, "number": number}],
        "accounts": [{"slug": "a", "currency": euro, "second": euro}],
    }


def test_a_plan_names_what_foreign_keys_hold_beside_primary_keys(backend: Backend) -> None:
    """Only where an update may alter it: no import alters a natural key."""
    catalog = WORLDS["currencies"]().catalog
    with database(backend.database, catalog) as engine:

        def stored() -> dict[str, Any]:
            return {**export_document(engine, catalog=catalog), "exported_at": None}

        import_document(engine, document(978), catalog=catalog)
        before = stored()
        plans = [
            import_document(
                engine, document(979), catalog=catalog, on_conflict=mode, dry_run=True
            ).unchecked
            for mode in ("skip", "update", "mirror")
        ]
        named = "currencies: number, which accounts.second_number refers to"
        assert plans == [(), (named,), (named,)]
        with pytest.raises(ImportFailed, match="currencies record 1: the database refused it") as e:
            import_document(engine, document(979), catalog=catalog, on_conflict="update")
        assert "accounts.second_number refers to currencies.number. While" in str(e.value)
        assert stored() == before


@pytest.mark.parametrize("mode", ["update", "mirror"])
def test_a_value_changes_with_the_references_that_hold_it(backend: Backend, mode: str) -> None:
    """Those that the same import clears or turns, in whatever order."""
    catalog = WORLDS["currencies"]().catalog

    def accounts(*seconds: str | None, **numbers: int) -> dict[str, Any]:
        return {
            "currencies": [{"code": code, "number": n} for code, n in sorted(numbers.items())],
            "accounts": [
                {
                    "slug": f"a{n}",
                    "currency": {"code": "EUR"},
                    "second": second and {"code": second},
                }
                for n, second in enumerate(seconds)
            ],
        }

    options: dict[str, Any] = {"catalog": catalog, "on_conflict": mode}
    with database(backend.database, catalog) as engine:
        before = accounts("EUR", "CHF", "CHF", None, CHF=756, EUR=978)
        import_document(engine, before, catalog=catalog)
        after = accounts("CHF", "EUR", None, "CHF", CHF=978, EUR=979)
        plan = import_document(engine, after, dry_run=True, **options)
        report = import_document(engine, after, expect=plan, **options)
        assert (report["currencies"].updated, report["accounts"].updated) == (2, 4)
        assert not diff(engine, after, catalog=catalog)
