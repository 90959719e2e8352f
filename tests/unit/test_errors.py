"""Errors: their parts, their one way of rendering, and their family."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

import lading
from lading import errors
from lading.errors import (
    ArgumentError,
    BundleError,
    ChecksumError,
    ClosureWarning,
    DeclarationError,
    ImportFailed,
    LadingError,
    LeftOutWarning,
    PlanChanged,
    TargetError,
    VersionError,
)
from lading.messages import Message, listed, place, sentence, shown
from lading.report import ImportReport, Problem


def test_shown_is_the_repr() -> None:
    """A value is shown as Python would write it, so that 1 and '1' differ."""
    assert shown("1") == "'1'"
    assert shown(1) == "1"


def test_shown_is_cut_at_eighty_characters() -> None:
    """A record's text may be a book; an error's line may not."""
    assert shown("x" * 78) == "'" + "x" * 78 + "'"
    cut = shown("x" * 79)
    assert len(cut) == 80
    assert cut == "'" + "x" * 76 + "..."


def test_listed_stops_at_five() -> None:
    """Five items are shown and the rest are counted."""
    assert listed("abcde", separator=", ") == "a, b, c, d, e"
    assert listed("abcdefg", separator=", ") == "a, b, c, d, e, and 2 more"
    assert listed([]) == ""


def test_listed_takes_a_generator_and_a_limit() -> None:
    """An iterable is walked once; a limit of its own holds."""
    assert listed((c for c in "abc"), separator="; ", limit=1) == "a; and 2 more"


@pytest.mark.parametrize(
    ("where", "text"),
    [
        (
            {"file": "recipes.json", "record": 17, "field": "author"},
            "recipes.json record 17, author",
        ),
        ({"file": "recipes.json"}, "recipes.json"),
        ({"entity": "recipes", "field": "author"}, "recipes, author"),
        ({"file": "recipes.json", "entity": "recipes"}, "recipes.json"),
        ({"record": 3}, "record 3"),
        ({"field": "author"}, "author"),
        ({}, ""),
    ],
)
def test_place_names_what_is_known(where: dict[str, object], text: str) -> None:
    """A location holds the parts that apply, the file before the entity."""
    assert place(**where) == text  # type: ignore[arg-type]


def test_sentence_has_optional_parts() -> None:
    """Only the problem is always there; each part ends as a sentence does."""
    assert sentence("", "it broke") == "it broke."
    assert sentence("here", "it broke", "Mend it.") == "here: it broke. Mend it."
    assert sentence("here", "did it break?", "") == "here: did it break?"


def test_an_error_keeps_its_parts() -> None:
    """Whoever handles an error reads attributes, not text."""
    error = LadingError(
        "no author has slug 'j-child'; closest is 'julia-child'",
        "Add the record to authors.json or correct the slug.",
        entity="recipes",
        file="recipes.json",
        record=17,
        key={"slug": "cake"},
        field="author",
    )
    assert str(error) == (
        "recipes.json record 17, author: no author has slug 'j-child'; closest is "
        "'julia-child'. Add the record to authors.json or correct the slug."
    )
    assert (error.entity, error.file, error.record, error.field) == (
        "recipes",
        "recipes.json",
        17,
        "author",
    )
    assert error.key == {"slug": "cake"}
    assert error.problem.startswith("no author")
    assert error.remedy.startswith("Add the record")


def test_parts_that_do_not_apply_are_none() -> None:
    """An error without a place has no place."""
    error = TargetError("the database is asleep")
    assert str(error) == "the database is asleep."
    assert {error.entity, error.file, error.record, error.key, error.field} == {None}


def test_one_mistake_stands_alone() -> None:
    """A single mistake is the whole message."""
    error = DeclarationError(
        "schema-malformed", "TagSchema: version = 0; write a whole number from 1"
    )
    assert error.mistakes == ("TagSchema: version = 0; write a whole number from 1",)
    assert str(error) == "TagSchema: version = 0; write a whole number from 1."


def test_every_mistake_is_listed() -> None:
    """Declarations are mended in one go, so no mistake hides behind 'and more'."""
    error = DeclarationError("schema-malformed", [f"mistake {n}" for n in range(7)])
    assert len(error.mistakes) == 7
    assert (
        str(error)
        == "7 declarations can't be used:\n  " + "\n  ".join(f"mistake {n}" for n in range(7)) + "."
    )


def test_mistakes_have_codes_and_their_error_the_one_of_all() -> None:
    """Or that of its class, where they differ."""
    other = Message("key-undecided", "no key")
    alike = DeclarationError("schema-malformed", ["a", "b"])
    mixed = DeclarationError("schema-malformed", ["a", other])
    assert (alike.code, mixed.code) == ("schema-malformed", "declaration")
    assert [mistake.code for mistake in mixed.mistakes] == ["schema-malformed", "key-undecided"]


def test_an_argument_s_expectation_may_have_a_code() -> None:
    """Other errors of arguments have that of their class."""
    error = ArgumentError("only", "x", Message("name-unknown", "one of: a, b"))
    assert (error.code, str(error)) == ("name-unknown", "only='x'; expected one of: a, b.")
    assert ArgumentError("only", 1, "a list").code == "argument"


def test_a_changed_plan_may_say_which_change() -> None:
    """The first difference that has a code gives it."""
    assert PlanChanged([Message("plan-done", "nothing would change")]).code == "plan-done"
    assert PlanChanged(["products: another price"]).code == "plan-changed"


def test_a_checksum_error_holds_both_digests() -> None:
    """The digests are there to be compared by a program."""
    error = ChecksumError(
        "its checksum differs", "Export again.", expected="a", found="b", file="f"
    )
    assert (error.expected, error.found) == ("a", "b")
    assert str(error) == "f: its checksum differs. Export again."
    assert isinstance(error, BundleError)


def test_a_version_error_holds_both_versions() -> None:
    """What was found and what is needed are attributes."""
    error = VersionError("too new", found=3, needed=2, entity="recipes")
    assert (error.found, error.needed) == (3, 2)
    assert str(error) == "recipes: too new."


def test_the_code_of_an_error_is_that_of_its_message() -> None:
    """Or else its class's, which stays as it is."""
    error = TargetError(Message("table-missing", "the database has no table x"))
    assert (error.code, TargetError("is odd").code, TargetError.code) == (
        "table-missing",
        "target",
        "target",
    )
    assert type(error.problem) is str


