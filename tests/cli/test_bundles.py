"""`lading verify`, `seal`, `upgrade`, `lock`, `check`, `schema`, `inspect` and `diff`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from jsonschema import Draft202012Validator

from cli.conftest import make_database, query
from lading.cli.schemas import OUTPUTS
from support.backends import Backend


def products_of(bundle: str) -> Path:
    """Return the file of a bundle's products."""
    [file] = Path(bundle).glob("*products.json")
    return file


@pytest.fixture
def edited(backup) -> str:
    """The backup, with a price that somebody changed in its file."""
    file = products_of(backup)
    text = file.read_text()
    assert '"price":100' in text
    file.write_text(text.replace('"price":100', '"price":120'))
    return backup


def test_verify_tells_a_whole_bundle_from_a_faulty_one(run, run_json, backup) -> None:
    """0 for a whole one, 1 for a faulty one, and 3 where nothing is."""
    assert "whole (files, records, references)" in run("verify", backup).stdout
    [document] = run_json("verify", backup)
    assert document["outcome"] == "whole"
    file = products_of(backup)
    file.write_text("{}")
    assert file.name in run("verify", backup, code=1).stdout
    [document] = run_json("verify", backup, code=1)
    assert document["outcome"] == "faulty"
    [failure] = run_json("verify", "nowhere", code=3)
    assert (failure["error"], failure["code"]) == ("bundle", "bundle-missing")


def test_verify_proves_that_a_bundle_can_be_restored(run, backup, shop) -> None:
    """By the tables of a database, where no catalog is declared; and leaves evidence."""
    result = run("verify", backup, "--restore", "--database", shop, "--evidence", "evidence.json")
    assert "restore" in result.stdout
    assert json.loads(Path("evidence.json").read_text())["checks"][-1] == "restore"
    assert "No catalog is named: expected" in run("verify", backup, "--restore", code=2).stderr


def test_a_server_makes_the_scratch_database_where_sqlite_cant(
    run, folder, postgresql: Backend, postgres_server: sa.URL
) -> None:
    """Names that differ by letter case are one to SQLite; the server keeps no database of ours."""
    with postgresql.database() as engine:
        with engine.begin() as connection:
            connection.exec_driver_sql(
                'CREATE TABLE a (id INT PRIMARY KEY, name TEXT, "Name" INT, of_no_known_type POINT)'
            )
            connection.exec_driver_sql("INSERT INTO a VALUES (1, 'x', 2)")
        url, server = (
            each.render_as_string(hide_password=False) for each in (engine.url, postgres_server)
        )
        run("export", url, "backup")
        restore = ("verify", "backup", "--restore", "--database", url)
        text = "a: SQLite takes the columns name and Name for one. Restore into a database of the"
        assert text in run(*restore, code=1).stdout
        assert text in run("init", url, "app", code=4).stdout
        names = "SELECT datname FROM pg_database ORDER BY 1"
        with engine.connect() as connection:
            before = connection.exec_driver_sql(names).all()
            assert "catalog, restore); 1 entity" in run(*restore, "--scratch", server).stdout
            assert "1 record: all come back" in run("init", url, "app", "--scratch", server).stdout
            assert connection.exec_driver_sql(names).all() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--scratch", "postgresql+psycopg://host/x"), "--scratch is for --restore; add it"),
        (("--restore", "--scratch", "sqlite:///shop.db"), "--scratch is for servers"),
    ],
    ids=["alone", "sqlite"],
)
def test_a_scratch_server_that_serves_nothing_is_told(
    run, backup, shop, options: tuple[str, ...], message: str
) -> None:
    """Before anything is read."""
    assert message in run("verify", backup, "--database", shop, *options, code=2).stderr


def test_seal_makes_an_edited_bundle_whole(run, run_json, edited) -> None:
    """Once; then there is nothing to do."""
    run("verify", edited, code=1)
    [document] = run_json("seal", edited)
    assert document["written"]
    assert document["files"][0]["entity"] == "products"
    run("verify", edited)
    assert "whole already" in run("seal", edited).stdout


def test_seal_refuses_what_an_edit_may_not_do(run, run_json, backup) -> None:
    """Faults beyond an edit are listed, and nothing is written."""
    file = products_of(backup)
    file.write_text(file.read_text().replace('{"slug":"mill"}', '{"slug":"moon"}'))
    before = file.read_bytes()
    [failure] = run_json("seal", backup, code=3)
    assert failure["problems"]
    assert file.read_bytes() == before


