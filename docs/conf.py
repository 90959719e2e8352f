"""How Sphinx builds the pages: Markdown by MyST, docstrings by autodoc; nothing is fetched."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.pycode import ModuleAnalyzer

import lading
import lading.drawing
import lading.html
import lading.testing

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS), str(DOCS.parent / "schemas")]

from generated import commands_page  # noqa: E402 - it stands beside this file

project = "lading"
author = "lading contributors"
version = release = lading.__version__
html_title = f"lading {release}"
html_theme = "furo"
html_static_path = ["_static"]
html_show_copyright = False
html_copy_source = False

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build", "benchmarks/*.md"]  # what `make bench` writes, pages include
myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 3

# Every reference into lading must lead somewhere; those to other projects can't without network.
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!lading\b).*")]

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
napoleon_numpy_docstring = False
napoleon_use_rtype = False
python_maximum_signature_line_length = 88
add_module_names = False

#: Where users import a name from, by its last part; annotations name the module that defines it.
PUBLIC = {name: f"lading.{name}" for name in lading.__all__} | {
    name: f"{module.__name__}.{name}"
    for module in (lading.testing, lading.drawing, lading.html)
    for name in module.__all__
}
PUBLIC["ChangeSet"] = PUBLIC["ImportPlan"]  # what plans and diffs have in common


def as_imported(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: nodes.TextElement
) -> Any:
    """Resolve a reference to the module that defines a name by where users import it from."""
    target = node.get("reftarget", "")
    name = PUBLIC.get(target.rpartition(".")[2])
    if node.get("refdomain") != "py" or name is None or name == target:
        return None
    domain = env.get_domain("py")
    for kind in ("obj", "data"):
        found = domain.resolve_xref(env, node["refdoc"], app.builder, kind, name, node, contnode)
        if found is not None:
            return found
    return None


def with_commands(_app: Sphinx, _name: str, source: list[str]) -> None:
    """Put the commands into their page."""
    source[0] = source[0].replace("<!-- commands -->", commands_page())


def setup(app: Sphinx) -> None:
    """Add what the extensions don't do."""
    # A function is shown as it is called, rather than as a type checker takes it apart.
    analyzer = ModuleAnalyzer.for_module("lading.importer")
    analyzer.analyze()
    analyzer.overloads.clear()
    app.connect("missing-reference", as_imported)
    app.connect("source-read", with_commands)
