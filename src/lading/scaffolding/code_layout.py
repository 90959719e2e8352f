"""Lays out generated code as ruff's formatter does, in 88 columns, without needing ruff.

It knows what generated declarations consist of: imports, assignments, and expressions of calls,
subscripts and literals.  Nobody's own code passes through it.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Mapping

WIDTH = 88
INDENT = 4
_BRACKETS = {ast.Tuple: "()", ast.List: "[]", ast.Set: "{}", ast.Dict: "{}"}


def quoted(text: str) -> str:
    """Return a string's source, in double quotes unless that needs more escapes."""
    source = repr(text)
    if source.startswith('"') or text.count('"') > text.count("'"):
        return source
    body = re.sub(r"\\(.)", lambda escape: "'" if escape[1] == "'" else escape[0], source[1:-1])
    return '"' + body.replace('"', '\\"') + '"'


def flat(node: ast.AST) -> str:
    """Return the source of an expression or statement on one line."""
    source = ast.unparse(node)
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    strings = [token for token in tokens if token.type == tokenize.STRING]
    for token in reversed(strings):
        value = ast.literal_eval(token.string)
        if isinstance(value, str):
            begin, end = _place(source, token.start), _place(source, token.end)
            source = source[:begin] + quoted(value) + source[end:]
    return source


def _place(source: str, position: tuple[int, int]) -> int:
    """Return the index of a token's line and column."""
    lines = source.splitlines(keepends=True)
    return sum(map(len, lines[: position[0] - 1])) + position[1]


def statement(node: ast.stmt, indent: int = 0) -> str:
    """Return the lines of a statement, without the last line's end.

    Args:
        node: An assignment, or anything that stands on one line.
        indent: How many columns it is indented by.
    """
    pad = " " * indent
    line = pad + flat(node)
    is_short = len(line) <= WIDTH
    if is_short or not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
        return line
    if isinstance(node, ast.Assign):
        return _assigned(pad + flat(node.targets[0]), node.value, indent)
    target = f"{pad}{flat(node.target)}: "
    annotation = flat(node.annotation)
    head = _opening(node.value)
    if head and len(f"{target}{annotation} = {head}") > WIDTH:
        if len(f"{target}{annotation} = (") <= WIDTH:
            inner = indent + INDENT
            value = expression(node.value, inner, inner, 0)
            return f"{target}{annotation} = (\n{' ' * inner}{value}\n{pad})"
        annotation = expression(node.annotation, indent, WIDTH, 0)
        value = expression(node.value, indent, indent + len("] = "), 0)
        return f"{target}{annotation} = {value}"
    return _assigned(target + annotation, node.value, indent)


def _assigned(target: str, value: ast.expr, indent: int) -> str:
    """Return an assignment that is too long for one line."""
    if _opening(value):
        return f"{target} = {expression(value, indent, len(target) + 3, 0)}"
    inner = " " * (indent + INDENT) + flat(value)
    if len(inner) > WIDTH:
        return f"{target} = {flat(value)}"
    return f"{target} = (\n{inner}\n{' ' * indent})"


def _opening(node: ast.expr) -> str:
    """Return what stands up to an expression's own opening bracket, or nothing."""
    if isinstance(node, ast.Call):
        return flat(node.func) + "("
    if isinstance(node, ast.Subscript):
        return flat(node.value) + "["
    return _BRACKETS.get(type(node), "")[:1]


def expression(node: ast.expr, indent: int, before: int, after: int) -> str:
    """Return an expression's source, over several lines where one is too short.

    Args:
        node: The expression.
        indent: How many columns its first line is indented by.
        before: How many columns of its first line are taken.
        after: How many columns must be free behind it.
    """
    source = flat(node)
    opening, parts = _opening(node), _parts(node)
    if before + len(source) + after <= WIDTH:
        return source
    if isinstance(node, ast.Lambda):
        head = source[: len(source) - len(flat(node.body))]
        return f"{head}(\n{' ' * (indent + INDENT)}{flat(node.body)}\n{' ' * indent})"
    if not parts:
        return source
    inner = indent + INDENT
    pad, end = "\n" + " " * inner, "\n" + " " * indent
    closing = {"(": ")", "[": "]", "{": "}"}[opening[-1]]
    together = ", ".join(prefix + flat(part) for prefix, part in parts)
    is_literal = type(node) in _BRACKETS
    if not is_literal and inner + len(together) <= WIDTH:
        return opening + pad + together + end + closing
    comma = "," if is_literal or len(parts) > 1 else ""
    lines = [
        prefix + expression(part, inner, inner + len(prefix), len(comma)) + comma
        for prefix, part in parts
    ]
    return opening + pad + pad.join(lines) + end + closing


def _parts(node: ast.expr) -> list[tuple[str, ast.expr]]:
    """Return what stands in an expression's brackets, each with what stands before it."""
    if isinstance(node, ast.Call):
        keywords = [(f"{keyword.arg}=", keyword.value) for keyword in node.keywords]
        return [*(("", argument) for argument in node.args), *keywords]
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return [(f"{flat(key)}: ", value) for key, value in pairs if key is not None]
    if isinstance(node, ast.Subscript):
        return [("", node.slice)]
    return [("", part) for part in getattr(node, "elts", [])]


def imports(modules: Iterable[str], names: Mapping[str, Iterable[str]]) -> str:
    """Return the lines of one group of imports.

    Args:
        modules: Modules that are imported whole.
        names: By module, the names that are imported from it.
    """
    lines = [f"import {module}" for module in sorted(modules)]
    for module in sorted(names):
        listed = sorted(names[module], key=_of_its_type)
        line = f"from {module} import {', '.join(listed)}"
        if len(line) > WIDTH:
            line = f"from {module} import (\n" + "".join(f"    {name},\n" for name in listed) + ")"
        lines.append(line)
    return "\n".join(lines)


def _of_its_type(name: str) -> tuple[int, str]:
    """Sort names as isort does: constants, classes, then others."""
    return (0 if name.isupper() else 1 if name[:1].isupper() else 2), name


def comment(text: str, indent: int = 0) -> str:
    """Return the lines of a comment."""
    pad = " " * indent + "# "
    lines, line = [], ""
    for word in text.split():
        if line and len(pad) + len(line) + 1 + len(word) > WIDTH:
            lines.append(pad + line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return "\n".join([*lines, pad + line])
