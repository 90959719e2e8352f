"""What every store of bundles must do: one suite, inherited per store.

Corruption is done through ``contents`` and ``rebuilt``, so that each store is
damaged in the same way.
"""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lading.bundle import Block, BundleReader, BundleWriter, EntityFile
from lading.bundle.manifest import FileEntry, Manifest, content_digest
from lading.errors import BundleError, ChecksumError, LadingError, VersionError
from support import small_bundle

Data = dict[str, list[bytes]]
Damage = Callable[[Callable[[dict[str, bytes]], object]], Path]

SAMPLE: Data = {
    "suppliers": [b'{"slug":"mill","name":"The Mill"}', b'{"slug":"dairy","name":"D\xc3\xa4iry"}'],
    "tags": [],
    "purchases": [b'{"n":%d,"supplier":{"slug":"mill"}}' % n for n in range(25)],
}
DAMAGED = "Export again, or use an undamaged copy."
EDITED = "Seal the bundle if the edit was meant; otherwise use an undamaged copy."


def manifest_of(files: list[EntityFile]) -> Manifest:
    """Make the manifest of files that were written."""
    entries = tuple(
        FileEntry(
            filename=file.filename,
            entity_type=file.entity_type,
            record_count=file.record_count,
            sha256=file.sha256,
            bytes=file.bytes,
            dependencies=(),
            import_order=n,
            schema_version=file.schema_version,
            natural_key=("slug",),
            references={},
            shape={},
        )
        for n, file in enumerate(files, 1)
    )
    return small_bundle.manifest_of(*entries)


def fill(writer: BundleWriter, data: Data, chunk: int = 10) -> list[EntityFile]:
    """Write entity files in chunks, without finishing."""
    files = []
    for n, (entity, records) in enumerate(data.items(), 1):
        with writer.entity_file(f"{n:02}_{entity}.json", entity, 1) as file:
            for start in range(0, len(records), chunk):
                file.write(records[start : start + chunk])
        files.append(file)
    return files


def write(path: Path, data: Data = SAMPLE, **options: Any) -> Manifest:
    """Write a whole bundle."""
    with BundleWriter(path, **options) as writer:
        return writer.finish(manifest_of(fill(writer, data)))


def read(path: Path, size: int = 7) -> Data:
    """Read every record of a bundle."""
    with BundleReader(path) as reader:
        return {
            entry.entity_type: [
                record for block in reader.blocks(entry, size) for record in block.records
            ]
            for entry in reader.manifest.files
        }


def names(folder: Path) -> list[str]:
    """List a folder's names, sorted."""
    return sorted(child.name for child in folder.iterdir())


def examine(path: Path) -> None:
    """Verify and read a bundle, as whoever distrusts it would."""
    with BundleReader(path) as reader:
        reader.verify()
    read(path)


def resealed(contents: dict[str, bytes], **changes: Any) -> None:
    """Make the manifest agree with the contents' files, but for some changes of the entries."""
    manifest = Manifest.from_bytes(contents["manifest.json"])
    files = tuple(
        replace(
            entry,
            sha256=sha256(contents[entry.filename]).hexdigest(),
            bytes=len(contents[entry.filename]),
            **changes,
        )
        for entry in manifest.files
    )
    sealed = replace(manifest, files=files, content_sha256=content_digest(files))
    contents["manifest.json"] = sealed.to_bytes()
    sums = "".join(f"{entry.sha256}  {entry.filename}\n" for entry in files)
    contents["SHA256SUMS"] = sums.encode()


texts = st.text(st.characters(codec="utf-8"))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)
objects = st.dictionaries(texts, values, max_size=4)


