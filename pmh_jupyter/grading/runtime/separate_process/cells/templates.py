"""Templates for `str.format` and `%` that come from the notebook.

A field such as `{0.__globals__}` can read everything that is reachable from the values of the test, and `{:9999999999}` uses all memory.
"""

from __future__ import annotations

import re
import string

_LARGE_WIDTH = re.compile(r"\d{5}|\*")
_PERCENT_FIELD = re.compile(r"%(\([^)]*\))?[-+ #0]*([\d*.]+)")


def is_safe_template(template: str) -> bool:
    """Return whether a template for `str.format` inserts only public attributes and items of the arguments, with ordinary widths."""
    try:
        fields = list(string.Formatter().parse(template))
    except ValueError:  # not a template: `format` raises the same error
        return True
    return not any(
        name is not None and ("._" in name or "{" in str(spec) or _LARGE_WIDTH.search(str(spec)))
        for _, name, spec, _ in fields
    )


def is_safe_percent_template(template: str) -> bool:
    """Return whether a template for `%` has only ordinary widths."""
    return not any(_LARGE_WIDTH.search(match[2]) for match in _PERCENT_FIELD.finditer(template))
