"""Hostile archives: each way to show one reader something else is refused.

Tests are numbered as in the list of hostile inputs, 1 to 15.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lading.bundle import BundleReader
from lading.bundle.stores import zip_check as zipcheck
from lading.errors import BundleError, LadingError
from support.small_bundle import examine, write_small

REMEDY = "Get an undamaged copy of the archive."
RECORDS = [b'{"slug":"%d"}' % n for n in range(50)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Write a sound archive."""
    write_small(tmp_path / "backup.zip", *RECORDS)
    return tmp_path / "backup.zip"


def members(path: Path) -> dict[str, bytes]:
    """Return an archive's members."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def refusal(path: Path) -> str:
    """Return the text of the refusal."""
    with pytest.raises(BundleError) as caught:
        examine(path)
    return str(caught.value)


def patched(path: Path, mark: bytes, offset: int, form: str, value: int) -> None:
    """Overwrite a number at an offset from each record that begins with a mark."""
    data = bytearray(path.read_bytes())
    at = data.find(mark)
    while at >= 0:
        struct.pack_into(form, data, at + offset, value)
        at = data.find(mark, at + 1)
    path.write_bytes(data)


CENTRAL, LOCAL = b"PK\1\2", b"PK\3\4"
CONTRADICTED = "has a header of its own that the archive's directory contradicts"


def test_archive_is_deterministic_and_plain(path: Path) -> None:
    """Members are deflated files of 1980, with ordinary permissions."""
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        assert archive.testzip() is None
        assert archive.comment.startswith(b"lading sha256 ")
    assert [info.filename for info in infos] == ["01_a.json", "SHA256SUMS", "manifest.json"]
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
    assert {info.external_attr >> 16 for info in infos} == {0o100644}
    assert {info.compress_type for info in infos} == {zipfile.ZIP_DEFLATED}


def test_archives_of_other_tools_are_read(path: Path) -> None:
    """An archive that was packed again, or not compressed, is read as well."""
    contents = members(path)
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, data in reversed(contents.items()):
                archive.writestr(name, data)
        examine(path)


def test_streamed_archives_are_read(path: Path) -> None:
    """An archive with its sizes after each member (as from a pipe) is read."""

    class Pipe(io.RawIOBase):
        data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.data += data
            return len(data)

    pipe = Pipe()
    contents = members(path)
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[arg-type]
        for name, data in contents.items():
            archive.writestr(name, data)
    path.write_bytes(pipe.data)
    examine(path)
    # Some tools know the size already, but not yet what it packs to.
    data = pipe.data
    size = struct.unpack_from("<L", data, data.find(CENTRAL) + 24)[0]
    struct.pack_into("<L", data, 22, size)
    path.write_bytes(data)
    examine(path)
    struct.pack_into("<L", data, 22, size + 1)
    path.write_bytes(data)
    assert SIZES in refusal(path)
    struct.pack_into("<L", data, 22, 0)
    struct.pack_into("<L", data, data.find(b"PK\7\x08") + 12, size + 1)
    path.write_bytes(data)
    assert "is followed by other bytes in the archive" in refusal(path)


@pytest.mark.parametrize("name", ["../x.json", "/abs.json", "C:\\x.json", "..\\x.json", "a/b.json"])
def test_01_names_outside_are_never_read(path: Path, name: str, tmp_path: Path) -> None:
    """A member that the manifest can't list is found, and nothing is extracted."""
    contents = members(path)
    with zipfile.ZipFile(path, "w") as archive:
        for each, data in [*contents.items(), (name, b"x")]:
            archive.writestr(each, data)
    assert "there are files that the manifest doesn't list" in refusal(path)
    assert list(tmp_path.iterdir()) == [path]


def test_folders_in_an_archive_are_refused(path: Path) -> None:
    """A bundle is flat."""
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("folder/", b"")
    assert refusal(path) == f"folder/: is not a plain file. {REMEDY}"


@pytest.mark.parametrize("kind", [0o120777, 0o020644, 0o010644, 0o140644])
def test_02_special_members_are_refused(path: Path, kind: int) -> None:
    """A link, device, pipe or socket is no member of a bundle."""
    patched(path, CENTRAL, 38, "<L", kind << 16)
    assert refusal(path) == f"01_a.json: is not a plain file. {REMEDY}"


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["01_a.json", "01_A.JSON"])
def test_03_duplicate_names_are_refused(path: Path, name: str) -> None:
    """Two members of one name, after case folding too, are refused."""
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, b"x")
    assert refusal(path) == (
        f"backup.zip: has two files of one name, '01_a.json' and '{name}'. {REMEDY}"
    )


