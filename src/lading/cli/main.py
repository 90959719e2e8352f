"""The group of all commands, whose modules are imported only when they are called.

``lading --help`` imports neither SQLAlchemy nor rich.  A new command is a line in ``COMMANDS``.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

try:
    import click
    from click.shell_completion import CompletionItem
except ModuleNotFoundError as error:
    raise SystemExit("lading: the command needs Click. pip install 'lading[cli]'") from error

from lading.cli.error_messages import failures_reported, termination_raised
from lading.messages import nearest


class CommandEntry(NamedTuple):
    """Where a command is, as ``module:attribute``, and what it does, for the list of commands."""

    target: str
    summary: str


#: In the order in which ``lading --help`` lists them.
COMMANDS: dict[str, CommandEntry] = {
    "export": CommandEntry("lading.cli.export:export", "Write a database to a bundle."),
    "import": CommandEntry(
        "lading.cli.import_:import_", "Load a bundle into a database, all of it or nothing."
    ),
    "verify": CommandEntry(
        "lading.cli.verify:verify", "Look through a bundle, and report every fault."
    ),
    "inspect": CommandEntry("lading.cli.inspect:inspect", "Say what a database or a bundle holds."),
    "diff": CommandEntry(
        "lading.cli.diff:diff",
        "Say what would have to happen to A to make it B; nothing is written.",
    ),
    "graph": CommandEntry(
        "lading.cli.graph:graph",
        "Draw the entities, in the layers in which they load, and their references.",
    ),
    "upgrade": CommandEntry(
        "lading.cli.upgrade:upgrade", "Write an old bundle again at the catalog's versions."
    ),
    "seal": CommandEntry(
        "lading.cli.seal:seal", "Make a bundle whole again after an edit that was meant."
    ),
    "lock": CommandEntry(
        "lading.cli.lock:lock",
        "Seal a catalog's shapes in a lock file, with golden records beside it.",
    ),
    "check": CommandEntry(
        "lading.cli.check:check", "Say what differs between a catalog and its lock."
    ),
    "init": CommandEntry(
        "lading.cli.init:init", "Write a package that declares a database: models and schemas."
    ),
    "schema": CommandEntry(
        "lading.cli.schema:schema",
        "Print the JSON Schema of an entity's records, or of a catalog's documents.",
    ),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name, and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name all commands."""
        return [*COMMANDS, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command, and return the command."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = entry.target.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments begin with; a misspelt one is told the others."""
        if not ctx.resilient_parsing and args[0] not in self.list_commands(ctx):
            known = nearest(args[0], self.list_commands(ctx))
            ctx.fail(f"No such command {args[0]!r}; expected one of: {known}.")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete a command's name without importing any of them."""
        names = [
            CompletionItem(name, help=entry.summary)
            for name, entry in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return names + click.Command.shell_complete(self, ctx, incomplete)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; its errors become messages and exit codes."""
        with failures_reported(as_json="--json" in ctx.args), termination_raised():
            return super().invoke(ctx)


def _show_versions(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    """Print the versions of what matters, one a line, and end."""
    if value and not ctx.resilient_parsing:
        from lading.cli.versions import versions  # looking them up takes longer than Click itself

        for name, version in versions():
            click.echo(f"{name} {version}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, or nothing to do; 1 differences or findings; 2 wrong usage; "
    "3 the bundle; 4 the database or its data; 5 the outcome is unknown.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_versions,
    help="Show the versions of lading and of what it stands on.",
)
def main() -> None:
    """Export, import, verify and compare databases as portable bundles of readable files.

    A database is a SQLAlchemy URL such as sqlite:///app.db, or the variable DATABASE_URL. Without
    a catalog of declared entities (--catalog) the database is reflected as it is.
    """
