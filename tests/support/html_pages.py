"""Bundles for pages, what a page holds, and what a browser makes of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lading.bundle import BundleWriter
from lading.bundle.manifest import Deferred, FileEntry, Manifest, content_digest
from support.graphs import links, owned, ref
from support.small_bundle import manifest_of

#: What means something to HTML, JavaScript, a terminal or a reader's eye.
HOSTILE = (
    "</script><script>document.title='ran'</script><!-- <script> ]]> <img src=x onerror=alert(1)>"
    "\N{LINE SEPARATOR}\N{RIGHT-TO-LEFT OVERRIDE}evil\0&amp;\"'\\"
)
TEXT = {"type": "string", "nullable": True}


def shape(**fields: Any) -> dict[str, Any]:
    """The shape of an entity whose key is a slug."""
    return {"fields": {"slug": {"type": "string", "nullable": False}, **fields}, "key": ["slug"]}


#: Units, ingredients that have one, and recipes that own steps and have tags that nobody has.
SHAPES = {
    "units": shape(),
    "ingredients": shape(name=TEXT, unit={**ref("units"), "flat": True}),
    "recipes": shape(
        note=TEXT,
        steps=owned(text=TEXT, uses={**ref("ingredients"), "nullable": True}),
        also=links("recipes"),
    ),
}
RECORDS: dict[str, list[dict[str, Any]]] = {
    "units": [{"slug": "gram"}, {"slug": "piece"}],
    "ingredients": [
        {"slug": "egg", "name": HOSTILE, "unit": "piece"},
        {"slug": "flour", "name": None, "unit": "gram"},
    ],
    "recipes": [
        {
            "slug": "bread",
            "note": "",
            "steps": [{"text": "mix", "uses": {"slug": "flour"}}, {"text": "wait", "uses": None}],
            "also": [{"slug": "cake"}, {"slug": "lost"}],
        },
        {"slug": "cake", "note": "two", "steps": [], "also": []},
    ],
}


def line_of(record: Any) -> bytes:
    """A record as it is written; bytes are written as they are."""
    return record if isinstance(record, bytes) else msgspec.json.encode(record)


def write_bundle_of(
    path: Path,
    shapes: dict[str, dict[str, Any]] = SHAPES,
    records: Mapping[str, Sequence[Any]] = RECORDS,
    **parts: Any,
) -> Manifest:
    """Write a bundle by hand, without a catalog."""
    with BundleWriter(path, overwrite=False) as writer:
        entries = []
        for place, (name, form) in enumerate(shapes.items(), 1):
            with writer.entity_file(f"{place:02}_{place}.json", name, 1) as file:
                file.write([line_of(record) for record in records[name]])
            entries.append(
                FileEntry(
                    file.filename, name, file.record_count, file.sha256, file.bytes,
                    (), place, 1, tuple(form["key"]), {}, form,
                )
            )  # fmt: skip
        manifest = msgspec.structs.replace(
            manifest_of(*entries), content_sha256=content_digest(entries), **parts
        )
        return writer.finish(manifest)


def deferred(entity: str, field: str, target: str) -> Deferred:
    """A deferred reference."""
    return Deferred(entity, field, target, "update")


def data_of(page: str) -> dict[str, Any]:
    """The data in a page."""
    match = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert match is not None
    data: dict[str, Any] = json.loads(match[1])
    return data


def inline_texts(page: str, tag: str) -> list[str]:
    """What is in each script or style sheet of a page that a browser would run or use."""
    return re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)


def digest_of(text: str) -> str:
    """The digest of a script or a style sheet, as a Content-Security-Policy has it."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def chromium() -> str:
    """The browser; without one the test is skipped, or fails where it is required."""
    program = shutil.which("chromium")
    if program is None:
        if os.environ.get("LADING_REQUIRE_CHROMIUM"):
            pytest.fail("LADING_REQUIRE_CHROMIUM is set, and chromium is not installed")
        pytest.skip("chromium is not installed")
    return program


def rendered(page: str, folder: Path, *, anchor: str = "", then: str = "") -> str:
    """The document that Chromium makes of a page, once its script has run.

    ``then`` is a script that acts like a person: it is added to the page's own.
    """
    program = chromium()
    if then:
        page = page.replace("</body>", f"<script>{then}</script></body>")
        page = page.replace("script-src ", f"script-src {digest_of(then)} ")
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    options = [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=3000", "--dump-dom",
    ]  # fmt: skip
    done = subprocess.run(
        [program, *options, f"{path.as_uri()}{anchor}"], capture_output=True, check=True
    )
    return done.stdout.decode()
