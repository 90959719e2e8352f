"""Tells which releases wrote and read a payload, for people who got a newer one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lading.messages import shown
from lading.version import __version__


@dataclass(frozen=True, slots=True)
class PayloadWriter:
    """Who wrote a payload, beside who reads it: two applications, and two releases of lading.

    As a text it is empty where nothing tells them apart.
    """

    source: Any
    reader: str | None
    lading_version: str = __version__

    def __str__(self) -> str:
        is_other = self.source is not None and self.source != self.reader
        return self._versions_text() if is_other or self.lading_version != __version__ else ""

    def _versions_text(self) -> str:
        texts = []
        for source, version in ((self.source, self.lading_version), (self.reader, __version__)):
            name = "an application without a source" if source is None else shown(source)
            texts.append(f"{name} with lading {version}")
        return f"it was written by {texts[0]}, and is read by {texts[1]}"

    def newer(self) -> str:
        """Say that the payload may be of a newer release, and what to do then."""
        is_named = self.source is not None or self.reader is not None
        is_known = is_named or self.lading_version != __version__
        known = f": {self._versions_text()}" if is_known else ""
        return (
            f"It may be of a newer release of the application{known}. Import it with the release "
            "that wrote it"
        )
