"""Self-contained pages in HTML: the report of a bundle or database, and of a plan or diff."""

from __future__ import annotations

from lading.html.change_page import change_page
from lading.html.report_page import bundle_page, database_page

__all__ = ["bundle_page", "change_page", "database_page"]
