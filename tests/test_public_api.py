"""The public face: what ``lading`` exports is documented, and nothing leaks beside it."""

from __future__ import annotations

import inspect
import types

import lading
from lading import errors

# What exists so far; a name appears when its feature does.
EXPECTED = {
    "Catalog",
    "Diff",
    "EntitySchema",
    "ImportPlan",
    "Manifest",
    "Owned",
    "Ref",
    "default_catalog",
    "diff",
    "export_all",
    "export_document",
    "import_order",
}


def test_all_lists_existing_names_once() -> None:
    """``__all__`` is the contract: each name is there, and stands in it once."""
    assert len(lading.__all__) == len(set(lading.__all__))
    missing = [name for name in lading.__all__ if not hasattr(lading, name)]
    assert not missing


def test_all_holds_what_the_design_names() -> None:
    """Names that others test against can't disappear."""
    assert not EXPECTED - set(lading.__all__)


def test_all_holds_every_public_error() -> None:
    """Whoever catches an error of lading's imports it from the top."""
    public = {
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, errors.LadingError | UserWarning)
    }
    assert not public - set(lading.__all__)


def test_nothing_public_stands_outside_of_all() -> None:
    """A name without an underscore that isn't in ``__all__`` would be used by accident."""
    strays = [
        name
        for name, value in vars(lading).items()
        if not name.startswith("_")
        and not isinstance(value, types.ModuleType)
        and name not in lading.__all__
    ]
    assert not [name for name in strays if name != "annotations"]


def test_every_public_name_has_a_docstring() -> None:
    """A public docstring gives meaning, side effects and errors; an empty one gives nothing."""
    bare = []
    for name in lading.__all__:
        value = getattr(lading, name)
        own = value.__doc__ if inspect.isclass(value) else inspect.getdoc(value)
        if not (own or "").strip():
            bare.append(name)
    assert not bare


def test_every_public_method_has_a_docstring() -> None:
    """What a public class offers is documented as well as the class."""
    bare = []
    for name in lading.__all__:
        value = getattr(lading, name)
        if not inspect.isclass(value):
            continue
        for attribute, member in vars(value).items():
            is_callable = callable(member) or isinstance(member, property | classmethod)
            is_class = inspect.isclass(member)
            if attribute.startswith("_") or not is_callable or is_class:
                continue
            if not inspect.getdoc(getattr(value, attribute)):
                bare.append(f"{name}.{attribute}")
    assert not bare


def test_public_classes_say_where_they_live() -> None:
    """Every public name is defined in lading itself and not re-exported from a dependency."""
    foreign = [
        name
        for name in lading.__all__
        if not getattr(getattr(lading, name), "__module__", "lading").startswith("lading")
    ]
    assert not foreign