def test_an_edited_price_is_seen_and_applied(run, shop, edited) -> None:
    """From the file to the database: sealed, planned, looked at, carried out."""
    run("seal", edited)
    assert "price 100 -> 120" in run("diff", shop, edited, code=1).stdout
    run("import", shop, edited, "--plan", "plan.json", code=1)
    run("import", shop, edited, "--expect", "plan.json")
    assert query(shop, "SELECT price FROM products WHERE slug = 'flour'") == [(120,)]
    run("diff", shop, edited)


def test_diff_takes_databases_bundles_and_documents(run, run_json, shop, backup, empty) -> None:
    """0 where there is nothing to do, else 1 and the lines of a plan."""
    document = run("export", shop, "-").stdout
    Path("shop.json").write_text(document)
    for side in (shop, backup, "shop.json"):
        assert run("diff", shop, side).stdout.startswith("diff: 5 unchanged")
        header, *changes, summary = run_json("diff", empty, side, code=1)
        assert header["catalog"] == "shop" if side == backup else header["catalog"]
        assert [change["action"] for change in changes] == ["insert"] * 5
        assert summary["changes"] == 5
    run("diff", shop, "-", stdin=document)
    run("diff", backup, empty, code=1)
    assert "2 inserted" in run("diff", empty, backup, "--only", "suppliers", code=1).stdout
    assert run("diff", empty, backup, "--plan", "-", code=1).stdout.count("\n") == 7


def test_upgrade_writes_a_bundle_at_todays_versions(run, run_json, backup, shop) -> None:
    """Beside the old one, or in its place where asked to."""
    [document] = run_json("upgrade", backup, "new.zip", "--database", shop)
    assert document["records"] == 5
    assert "Pass --overwrite" in run("upgrade", backup, "--database", shop, code=3).stderr
    run("upgrade", backup, "--overwrite", "--database", shop)
    stderr = run("upgrade", backup, "new.json", "--database", shop, code=2).stderr
    assert "'new.json' is a document's path; expected a folder or a .zip file" in stderr
    assert not Path("new.json").exists()


def test_a_lock_is_made_and_checked(run, run_json, shop) -> None:
    """Check finds nothing after lock, then what the tables have become."""
    [failure] = run_json("check", "--database", shop, code=3)
    assert "lading.lock.json" in failure["message"]
    [locked] = run_json("lock", "--database", shop)
    assert (locked["number"], locked["changed"]) == (1, True)
    assert "nothing to seal" in run("lock", "--database", shop).stdout
    assert "nothing differs" in run("check", "--database", shop).stdout
    query(shop, "ALTER TABLE products ADD COLUMN weight INTEGER NOT NULL DEFAULT 1")
    assert "products.weight" in run("check", "--database", shop, code=1).stdout
    [document] = run_json("check", "--database", shop, code=1)
    assert "products.weight" in [finding["path"] for finding in document["findings"]]


def test_goldens_come_from_a_bundle_or_a_document(run, shop, backup) -> None:
    """What is sealed beside the shapes may be real records."""
    run("lock", "a.lock.json", "--goldens", backup, "--database", shop)
    again = run("lock", "a.lock.json", "--goldens", backup, "--database", shop).stdout
    assert "nothing to seal; seal 1 stands, and the goldens given weren't read" in again
    Path("shop.json").write_text(run("export", shop, "-").stdout)
    Path("b").mkdir()
    run("lock", "b/b.lock.json", "--goldens", "shop.json", "--database", shop)
    assert [path.read_text().count("flour") > 0 for path in Path().rglob("goldens/*.json")] == [
        True
    ] * 2


