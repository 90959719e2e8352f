"""Replacing a folder: what a crash leaves, who cleans up, and what is never touched."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lading.bundle import BundleReader, BundleWriter, with_bundle
from lading.bundle.manifest import Manifest
from lading.bundle.stores import files
from lading.bundle.stores.place import Place
from lading.errors import BundleError

Written = Callable[..., Manifest]
OLD, NEW = b'{"slug":"old"}', b'{"slug":"new"}'


def names(folder: Path) -> list[str]:
    """List a folder's names, sorted."""
    return sorted(child.name for child in folder.iterdir())


def siblings(path: Path) -> list[str]:
    """List the endings of a bundle's hidden siblings."""
    hidden = [name for name in names(path.parent) if name.startswith(f".{path.name}.lading-")]
    return sorted(Path(name).suffix for name in hidden)


def records(path: Path) -> list[bytes]:
    """Read the one file of a bundle."""
    with BundleReader(path) as reader:
        return [
            record for block in reader.blocks(reader.manifest["a"], 9) for record in block.records
        ]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the bundle is, alone in its folder."""
    folder = tmp_path / "parent"
    folder.mkdir()
    return folder / "backup"


@pytest.fixture
def crashed(path: Path, written: Written, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Leave what a crash between the two renames leaves: an aside, its temporary, no bundle."""
    written(path, OLD)
    real = os.rename

    def rename(source: Any, target: Any) -> None:
        if Path(source).name == "backup":
            real(source, target)
        else:
            raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", rename)
        with pytest.raises(BundleError) as caught:
            written(path, NEW, overwrite=True)
    assert str(caught.value) == f"{path}: can't be written: Input/output error."
    assert siblings(path) == [".old", ".tmp"]
    return path


