"""Sphinx: the documentation is MyST Markdown; reference pages are written by `tools/reference.py` and kept current by a test."""

from pmh_jupyter import __version__

project = "Python Mastery Hub for Jupyter"
copyright = "2026, Python Mastery Hub contributors"
version = release = __version__

extensions = ["myst_parser", "sphinx_design", "sphinx_copybutton"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
suppress_warnings: list[str] = []

html_theme = "pydata_sphinx_theme"
html_title = "Python Mastery Hub"
html_static_path: list[str] = []
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
}
# Pages without a section of their own; an empty bar would only take space.
html_sidebars: dict[str, list[str]] = {
    page: [] for page in ("architecture", "changelog", "contributing", "tutorial/first-classroom")
}
