"""Files of plans: what is written comes back, and whatever else happened to one is refused."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from lading import BundleError, ChecksumError, ImportPlan, VersionError
from lading.formats import plan_schema
from support.plans import bakery_plan, plan_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a plan."""
    file = tmp_path / "plan.ndjson"
    bakery_plan().write(file)
    return file


def edited(path: Path, old: bytes, new: bytes) -> None:
    """Replace a part of the file."""
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))


def test_a_plan_comes_back_from_its_file(path: Path, tmp_path: Path) -> None:
    """All of it, so that it is written again as the same bytes."""
    plan = ImportPlan.read(path)
    assert str(plan) == str(bakery_plan())
    assert list(plan.changes()) == list(bakery_plan().changes())
    assert (plan.total, plan.problems) == (bakery_plan().total, bakery_plan().problems)
    plan.write(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def test_an_empty_plan_comes_back(tmp_path: Path) -> None:
    """It has a header and a summary alone."""
    plan_of([]).write(tmp_path / "plan")
    assert not ImportPlan.read(tmp_path / "plan")


def test_each_line_follows_the_published_schema(path: Path) -> None:
    """By a validator that isn't ours, which takes no line of another form."""
    schema = Draft202012Validator(plan_schema())
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        schema.validate(line)
    for line in lines:
        assert not schema.is_valid({**line, "more": 1})
        assert not schema.is_valid({name: line[name] for name in list(line)[1:]})


def test_a_change_has_the_words_of_terraform(path: Path) -> None:
    """Other tools read them."""
    assert json.loads(path.read_text().splitlines()[3]) == {
        "entity": "products",
        "key": {"slug": "roll-0"},
        "action": "update",
        "before": {"unit_price": "1.20"},
        "after": {"unit_price": "1.35"},
    }


def test_a_file_that_is_cut_off_is_refused(path: Path) -> None:
    """At the end of a line, or within one, wherever that is."""
    data = path.read_bytes()
    first = data.index(b"\n") + 1
    for end in [first, *range(first, len(data) - 1, 97), len(data) - 1]:
        path.write_bytes(data[:end])
        with pytest.raises(BundleError, match=r"it is cut off|sha256"):
            ImportPlan.read(path)


def test_a_file_that_was_edited_is_refused(path: Path) -> None:
    """A price that nobody signed."""
    edited(path, b"1.35", b"1.45")
    with pytest.raises(ChecksumError) as caught:
        ImportPlan.read(path)
    assert str(caught.value) == (
        "plan.ndjson, summary.sha256: its checksum differs from its own sha256 (edited after it was "
        "written?). Make the plan again, or use an undamaged copy."
    )


def test_a_summary_that_was_edited_is_refused(path: Path) -> None:
    """The checksum is of its own line as well."""
    edited(path, b'"more_problems":2', b'"more_problems":0')
    with pytest.raises(ChecksumError):
        ImportPlan.read(path)


def test_a_plan_of_a_newer_format_is_refused(path: Path) -> None:
    """By its version, whatever else it has."""
    edited(path, b'"version":"1.0"', b'"version":"2.0","more":[]')
    with pytest.raises(VersionError, match=r"the plan's format is '2.0', and this lading reads"):
        ImportPlan.read(path)


def test_line_endings_that_were_converted_are_told(path: Path) -> None:
    """Git does that."""
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    with pytest.raises(BundleError, match=r"CRLF.*gitattributes"):
        ImportPlan.read(path)


@pytest.mark.parametrize("text", [b"", b"\n", b"[]\n", b"\x00\xff", b"{}\n", b'{"version":1}\n'])
def test_what_is_no_plan_is_refused(path: Path, text: bytes) -> None:
    """No other error escapes."""
    path.write_bytes(text)
    with pytest.raises((BundleError, VersionError)):
        ImportPlan.read(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    """As other files are."""
    with pytest.raises(BundleError, match=r"^plan: is missing\. Check the path\.$"):
        ImportPlan.read(tmp_path / "plan")
    with pytest.raises(BundleError, match="is a folder, and no plan"):
        ImportPlan.read(tmp_path)


def test_a_forged_change_is_refused(path: Path) -> None:
    """Even if its checksum is right: a delete has nothing after."""
    data = path.read_bytes().replace(
        b'"before":{"slug":"old-bread"},"after":null', b'"before":null,"after":null'
    )
    head = data.rpartition(b',"sha256":"')[0]
    path.write_bytes(head + b',"sha256":"' + sha256(head).hexdigest().encode() + b'"}\n')
    with pytest.raises(BundleError, match=r"plan.ndjson, line 8: .*as action 'delete' has them"):
        ImportPlan.read(path)


def test_a_file_that_cannot_be_written_leaves_the_old_one(path: Path) -> None:
    """Whole files only."""
    before = path.read_bytes()
    with pytest.raises(BundleError, match="doesn't exist"):
        bakery_plan().write(path.parent / "none" / "plan")
    bakery_plan().write(path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["plan.ndjson"]


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "an empty file"),
        (b"SQLite format 3\0...", "a SQLite database"),
        (b"PK\x03\x04...", "a ZIP file, as bundles may be"),
        (b"\n<!doctype html>", "a page in HTML"),
        (b'{"entity_type":"p","schema_version":1,"records":[\n]}', "an entity file of a bundle"),
        (b'{\n  "version": "1.0",\n  "export_date": ""}', "a bundle's manifest"),
        (b'{"version":null,"schema_versions":{}}', "a document of records"),
        (b"[1]", "another JSON file"),
        (b"12ab  SHA256SUMS", "a file of another format"),
    ],
)
def test_what_is_no_plan_is_named(tmp_path: Path, data: bytes, what: str) -> None:
    """By what it begins with, and not by the first character that a plan wouldn't have."""
    path = tmp_path / "given"
    path.write_bytes(data)
    with pytest.raises(BundleError, match=f"^given: is {what}, and no plan or diff. Give the file"):
        ImportPlan.read(path)


def test_a_bundle_is_no_plan(tmp_path: Path) -> None:
    """It is told from any other folder."""
    (tmp_path / "manifest.json").touch()
    with pytest.raises(BundleError, match="is a bundle, and no plan or diff"):
        ImportPlan.read(tmp_path)


def test_a_summary_counts_the_changes(path: Path) -> None:
    """A file that somebody cut and sealed again is none that lading wrote."""
    *lines, last = path.read_bytes().splitlines(keepends=True)
    summary = {name: value for name, value in json.loads(last).items() if name != "sha256"}
    lines = [*lines[:-1], json.dumps(summary, separators=(",", ":"), ensure_ascii=False).encode()]
    digest = sha256(b"".join(lines)[:-1]).hexdigest()
    path.write_bytes(b"".join(lines)[:-1] + f',"sha256":"{digest}"}}\n'.encode())
    with pytest.raises(BundleError) as caught:
        ImportPlan.read(path)
    assert "summary.changes: is 7; expected 6, as there are" in str(caught.value)