def test_a_failed_import_lists_five_problems() -> None:
    """All problems are in the report, five in the text."""
    report = ImportReport(
        problems=[
            Problem("tags.json", n, None, "slug", "is not a string", "odd") for n in range(1, 8)
        ]
    )
    error = ImportFailed(report)
    assert error.report is report
    assert str(error) == (
        "nothing was written; 7 problems:\n"
        "  tags.json record 1, slug: is not a string.\n"
        "  tags.json record 2, slug: is not a string.\n"
        "  tags.json record 3, slug: is not a string.\n"
        "  tags.json record 4, slug: is not a string.\n"
        "  tags.json record 5, slug: is not a string.\n"
        "  and 2 more."
    )


def test_a_failed_import_counts_one_problem_as_one() -> None:
    """One problem is no 'problems'."""
    report = ImportReport(problems=[Problem("tags.json", 1, None, None, "is null", "odd")])
    assert str(ImportFailed(report)).startswith("nothing was written; 1 problem:\n")


def test_every_error_has_the_one_root() -> None:
    """``except LadingError`` catches all that lading raises on purpose."""
    for name, value in vars(errors).items():
        is_error = inspect.isclass(value) and issubclass(value, Exception)
        if is_error and not issubclass(value, Warning):
            assert issubclass(value, LadingError), name


def test_the_root_is_never_raised_itself() -> None:
    """What is raised always says whether arguments, declarations, files or the database are wrong."""
    for path in Path(lading.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id != "LadingError", f"{path.name}, line {node.lineno}"


@pytest.mark.parametrize("warning", [ClosureWarning, LeftOutWarning])
def test_a_warning_is_no_error(warning: type[Warning]) -> None:
    """A warning filter can silence it, without catching errors."""
    assert issubclass(warning, UserWarning)
    assert not issubclass(warning, LadingError)
