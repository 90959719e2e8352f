"""`lading import`: a bundle or a document, into a database."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

import click
import sqlalchemy as sa

from lading.cli.catalogs import CatalogChoice, catalog_options
from lading.cli.command import command
from lading.cli.databases import connected, is_url, places_of
from lading.cli.documents import STANDARD, is_document
from lading.cli.exit_codes import ExitCode
from lading.cli.options import library_options
from lading.cli.output import Output
from lading.cli.payload_import import Import, is_empty
from lading.cli.plans import page_option, report_changes
from lading.cli.results import import_result
from lading.cli.secrets import masked
from lading.cli.text_files import readable
from lading.importer import import_all
from lading.planning.plan import ImportPlan
from lading.report import ImportReport

MODES = (
    "Say what happens to records that differ: --on-conflict skip (the database's stay), update "
    "(the bundle's count), mirror (that, and what the bundle lacks is deleted) or error; "
    "--on-conflict ENTITY=MODE says it of one entity. --dry-run --plan FILE shows each change, "
    "and --expect FILE then does exactly that."
)
DELETES = "Add --yes to delete them, or say --on-conflict update."


@command(
    "import",
    examples=(
        "lading import sqlite:///new.db backup/",
        "lading import sqlite:///app.db backup.zip --dry-run --on-conflict update --plan plan.json",
        "lading import sqlite:///app.db backup.zip --expect plan.json",
        "lading import sqlite:///app.db backup.zip --dry-run --html plan.html",
    ),
)
@click.argument("places", nargs=-1, metavar="[TARGET] BUNDLE")
@catalog_options
@library_options(import_all)
@click.option(
    "--plan",
    "plan_file",
    metavar="FILE",
    help="Write the plan of a dry run to a file; - prints it. Implies --dry-run.",
)
@page_option
@click.option("--yes", is_flag=True, help="Delete what a mirror deletes without asking.")
def import_(
    output: Output,
    *,
    places: tuple[str, ...],
    choice: CatalogChoice,
    dry_run: bool,
    plan_file: str | None,
    page: str | None,
    yes: bool,
    **options: Any,
) -> None:
    """Load a bundle into a database, all of it or nothing.

    TARGET is a database URL (by default DATABASE_URL) with the application's tables.  BUNDLE is a
    folder, a ZIP file, or a document (a .json file, or - for standard input).

    Where records of the bundle and the database differ, and no --on-conflict says what happens to
    them, nothing is written, and the exit code is 1.
    """
    target, payload = places_of(places, "TARGET", "BUNDLE")
    is_dry = dry_run or plan_file is not None or page is not None
    _refuse_mistaken(target, payload, options["expect"], is_dry=is_dry)
    with connected(target) as engine:
        bundle = None if is_document(payload) else payload
        catalog = choice.for_database(engine, output, bundle=bundle)
        output.note(f"Target: {masked(target)}")
        an_import = Import(engine, payload, catalog, options)
        if is_dry:
            if not an_import.is_decided:
                rest = "" if an_import.mode is None else " for the other entities"
                output.note(f"No --on-conflict is given{rest}; this plan is that of update.")
            plan = an_import.plan(an_import.whole_mode)
            label = readable(f"{payload} into {masked(target)}")
            report_changes(
                plan,
                output,
                plan_file,
                page=page,
                label=label,
                keeps_good=an_import.keeps_good,
            )
        _carry_out(an_import, engine, output, yes=yes)


def _refuse_mistaken(target: str, payload: str, expect: str | None, *, is_dry: bool) -> None:
    if is_url(payload) or not is_url(target):
        raise click.UsageError(
            f"{masked(target)!r} and {masked(payload)!r}: expected first the URL of the database, "
            "then the bundle's path. To write a bundle: lading export."
        )
    if payload == expect == STANDARD:
        raise click.UsageError("Standard input is either the document or the plan, not both.")
    if is_dry and expect is not None:
        raise click.UsageError("--expect carries out a plan; leave out --dry-run and its files.")


def _carry_out(an_import: Import, engine: sa.Engine, output: Output, *, yes: bool) -> None:
    """Import, unless the plan must be looked at first."""
    mode = an_import.mode
    if mode is None and is_empty(engine, an_import.catalog):
        _report(an_import.load("error"), output)
    elif not an_import.is_decided:
        plan = an_import.plan(an_import.whole_mode)
        if plan.problems and not an_import.keeps_good:
            _refuse_problems(plan, output)
        if an_import.undecided(plan):
            _refuse(plan, output, MODES)
        _refuse_deletes(plan, output, yes=yes)
        if an_import.keeps_good:  # no plan foretells what the database itself refuses
            _report(an_import.load(mode or "skip"), output)
        else:
            _report(an_import.load(an_import.whole_mode, plan), output)
    elif an_import.may_delete and not yes:
        plan = an_import.plan(an_import.whole_mode)
        if plan.problems:
            _refuse_problems(plan, output)
        _refuse_deletes(plan, output, yes=yes)
        _report(an_import.load(an_import.whole_mode, plan), output)
    else:
        _report(an_import.load(an_import.whole_mode), output)


def _refuse_deletes(plan: ImportPlan, output: Output, *, yes: bool) -> None:
    if not yes and (plan.total.deleted or plan.cascades) and not _agreed(plan, output):
        _refuse(plan, output, DELETES)


def _agreed(plan: ImportPlan, output: Output) -> bool:
    """Ask whoever sits at a terminal."""
    if output.as_json or not sys.stdin.isatty():
        return False
    output.note(str(plan))
    try:
        return click.confirm("Do this?", err=True)
    except click.Abort as error:
        if isinstance(error.__context__, EOFError):  # Ctrl-D is no answer
            return False
        raise


def _refuse_problems(plan: ImportPlan, output: Output) -> NoReturn:
    problems = "Error: the import has problems; correct them first."
    _refuse(plan, output, problems, ExitCode.BUNDLE)


def _refuse(
    plan: ImportPlan, output: Output, note: str, code: ExitCode = ExitCode.DIFFERENCES
) -> NoReturn:
    """Print a plan that is not carried out, and what there is to say."""
    text = "nothing was written"
    output.result(f"{plan}\n{text}", import_result(plan, committed=False, message=text))
    output.note(note)
    raise click.exceptions.Exit(code)


def _report(report: ImportReport, output: Output) -> None:
    output.result(report, import_result(report, committed=True, message=report.headline()))
    if report.failed:
        raise click.exceptions.Exit(ExitCode.DIFFERENCES)
