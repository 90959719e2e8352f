"""`lading import`: nothing is written that nobody has seen or asked for."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest

from cli.conftest import query
from lading import ImportPlan
from lading.adopting import sources
from lading.cli.error_messages import NOTHING_LEFT

PRICES = "SELECT slug, price FROM products ORDER BY slug"
EXPORTED = [("butter", 250), ("flour", 100), ("salt", 30)]


@pytest.fixture
def changed(shop, backup) -> str:
    """The shop, in which a price has changed since its export, and a product was added."""
    query(shop, "UPDATE products SET price = 99 WHERE slug = 'flour'")
    query(shop, "INSERT INTO products VALUES (9, 'yeast', 5, NULL)")
    return shop


def test_an_empty_database_is_filled(run, run_json, backup, empty) -> None:
    """Nothing need be said where nothing can be lost; the target is named before."""
    [document] = run_json("import", empty, backup)
    assert document["outcome"] == "committed"
    assert document["entities"]["products"]["inserted"] == 3
    assert query(empty, PRICES) == EXPORTED
    result = run("import", empty, backup)
    assert result.stderr.splitlines()[1] == f"Target: {empty}"
    assert result.stdout.startswith("committed: 5 unchanged")


def test_records_that_differ_need_a_decision(run, run_json, backup, changed) -> None:
    """The plan's summary and the options are printed, nothing is written, and the code is 1."""
    result = run("import", changed, backup, code=1)
    assert "~ products slug 'flour': price 99 -> 100" in result.stdout
    assert "nothing was written" in result.stdout
    assert all(mode in result.stderr for mode in ("skip", "update", "mirror", "error"))
    [document] = run_json("import", changed, backup, code=1)
    assert document["outcome"] == "not committed"
    assert document["entities"]["products"]["updated"] == 1
    assert query(changed, "SELECT price FROM products WHERE slug = 'flour'") == [(99,)]


@pytest.mark.parametrize(
    ("mode", "price"), [("skip", 99), ("update", 100), ("products=update", 100), ("*=skip", 99)]
)
def test_the_decision_is_carried_out(run, backup, changed, mode, price) -> None:
    """--on-conflict says it for all entities, or for one."""
    run("import", changed, backup, "--on-conflict", mode)
    assert query(changed, "SELECT price FROM products WHERE slug = 'flour'") == [(price,)]


def test_entities_without_a_decision_need_one(run, run_json, backup, changed) -> None:
    """A mode for one entity is none for the others; nothing is skipped that nobody decides on."""
    for arguments in ((), ("--dry-run",)):
        result = run(
            "import", changed, backup, "--on-conflict", "suppliers=update", *arguments, code=1
        )
        assert "~ products slug 'flour': price 99 -> 100" in result.stdout
    assert "for the other entities" in result.stderr
    assert query(changed, "SELECT price FROM products WHERE slug = 'flour'") == [(99,)]
    modes = ("--on-conflict", "suppliers=update", "--on-conflict", "*=skip")
    assert "1 differing" in run("import", changed, backup, *modes).stdout


def test_a_plan_without_changes_is_a_plan(run, backup, shop) -> None:
    """What it expects happens, or the message says what is different."""
    run("diff", shop, backup, "--plan", "plan.json")
    assert "5 unchanged" in run("import", shop, backup, "--expect", "plan.json").stdout


def test_a_mirror_deletes_only_with_yes(run, backup, changed) -> None:
    """Whoever sits at no terminal must say --yes, having seen what goes."""
    result = run("import", changed, backup, "--on-conflict", "mirror", code=1)
    assert "- products slug 'yeast'" in result.stdout
    assert "--yes" in result.stderr
    assert ("yeast", 5) in query(changed, PRICES)
    run("import", changed, backup, "--on-conflict", "mirror", "--yes")
    assert query(changed, PRICES) == EXPORTED


def test_a_mirror_that_deletes_nothing_needs_no_yes(run, backup, shop) -> None:
    """There is nothing to agree to."""
    query(shop, "UPDATE products SET price = 99 WHERE slug = 'flour'")
    run("import", shop, backup, "--on-conflict", "mirror")
    assert query(shop, PRICES) == EXPORTED


def test_a_dry_run_tells_by_its_code(run, backup, changed, empty) -> None:
    """It is 1 where there is something to do, and nothing is done."""
    assert run("import", changed, backup, "--dry-run", code=1).stdout.startswith("import plan: ")
    run("import", empty, backup, "--dry-run", code=1)
    assert query(empty, PRICES) == []
    run("import", empty, backup)
    run("import", empty, backup, "--dry-run", code=0)


