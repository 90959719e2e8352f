"""Passwords of database URLs, which no message and no output may show."""

from __future__ import annotations

import re
from urllib.parse import quote, quote_plus, unquote

MASK = "***"
#: Shorter ones are only masked where they stand as a password, for they are part of many words.
DISTINCTIVE = 4
#: ``user:password@host``, and what a query calls a secret.
_IN_USER = re.compile(r"(://[^:/?#\s@]*:)(\S*)(@)")
_IN_QUERY = re.compile(r"(?i)([?&][^=&\s]*(?:pass|secret|token|pwd|odbc)[^=&\s]*=)([^&#\s]*)")
_passwords: set[str] = set()


def masked(url: str) -> str:
    """Return a URL without its passwords, which later messages don't show either."""
    for pattern in (_IN_USER, _IN_QUERY):
        for match in pattern.finditer(url):
            _remember(match[2])
    url = _IN_USER.sub(rf"\1{MASK}\3", url)
    return _IN_QUERY.sub(rf"\1{MASK}", url)


def _remember(password: str) -> None:
    plain = unquote(password)
    _passwords.update(filter(None, (password, plain, quote(plain, safe=""), quote_plus(plain))))


def without_passwords(text: str) -> str:
    """Return a text without the passwords of the URLs that were read."""
    text = _IN_QUERY.sub(rf"\1{MASK}", _IN_USER.sub(rf"\1{MASK}\3", text))
    for password in sorted(_passwords, key=len, reverse=True):
        if len(password) >= DISTINCTIVE:
            text = text.replace(password, MASK)
    return text
