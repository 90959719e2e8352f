"""Feeds mutated manifests, entity files, archives and locks to their readers.

Run by ``make fuzz``, whose ``FUZZ_ARGS`` go to libFuzzer: ``-max_total_time=3600``, or the
path of an input to try again.  What is raised must be a ``LadingError``; anything else, an
input that takes long and one that takes much memory are findings, and end the run.  It starts
from the hostile inputs that the tests name.
"""

from __future__ import annotations

import copy
import json
import os
import struct
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import atheris

with atheris.instrument_imports(include=["lading"]):
    import sqlalchemy as sa

    from fuzz.application import newer, older
    from lading import LadingError, check, export_all, lock
    from lading.bundle import BundleReader
    from lading.bundle.lines import runs
    from lading.bundle.manifest import FileEntry, Manifest
    from lading.bundle.manifest_seal import sealed
    from lading.database.live import database_for
    from lading.importing.bundle_payload import BundlePayload
    from lading.importing.decode import RecordDecoder
    from lading.locking.lock_file import _digest
    from lading.values.json_text import parse_json

Target = Callable[[bytes], None]
OPTIONS = ["-timeout=20", "-rss_limit_mb=2048", "-max_len=20000", "-use_value_profile=0"]
#: What takes the place of a value in a structure.
WRONG: list[Any] = [
    None, True, False, 0, -1, 1, 2, 1.5, 2**63, 2**70, "", "x", "a\0b", "things", "../x", "\u0301",
    [], {}, [None], [{}], [[]], ["slug"], {"a": None}, {"type": "owned"}, {"type": []},
]  # fmt: skip