def test_a_plan_is_written_looked_at_and_carried_out(run, run_json, backup, changed) -> None:
    """--plan writes what --expect then does; the modes are those of the plan."""
    run("import", changed, backup, "--on-conflict", "mirror", "--plan", "plan.json", code=1)
    lines = run_json("import", changed, backup, "--on-conflict", "mirror", "--dry-run", code=1)
    assert [json.loads(line) for line in Path("plan.json").read_text().splitlines()] == lines
    assert (
        "committed: 1 updated, 4 unchanged, 1 deleted"
        in run("import", changed, backup, "--expect", "plan.json").stdout
    )
    assert query(changed, PRICES) == EXPORTED
    assert "the plan says" in run("import", changed, backup, "--expect", "plan.json", code=1).stderr


def test_a_plan_comes_from_standard_input(run, backup, changed) -> None:
    """``-`` is standard output for --plan, and standard input for --expect."""
    plan = run("import", changed, backup, "--plan", "-", code=1).stdout
    run("import", changed, backup, "--expect", "-", stdin=plan)
    assert ("flour", 100) in query(changed, PRICES)


def test_a_document_comes_from_standard_input(run, shop, empty) -> None:
    """What export prints, import reads."""
    document = run("export", shop, "-").stdout
    run("import", empty, "-", stdin=document)
    assert query(empty, PRICES) == EXPORTED


def test_a_diff_is_an_expected_plan(run, backup, changed) -> None:
    """What a diff of the database and the bundle says is what the import does."""
    run("diff", changed, backup, "--plan", "plan.json", code=1)
    run("import", changed, backup, "--expect", "plan.json")
    assert query(changed, PRICES) == EXPORTED


def test_problems_of_records_are_listed(run, run_json, shop, empty) -> None:
    """A record that can't be loaded rolls all of it back, and --json has each problem."""
    document = json.loads(run("export", shop, "-").stdout)
    document["products"][0]["price"] = "cheap"
    text = json.dumps(document)
    [failure] = run_json("import", empty, "-", stdin=text, code=3)
    assert failure["error"] == "import-failed"
    assert failure["problems"][0]["field"] == "price"
    assert query(empty, "SELECT * FROM suppliers") == []
    report = run("import", empty, "-", "--on-error", "continue", stdin=text, code=1).stdout
    assert "1 failed" in report


def test_good_records_are_kept_without_a_decision(run, shop) -> None:
    """--on-error continue needs no --on-conflict where no record differs."""
    document = json.loads(run("export", shop, "-").stdout)
    product = document["products"][0]
    bad = product | {"id": 8, "slug": "chalk", "price": "cheap"}
    good = product | {"id": 9, "slug": "yeast"}
    document["products"] = [bad, good]
    result = run("import", shop, "-", "--on-error", "continue", stdin=json.dumps(document), code=1)
    assert "1 inserted" in result.stdout
    assert "1 failed" in result.stdout
    assert query(shop, "SELECT slug FROM products WHERE slug IN ('chalk', 'yeast')") == [("yeast",)]


def test_arguments_in_the_wrong_order_are_told(run, shop, backup) -> None:
    """First the database, then the bundle."""
    assert "expected first the URL" in run("import", backup, shop, code=2).stderr
    assert "expected TARGET BUNDLE (or set DATABASE_URL)" in run("import", backup, code=2).stderr


def test_a_database_without_rows_has_the_keys_of_the_bundle(run, folder, monkeypatch) -> None:
    """Which key a table gets may depend on its rows, and so may its references; it is read once."""
    reflected = Mock(side_effect=sources.reflected)
    monkeypatch.setattr(sources, "reflected", reflected)
    tables = (
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR(50) UNIQUE);"
        "CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id));"
    )
    for name, rows in (("a", "(1, 'a'), (2, 'b')"), ("b", "(1, 'a'), (2, NULL)"), ("c", "")):
        with sqlite3.connect(folder / f"{name}.db") as connection:
            connection.executescript(tables)
            if rows:
                connection.execute(f"INSERT INTO users VALUES {rows}")
                connection.execute("INSERT INTO posts VALUES (7, 1)")
        connection.close()
    run("export", "sqlite:///a.db", "bundle")
    assert '"user":{"email":"a"}' in (folder / "bundle/02_posts.json").read_text("utf-8")
    reflected.reset_mock()
    run("import", "sqlite:///c.db", "bundle", "--yes")
    assert reflected.call_count == 1
    run("diff", "sqlite:///c.db", "bundle")
    run("export", "sqlite:///b.db", "nulls")
    assert '"user":{"id":1}' in (folder / "nulls/02_posts.json").read_text("utf-8")
    run("diff", "sqlite:///a.db", "nulls", code=1)


