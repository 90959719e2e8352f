"""A filled database, exported and restored into an empty one of the same engine."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from lading import Catalog, export_document, import_document
from support.backends import Backend
from support.raw import raw_values


def restored(
    backend: Backend, base: Any, catalog: Catalog, *objects: Any, **rows: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return the exported document, once its import has stored the same cells.

    ``objects`` are added by a session; ``rows`` are inserted by table.
    """
    with backend.database(base.metadata) as old, backend.database(base.metadata) as new:
        with Session(old) as session, session.begin():
            session.add_all(objects)
            for name, values in rows.items():
                session.execute(sa.insert(base.metadata.tables[name]), values)
        document = export_document(old, catalog=catalog)
        import_document(new, document, catalog=catalog)
        assert raw_values(old, base.metadata) == raw_values(new, base.metadata)
        again = export_document(new, catalog=catalog)
        assert {**again, "exported_at": None} == {**document, "exported_at": None}
        report = import_document(new, document, catalog=catalog)
        assert (report.imported, report.differing) == (0, 0)
    return document