def test_04_names_equal_after_composition_are_refused(path: Path) -> None:
    """Two members whose names are one to some file systems are refused."""
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("caf\u00e9", b"x")
        archive.writestr("cafe\u0301", b"x")
    assert "has two files of one name" in refusal(path)


def test_05_a_nul_in_a_name_is_refused(path: Path) -> None:
    """A name that zipfile would cut at a NUL is refused."""
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("other.txt", b"x")
    path.write_bytes(path.read_bytes().replace(b"other.txt", b"other\0txt"))
    assert (
        refusal(path) == f"other: has a NUL character, a backslash or nothing in its name. {REMEDY}"
    )


def test_05_an_empty_name_is_refused(path: Path) -> None:
    """A member without a name, over which ``zipfile`` itself stumbles, is refused."""
    local = struct.pack("<4s5H3L2H", LOCAL, 20, 0, 0, 0, 33, 0, 0, 0, 0, 0)
    central = struct.pack("<4s6H3L5H2L", CENTRAL, 20, 20, 0, 0, 0, 33, *[0] * 10)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(central), len(local), 0)
    path.write_bytes(local + central + end)
    assert "or nothing in its name" in refusal(path)


def test_06_junk_before_and_after_is_refused(path: Path) -> None:
    """Bytes around the archive are refused, and so are two archives joined."""
    data = path.read_bytes()
    path.write_bytes(b"#!/bin/sh\n" + data)
    before = "backup.zip: has other bytes before the archive's start or within its directory. "
    assert refusal(path) == before + REMEDY
    path.write_bytes(data + b"x")
    after = "backup.zip: has other bytes after its end, or its end is cut off. "
    assert refusal(path) == after + REMEDY
    path.write_bytes(data + data)
    assert refusal(path) == before + REMEDY


def test_06_junk_that_offsets_skip_is_refused(path: Path) -> None:
    """Bytes before the first member are refused, even where every offset is right."""
    contents = members(path)
    with path.open("wb") as file:
        file.write(b"#!/bin/sh\n")
        with zipfile.ZipFile(file, "w") as archive:
            for name, data in contents.items():
                archive.writestr(name, data)
    assert refusal(path) == f"backup.zip: has other bytes before the first file. {REMEDY}"


def test_07_overlapping_members_are_refused(path: Path) -> None:
    """A member that begins within another is refused (CVE-2024-0450)."""
    data = bytearray(path.read_bytes())
    first = data.index(CENTRAL)
    second = data.index(CENTRAL, first + 1)
    offset = struct.unpack_from("<L", data, second + 42)[0]
    struct.pack_into("<L", data, second + 42, offset - 50)
    path.write_bytes(data)
    assert refusal(path) == f"01_a.json: overlaps what follows it in the archive. {REMEDY}"


