"""An HTML document that needs nothing else: styles, scripts and data are in it.

A Content-Security-Policy allows this style sheet and this script alone, by their digests, and no
connection to anywhere.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any

from lading.html.embedding import json_block

DOCUMENT = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
<noscript><p class="note">This page shows its data by a script in it: allow scripts.</p></noscript>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def document(title: str, body: str, data: Any, *, script: str, style: str) -> str:
    """Return a document.

    Args:
        title: its title, of any characters.
        body: the elements of its body, which hold no text of anybody else's that isn't escaped.
        data: what its script reads.
        script: its whole script.
        style: its whole style sheet.
    """
    return DOCUMENT.format(
        policy=f"default-src 'none'; script-src '{digest(script)}'; style-src '{digest(style)}'; "
        "base-uri 'none'; form-action 'none'",
        title=escape(title.replace("\0", "\N{REPLACEMENT CHARACTER}")),
        style=style,
        body=body,
        data=json_block(data),
        script=script,
    )


def digest(text: str) -> str:
    """Return a text's digest as a Content-Security-Policy has it."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def asset(*names: str) -> str:
    """Return some files of this folder, one after the other."""
    return "".join((files("lading.html") / name).read_text(encoding="utf-8") for name in names)
