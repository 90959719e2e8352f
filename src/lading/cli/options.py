"""Options of commands, from the signatures and the ``Args:`` of the functions that they call.

Names, types, defaults and texts are written down once, where the function is.
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import click

from lading.importing.import_options import ERRORS
from lading.options import CHANGED

Command = TypeVar("Command", bound=Callable[..., Any])

#: Why an argument of a public function has no option of its name.
NO_OPTION = {
    "session": "the database's URL, an argument of the command",
    "path": "an argument of the command",
    "to_path": "an argument of the command",
    "a": "an argument of the command",
    "b": "an argument of the command",
    "document": "an argument of the command: a .json file, or - for standard input",
    "catalog": "--catalog names it; see catalogs.py",
    "progress": "drawn on standard error where that is a terminal",
    "where": "a SQLAlchemy condition, which only Python can write",
}
#: The values that a text may have.
CHOICES = {"on_error": tuple(ERRORS)}
_ROLE = re.compile(r":\w+:`~?([\w.]+)`")
_SAME = re.compile(r"as in :func:`(\w+)`\.?")
_WHETHER = re.compile(r"^whether (to )?")
_ARGUMENT = re.compile(r"^    (\w+): (.*)$")


def library_options(
    function: Callable[..., Any], *, leave_out: Iterable[str] = ()
) -> Callable[[Command], Command]:
    """Return a decorator that gives a command an option for each argument of a function.

    Args:
        function: The public function that the command calls.
        leave_out: Arguments that the command has another option for.
    """
    parameters = inspect.signature(function).parameters.values()
    types = get_type_hints(function, localns=_public_names())
    texts = argument_texts(function)
    absent = {*NO_OPTION, *leave_out}
    options = [
        option
        for parameter in parameters
        if parameter.name not in absent
        for option in _options(parameter, types[parameter.name], texts.get(parameter.name, ""))
    ]

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _public_names() -> dict[str, Any]:
    """Return what annotations name beyond their own modules, which import it for type checkers."""
    lading = import_module("lading")
    return {name: getattr(lading, name) for name in ("Diff", "ImportPlan", "Manifest")}


def taken_by(function: Callable[..., Any], options: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Return the options that a function takes; refuse others that were set.

    Args:
        function: The public function.
        options: The options of the command.
        what: What the function works with, for the error.
    """
    names = inspect.signature(function).parameters
    for name, value in options.items():
        if name not in names and value not in (None, False):
            raise click.UsageError(f"--{name.replace('_', '-')} is not for {what}; leave it out.")
    return {name: value for name, value in options.items() if name in names}


def argument_texts(function: Callable[..., Any]) -> dict[str, str]:
    """Return what a docstring says under ``Args:``, by argument, as a command's help says it."""
    _, _, section = (inspect.getdoc(function) or "").partition("\nArgs:\n")
    texts: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        if line and not line.startswith(" "):
            break
        if match := _ARGUMENT.match(line):
            name = match[1]
            texts[name] = match[2]
        elif name:
            texts[name] = f"{texts[name]} {line.strip()}".strip()
    return {name: _as_help(name, text) for name, text in texts.items()}


def _as_help(name: str, text: str) -> str:
    """Return a text without markup; one that leads to another function is that function's."""
    if match := _SAME.fullmatch(text):
        return argument_texts(getattr(import_module("lading"), match[1])).get(name, text)
    text = _ROLE.sub(lambda match: _command_name(match[1]), text).replace("``", "")
    text = _WHETHER.sub("", text)
    return text[:1].upper() + text[1:]


def _command_name(function: str) -> str:
    """Return what users of the command call a function: ``import_all`` is ``lading import``."""
    return f"lading {function.removesuffix('_all').removesuffix('_document')}"


def _options(parameter: inspect.Parameter, annotation: Any, text: str) -> list[Any]:
    """Return the options of an argument, by its type."""
    name, default = parameter.name, parameter.default
    flag = f"--{name.replace('_', '-')}"
    if annotation is bool or bool in get_args(annotation):
        # What else such an argument may be, its later sentences say.
        text = text if annotation is bool else _first_sentence(text)
        flags = {"type": click.UNPROCESSED, "default": default}
        options = [click.option(flag, name, flag_value=True, help=text, **flags)]
        if str in get_args(annotation):
            text = f"Like {flag}, but leave a whole bundle of the same records as it is."
            options.append(
                click.option(f"{flag}-{CHANGED}", name, flag_value=CHANGED, help=text, **flags)
            )
        return options
    return [click.option(flag, name, help=text, **_settings(name, default, annotation))]


def _first_sentence(text: str) -> str:
    return f"{text.split('. ', maxsplit=1)[0].removesuffix('.')}."


def _settings(name: str, default: Any, annotation: Any) -> dict[str, Any]:
    """Return what tells Click how the text after an option is read."""
    if annotation == Iterable[str] | None:
        return {"multiple": True, "metavar": "ENTITY", "callback": entities_named}
    if annotation == str | Mapping[str, str]:
        return {"multiple": True, "metavar": "[ENTITY=]MODE", "callback": _modes}
    settings: dict[str, Any] = {"default": default, "show_default": default is not None}
    if name in CHOICES:
        settings["type"] = click.Choice(CHOICES[name])
    elif annotation == int | None:
        settings |= {"type": int, "metavar": "NUMBER"}
    elif any(get_origin(form) is os.PathLike for form in get_args(annotation)):
        settings["metavar"] = "FILE"
    return settings


def entities_named(
    _: click.Context, __: click.Parameter, names: tuple[str, ...]
) -> list[str] | None:
    """Return names that are repeated, or separated by commas; ``None`` where there are none."""
    return [part for name in names for part in name.split(",") if part] or None


def _modes(
    _: click.Context, __: click.Parameter, texts: tuple[str, ...]
) -> str | dict[str, str] | None:
    """Return modes by entity, with ``"*"`` for the rest; ``None`` where there are none."""
    modes = {}
    for text in texts:
        entity, equals, mode = text.rpartition("=")
        modes[entity if equals else "*"] = mode
    return modes or None
