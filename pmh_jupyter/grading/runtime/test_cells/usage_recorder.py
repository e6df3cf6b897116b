"""Records which parts of the reference solution a test cell uses, if it runs in-process (see `recorded_usage.TestUsage`)."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any

from pmh_jupyter.grading.runtime.execution.bindings import find_bound_names, find_read_names
from pmh_jupyter.grading.runtime.proxies.importable_objects import STATEFUL_MODULES, find_import_path
from pmh_jupyter.grading.runtime.test_cells.test_helpers import TestHelpers

Usage = dict[str, Any]


def record_usage(source: str, namespace: Mapping[str, Any], helpers: TestHelpers) -> Usage:
    """Return the names of libraries, shadowed builtins and test helpers that a test cell (plain Python) uses, before it runs.

    Names that a helper reads from the notebook count as names that the test cell reads. `operators` stays empty here.
    """
    names_read = find_read_names(source) - find_bound_names(source)
    used_helpers = {
        name
        for name in names_read & helpers.keys()
        if name not in helpers.data_names or repr(namespace.get(name)) == repr(helpers[name])
    }
    names_read |= helpers.collect_external_names()
    library_names = {}
    for name in names_read & namespace.keys() - helpers.keys():
        reference = find_import_path(namespace[name])
        if reference is not None and reference[0] not in STATEFUL_MODULES:
            library_names[name] = list(reference)
    shadowed_builtins = (names_read & namespace.keys() & vars(builtins).keys()) - library_names.keys()
    return {
        "library_names": library_names,
        "shadowed_builtins": sorted(shadowed_builtins),
        "test_helpers": sorted(used_helpers),
        "operators": [],
    }