def test_08_a_bomb_is_not_expanded(path: Path) -> None:
    """A member that expands beyond its entry's bytes is read no further."""
    contents = members(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            archive.writestr(name, b" " * 50_000_000 if name == "01_a.json" else data)
    assert path.stat().st_size < 100_000
    with BundleReader(path) as reader, pytest.raises(BundleError, match="is longer than the"):
        list(reader.blocks(reader.manifest["a"], 7))


@pytest.mark.parametrize("name", ["manifest.json", "SHA256SUMS"])
def test_08_a_bomb_of_a_side_file_is_not_expanded(
    path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manifest and the checksums are read up to a bound, too."""
    monkeypatch.setattr("lading.bundle.opened.MAX_MANIFEST", 10_000)
    contents = members(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for each, data in contents.items():
            archive.writestr(each, b" " * 50_000_000 if each == name else data)
    assert f"{name}: is longer than " in refusal(path)


@pytest.mark.parametrize("size", [0, 1, 100, 10**6, 2**32 - 2])
def test_09_false_sizes_are_found(path: Path, size: int) -> None:
    """A size in the archive's directory that isn't so is found by the checksums."""
    patched(path, CENTRAL, 24, "<L", size)
    assert refusal(path)


def test_10_truncated_archives_are_refused(path: Path) -> None:
    """An archive cut anywhere is refused."""
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        text = refusal(path)
        assert text.startswith("backup.zip: ")
        assert "its end is missing" in text or "its end is cut off" in text


def test_11_a_bad_crc_is_found(path: Path) -> None:
    """A wrong CRC is found where both headers agree on it."""
    patched(path, CENTRAL, 16, "<L", 7)
    patched(path, LOCAL, 14, "<L", 7)
    assert refusal(path) == f"manifest.json: has another CRC-32 than the archive says. {REMEDY}"


def test_12_encrypted_members_are_refused(path: Path) -> None:
    """An encrypted member is refused before anything is read."""
    patched(path, CENTRAL, 8, "<H", 1)
    assert refusal(path) == "01_a.json: is encrypted. Decrypt the archive first."


@pytest.mark.parametrize("name", ["/", "//", "a//b", "./", ".", "..", "manifest.json/", "a/../b"])
def test_14_malformed_names_are_refused_at_once(path: Path, name: str) -> None:
    """Names that hang ``zipfile.Path`` (CVE-2024-8088) are names like others here."""
    contents = members(path)
    packed(path, {**contents, name: b""})
    assert refusal(path)


@pytest.mark.parametrize("method", [1, 9, 12, 14, 93, 99])
def test_12_other_methods_are_refused(path: Path, method: int) -> None:
    """Only deflate and plain storage are read."""
    patched(path, CENTRAL, 10, "<H", method)
    assert refusal(path) == (
        f"01_a.json: is compressed by method {method}; expected deflate or none. "
        "Pack it again without that method."
    )


def test_13_local_and_central_names_that_differ_are_refused(path: Path) -> None:
    """Both names of a member must be the same."""
    data = path.read_bytes()
    path.write_bytes(data.replace(b"SHA256SUMS", b"SHA256SUMZ", 1))
    assert refusal(path) == f"SHA256SUMS: {CONTRADICTED}. {REMEDY}"


def test_15_too_many_members_are_refused_unread(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list of very many files is refused before it is read."""
    monkeypatch.setattr(zipcheck, "MAX_MEMBERS", 2)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    assert refusal(path) == f"backup.zip: lists 3 files; at most 2 are read. {REMEDY}"


def test_13_counts_that_differ_are_refused(path: Path) -> None:
    """The number of files must be the directory's own."""
    patched(path, b"PK\5\6", 8, "<L", 0x00020002)
    assert "another number of files than it says" in refusal(path)
    patched(path, b"PK\5\6", 8, "<L", 0x00020003)
    assert refusal(path) == f"backup.zip: is one part of a split archive. {REMEDY}"


def with_zip64(path: Path, *, at: int | None = None, members: int = 3, plain: int = 0xFFFF) -> None:
    """Give an archive a ZIP64 record and locator, as a large one has."""
    data = path.read_bytes()
    end = data.rindex(b"PK\5\6")
    count, length, offset = struct.unpack_from("<H2L", data, end + 10)
    assert count == 3
    record = struct.pack(
        "<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, members, members, length, offset
    )
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, end if at is None else at, 1)
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, plain, plain, length, 0xFFFFFFFF, 0)
    path.write_bytes(data[:end] + record + locator + tail)


def test_zip64_archives_are_read(path: Path) -> None:
    """A large archive's records are understood."""
    with_zip64(path)
    examine(path)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"at": 0}, "has a ZIP64 locator that points elsewhere"),
        ({"plain": 2}, "has a ZIP64 record that its end record contradicts"),
        ({"members": 10**6}, "lists 1000000 files; at most 20010 are read"),
        ({"members": 2}, "has another number of files than it says"),
    ],
)
def test_13_zip64_tricks_are_refused(path: Path, options: dict[str, int], text: str) -> None:
    """ZIP64 records that say something else than the plain ones are refused."""
    with_zip64(path, **options)
    assert refusal(path) == f"backup.zip: {text}. {REMEDY}"


def test_an_edited_seal(path: Path) -> None:
    """What no checksum of ZIP covers, such as dates, the archive's own seal does."""
    patched(path, CENTRAL, 12, "<H", 99)
    assert refusal(path) == (
        "backup.zip: the archive differs from its seal (edited after export?). "
        "Export again, or use an undamaged copy."
    )


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\5\6", b"\0" * 22, b"PK\5\6" + b"\0" * 18])
def test_what_is_no_archive(tmp_path: Path, data: bytes) -> None:
    """Files of any other kind, and an empty archive, are refused."""
    path = tmp_path / "x.zip"
    path.write_bytes(data)
    text = refusal(path)
    assert "is not a ZIP archive, or its end is missing" in text or "has no manifest.json" in text