def test_schemas_of_records_files_and_outputs(run, run_json, shop) -> None:
    """Each is a JSON Schema; an entity's describes its records."""
    [schema] = run_json("schema", "products", "--database", shop)
    Draft202012Validator(schema).validate({"slug": "rye", "price": 1, "id": 1, "supplier": None})
    assert not Draft202012Validator(schema).is_valid({"slug": "rye"})
    run_json("schema", "--database", shop)
    for file in ("manifest", "entity-file", "plan", "lock", "verification"):
        Draft202012Validator.check_schema(json.loads(run("schema", "--file", file).stdout))
    for command in OUTPUTS:
        Draft202012Validator.check_schema(json.loads(run("schema", "--output-of", command).stdout))


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["productz", "--database", "shop.db"], "expected one of: products, suppliers"),
        (["products", "--version", "9", "--database", "shop.db"], "expected one of: 1"),
        (["--version", "1", "--database", "shop.db"], "None without an entity"),
        (["products", "--file", "plan"], "leave them out"),
        (["--file", "plan", "--output-of", "import"], "expected one of them"),
        (["products", "--version", "x"], "is not a valid"),
    ],
)
def test_schemas_that_there_are_none_of(run, shop, args, message) -> None:
    """Each is told what there is."""
    args = [shop if arg == "shop.db" else arg for arg in args]
    result = run("schema", *args, code=None)
    assert result.exit_code in (2, 3)
    assert message in result.stderr


def test_inspect_tells_what_a_database_holds(run, run_json, shop) -> None:
    """Counts, keys and why, references, and what is left out."""
    query(shop, "CREATE VIEW cheap AS SELECT * FROM products")
    text = run("inspect", shop).stdout
    assert text.splitlines()[0] == f"{shop}: catalog 'shop', 2 entities, 5 records"
    assert "key: slug (slug is unique and never null)" in text
    assert "references: supplier to suppliers" in text
    assert "  - cheap: it is a view" in text
    [document] = run_json("inspect", shop)
    assert [entity["records"] for entity in document["entities"]] == [2, 3]
    assert document["left_out"] == {"cheap": "it is a view"}


def test_inspect_tells_what_a_bundle_holds(run, run_json, backup, shop) -> None:
    """By its manifest alone; with a database or a catalog also why keys are what they are."""
    assert "products: 3 records, version 1\n    key: slug\n" in run("inspect", backup).stdout
    assert run_json("inspect", backup)[0]["entities"][0]["reason"] is None
    assert "slug is unique" in run("inspect", backup, "--database", shop).stdout


def test_owned_rows_are_told(run, tmp_path) -> None:
    """--owned nests what is deleted along with its parent; whoever reads the bundle sees it."""
    url = make_database(tmp_path / "orders.db")
    query(
        url,
        "CREATE TABLE lines (id INTEGER PRIMARY KEY, number INTEGER NOT NULL, product_id INTEGER "
        "NOT NULL REFERENCES products (id) ON DELETE CASCADE, UNIQUE (product_id, number))",
    )
    assert "owned: products.lines" in run("inspect", url, "--owned").stdout
    run("export", url, "backup", "--owned")
    assert "owned: products.lines" in run("inspect", "backup").stdout
    run("import", url, "backup")
    run("diff", url, "backup")
    run("verify", "backup", "--restore", "--database", url)
    assert "owned:" not in run("inspect", url).stdout


def test_rows_that_could_be_owned_stay_beside_if_the_bundle_has_them_there(run, tmp_path) -> None:
    """A bundle that was exported without --owned is read without it."""
    url = make_database(tmp_path / "orders.db")
    query(
        url,
        "CREATE TABLE lines (id INTEGER PRIMARY KEY, number INTEGER NOT NULL, product_id INTEGER "
        "NOT NULL REFERENCES products (id) ON DELETE CASCADE, UNIQUE (product_id, number))",
    )
    run("export", url, "backup")
    run("import", url, "backup")
    run("verify", "backup", "--restore", "--database", url)
    assert "Leave --owned out." in run("import", url, "backup", "--owned", code=2).stderr


def test_what_is_left_out_is_named_before_the_bundle(run, shop) -> None:
    """Nobody learns of a table without a primary key only when it is missed."""
    query(shop, "CREATE TABLE logs (message TEXT)")
    result = run("export", shop, "backup")
    assert "is taken as it is, 2 entities, 1 left out: logs." in result.stderr


def test_a_text_that_is_no_decimal_is_told_in_words(run, shop) -> None:
    """What Python's decimals say of it is nothing that a reader knows."""
    query(shop, "CREATE TABLE prices (id INTEGER PRIMARY KEY, price DECIMAL(10, 2))")
    query(shop, "INSERT INTO prices VALUES (1, 'cheap')")
    stderr = run("export", shop, "backup", code=4).stderr
    assert "can't be read as a decimal value (in the row with id 1)." in stderr
