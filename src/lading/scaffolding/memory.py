"""What the last run wrote, so that the next one tells what is new from what people took out."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lading.errors import DeclarationError

#: The file's name; it belongs beside the modules, under version control.
NAME = "lading.init.json"


@dataclass(slots=True)
class Memory:
    """What was written: by table its statements' sources, by entity its schema's source.

    ``models`` maps full names of tables to ``{column: source}``.
    """

    models: dict[str, dict[str, str]] = field(default_factory=dict)
    schemas: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """Return the file's content."""
        content = {"models": self.models, "schemas": self.schemas}
        return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def memory_of(folder: Path) -> Memory:
    """Read what the last run wrote; nothing, if there is no file.

    Raises:
        DeclarationError: The file isn't one of ours.
    """
    path = folder / NAME
    if not path.exists():
        return Memory()
    try:
        content = json.loads(path.read_text("utf-8"))
        memory = Memory(content["models"], content["schemas"])
        if not _is_sound(memory):
            raise TypeError("it holds other types")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DeclarationError(
            "package-unusable",
            f"{path} can't be read ({type(error).__name__}: {error}); expected what lading init "
            "wrote. Restore it, or remove it: what is missing in the modules then counts as new",
        ) from error
    return memory


def _is_sound(memory: Memory) -> bool:
    return _is_texts(memory.schemas) and all(
        _is_texts(columns) for columns in dict(memory.models).values()
    )


def _is_texts(mapping: Any) -> bool:
    return isinstance(mapping, dict) and all(isinstance(text, str) for text in mapping.values())
