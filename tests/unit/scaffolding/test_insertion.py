"""What is added to a module that people edit stands between their lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from lading import DeclarationError
from lading.scaffolding.insertion import Module

TEXT = '''"""What it is."""
import os
from sqlalchemy import Text  # ours

class A: x = 1  # odd'''


@pytest.fixture
def module(tmp_path: Path) -> Module:
    """Read a module that nobody formatted, without an end to its last line."""
    path = tmp_path / "models.py"
    path.write_text(TEXT, "utf-8")
    return Module(path)


def test_nothing_added_is_nothing_changed(module: Module) -> None:
    """Not even the last line's end."""
    assert not module.is_changed
    module.add_imports({"sqlalchemy": {"Text"}}, ["os"])
    module.add_import("import os")
    assert not module.is_changed


def test_lines_that_are_there_stay(module: Module) -> None:
    """Imports stand beside their like, classes after one or at the end."""
    module.add_imports({"sqlalchemy": {"Date"}, "typing": {"Any"}}, ["datetime"])
    module.append_block("class B:\n    pass", module.class_named("A"))
    module.append_block("class C:\n    pass")
    assert (
        module.source()
        == TEXT.replace("import os\n", "import os\nimport datetime\n").replace(
            "# ours\n", "# ours\nfrom sqlalchemy import Date\nfrom typing import Any\n"
        )
        + "\n\n\nclass B:\n    pass\n\n\nclass C:\n    pass\n"
    )


def test_imports_of_a_module_without_any_follow_its_docstring(tmp_path: Path) -> None:
    """Or stand first; ends of lines stay what they are."""
    path = tmp_path / "models.py"
    for before, after in (
        ("'What.'\r\nx = 1\r\n", "'What.'\r\nimport a\r\nx = 1\r\n"),
        ("", "import a\n"),
    ):
        path.write_bytes(before.encode())
        module = Module(path)
        module.add_import("import a")
        assert module.source() == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from sqlalchemy import Text\n", "import datetime\nfrom sqlalchemy import Text\n"),
        (
            "from __future__ import annotations\nfrom sqlalchemy import Text\n",
            "from __future__ import annotations\nimport datetime\nfrom sqlalchemy import Text\n",
        ),
        (
            "from __future__ import annotations\nx = 1\n",
            "from __future__ import annotations\nimport datetime\nx = 1\n",
        ),
    ],
)
def test_a_module_s_first_import_stands_before_names_and_after_the_future(
    tmp_path: Path, before: str, after: str
) -> None:
    """Python takes ``from __future__`` only at the beginning."""
    path = tmp_path / "models.py"
    path.write_text(before)
    module = Module(path)
    module.add_imports({}, ["datetime"])
    assert module.source() == after


def test_what_isnt_python_is_told(tmp_path: Path) -> None:
    """With its path."""
    path = tmp_path / "models.py"
    path.write_text("class", "utf-8")
    with pytest.raises(DeclarationError, match=r"read: invalid syntax \(models\.py, line 1\)"):
        Module(path)
