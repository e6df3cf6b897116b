"""Writes the reference pages that follow from code: settings, scopes. `--check` only says whether they are current."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from pmh_jupyter.config import Settings

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"
NOTE = "<!-- Written by tools/reference.py. Change the code, not this page. -->\n\n"


def settings_page() -> str:
    """Every `PMH_*` variable with its default and its meaning."""
    lines = [
        "# Settings",
        "",
        "Read from the environment by `pmh up`, `jupyterhub_config.py`, the service and the spawners alike. A value that a setting",
        "cannot take stops the start with a message that names the variable.",
        "",
        "| variable | default | meaning |",
        "| --- | --- | --- |",
    ]
    for name, trait in Settings.variables().items():
        default = trait.default_value
        shown = f"`{default}`" if default not in ("", None) else "empty"
        lines.append(f"| `{name}` | {shown} | {trait.help} |")
    return NOTE + "\n".join(lines) + "\n"


def scopes_page() -> str:
    """Every role and scope with its reason, from `pmh_jupyter.hub.roles`."""
    from pmh_jupyter.hub.roles import scope_table

    lines = [
        "# Roles and scopes",
        "",
        "Least privilege: what each party may do at the Hub and at the service, and why. Anything not listed here is JupyterHub's default.",
        "",
        "| who | may | because |",
        "| --- | --- | --- |",
    ]
    lines += [f"| {who} | `{scope}` | {reason} |" for who, scope, reason in scope_table()]
    return NOTE + "\n".join(lines) + "\n"


PAGES: dict[str, Callable[[], str]] = {"settings.md": settings_page, "scopes.md": scopes_page}


def main(check: bool) -> int:
    """Writes the pages, or with `check` returns 1 and names those that are out of date."""
    stale = []
    for name, page in PAGES.items():
        path, text = REFERENCE / name, page()
        if not path.exists() or path.read_text() != text:
            stale.append(name)
            if not check:
                path.write_text(text)
    if check and stale:
        print(f"Out of date: {', '.join(stale)}. Run: python tools/reference.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
