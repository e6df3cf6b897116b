"""What an nbgrader course keeps outside its assignments: header, footer and autotest templates.

nbgrader's own layout is `<course>/nbgrader_config.py`, `<course>/autotests.yml` and `<course>/source/<assignment>/`. The
configuration is Python; it is read for the two settings that are looked for, and never run.
"""

from __future__ import annotations

import ast
from pathlib import Path

from pmh_jupyter.domain.course import File, SharedFiles
from pmh_jupyter.domain.syntax import UNREADABLE, parse
from pmh_jupyter.errors import BadInput

CONFIGURATION, TEMPLATES = "nbgrader_config.py", "autotests.yml"
_SETTING = "IncludeHeaderFooter"
_LEVELS = 3  # a notebook's own folder, `source`, the course


def shared_files(place: Path) -> SharedFiles:
    """The files that go with a notebook or assignment folder on disk. Raises BadInput for a header that cannot be read."""
    folder = place if place.is_dir() else place.parent
    folders = [folder, *folder.resolve().parents][:_LEVELS]
    found = next((level / CONFIGURATION for level in folders if (level / CONFIGURATION).is_file()), None)
    settings = _settings(found) if found else {}
    templates = next((level / TEMPLATES for level in folders if (level / TEMPLATES).is_file()), None)
    return SharedFiles(
        header=_named(found, settings.get("header")),
        footer=_named(found, settings.get("footer")),
        autotests=File(TEMPLATES, templates.read_bytes()) if templates else None,
    )


def _settings(path: Path) -> dict[str, str]:
    """`c.IncludeHeaderFooter.header = "…"` and the like; only text that stands there as text."""
    try:
        body = parse(path.read_bytes()).body
    except UNREADABLE:
        return {}
    found: dict[str, str] = {}
    for node in body:
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Constant):
            continue
        for target in node.targets:
            inner = target.value if isinstance(target, ast.Attribute) else None
            if isinstance(inner, ast.Attribute) and inner.attr == _SETTING and isinstance(node.value.value, str):
                assert isinstance(target, ast.Attribute)
                found[target.attr] = node.value.value
    return found


def _named(configuration: Path | None, name: str | None) -> File | None:
    if configuration is None or not name:
        return None
    try:
        return File(name, (configuration.parent / name).read_bytes())
    except OSError as error:
        raise BadInput(
            f"{configuration} names {name}, which cannot be read: {error.strerror}.",
            advice="Mend the path, which is relative to the course's folder, or take the setting out.",
        ) from error