def killed(action: Callable[[], object], function: str, call: int, when: str) -> bool:
    """Run an action in a child that dies at a call of ``os``; whether it came to that."""
    child = os.fork()
    if child:
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status in (0, 9)
        return status == 9
    calls, real = 0, getattr(os, function)

    def dying(*args: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call and when == "before":
            os._exit(9)
        result = real(*args, **named)
        if calls == call:
            os._exit(9)
        return result

    setattr(os, function, dying)
    try:
        action()
    except BaseException:
        os._exit(1)
    os._exit(0)


class Store:
    """The contract; ``name`` is a bundle's name in this store."""

    name: str

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        """Where a bundle may be written."""
        return tmp_path / self.name

    def contents(self, path: Path) -> dict[str, bytes]:
        """Return the bundle's files."""
        raise NotImplementedError

    def rebuild(self, path: Path, contents: dict[str, bytes]) -> None:
        """Put a bundle of other files in the bundle's place."""
        raise NotImplementedError

    def raw_files(self, path: Path) -> list[Path]:
        """Return the files on disk, for flipping bytes."""
        raise NotImplementedError

    @pytest.fixture
    def damaged(self, path: Path) -> Damage:
        """Write the sample, change its files, and return its path."""

        def damage(change: Callable[[dict[str, bytes]], object]) -> Path:
            write(path)
            contents = self.contents(path)
            change(contents)
            self.rebuild(path, contents)
            return path

        return damage

    # -- what was written comes back --

    def test_what_was_written_is_read(self, path: Path) -> None:
        """Records, in order, and the manifest come back as they were."""
        manifest = write(path)
        assert read(path) == SAMPLE
        with BundleReader(path) as reader:
            reader.verify()
            assert reader.manifest == manifest
            assert reader.manifest.path == manifest.path == path
            assert reader.manifest["purchases"].record_count == 25

    def test_a_path_may_be_a_string(self, path: Path) -> None:
        """Paths are strings, bytes or path objects."""
        write(str(path))  # type: ignore[arg-type]
        assert read(os.fsencode(path)) == SAMPLE  # type: ignore[arg-type]

    def test_layout_is_exact(self, path: Path) -> None:
        """The bytes of entity files and checksums are those of the format."""
        write(path)
        contents = self.contents(path)
        assert sorted(contents) == [
            "01_suppliers.json",
            "02_tags.json",
            "03_purchases.json",
            "SHA256SUMS",
            "manifest.json",
        ]
        assert contents["01_suppliers.json"].decode() == (
            '{"entity_type":"suppliers","schema_version":1,"records":[\n'
            '{"slug":"mill","name":"The Mill"},\n'
            '{"slug":"dairy","name":"Däiry"}\n'
            "]}\n"
        )
        assert contents["02_tags.json"] == (
            b'{"entity_type":"tags","schema_version":1,"records":[\n]}\n'
        )
        assert json.loads(contents["03_purchases.json"])["records"][24]["n"] == 24
        sums = contents["SHA256SUMS"].decode().splitlines()
        digest = sha256(contents["02_tags.json"]).hexdigest()
        assert sums[1] == f"{digest}  02_tags.json"

    def test_equal_data_gives_equal_bytes(self, path: Path, tmp_path: Path) -> None:
        """The size of chunks leaves no trace, and neither does the clock."""
        write(path)
        other = tmp_path / f"other-{self.name}"
        with BundleWriter(other) as writer:
            writer.finish(manifest_of(fill(writer, SAMPLE, chunk=1)))
        pairs = zip(self.raw_files(path), self.raw_files(other), strict=True)
        assert all(a.read_bytes() == b.read_bytes() for a, b in pairs)

    @pytest.mark.parametrize("size", [1, 2, 24, 25, 26, 1000])
    def test_blocks_count_their_records(self, path: Path, size: int) -> None:
        """Each block but the last is full, and knows its first record's number."""
        write(path)
        with BundleReader(path) as reader:
            blocks = list(reader.blocks(reader.manifest["purchases"], size))
        assert [block.first for block in blocks] == list(range(1, 26, size))
        assert all(len(block.records) == size for block in blocks[:-1])
        assert blocks[-1].records[-1] == SAMPLE["purchases"][-1]

    def test_large_files_come_in_bounded_blocks(self, path: Path) -> None:
        """A block ends after some megabytes, however many records it may take."""
        records = [b'{"n":%d,"text":"%b"}' % (n, b"x" * 200_000) for n in range(60)]
        write(path, {"notes": records})
        with BundleReader(path) as reader:
            blocks: list[Block] = list(reader.blocks(reader.manifest["notes"], 10**9))
        assert len(blocks) > 1
        assert max(sum(map(len, block.records)) for block in blocks) < 5_000_000
        assert [record for block in blocks for record in block.records] == records

    def test_blocks_need_a_size(self, path: Path) -> None:
        """A block of no records is a mistake of the caller's."""
        write(path)
        with BundleReader(path) as reader, pytest.raises(ValueError, match="size is 0"):
            next(reader.blocks(reader.manifest.files[0], 0))

    def test_a_file_is_read_more_than_once(self, path: Path) -> None:
        """Blocks may be asked for again, even of a file that is half read."""
        write(path)
        with BundleReader(path) as reader:
            entry = reader.manifest["purchases"]
            first = reader.blocks(entry, 10)
            assert next(first).first == 1
            assert sum(len(block.records) for block in reader.blocks(entry, 10)) == 25
            assert next(first).first == 11

    # -- what a writer refuses --

    def test_an_existing_bundle_needs_overwrite(self, path: Path) -> None:
        """A bundle is replaced on demand only, and nothing of the old one stays."""
        write(path)
        with pytest.raises(BundleError) as caught:
            BundleWriter(path)
        assert str(caught.value) == (
            f"{path}: there is a bundle already. "
            "Pass overwrite=True to replace it, or name another path."
        )
        write(path, {"other": [b"{}"]}, overwrite=True)
        assert read(path) == {"other": [b"{}"]}
        assert names(path.parent) == [path.name]

    def test_a_bundle_of_a_newer_format_is_a_bundle(self, damaged: Damage) -> None:
        """What can't be read may still be replaced, for it is known as a bundle."""

        def newer(contents: dict[str, bytes]) -> None:
            text = contents["manifest.json"]
            contents["manifest.json"] = text.replace(b'"version": "1.0"', b'"version": "7.0"')

        path = damaged(newer)
        with pytest.raises(VersionError):
            BundleReader(path)
        write(path, overwrite=True)
        assert read(path) == SAMPLE

    @pytest.mark.parametrize("overwrite", [False, True])
    def test_what_is_no_bundle_is_never_replaced(self, path: Path, overwrite: bool) -> None:
        """Other files and folders are refused, with or without overwrite."""
        path.write_text("precious")
        with pytest.raises(BundleError) as caught:
            BundleWriter(path, overwrite=overwrite)
        assert str(caught.value) == (
            f"{path}: is there already and is not a bundle, so it is not replaced. "
            "Name another path, or remove it yourself."
        )
        path.unlink()
        path.mkdir()
        (path / "manifest.json").write_text('{"files": [], "name": "another program"}')
        with pytest.raises(BundleError, match="is not a bundle"):
            BundleWriter(path, overwrite=overwrite)
        assert names(path) == ["manifest.json"]

    def test_a_bundle_with_foreign_files_is_not_replaced(self, damaged: Damage) -> None:
        """Replacing a bundle never removes what isn't its own."""
        path = damaged(lambda contents: contents.update({"notes.txt": b"mine"}))
        with pytest.raises(BundleError) as caught:
            BundleWriter(path, overwrite=True)
        assert str(caught.value) == (
            f"{path}: the bundle's folder also holds 'notes.txt'. "
            "Move that elsewhere: replacing the bundle would remove it."
        )

    def test_a_missing_parent_is_refused(self, tmp_path: Path) -> None:
        """No folder is created above the bundle."""
        path = tmp_path / "nowhere" / self.name
        with pytest.raises(BundleError) as caught:
            BundleWriter(path)
        assert str(caught.value) == (
            f"{path}: the folder {str(path.parent)!r} doesn't exist. "
            "Create it first, or name another path."
        )

    @pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs Linux's /proc")
    def test_an_unwritable_parent_is_refused(self) -> None:
        """A parent folder where nothing can be created (even by root) is refused at once."""
        with pytest.raises(BundleError, match=f"^/proc/{self.name}: can't be written: "):
            BundleWriter(f"/proc/{self.name}")

    def test_a_path_that_is_none_is_refused(self) -> None:
        """A path with a NUL, and one without a folder's name, are typed errors."""
        with pytest.raises(
            BundleError,
            match=r"can't be a path: no file's name can hold one of its characters\. Name another",
        ):
            BundleWriter("a\0b" + self.name)
        with pytest.raises(BundleError, match="not a bundle"):
            BundleWriter("/", overwrite=True)

    @pytest.mark.parametrize("name", ["../x.json", "manifest.json", "a/b", "", "01_a.json"])
    def test_bad_file_names_are_refused(self, path: Path, name: str) -> None:
        """A name that the reader would refuse, or a second time, isn't written."""
        with BundleWriter(path) as writer:
            with writer.entity_file("01_a.json", "a", 1):
                pass
            with (
                pytest.raises(BundleError, match="can't be used; expected"),
                writer.entity_file(name, "b", 1),
            ):
                pass

    def test_a_newline_within_a_record_is_refused(self, path: Path) -> None:
        """The layout of one record a line can't be broken."""
        with (
            BundleWriter(path) as writer,
            writer.entity_file("a.json", "a", 1) as file,
            pytest.raises(ValueError, match="newline"),
        ):
            file.write([b'{"a":\n1}'])

    def test_a_manifest_that_differs_is_refused(self, path: Path) -> None:
        """Only what was written is listed, and all of it."""
        with BundleWriter(path) as writer:
            manifest = manifest_of(fill(writer, SAMPLE))
            first = replace(manifest.files[0], record_count=1)
            wrong = replace(manifest, files=(first, *manifest.files[1:]))
            with pytest.raises(BundleError, match=r"01_suppliers.json: the manifest says"):
                writer.finish(wrong)
        with BundleWriter(path) as writer:
            manifest = manifest_of(fill(writer, SAMPLE))
            with pytest.raises(BundleError, match="the manifest doesn't list 03_purchases"):
                writer.finish(replace(manifest, files=manifest.files[:2]))
        assert names(path.parent) == []

    def test_an_entity_file_that_failed_cannot_be_finished(self, path: Path) -> None:
        """A file that was left on an exception is in no bundle."""
        with BundleWriter(path) as writer:
            with pytest.raises(KeyError), writer.entity_file("a.json", "a", 1):
                raise KeyError
            with pytest.raises(ValueError, match="wasn't written whole"):
                writer.finish(manifest_of([]))

    def test_one_entity_file_at_a_time(self, path: Path) -> None:
        """Files are written one after the other."""
        with (
            BundleWriter(path) as writer,
            writer.entity_file("a.json", "a", 1) as first,
            pytest.raises(ValueError, match="open already"),
            writer.entity_file("b.json", "b", 1),
        ):
            pass
        with pytest.raises(ValueError, match="isn't open for writing"):
            first.write([b"{}"])

    # -- nothing is half done --

    @pytest.mark.parametrize("error", [RuntimeError, OSError, KeyboardInterrupt])
    def test_an_exception_leaves_the_old_bundle(
        self, path: Path, error: type[BaseException]
    ) -> None:
        """The caller's exception comes out as it is, and nothing of the new one stays."""
        write(path)

        def fail() -> None:
            with (
                BundleWriter(path, overwrite=True) as writer,
                writer.entity_file("a.json", "a", 1) as file,
            ):
                file.write([b"{}"])
                raise error

        with pytest.raises(error):
            fail()
        assert read(path) == SAMPLE
        assert names(path.parent) == [path.name]

    def test_leaving_without_finish_writes_nothing(self, path: Path) -> None:
        """A bundle that wasn't finished doesn't exist."""
        with BundleWriter(path) as writer:
            fill(writer, SAMPLE)
            assert not path.exists()
        assert names(path.parent) == []
        with pytest.raises(ValueError, match="finished or discarded"):
            writer.finish(manifest_of([]))

    @pytest.mark.parametrize("function", ["rename", "replace", "fsync"])
    @pytest.mark.parametrize("call", [1, 2, 3, 4, 5, 6, 7, 8, 9])
    def test_a_system_error_leaves_the_old_bundle(
        self, path: Path, monkeypatch: pytest.MonkeyPatch, function: str, call: int
    ) -> None:
        """Whichever rename or fsync fails once, the path holds the old or the new bundle."""
        write(path)
        new: Data = {"other": [b"{}"]}
        calls = 0
        real = getattr(os, function)

        def failing(*args: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == call:
                raise OSError(28, "No space left on device")
            return real(*args, **named)

        with monkeypatch.context() as patch:
            patch.setattr(os, function, failing)
            try:
                write(path, new, overwrite=True)
                assert calls < call
            except BundleError as error:
                caught = error
            else:
                return
        assert "can't be written: No space left on device" in str(caught)
        assert isinstance(caught.__cause__, OSError)
        assert read(path) in (SAMPLE, new)
        write(path, overwrite=True)
        assert read(path) == SAMPLE
        assert names(path.parent) == [path.name]

    @pytest.mark.parametrize("function", ["rename", "replace", "fsync", "mkdir", "unlink", "rmdir"])
    @pytest.mark.parametrize("when", ["before", "after"])
    def test_a_killed_writer_leaves_the_old_bundle_or_the_new(
        self, path: Path, function: str, when: str
    ) -> None:
        """Dying at any rename, fsync or removal, and then writing again, loses nothing."""
        new: Data = {"other": [b"{}"]}
        for call in range(1, 20):
            write(path, overwrite=path.exists())
            died = killed(lambda: write(path, new, overwrite=True), function, call, when)
            assert read(path) in ((SAMPLE, new) if died else (new,))
            if died and path.exists():
                moved = path.rename(path.with_name("moved" + path.suffix))
                with pytest.raises(BundleError, match="there is no such file or folder"):
                    read(path)
                moved.rename(path)
            write(path, overwrite=True)
            assert read(path) == SAMPLE
            assert names(path.parent) == [path.name]
            if not died:
                return
        pytest.fail("the writer never came to its end")

    def test_all_is_synced_before_it_is_in_place(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Every file and folder is durable, and the parent folder once more at the end."""
        synced: list[tuple[int, bool]] = []
        real = os.fsync

        def fsync(fd: int) -> None:
            synced.append((os.fstat(fd).st_ino, path.exists()))
            real(fd)

        monkeypatch.setattr(os, "fsync", fsync)
        write(path)
        parts = [path, *(path.iterdir() if path.is_dir() else [])]
        assert {(part.stat().st_ino, False) for part in parts} <= set(synced)
        assert synced[-1] == (path.parent.stat().st_ino, True)

    def test_67_a_full_disk_is_a_typed_error(self, path: Path) -> None:
        """Running out of space while writing names the file, and leaves nothing."""
        resource = pytest.importorskip("resource")
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        signal = pytest.importorskip("signal")
        previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        noise = [b'{"x":"%b"}' % os.urandom(60_000).hex().encode() for _ in range(10)]
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
            with pytest.raises(BundleError, match="can't be written: File too large"):
                write(path, {"notes": noise})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, previous)
        assert names(path.parent) == []

    def test_permissions_of_the_old_bundle_are_kept(self, path: Path) -> None:
        """A private bundle is replaced by a private one."""
        write(path)
        mode = 0o700 if path.is_dir() else 0o600
        path.chmod(mode)
        write(path, overwrite=True)
        assert path.stat().st_mode & 0o777 == mode

    def test_a_link_to_a_bundle_is_followed(self, path: Path, tmp_path: Path) -> None:
        """Replacing through a symbolic link replaces the bundle and keeps the link."""
        write(path)
        link = tmp_path / f"link-{self.name}"
        link.symlink_to(path.name)
        assert read(link) == SAMPLE
        write(link, {"other": []}, overwrite=True)
        assert link.is_symlink()
        assert read(path) == {"other": []}

    # -- what a reader refuses --

    def test_a_missing_path(self, path: Path) -> None:
        """A path without anything says so."""
        with pytest.raises(BundleError) as caught:
            BundleReader(path)
        assert str(caught.value) == f"{path}: there is no such file or folder. Check the path."

    def test_17_a_bundle_without_manifest_is_incomplete(self, damaged: Damage) -> None:
        """The manifest's absence says that the bundle isn't whole."""
        path = damaged(lambda contents: contents.pop("manifest.json"))
        with pytest.raises(BundleError) as caught:
            BundleReader(path)
        assert str(caught.value) == (
            f"{path}: has no manifest.json: an incomplete bundle, or none at all. "
            "Check the path, or export again."
        )

    def test_22_a_missing_file(self, damaged: Damage) -> None:
        """A listed file that isn't there is found by both ways of reading."""
        path = damaged(lambda contents: contents.pop("02_tags.json"))
        text = f"02_tags.json: is missing from the bundle. {DAMAGED}"
        with BundleReader(path) as reader:
            with pytest.raises(BundleError) as caught:
                reader.verify()
            assert str(caught.value) == text
            with pytest.raises(BundleError) as caught:
                list(reader.blocks(reader.manifest["tags"], 5))
            assert str(caught.value) == text

    def test_23_an_unlisted_file(self, damaged: Damage) -> None:
        """A file that the manifest doesn't list is found."""
        path = damaged(lambda contents: contents.update({"04_more.json": b"{}"}))
        with BundleReader(path) as reader, pytest.raises(BundleError) as caught:
            reader.verify()
        assert str(caught.value) == (
            f"{path}: there are files that the manifest doesn't list: '04_more.json'. "
            "Move them elsewhere."
        )

    def test_an_edited_file(self, damaged: Damage) -> None:
        """A changed letter is a checksum error, which has both digests."""

        def edit(contents: dict[str, bytes]) -> None:
            contents["01_suppliers.json"] = contents["01_suppliers.json"].replace(b"Mill", b"Bill")

        path = damaged(edit)
        with BundleReader(path) as reader:
            with pytest.raises(ChecksumError) as caught:
                reader.verify()
            assert str(caught.value) == (
                "01_suppliers.json: its checksum differs from the manifest's "
                f"(edited after export?). {EDITED}"
            )
            assert caught.value.expected == reader.manifest["suppliers"].sha256
            assert (
                caught.value.found == sha256(self.contents(path)["01_suppliers.json"]).hexdigest()
            )
            blocks = reader.blocks(reader.manifest["suppliers"], 5)
            assert len(next(blocks).records) == 2
            with pytest.raises(ChecksumError):
                next(blocks)

    @pytest.mark.parametrize("length", [0, 1, 30, 58, 59, 70, 120])
    def test_a_truncated_file(self, damaged: Damage, length: int) -> None:
        """A file that was cut is a checksum error, and not a puzzle about JSON."""

        def cut(contents: dict[str, bytes]) -> None:
            contents["01_suppliers.json"] = contents["01_suppliers.json"][:length]

        path = damaged(cut)
        with BundleReader(path) as reader, pytest.raises(ChecksumError):
            list(reader.blocks(reader.manifest["suppliers"], 5))

    def test_an_appended_file(self, damaged: Damage) -> None:
        """A file longer than its entry isn't read beyond it."""

        def append(contents: dict[str, bytes]) -> None:
            contents["02_tags.json"] += b" " * 10_000_000

        path = damaged(append)
        with BundleReader(path) as reader:
            size = reader.manifest["tags"].bytes
            with pytest.raises(BundleError) as caught:
                list(reader.blocks(reader.manifest["tags"], 5))
        assert str(caught.value) == (
            f"02_tags.json, bytes: is longer than the {size} bytes that the manifest says. "
            "Seal the bundle if the edit was meant; otherwise use an undamaged copy."
        )

    def test_26_right_checksum_and_wrong_count(self, damaged: Damage) -> None:
        """The number of records is compared on its own."""
        path = damaged(lambda contents: resealed(contents, record_count=3))
        with BundleReader(path) as reader:
            reader.verify()
            with pytest.raises(BundleError) as caught:
                list(reader.blocks(reader.manifest["suppliers"], 5))
        assert str(caught.value) == (
            "01_suppliers.json, record_count: holds 2 records, and the manifest says 3. " + DAMAGED
        )

    def test_a_header_of_another_version(self, damaged: Damage) -> None:
        """A file's own version must be the manifest's, and is told before any record."""
        path = damaged(lambda contents: resealed(contents, schema_version=2))
        with BundleReader(path) as reader, pytest.raises(BundleError) as caught:
            next(reader.blocks(reader.manifest["suppliers"], 5))
        assert str(caught.value) == (
            "01_suppliers.json, schema_version: is 1, and the manifest says 2. " + DAMAGED
        )

    def test_a_header_of_another_entity(self, damaged: Damage) -> None:
        """Two files that were exchanged are found by their headers."""

        def exchange(contents: dict[str, bytes]) -> None:
            first, second = "01_suppliers.json", "03_purchases.json"
            contents[first], contents[second] = contents[second], contents[first]
            resealed(contents, record_count=2)

        path = damaged(exchange)
        with BundleReader(path) as reader, pytest.raises(BundleError) as caught:
            next(reader.blocks(reader.manifest["suppliers"], 5))
        assert str(caught.value) == (
            "01_suppliers.json, entity_type: is 'purchases', and the manifest says 'suppliers'. "
            + DAMAGED
        )

    def test_sums_that_disagree(self, damaged: Damage) -> None:
        """The checksums for people must be the manifest's."""
        path = damaged(lambda contents: contents.update({"SHA256SUMS": b"0" * 64 + b"  x\n"}))
        with BundleReader(path) as reader, pytest.raises(BundleError) as caught:
            reader.verify()
        assert str(caught.value) == "SHA256SUMS: differs from the manifest's checksums. " + DAMAGED

    def test_all_faults_are_listed(self, damaged: Damage) -> None:
        """Several faults come in one error."""

        def damage(contents: dict[str, bytes]) -> None:
            del contents["02_tags.json"]
            contents["extra"] = b""
            contents["01_suppliers.json"] = b"x" * len(contents["01_suppliers.json"])

        path = damaged(damage)
        with BundleReader(path) as reader, pytest.raises(BundleError) as caught:
            reader.verify()
        assert type(caught.value) is BundleError
        assert str(caught.value) == (
            f"{path}: 3 faults:\n"
            f"  {path}: there are files that the manifest doesn't list: 'extra'. "
            "Move them elsewhere.\n"
            "  01_suppliers.json: its checksum differs from the manifest's (edited after export?). "
            f"{EDITED}\n"
            f"  02_tags.json: is missing from the bundle. {DAMAGED}"
        )

    def test_hand_formatted_files_are_read(self, damaged: Damage) -> None:
        """A pretty-printed and reordered file gives the same values."""

        def format_by_hand(contents: dict[str, bytes]) -> None:
            for name in ("01_suppliers.json", "02_tags.json", "03_purchases.json"):
                value = json.loads(contents[name])
                value = {"records": value["records"], **value}
                contents[name] = json.dumps(value, indent=4).encode("utf-8")
            manifest = Manifest.from_bytes(contents["manifest.json"])
            assert manifest.files
            resealed(contents)

        path = damaged(format_by_hand)
        with BundleReader(path) as reader:
            reader.verify()
        found = read(path)
        for entity, records in SAMPLE.items():
            assert list(map(json.loads, found[entity])) == list(map(json.loads, records))

    @pytest.mark.parametrize("mask", [0x01, 0x20, 0xFF])
    def test_every_flipped_byte_is_found(self, path: Path, mask: int) -> None:
        """Whichever byte on disk changes, verifying or reading tells."""
        write(path, {"a": [b'{"slug":"x"}', b'{"slug":"y"}'], "b": []})
        for file in self.raw_files(path):
            data = file.read_bytes()
            for n in range(len(data)):
                flipped = bytearray(data)
                flipped[n] ^= mask
                file.write_bytes(flipped)
                try:
                    examine(path)
                except LadingError:
                    continue
                pytest.fail(f"byte {n} of {file.name} changed unnoticed")
            file.write_bytes(data)
        examine(path)

    def check_any_records(self, data: st.DataObject) -> None:
        """Draw records, write them in drawn chunks, and read them in both layouts."""
        drawn = data.draw(st.lists(objects, max_size=12))
        records = [
            json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() for value in drawn
        ]
        chunk, size = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 5))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / self.name
            with BundleWriter(path) as writer:
                writer.finish(manifest_of(fill(writer, {"things": records}, chunk)))
            assert read(path, size) == {"things": records}
            contents = self.contents(path)
            pretty = json.dumps(
                json.loads(contents["01_things.json"]),
                indent=2,
                ensure_ascii=data.draw(st.booleans()),
            )
            contents["01_things.json"] = pretty.encode()
            resealed(contents)
            self.rebuild(path, contents)
            assert [json.loads(record) for record in read(path, size)["things"]] == drawn


class TestDirectory(Store):
    """The contract, for folders."""

    name = "backup"

    def contents(self, path: Path) -> dict[str, bytes]:
        """Read every file of the folder."""
        return {file.name: file.read_bytes() for file in path.iterdir()}

    def rebuild(self, path: Path, contents: dict[str, bytes]) -> None:
        """Write the files anew."""
        for file in path.iterdir():
            file.unlink()
        for name, data in contents.items():
            (path / name).write_bytes(data)

    def raw_files(self, path: Path) -> list[Path]:
        """Return the folder's files."""
        return sorted(path.iterdir())

    @settings(max_examples=40, deadline=None)
    @given(data=st.data())
    def test_any_records_come_back(self, data: st.DataObject) -> None:
        """Whatever JSON records are written, in whatever chunks, are read the same."""
        self.check_any_records(data)


class TestArchive(Store):
    """The contract, for ZIP files."""

    name = "backup.zip"

    def contents(self, path: Path) -> dict[str, bytes]:
        """Read every member of the archive."""
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def rebuild(self, path: Path, contents: dict[str, bytes]) -> None:
        """Pack the members anew, as another tool would."""
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in contents.items():
                archive.writestr(name, data)

    def raw_files(self, path: Path) -> list[Path]:
        """Return the one file."""
        return [path]

    @settings(max_examples=40, deadline=None)
    @given(data=st.data())
    def test_any_records_come_back(self, data: st.DataObject) -> None:
        """Whatever JSON records are written, in whatever chunks, are read the same."""
        self.check_any_records(data)


def test_a_process_stays_in_its_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bundle that replaces it is another folder of that name; all relative paths go on."""
    folder = tmp_path / "backup"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for overwrite in (False, True):
        with BundleWriter(".", overwrite=overwrite) as writer:
            with writer.entity_file("01_tags.json", "tags", 1) as file:
                file.write([b'{"slug":"a"}'])
            writer.finish(manifest_of([file]))
        assert Path.cwd() == folder
        names = sorted(path.name for path in Path().iterdir())
        assert names == ["01_tags.json", "SHA256SUMS", "manifest.json"]