def test_a_failed_rename_is_undone(
    path: Path, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the new bundle can't be put in place, the old one is put back at once."""
    written(path, OLD)
    real = os.rename

    def rename(source: Any, target: Any) -> None:
        if Path(source).suffix == ".tmp":
            raise OSError(5, "Input/output error")
        real(source, target)

    monkeypatch.setattr(os, "rename", rename)
    with pytest.raises(BundleError, match="can't be written: Input/output error"):
        written(path, NEW, overwrite=True)
    assert names(path.parent) == ["backup"]
    assert records(path) == [OLD]


def test_reading_falls_back_to_the_aside(crashed: Path) -> None:
    """A reader that finds no bundle reads the old one that was set aside."""
    assert records(crashed) == [OLD]
    with BundleReader(crashed) as reader:
        reader.verify()
        assert reader.manifest.path == crashed


def test_a_later_writer_restores_the_aside(crashed: Path) -> None:
    """The next writer puts the old bundle back, even if it then refuses."""
    with pytest.raises(BundleError, match="there is a bundle already"):
        BundleWriter(crashed)
    assert names(crashed.parent) == ["backup"]
    assert records(crashed) == [OLD]


def test_a_later_writer_restores_over_an_empty_folder(crashed: Path) -> None:
    """An empty folder at the path doesn't hide the old bundle from a writer."""
    crashed.mkdir()
    with BundleWriter(crashed, overwrite=True):
        pass
    assert records(crashed) == [OLD]


def test_a_later_writer_removes_an_aside_that_was_replaced(path: Path, written: Written) -> None:
    """With the new bundle in place, what was set aside goes."""
    written(path, NEW)
    written(path.parent / "x", OLD)
    (path.parent / "x").rename(path.parent / ".backup.lading-0123456789ab.old")
    with pytest.raises(BundleError, match="there is a bundle already"):
        BundleWriter(path)
    assert names(path.parent) == ["backup"]
    assert records(path) == [NEW]


def test_an_aside_beside_something_else_is_kept(crashed: Path, written: Written) -> None:
    """The only copy of a bundle isn't removed because something else is at its path."""
    crashed.mkdir()
    (crashed / "notes.txt").write_text("mine")
    with pytest.raises(BundleError, match="is not a bundle"):
        BundleWriter(crashed, overwrite=True)
    assert siblings(crashed) == [".old", ".tmp"]
    (crashed / "notes.txt").unlink()
    written(crashed, NEW, overwrite=True)
    assert names(crashed.parent) == ["backup"]


def test_an_aside_that_was_replaced_is_not_read(path: Path, written: Written) -> None:
    """Once the new bundle was in place, the old one is gone for every reader."""
    written(path.parent / "x", OLD)
    (path.parent / "x").rename(path.parent / ".backup.lading-0123456789ab.old")
    with pytest.raises(BundleError, match="there is no such file or folder"):
        BundleReader(path)
    written(path, NEW)
    assert names(path.parent) == ["backup"]


@pytest.mark.parametrize("function", ["unlink", "rmdir"])
def test_what_cannot_be_removed_is_said(
    path: Path, written: Written, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    """An old bundle that stays is told by its path, and blocks nothing."""
    written(path, OLD)

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as patch:
        patch.setattr(os, function, refuse)
        for data in (NEW, OLD, NEW):
            with pytest.warns(UserWarning, match=r"/\.backup\.lading-.*\.old' is left of") as said:
                written(path, data, overwrite=True)
            assert records(path) == [data]
    assert len({str(item.message) for item in said}) == 3
    written(path, OLD, overwrite=True)
    assert names(path.parent) == ["backup"]


@pytest.mark.parametrize("name", ["01_a.json", "SHA256SUMS", "notes"])
def test_a_folder_in_a_bundle_is_never_removed(path: Path, written: Written, name: str) -> None:
    """What is no plain file isn't the bundle's own, whatever its name."""
    written(path, OLD)
    (path / name).unlink(missing_ok=True)
    (path / name).mkdir()
    (path / name / "precious").write_text("mine")
    with pytest.raises(BundleError, match=f"the bundle's folder also holds '{name}'"):
        written(path, NEW, overwrite=True)
    assert (path / name / "precious").read_text() == "mine"


def test_what_came_into_an_aside_is_never_removed(path: Path, written: Written) -> None:
    """Of a bundle that was replaced, only its own files are removed."""
    written(path.parent / "x", OLD)
    (path.parent / "x" / "notes.txt").write_text("mine")
    aside = (path.parent / "x").rename(path.parent / ".backup.lading-0123456789ab.old")
    with pytest.warns(UserWarning, match="remove it yourself"):
        written(path, NEW)
    assert names(aside) == ["notes.txt"]


@pytest.mark.parametrize("name", ["new", "new.zip", "01_a.json", "manifest.json"])
def test_nothing_is_written_into_a_bundle(path: Path, written: Written, name: str) -> None:
    """A bundle within a bundle's folder would make that unreadable."""
    written(path, OLD)
    with pytest.raises(BundleError) as caught:
        BundleWriter(path / name, overwrite=True)
    assert str(caught.value) == (
        f"{path / name}: is inside of the bundle {str(path)!r}, which it would make unreadable. "
        "Name a path outside of that folder."
    )
    assert records(path) == [OLD]


BY_THE_WAY = [".DS_Store", "Thumbs.db", "desktop.ini", "._01_a.json", ".gitattributes"]


@pytest.mark.parametrize("name", BY_THE_WAY)
def test_what_file_managers_leave_is_left_alone(path: Path, written: Written, name: str) -> None:
    """Their files are no fault of a bundle, and stay when it is replaced."""
    path.mkdir()
    (path / name).write_text("theirs")
    written(path, OLD)
    written(path, NEW, overwrite=True)
    with BundleReader(path) as reader:
        reader.verify()
    assert (path / name).read_text() == "theirs"
    assert names(path.parent) == ["backup"]


@pytest.mark.parametrize("name", [".git", "__MACOSX"])
def test_folders_of_version_control_are_left_alone(path: Path, written: Written, name: str) -> None:
    """A hidden folder is no fault of a bundle, and is there with all in it when that is replaced."""
    (path / name / "objects").mkdir(parents=True)
    (path / name / "objects" / "one").write_text("theirs")
    written(path, OLD)
    written(path, NEW, overwrite=True)
    with BundleReader(path) as reader:
        reader.verify()
    assert records(path) == [NEW]
    assert (path / name / "objects" / "one").read_text() == "theirs"
    assert names(path) == sorted(["01_a.json", "SHA256SUMS", "manifest.json", name])
    assert names(path.parent) == ["backup"]


def test_a_repository_whose_move_was_cut_short_is_moved_later(
    path: Path, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that ends between the renames leaves it in the aside, where the next finds it."""
    written(path, OLD)
    (path / ".git").mkdir()
    (path / ".git" / "HEAD").write_text("theirs")
    monkeypatch.setattr(Place, "_clear", lambda *_: None)
    written(path, NEW, overwrite=True)
    assert not (path / ".git").exists()
    monkeypatch.undo()
    written(path, OLD, overwrite=True)
    assert (path / ".git" / "HEAD").read_text() == "theirs"
    assert names(path.parent) == ["backup"]


def test_a_link_is_never_taken_for_a_repository(path: Path, written: Written) -> None:
    """Nobody knows what would become of where it leads."""
    written(path, OLD)
    (path / ".git").symlink_to(path.parent)
    with pytest.raises(BundleError, match=r"also holds '\.git'"):
        written(path, NEW, overwrite=True)


def test_a_folder_that_was_replaced_is_said_to_be(path: Path, written: Written) -> None:
    """A reader whose files go says why, rather than calling them damaged."""
    written(path, OLD)
    with BundleReader(path) as reader:
        written(path, NEW, overwrite=True)
        with pytest.raises(BundleError) as caught:
            list(reader.blocks(reader.manifest["a"], 5))
    assert str(caught.value) == (
        f"{path}: was replaced or removed while it was read. Read it again."
    )


def test_a_bundle_that_was_replaced_is_read_once_more(path: Path, written: Written) -> None:
    """Whoever uses a bundle begins again with the new one, and no third time."""
    written(path, OLD)
    replaced = 0

    def use(reader: BundleReader, times: int) -> list[Any]:
        nonlocal replaced
        if replaced < times:
            replaced += 1
            written(path, NEW, overwrite=True)
        reader.verify()
        return list(reader.blocks(reader.manifest["a"], 5))

    assert with_bundle(path, lambda reader: use(reader, 1))[0].records == [NEW]
    replaced = 0
    with pytest.raises(BundleError, match="was replaced or removed"):
        with_bundle(path, lambda reader: use(reader, 2))


@pytest.mark.parametrize("name", ["backup", "backup.zip"])
def test_temporaries_of_dead_processes_are_removed(name: str, tmp_path: Path) -> None:
    """A writer's death leaves a temporary, which the next writer removes."""
    path = tmp_path / name
    code = (
        "import os, sys; from lading.bundle import BundleWriter\n"
        "writer = BundleWriter(sys.argv[1])\n"
        "os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    assert len(names(tmp_path)) == 1
    with BundleWriter(path):
        assert len(names(tmp_path)) == 1
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["backup", "backup.zip"])
def test_temporaries_of_living_writers_stay(name: str, tmp_path: Path, written: Written) -> None:
    """Two writers of one path don't disturb each other; the first to finish has it."""
    path = tmp_path / name
    with BundleWriter(path) as slow, slow.entity_file("01_a.json", "a", 1):
        manifest = written(path, NEW)
        assert len(names(tmp_path)) == 2
    with pytest.raises(ValueError, match="finished or discarded"):
        slow.finish(manifest)
    assert records(path) == [NEW]


def test_a_bundle_that_came_meanwhile_is_not_replaced(path: Path, written: Written) -> None:
    """What may be replaced is looked at again when the bundle is put in place."""
    with BundleWriter(path) as slow:
        with slow.entity_file("01_a.json", "a", 1) as file:
            file.write([NEW])
        manifest = written(path, NEW)
        with pytest.raises(BundleError, match="there is a bundle already"):
            slow.finish(manifest)
    assert names(path.parent) == ["backup"]


def test_other_siblings_are_left_alone(path: Path, written: Written) -> None:
    """Names that are merely similar are no temporaries of this bundle."""
    strangers = [".backup.lading-x", ".backup2.lading-1.tmp", "backup.lading-1.tmp", ".backup.tmp"]
    for name in strangers:
        (path.parent / name).write_text("mine")
    written(path, NEW)
    assert names(path.parent) == sorted([*strangers, "backup"])


def test_an_empty_folder_is_taken(path: Path, written: Written) -> None:
    """A folder that someone made ready is used, with its permissions."""
    path.mkdir(mode=0o750)
    written(path, NEW)
    assert records(path) == [NEW]
    assert path.stat().st_mode & 0o777 == 0o750


def test_an_empty_folder_is_no_archive(path: Path) -> None:
    """A folder named like an archive is not replaced by a file."""
    path = path.with_suffix(".zip")
    path.mkdir()
    with pytest.raises(BundleError, match="is not a bundle"):
        BundleWriter(path)


def test_a_folder_does_not_replace_an_archive(path: Path, written: Written) -> None:
    """A bundle of one kind isn't replaced by the other kind."""
    written(path.with_suffix(".ZIP"), OLD)
    path.with_suffix(".ZIP").rename(path)
    assert records(path) == [OLD]
    with pytest.raises(BundleError, match="is not a bundle"):
        BundleWriter(path, overwrite=True)


def test_a_damaged_manifest_is_no_reason_to_replace(path: Path) -> None:
    """A folder whose manifest can't be recognised isn't replaced."""
    path.mkdir()
    for text in ("{", "[]", "1", '{"manifest_sha256": 1}', '{"manifest_sha256": 1, "files": [1]}'):
        (path / "manifest.json").write_text(text)
        with pytest.raises(BundleError, match="is not a bundle"):
            BundleWriter(path, overwrite=True)


def test_where_there_are_no_locks(
    path: Path, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the system's locks a bundle is written, and no temporary is taken for stale."""
    stranger = path.parent / ".backup.lading-0123456789ab.tmp"
    stranger.mkdir()
    monkeypatch.setattr(files, "HAS_LOCKS", False)
    monkeypatch.setattr(files, "_FOLDER", None)
    written(path, OLD)
    written(path, NEW, overwrite=True)
    assert records(path) == [NEW]
    assert stranger.exists()


def test_writers_take_turns(path: Path) -> None:
    """While one looks at the siblings, another waits."""
    place, order = Place(path), list[str]()
    with place.locked():
        thread = threading.Thread(target=lambda: _enter(place, order))
        thread.start()
        thread.join(0.1)
        order.append("first")
    thread.join(5)
    assert order == ["first", "second"]


def _enter(place: Place, order: list[str]) -> None:
    with place.locked():
        order.append("second")


def test_a_manifest_without_end_is_refused(
    path: Path, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A manifest is read up to a bound."""
    written(path, OLD)
    monkeypatch.setattr("lading.bundle.opened.MAX_MANIFEST", 100)
    with pytest.raises(BundleError) as caught:
        BundleReader(path)
    assert str(caught.value) == "manifest.json: is longer than 100 bytes."


def test_a_file_that_cannot_be_read(
    path: Path, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's error is told with the file's name, and is the cause."""
    written(path, OLD)
    with BundleReader(path) as reader:
        real = os.open

        def failing(name: Any, *args: Any, **named: Any) -> int:
            if name == "01_a.json":
                raise PermissionError(13, "Permission denied")
            return real(name, *args, **named)

        monkeypatch.setattr(os, "open", failing)
        with pytest.raises(BundleError) as caught:
            list(reader.blocks(reader.manifest["a"], 5))
    assert str(caught.value) == "01_a.json: can't be read: Permission denied. Check who may use it."
    assert isinstance(caught.value.__cause__, PermissionError)


def test_a_reader_keeps_its_folder(path: Path, written: Written) -> None:
    """A reader goes on with the folder that it opened, wherever that is moved."""
    written(path, OLD)
    with BundleReader(path) as reader:
        path.rename(path.parent / "elsewhere")
        written(path, NEW)
        blocks = list(reader.blocks(reader.manifest["a"], 5))
    assert blocks[0].records == [OLD]


@pytest.mark.parametrize("name", ["manifest.json", "01_a.json", "SHA256SUMS"])
def test_a_file_of_a_bundle_is_not_the_bundle(path: Path, written: Written, name: str) -> None:
    """Whoever names a file of a bundle is told to name its folder."""
    written(path, OLD)
    with pytest.raises(BundleError) as caught:
        BundleReader(path / name)
    assert str(caught.value) == (
        f"{path / name}: is one file of a bundle, and a bundle is read whole. "
        f"Give its folder: {str(path)!r}."
    )
