"""What a test cell of a release uses of the reference solution, where it runs in the same process: see `NotebookJudging`."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any

from .apart.library import STATEFUL, name_of
from .bindings import bound_names, read_names
from .given import Helpers

Used = dict[str, Any]


def names_used(source: str, namespace: Mapping[str, Any], helpers: Helpers) -> Used:
    """Of a test cell (plain Python) that is about to run: libraries, builtins that the notebook shadows, helpers of given cells.

    What a helper reads of the notebook counts as read by the test cell.
    """
    read = read_names(source) - bound_names(source)
    given = read & helpers.keys()
    read |= helpers.reads()
    library = {}
    for name in read & namespace.keys() - helpers.keys():
        reference = name_of(namespace[name])
        if reference is not None and reference[0] not in STATEFUL:
            library[name] = list(reference)
    shadowed = (read & namespace.keys() & vars(builtins).keys()) - library.keys()
    return {"library": library, "shadowed": sorted(shadowed), "given": sorted(given), "operators": []}
