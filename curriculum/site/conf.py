"""Sphinx's configuration. Pages come from `build.py`; nothing is fetched from outside, neither now nor by a reader."""

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes

project = "minigrad"
author = "the authors of minigrad"
extensions = ["myst_nb", "sphinx_copybutton", "sphinx_design"]
html_theme = "furo"
html_title = "minigrad"
html_static_path = [str(Path(__file__).parent / "static")]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_domain_indices = False
html_math_renderer = "katex"
html_show_search_summary = (
    False  # the lines under a result are fetched page by page, which a browser refuses to files of the disk
)
html_theme_options: dict[str, Any] = {
    "light_css_variables": {"color-brand-primary": "#1f5fa8", "color-brand-content": "#1f5fa8"},
    "dark_css_variables": {"color-brand-primary": "#8bbcf4", "color-brand-content": "#8bbcf4"},
}
pygments_style, pygments_dark_style = "friendly", "monokai"
highlight_language = "python"
nitpicky = False
smartquotes = False  # quotation marks stand around values of arguments
add_module_names = False
python_maximum_signature_line_length = 100
toc_object_entries = False  # a page of a module holds hundreds of names: its contents are the sections
myst_enable_extensions = ["dollarmath", "colon_fence", "deflist", "attrs_inline"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # notebooks come with their outputs
nb_ipywidgets_js: dict[str, Any] = {}
nb_merge_streams = True
copybutton_prompt_text = ">>> "
copybutton_exclude = ".linenos, .gp, .go"
suppress_warnings = ["myst.header", "mystnb.unknown_mime_type"]


def _inline(self: Any, node: nodes.math) -> None:
    self.body.append(self.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    self.body.append(self.encode(node.astext()) + "</span>")
    raise nodes.SkipNode


def _display(self: Any, node: nodes.math_block) -> None:
    self.body.append(self.starttag(node, "div", "", CLASS="math display notranslate nohighlight"))
    self.body.append(self.encode(node.astext()) + "</div>\n")
    raise nodes.SkipNode


def _katex(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """KaTeX on the pages that have formulas, and only there."""
    if doctree is not None and next(doctree.findall(lambda n: isinstance(n, nodes.math | nodes.math_block)), None):
        app.add_css_file("katex/katex.min.css")
        app.add_js_file("katex/katex.min.js", loading_method="defer")
        app.add_js_file("formulas.js", loading_method="defer")


def _own_branch(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Beside each page the list of its own part of the site; of the other parts their first pages. (All of it on all pages is slow.)"""
    whole = context.get("toctree")
    if whole is not None:
        context["toctree"] = lambda **options: whole(**options | {"collapse": True})


def _plain_signatures(app: Any, doctree: nodes.document) -> None:
    """Types in signatures lead nowhere: `Operand | Number` are words of minigrad/signature.py, not names of a program."""
    for signature in doctree.findall(addnodes.desc_signature):
        for reference in list(signature.findall(addnodes.pending_xref)):
            reference.replace_self(reference.children)


def setup(app: Any) -> dict[str, Any]:
    app.add_html_math_renderer("katex", (_inline, None), (_display, None))
    app.connect("html-page-context", _katex)
    app.connect("html-page-context", _own_branch, priority=100)  # before the theme makes its list
    app.connect("doctree-read", _plain_signatures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