class Inputs:
    """The sound inputs that all others are made of, and the readers' own preparations."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.engine = sa.create_engine("sqlite://")
        self.old, self.new = older(self.engine), newer()
        export_all(self.engine, folder / "b", catalog=self.old)
        export_all(self.engine, folder / "b.zip", catalog=self.old)
        lock(self.old, folder / "lading.lock.json")
        self.manifest = json.loads((folder / "b" / "manifest.json").read_bytes())
        self.lock = json.loads((folder / "lading.lock.json").read_text())
        self.files = [path.read_bytes() for path in sorted((folder / "b").glob("*.json"))]
        self.archive = (folder / "b.zip").read_bytes()
        self.connection = self.engine.connect()
        rows = self.old.use()["things"]
        database = database_for(self.connection)
        database.look_up_columns([part.table for part in rows.tree()])
        self.decoder = RecordDecoder(database.dialect, rows, "01_things.json")

    # What is tried

    def entity_file(self, data: bytes) -> None:
        """Cut an entity file into records, and decode them."""
        entry = FileEntry("01_things.json", "things", 1, "", len(data), (), 1, 1, (), {}, {})
        middle = len(data) // 2
        first = 1
        for lines in runs(iter([data[:middle], data[middle:]]), entry):
            _, problems = self.decoder.decode(lines, first)
            list(map(str, problems))
            first += len(lines)

    def manifest_text(self, data: bytes) -> None:
        """Read a manifest as it is, and what it holds once its checksums are right."""
        with suppress(LadingError):
            Manifest.from_bytes(data)
        found = None
        with suppress(ValueError):
            found = parse_json(data)
        if isinstance(found, dict):
            self.manifest_of(found)

    def manifest_of(self, found: dict[str, Any]) -> None:
        """Hold a manifest against catalogs, of its own version and of a newer one."""
        with suppress(KeyError, TypeError, AttributeError):
            sums = sorted(f"{one['entity_type']}\0{one['sha256']}\n" for one in found["files"])
            found["content_sha256"] = sha256("".join(sums).encode("utf-8", "replace")).hexdigest()
        try:
            text = sealed(found)
        except ValueError:
            return
        manifest = Manifest.from_bytes(text)
        str(manifest), manifest.table()
        for catalog in (self.old, self.new):
            reader: Any = SimpleNamespace(manifest=manifest, verify=lambda: None)
            payload = BundlePayload(reader)
            with suppress(LadingError):
                payload.check(catalog)
            payload.close()

    def archive_bytes(self, data: bytes) -> None:
        """Read a ZIP file."""
        path = self.folder / "fuzzed.zip"
        path.write_bytes(data)
        with BundleReader(path) as reader:
            reader.verify()
            for entry in reader.manifest.files:
                for _ in reader.blocks(entry, 100):
                    pass

    def lock_of(self, found: dict[str, Any]) -> None:
        """Check a lock whose seals are right."""
        path = self.folder / "lading.lock.json"
        before = ""
        with suppress(KeyError, TypeError, AttributeError):
            for seal in found["seals"]:
                seal["sha256"] = before = _digest(found["catalog"], before, seal)
        path.write_text(json.dumps(found), "utf-8")
        check(self.old, path)

    # What it is made of

    def spoiled(self, data: bytes, good: Any) -> Any:
        """Put wrong values into places of a structure, as the data say."""
        choices = atheris.FuzzedDataProvider(data)
        value = copy.deepcopy(good)
        for _ in range(choices.ConsumeIntInRange(1, 3)):
            places = list(places_in(value))
            holder, key = places[choices.ConsumeIntInRange(0, len(places) - 1)]
            wrong = choices.ConsumeIntInRange(0, len(WRONG) + 1)
            if wrong < len(WRONG):
                holder[key] = copy.deepcopy(WRONG[wrong])
            elif wrong == len(WRONG):
                del holder[key]
            else:
                holder[key] = choices.ConsumeUnicodeNoSurrogates(20)
        return value

    def spoiled_archive(self, data: bytes) -> bytes:
        """Overwrite, insert and cut bytes of an archive, as the data say."""
        choices = atheris.FuzzedDataProvider(data)
        made = bytearray(self.archive)
        for _ in range(choices.ConsumeIntInRange(1, 6)):
            at = choices.ConsumeIntInRange(0, len(made))
            width = choices.ConsumeIntInRange(0, 8)
            made[at : at + width] = choices.ConsumeBytes(choices.ConsumeIntInRange(0, 8))
        return bytes(made)


def places_in(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each place within a JSON value: what holds it, and its key."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places_in(value[key])


def seeds(inputs: Inputs) -> Iterator[bytes]:
    """Yield what a run starts from: sound inputs and hostile ones, by their reader."""
    head = b'{"entity_type":"things","schema_version":1,"records":[\n'
    bodies = [
        b'{"slug":"a","slug":"b"}', b'{"a":NaN}', b'{"a":1e400}', b"9" * 3000, b'{"slug":"\\ud800"}',
        b'{"slug":"\xff"}', b"[" * 700 + b"]" * 700, b'{"a":[' + b"[]," * 50 + b"[]]}", b"{}{}", b"5",
    ]  # fmt: skip
    for text in [*inputs.files, *(head + body + b"\n]}\n" for body in bodies)]:
        yield b"\0" + text
    yield b"\1" + (inputs.folder / "b" / "manifest.json").read_bytes()
    yield b"\2" + inputs.archive
    for name in ("../x", "a\0b", "01_THINGS.json", "/", "x" * 300):
        path = inputs.folder / "seed.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, b"x" * 5000)
        yield b"\2" + path.read_bytes()
    for kind in (b"\3", b"\4", b"\5"):
        for number in range(20):
            yield kind + struct.pack("<8L", *(number * n * 2654435761 % 2**32 for n in range(8)))


def main() -> None:
    """Fuzz until told to stop, or until something is found."""
    with tempfile.TemporaryDirectory(prefix="lading-fuzz-", dir=shared_memory()) as name:
        inputs = Inputs(Path(name))
        targets: list[Target] = [
            inputs.entity_file,
            inputs.manifest_text,
            inputs.archive_bytes,
            lambda data: inputs.manifest_of(inputs.spoiled(data, inputs.manifest)),
            lambda data: inputs.lock_of(inputs.spoiled(data, inputs.lock)),
            lambda data: inputs.archive_bytes(inputs.spoiled_archive(data)),
        ]

        def one(data: bytes) -> None:
            if data:
                with suppress(LadingError):
                    targets[data[0] % len(targets)](data[1:])

        corpus = Path(name) / "corpus"
        corpus.mkdir()
        for number, text in enumerate(seeds(inputs)):
            (corpus / str(number)).write_bytes(text)
        given = sys.argv[1:]
        alone = any(Path(item).is_file() for item in given)
        atheris.Setup([sys.argv[0], *OPTIONS, *given, *([] if alone else [str(corpus)])], one)
        atheris.Fuzz()


def shared_memory() -> str | None:
    """Return a folder in memory, where there is one: archives are read from files."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


if __name__ == "__main__":
    main()