def test_a_plan_that_skips_lists_the_fields_that_differ(run, run_json, changed, backup) -> None:
    """As the import's own report does, and as its file keeps them."""
    options = ("--on-conflict", "skip")
    lines = run("import", changed, backup, *options, "--plan", "plan").stdout.splitlines()
    told = [line for line in lines if line.startswith("  = ")]
    assert told == ["  = 02_products.json record 2, price: is 100 here and 99 in the database."]
    assert told[0] in str(ImportPlan.read("plan"))
    *_, summary = run_json("import", changed, backup, *options, "--dry-run")
    assert [problem["field"] for problem in summary["differences"]] == ["price"]
    assert told[0] in run("import", changed, backup, *options).stdout


def test_standard_input_is_one_thing(run, shop) -> None:
    """A document and a plan can't both come from it."""
    result = run("import", shop, "-", "--expect", "-", code=2, stdin="{}")
    assert "Standard input is either the document or the plan, not both." in result.stderr


#: A document of a product without a price.
PROBLEMATIC = json.dumps(
    {
        "schema_versions": {"products": 1},
        "products": [{"slug": "oil", "price": None, "supplier": None}],
    }
)


@pytest.mark.parametrize("options", [(), ("--on-conflict", "mirror")])
def test_an_import_with_problems_is_not_asked_about(run, changed, options) -> None:
    """They are corrected first, whatever would be decided."""
    result = run("import", changed, "-", *options, code=3, stdin=PROBLEMATIC)
    assert "the import has problems; correct them first" in result.stderr
    assert "price" in result.stdout
    assert "nothing was written" in result.stdout
    assert len(query(changed, PRICES)) == 4


@pytest.mark.parametrize(("options", "code"), [((), 3), (("--on-error", "continue"), 1)])
def test_a_dry_run_with_problems_ends_as_its_import(run, changed, options, code) -> None:
    """It refuses all records, or leaves out those with problems."""
    for way in (("--plan", "plan"), ("--on-conflict", "update")):
        run("import", changed, "-", *way, *options, code=code, stdin=PROBLEMATIC)


@pytest.mark.parametrize(("answer", "code", "count"), [("y\n", 0, 3), ("n\n", 1, 4), ("", 1, 4)])
def test_a_mirror_that_deletes_is_asked_about(
    run, changed, backup, answer, code, count, monkeypatch
) -> None:
    """The end of the input is no answer."""
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _: True, raising=False)
    result = run("import", changed, backup, "--on-conflict", "mirror", code=code, stdin=answer)
    assert "Do this?" in result.stderr
    assert "- products slug 'yeast'" in result.stderr
    assert len(query(changed, PRICES)) == count


@pytest.mark.parametrize(
    ("answer", "code", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated"), (b"\4", 1, "")],
    ids=["interrupt", "terminate", "end of file"],
)
def test_a_prompt_ends_as_a_command_does(changed, backup, answer, code, word) -> None:
    """Whoever leaves the question whether to delete has not said yes."""
    mine, theirs = pty.openpty()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, "-m", "lading", "import", changed, backup, "--on-conflict", "mirror"],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    signal.signal(signal.SIGINT, before)
    assert process.stdout is not None
    assert process.stderr is not None
    shown = b""
    while not shown.endswith(b"[y/N]: ") and (piece := os.read(process.stderr.fileno(), 4096)):
        shown += piece
    has_reacted = False
    while not has_reacted:  # a signal just before it begins to wait doesn't wake it
        if isinstance(answer, bytes):
            os.write(mine, answer)
        else:
            process.send_signal(answer)
        has_reacted = bool(select.select([process.stderr], [], [], 5)[0])
    stdout, stderr = process.communicate()
    os.close(mine)
    os.close(theirs)
    assert process.returncode == code, stderr
    assert (f"Error: {word}: {NOTHING_LEFT}" in stderr.decode()) == bool(word)
    assert (b"nothing was written" in stdout) == (code == 1)
    assert len(query(changed, PRICES)) == 4
