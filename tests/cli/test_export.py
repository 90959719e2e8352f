"""`lading export`: a database with no declaration at all, to a bundle."""

from __future__ import annotations

import json

from lading import verify


def test_a_database_is_exported_without_a_declaration(run, shop, folder) -> None:
    """One command writes a bundle, and its first line says that the database is reflected."""
    result = run("export", shop, "backup")
    assert (
        result.stderr.splitlines()[0]
        == f"No catalog is named: {shop} is taken as it is, 2 entities."
    )
    assert result.stdout.startswith("backup: 2 entities, 5 records")
    assert verify(folder / "backup")


def test_json_is_one_document(run, shop) -> None:
    """With ``--json`` standard output has one line, and nothing else."""
    document = json.loads(run("export", shop, "backup", "--json").stdout)
    assert document["records"] == 5
    assert [file["entity"] for file in document["files"]] == ["suppliers", "products"]
