"""`lading export`: databases, bundles and documents, with no declaration at all."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from lading import verify
from lading.cli.schemas import output_schema


def test_a_database_is_exported_without_a_declaration(run, shop, folder) -> None:
    """One command writes a verified bundle, and its first line says that it is reflected."""
    result = run("export", shop, "backup")
    assert result.stderr.splitlines() == [
        f"No catalog is named: {shop} is taken as it is, 2 entities."
    ]
    bundle, verified = result.stdout.splitlines()
    assert bundle.startswith("backup: 2 entities, 5 records")
    assert verified == "verified: whole (files, records, references)"
    assert verify(folder / "backup")


def test_json_is_one_document(run_json, shop) -> None:
    """With ``--json`` standard output has one line, and nothing else."""
    [document] = run_json("export", shop, "backup")
    assert document["records"] == 5
    assert [file["entity"] for file in document["files"]] == ["suppliers", "products"]
    assert document["checks"] == ["files", "records", "references"]


def test_the_variable_stands_in_for_the_database(run, shop, monkeypatch) -> None:
    """With DATABASE_URL the only argument is where the bundle goes."""
    monkeypatch.setenv("DATABASE_URL", shop)
    assert "5 records" in run("export", "backup.zip", "--no-verify").stdout
    assert zipfile.is_zipfile("backup.zip")


def test_a_bundle_is_replaced_only_where_asked_to(run, shop, backup) -> None:
    """Without --overwrite a bundle that is there is an error, which names the option."""
    message = run("export", shop, "backup", code=3).stderr
    assert "there is a bundle already. Pass --overwrite to replace it" in message
    assert "unchanged" in run("export", shop, "backup", "--overwrite-changed").stdout
    assert "unchanged" not in run("export", shop, "backup", "--overwrite").stdout


def test_a_bundle_that_is_not_whole_again_is_told(run, shop, monkeypatch) -> None:
    """``--verify`` reads what was written, and a disk may have lost some of it."""

    def damaged(path, **options):
        file = Path(path) / "01_suppliers.json"
        file.write_bytes(file.read_bytes().replace(b"mill", b"mile"))
        return verify(path, **options)

    monkeypatch.setattr("lading.cli.export.verify", damaged)
    result = run("export", shop, "backup", "--verify", code=3)
    assert "01_suppliers.json: its checksum differs" in result.stdout
    assert "verified: whole" not in result.stdout


def test_entities_may_be_excluded(run, shop, backup) -> None:
    """--exclude is --only with all the others; the last entity can't be excluded."""
    run("export", shop, "a", "--exclude", "suppliers")
    run("export", shop, "b", "--only", "products")
    a, b = (json.loads(Path(name, "manifest.json").read_text()) for name in ("a", "b"))
    assert (a["files"], a["external"]) == (b["files"], b["external"])
    document = json.loads(run("export", shop, "-", "--exclude", "products").stdout)
    assert document["schema_versions"].keys() == {"suppliers"}
    for names, text in (
        ("supplier", "exclude: unknown entity 'supplier'"),
        ("suppliers,products", "--exclude leaves no entity"),
    ):
        assert text in run("export", shop, "c", "--exclude", names, code=2).stderr
    refused = run("export", backup, "c", "--exclude", "suppliers", code=2).stderr
    assert "--exclude is not for a bundle" in refused
    assert not Path("c").exists()


def test_entities_may_be_named(run, shop) -> None:
    """--only takes names one by one, or with commas between them."""
    assert "1 entity, 2 records" in run("export", shop, "a", "--only", "suppliers").stdout
    assert "2 entities" in run("export", shop, "b", "--only", "suppliers,products").stdout
    assert (
        "only: unknown entity 'supplier'"
        in run("export", shop, "c", "--only", "supplier", code=2).stderr
    )


def test_references_that_lead_out_of_a_partial_bundle_are_counted(run, run_json, shop) -> None:
    """By entity, as text and as JSON; an inspection says where they lead."""
    outside = "2 references lead to records outside of it: products 2"
    assert outside in run("export", shop, "part", "--only", "products").stdout
    [document] = run_json("export", shop, "part.zip", "--only", "products")
    counts = {"entity": "products", "field": "supplier", "references": "suppliers", "count": 2}
    assert document["external"] == [counts]
    assert "  - products.supplier: 2 references to suppliers" in run("inspect", "part").stdout
    assert run_json("inspect", "part")[0]["external"] == [counts]


@pytest.mark.parametrize("source", ["database", "bundle"])
def test_a_document_goes_to_standard_output(run, shop, backup, source) -> None:
    """``-`` prints one JSON document, which the variable's database or a bundle is exported to."""
    document = json.loads(run("export", shop if source == "database" else backup, "-").stdout)
    assert [record["slug"] for record in document["products"]] == ["butter", "flour", "salt"]
    assert document["products"][0]["supplier"] == {"slug": "dairy"}
    assert document["schema_versions"] == {"suppliers": 1, "products": 1}


def test_a_document_is_a_file_that_ends_in_json(run, run_json, shop) -> None:
    """A file that is there is replaced only with --overwrite."""
    [document] = run_json("export", shop, "shop.json")
    assert document == {
        "path": "shop.json",
        "records": 5,
        "entities": {"suppliers": 2, "products": 3},
    }
    assert "there is a file already" in run("export", shop, "shop.json", code=3).stderr
    run("export", shop, "shop.json", "--overwrite")


def test_bundles_and_documents_become_each_other(run, shop, backup, folder) -> None:
    """A folder, a ZIP file and a document hold the same records, whichever way they are made."""
    run("export", backup, "backup.zip", "--database", shop)
    run("export", "backup.zip", "shop.json")
    run("export", "shop.json", "again", "--database", shop)
    contents = {verify(folder / path).content_sha256 for path in ("backup", "backup.zip", "again")}
    assert len(contents) == 1


def test_options_that_a_source_lacks_are_refused(run, shop, backup) -> None:
    """What would have no effect is an error."""
    message = run("export", backup, "b", "--only", "suppliers", "--database", shop, code=2).stderr
    assert "--only is not for a bundle; leave it out." in message
    assert (
        "--source is not for a document" in run("export", shop, "-", "--source", "x", code=2).stderr
    )


def test_a_database_is_no_destination(run, shop, backup, empty) -> None:
    """The error names the command that is meant."""
    assert "lading import" in run("export", backup, empty, code=2).stderr


def test_a_document_stands_alone_on_standard_output(run, shop) -> None:
    """The result of ``--json`` is the last line beside it, by the schema of all results."""
    result = run("export", shop, "-", "--json")
    assert len(json.loads(result.stdout)["products"]) == 3
    said = json.loads(result.stderr.splitlines()[-1])
    Draft202012Validator(output_schema("export")).validate(said)
    assert said["entities"] == {"products": 3, "suppliers": 2}
