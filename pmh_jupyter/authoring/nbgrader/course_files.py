"""Finds files of an nbgrader course outside its assignments: header, footer and autotest templates.

nbgrader's layout is `<course>/nbgrader_config.py`, `<course>/autotests.yml` and `<course>/source/<assignment>/`. The configuration is
Python code; two settings are read from its syntax tree, without running it.
"""

from __future__ import annotations

import ast
from pathlib import Path

from pmh_jupyter.domain.course import File, SharedFiles
from pmh_jupyter.errors import BadInput
from pmh_jupyter.python_source.parsing import PARSE_ERRORS, parse

CONFIGURATION_NAME, AUTOTESTS_NAME = "nbgrader_config.py", "autotests.yml"
_CONFIG_CLASS = "IncludeHeaderFooter"
_MAX_LEVELS = 3  # a notebook's own folder, `source`, the course


def find_shared_files(path: Path) -> SharedFiles:
    """Find the shared files of a notebook or an assignment folder on disk. Raises BadInput for a header that cannot be read."""
    folder = path if path.is_dir() else path.parent
    folders = [folder, *folder.resolve().parents][:_MAX_LEVELS]
    configuration = next(
        (level / CONFIGURATION_NAME for level in folders if (level / CONFIGURATION_NAME).is_file()), None
    )
    settings = _read_settings(configuration) if configuration else {}
    templates = next((level / AUTOTESTS_NAME for level in folders if (level / AUTOTESTS_NAME).is_file()), None)
    return SharedFiles(
        header=_read_named_file(configuration, settings.get("header")),
        footer=_read_named_file(configuration, settings.get("footer")),
        autotests=File(AUTOTESTS_NAME, templates.read_bytes()) if templates else None,
    )


def _read_settings(path: Path) -> dict[str, str]:
    """Read settings of the form `c.IncludeHeaderFooter.header = "…"`. Values other than literal strings are ignored."""
    try:
        body = parse(path.read_bytes()).body
    except PARSE_ERRORS:
        return {}
    settings: dict[str, str] = {}
    for node in body:
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Constant):
            continue
        for target in node.targets:
            inner = target.value if isinstance(target, ast.Attribute) else None
            if isinstance(inner, ast.Attribute) and inner.attr == _CONFIG_CLASS and isinstance(node.value.value, str):
                assert isinstance(target, ast.Attribute)
                settings[target.attr] = node.value.value
    return settings


def _read_named_file(configuration: Path | None, name: str | None) -> File | None:
    if configuration is None or not name:
        return None
    try:
        return File(name, (configuration.parent / name).read_bytes())
    except OSError as error:
        raise BadInput(
            f"{configuration} names {name}, which cannot be read: {error.strerror}.",
            advice="Correct the path, which is relative to the course's folder, or remove the setting.",
        ) from error
