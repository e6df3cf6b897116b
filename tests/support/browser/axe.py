"""Accessibility checks of a page by axe-core."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# The panel's own elements. JupyterLab's other parts are not checked.
PANEL_ELEMENTS = "#pmh-panel, .pmh-Strip, .pmh-Result"


def accessibility_violations(page: Page, within: str | None = None) -> list[str]:
    """Return a line for each violated rule, with the elements; `within` is a list of CSS selectors (None: the whole page)."""
    context = {"include": [[selector.strip()] for selector in within.split(",")]} if within else None
    results = Axe().run(page, context=context)
    return [
        f"{violation['id']}: {violation['help']}: {', '.join(str(node['target']) for node in violation['nodes'])}"
        for violation in results.response["violations"]
    ]