def test_a_document_is_told_from_an_archive(tmp_path: Path) -> None:
    """Whoever exported one can make a bundle of it."""
    path = tmp_path / "whole.json"
    path.write_bytes(b' {"version": "1.0"}')
    assert "whole.json: is a JSON document, as it seems, and not a bundle. Make a" in refusal(path)


@given(edits=st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=4)), min_size=1))
def test_any_damage_gives_a_typed_error(
    edits: list[tuple[int, bytes]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever is changed in an archive, it reads as it was or gives one of lading's errors."""
    path = tmp_path_factory.mktemp("zip") / "backup.zip"
    write_small(path, *RECORDS)
    data = path.read_bytes()
    for at, insert in edits:
        data = data[:at] + insert + data[at + 1 :]
    changed = data != path.read_bytes()
    path.write_bytes(data)
    try:
        examine(path)
    except LadingError:
        assert changed
    else:
        assert not changed


# Archives of other tools, and what they may say beside the truth


def packed(path: Path, contents: dict[str, bytes], *folders: str) -> None:
    """Pack files as a person's tool would, without lading's seal."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for folder in folders:
            archive.mkdir(folder)
        for name, data in contents.items():
            archive.writestr(name, data)


@pytest.mark.parametrize("folders", [(), ("backup",)])
def test_one_folder_at_the_top_is_read_through(path: Path, folders: tuple[str, ...]) -> None:
    """``zip -r backup.zip backup`` packs the folder's name, with or without a member for it."""
    contents = {f"backup/{name}": data for name, data in members(path).items()}
    beside = {"__MACOSX/._backup": b"x", "backup/.DS_Store": b"x", ".DS_Store": b"x"}
    packed(path, contents | beside, *folders)
    examine(path)


@pytest.mark.parametrize("more", ["notes.txt", "backup/notes.txt", "backup/more/manifest.json"])
def test_other_files_beside_or_in_the_top_folder_are_refused(path: Path, more: str) -> None:
    """Only what the one folder holds is a bundle."""
    contents = {f"backup/{name}": data for name, data in members(path).items()}
    packed(path, contents | {more: b"x"})
    assert "manifest" in refusal(path)


def lied(path: Path, mark: bytes, *changes: tuple[str, int, int]) -> None:
    """Change numbers of the manifest's record that begins with a mark, in an archive as packed."""
    packed(path, members(path))
    data = bytearray(path.read_bytes())
    at = data.rfind(
        mark, 0, data.rfind(b"manifest.json") if mark == CENTRAL else data.find(CENTRAL)
    )
    for form, offset, value in changes:
        struct.pack_into(form, data, at + offset, value)
    path.write_bytes(data)


SIZES = "has sizes of its own that the archive's directory contradicts"
LIES = {
    "local CRC": (LOCAL, [("<L", 14, 1)], SIZES),
    "local packed size": (LOCAL, [("<L", 18, 5)], SIZES),
    "local size": (LOCAL, [("<L", 22, 5)], SIZES),
    "local ZIP64 size without a field": (LOCAL, [("<L", 22, 2**32 - 1)], "has no ZIP64 sizes"),
    "local method": (LOCAL, [("<H", 8, 99)], CONTRADICTED),
    "local encryption": (LOCAL, [("<H", 6, 1)], CONTRADICTED),
    "local name": (LOCAL, [("<L", 30, 0x21212121)], CONTRADICTED),
    "local name's length": (LOCAL, [("<H", 26, 12)], CONTRADICTED),
    "local extra field": (LOCAL, [("<H", 28, 3)], "has malformed extra fields"),
    "packed size beyond the directory": (CENTRAL, [("<L", 20, 2**30)], "overlaps what follows it"),
    "packed size too small": (CENTRAL, [("<L", 20, 5)], SIZES),
    "size": (CENTRAL, [("<L", 24, 2**31)], SIZES),
    "another disk": (CENTRAL, [("<H", 34, 1)], CONTRADICTED),
    "a folder to DOS": (CENTRAL, [("<L", 38, 0x10)], "is not a plain file"),
}


@pytest.mark.parametrize("lie", LIES)
def test_13_lies_that_change_nothing_are_refused(path: Path, lie: str) -> None:
    """What a member's two headers say is the same, whichever a reader believes."""
    mark, changes, text = LIES[lie]
    lied(path, mark, *changes)
    assert text in refusal(path)


@pytest.mark.parametrize("size", [5, 2**31])
def test_09_a_size_that_both_headers_falsify_is_found(path: Path, size: int) -> None:
    """A member is as long as it says, even where both headers agree."""
    lied(path, CENTRAL, ("<L", 24, size))
    data = bytearray(path.read_bytes())
    struct.pack_into("<L", data, data.rfind(LOCAL, 0, data.find(CENTRAL)) + 22, size)
    path.write_bytes(data)
    text = f"manifest.json: is not the {size} bytes long that the archive says. {REMEDY}"
    assert refusal(path) == text


@pytest.mark.parametrize("where", ["local", "central"])
def test_13_another_name_in_the_extra_fields_is_refused(path: Path, where: str) -> None:
    """A second name, which some readers take for the first, must be the same."""
    contents = members(path)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in contents.items():
            info = zipfile.ZipInfo(name)
            extra = struct.pack("<HHBL", 0x7075, 5 + len(name), 1, zlib.crc32(name.encode()))
            info.extra = extra + (b"evil.jsn" + name.encode())[-len(name) :]
            archive.writestr(info, data)
    examine(path)
    data = path.read_bytes()
    at = data.find(b"01_a.json", 40) if where == "local" else data.rfind(b"01_a.json")
    path.write_bytes(data[:at] + b"01_b.json" + data[at + 9 :])
    assert refusal(path) == f"01_a.json: has another name in its extra fields. {REMEDY}"


@pytest.mark.parametrize("numbers", [(10**12,), (5, 5), (2**63, 0)])
def test_13_large_sizes_that_nothing_asks_for_must_be_so(
    path: Path, numbers: tuple[int, ...]
) -> None:
    """ZIP64 numbers beside plain ones, which some readers take for the truth."""
    contents = members(path)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in contents.items():
            info = zipfile.ZipInfo(name)
            info.extra = struct.pack(f"<HH{len(numbers)}Q", 1, 8 * len(numbers), *numbers)
            archive.writestr(info, data)
    assert refusal(path) == f"01_a.json: has other sizes in its ZIP64 fields. {REMEDY}"


def test_06_bytes_between_members_are_refused(path: Path) -> None:
    """Nothing hides between members, nor after a member's packed data."""
    contents = members(path)
    with path.open("wb") as file, zipfile.ZipFile(file, "w") as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
            file.seek(0, 2)
            file.write(b"hidden")
            archive.start_dir = file.tell()
    assert refusal(path) == f"01_a.json: is followed by other bytes in the archive. {REMEDY}"


def test_06_bytes_after_packed_data_are_refused(path: Path) -> None:
    """A deflated stream ends where the member does."""
    lied(path, CENTRAL)
    data = path.read_bytes()
    central, end = data.find(CENTRAL), data.rfind(b"PK\5\6")
    data = data[:central] + b"hidden" + data[central:]
    edited = bytearray(data)
    for at, offset in ((data.rfind(LOCAL), 18), (data.rfind(CENTRAL), 20), (end + 6, 16)):
        struct.pack_into(
            "<L", edited, at + offset, struct.unpack_from("<L", data, at + offset)[0] + 6
        )
    path.write_bytes(edited)
    assert refusal(path) == f"manifest.json: has other bytes after its data. {REMEDY}"


def test_08_an_archive_that_unpacks_to_very_much_is_refused_unread(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An honest manifest is no reason to read a thousand times what an archive holds."""
    monkeypatch.setattr("lading.bundle.stores.limits.MAX_UNPACKED", 1000)
    with pytest.warns(UserWarning, match="passes max_bytes=") as said:
        write_small(path, b'{"slug":"%b"}' % (b"x" * 1_000_000), overwrite=True)
    total = members(path)["01_a.json"]
    size = path.stat().st_size
    assert refusal(path) == (
        f"{path}: holds {len(total):,} bytes in an archive of {size:,}; at most {200 * size:,} are "
        f"read. Pass max_bytes={len(total)} if you trust it."
    )
    assert "is taken for a trap" in str(said[0].message)
    with BundleReader(path, max_bytes=len(total)) as reader:
        reader.verify()
    with pytest.raises(BundleError, match="holds"):
        BundleReader(path, max_bytes=len(total) - 1)
