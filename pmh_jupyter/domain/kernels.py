"""The kernel and language of a notebook, and the stub that replaces solutions in that language. Pure.

Source of the format: nbformat 4, `metadata.kernelspec` and `metadata.language_info`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pmh_jupyter.domain.markers import CODE_STUB

PYTHON = "python"
_STUB_COMMENT = "# YOUR CODE HERE"
# Each stub raises an error, so that an unanswered exercise does not pass.
_CODE_STUBS = {
    PYTHON: CODE_STUB,
    "r": f'{_STUB_COMMENT}\nstop("There is no answer here yet.")',
    "julia": f'{_STUB_COMMENT}\nerror("There is no answer here yet.")',
    "bash": f"{_STUB_COMMENT}\nfalse",
}


def find_language(metadata: Mapping[str, Any]) -> str:
    """Return the language of a notebook's code, in lower case; "python" if the metadata does not name one."""
    for section, key in (("kernelspec", "language"), ("language_info", "name")):
        values = metadata.get(section)
        language = values.get(key) if isinstance(values, Mapping) else None
        if isinstance(language, str) and language.strip():
            return PYTHON if language.strip().lower() in ("python", "python3", "ipython") else language.strip().lower()
    return PYTHON


def find_kernel(metadata: Mapping[str, Any]) -> str:
    """Return the name of the kernel that a notebook needs; "" for Python, which the grader runs without a kernel."""
    language = find_language(metadata)
    if language == PYTHON:
        return ""
    spec = metadata.get("kernelspec")
    name = spec.get("name") if isinstance(spec, Mapping) else None
    return name if isinstance(name, str) and name else language


def make_code_stub(language: str) -> str:
    """Return the stub that replaces a solution; only a comment if the language is unknown."""
    return _CODE_STUBS.get(language, _STUB_COMMENT)
