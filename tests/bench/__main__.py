"""``python -m bench COMMAND``: figures, pages from them, and what starting, an empty call and the kit cost."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.databases import ENGINES, is_installed
from bench.workloads import WORKLOADS

#: By default: what ends within ten minutes.
SIZES = (1_000, 10_000, 100_000)


def figures(options: argparse.Namespace) -> None:
    """Measure against the rivals, and write the file, tables and plot."""
    from bench import figures as file
    from bench.measuring import Run, Scope

    run = Run(
        Scope(
            engines=tuple(filter(is_installed, options.engine)),
            workloads=tuple(options.workload),
            sizes=tuple(sorted(options.records)),
            rivals=tuple(options.rival),
            jobs=tuple(options.job),
            rounds=options.rounds,
            seconds=options.seconds,
            limit=options.limit,
        )
    )
    head = file.head(options.note)
    measured = []
    print(f"{'':<68}{'lading':>10}{'rival':>10}{'ratio':>8}")
    for figure in run.figures():
        measured.append(figure)
        subject = f"{figure['engine']} {figure['workload']} {figure['records']:,}"
        seconds = figure["seconds"]
        print(
            f"{subject:<28}{figure['job'] + ', ' + figure['rival']:<40}"
            f"{seconds['lading']:>8.3f} s{seconds['rival']:>8.2f} s{figure['ratio']:>8.2f}",
            flush=True,
        )
    head["versions"] |= run.servers
    if options.output is not None:
        file.write(options.output, {**head, "figures": measured, "skipped": run.skipped})
        pages(options)


def pages(options: argparse.Namespace) -> None:
    """Write tables and plot anew from the file of figures."""
    from bench import figures as file
    from bench.plot import write_plot
    from bench.table import write_tables

    content = file.read(options.output)
    write_tables(options.output, content)
    write_plot(options.output, content)


def empty(options: argparse.Namespace) -> None:
    """Print what an export and an import of an empty database cost."""
    from bench.empty import measure

    measure(options.entities, options.rounds)


def start(options: argparse.Namespace) -> None:
    """Print what importing lading costs."""
    from bench.starting import measure

    measure(options.rounds)


def kit(options: argparse.Namespace) -> None:
    """Print how long a hundred round trips take."""
    from bench.kit import measure

    measure(profiled=options.profile)


def arguments() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    from bench.rivals import RIVALS

    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(required=True)

    command = _command(commands, figures)
    command.add_argument("--output", type=Path, help="where to write; by default nowhere")
    command.add_argument("--note", default="", help="what the file says of the run")
    command.add_argument("--engine", nargs="+", choices=ENGINES, default=list(ENGINES))
    command.add_argument("--workload", nargs="+", choices=WORKLOADS, default=())
    command.add_argument("--rival", nargs="*", choices=RIVALS, default=list(RIVALS))
    command.add_argument("--job", nargs="+", default=(), help="beginnings of their names")
    command.add_argument("--records", nargs="+", type=int, default=SIZES)
    command.add_argument("--rounds", type=int, default=5)
    command.add_argument("--seconds", type=float, default=3, help="of each figure")
    command.add_argument("--limit", type=float, default=10, help="seconds of a rival's run")

    command = _command(commands, pages)
    command.add_argument("output", type=Path)

    command = _command(commands, empty)
    command.add_argument("--entities", type=int, default=100)
    command.add_argument("--rounds", type=int, default=20)

    command = _command(commands, start)
    command.add_argument("--rounds", type=int, default=9)

    command = _command(commands, kit)
    command.add_argument("--profile", action="store_true")
    return parser


def _command(commands: Any, work: Callable[[argparse.Namespace], None]) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(work.__name__, description=work.__doc__)
    command.set_defaults(work=work)
    return command


if __name__ == "__main__":
    # SQLite keeps decimals as doubles, of which SQLAlchemy warns.
    warnings.filterwarnings("ignore", category=sa.exc.SAWarning)
    parsed = arguments().parse_args(sys.argv[1:])
    parsed.work(parsed)
