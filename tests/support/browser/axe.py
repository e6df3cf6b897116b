"""axe-core's findings on a page, in words."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# Lab's own parts are Lab's to mend; what we put into it, and our own pages, are ours.
OURS = "#pmh-panel, .pmh-Strip, .pmh-Result"


def findings(page: Page, within: str | None = None) -> list[str]:
    """Every violation, with the places it was found in; `within` is a CSS selector (None: the whole page)."""
    context = {"include": [[selector.strip()] for selector in within.split(",")]} if within else None
    results = Axe().run(page, context=context)
    return [
        f"{violation['id']}: {violation['help']}: {', '.join(str(node['target']) for node in violation['nodes'])}"
        for violation in results.response["violations"]
    ]
