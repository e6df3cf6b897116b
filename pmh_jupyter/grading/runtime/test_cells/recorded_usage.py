"""The names, operators and files that the test cells of a release use with the reference solution, and may use with a submission."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any

from pmh_jupyter.grading.runtime.proxies.importable_objects import STATEFUL_MODULES, find_import_path
from pmh_jupyter.grading.runtime.test_cells.test_helpers import TestHelpers
from pmh_jupyter.grading.runtime.transport.bundle import IsolationFields
from pmh_jupyter.python_source.names import find_bound_names, find_read_names

CellUsage = dict[str, Any]


class TestUsage:
    """The usage of a release's test cells, read from a bundle or collected while the reference solution runs.

    The fields are those of `domain.isolation.NotebookUsage`, and `exported_names`.
    `captures_locked_data`: its `locked_data` is not None. Contract entries and operators are listed by the test cell's `grade_id`.
    """

    __test__ = False  # not a pytest class

    def __init__(self, isolation: IsolationFields | None) -> None:
        fields: Mapping[str, Any] = isolation or {}
        self.library_names = _decode_import_paths(fields.get("library_names", {}))
        self.rebound_names = set(fields.get("rebound_names", ()))
        self.shadowed_builtins = set(fields.get("shadowed_builtins", ()))
        self.exported_names = tuple(fields.get("exported_names", ()))
        self.test_helpers = set(fields.get("test_helpers", ()))
        locked_data = fields.get("locked_data", ())
        self.captures_locked_data = locked_data is not None
        self.locked_data = set(locked_data or ())
        self.changed_files = set(fields.get("changed_files", ()))
        self.changed_module_data = set(fields.get("changed_module_data", ()))
        self.contract = _decode_sets_by_cell(fields.get("contract", {}))
        self.operators = _decode_sets_by_cell(fields.get("operators", {}))

    def add_usage(self, grade_id: str, usage: CellUsage) -> None:
        """Add the usage of one test cell that ran in-process (see `record_cell_usage`)."""
        self.library_names |= _decode_import_paths(usage["library_names"])
        self.shadowed_builtins |= set(usage["shadowed_builtins"])
        self.test_helpers |= set(usage["test_helpers"])
        self.changed_files |= set(usage["changed_files"])
        self.changed_module_data |= set(usage["changed_module_data"])
        self.contract.setdefault(grade_id, set()).update(usage["contract"])
        self.operators.setdefault(grade_id, set()).update(usage["operators"])

    def as_dict(self) -> dict[str, Any]:
        """Return the fields of the event `usage`, sorted, so that the same release gives the same bytes."""
        return {
            "library_names": {name: list(import_path) for name, import_path in sorted(self.library_names.items())},
            "rebound_names": sorted(self.rebound_names),
            "shadowed_builtins": sorted(self.shadowed_builtins),
            "test_helpers": sorted(self.test_helpers),
            "locked_data": sorted(self.locked_data) if self.captures_locked_data else None,
            "changed_files": sorted(self.changed_files),
            "changed_module_data": sorted(self.changed_module_data),
            "contract": {grade_id: sorted(entries) for grade_id, entries in sorted(self.contract.items())},
            "operators": {grade_id: sorted(names) for grade_id, names in sorted(self.operators.items())},
        }


def record_cell_usage(source: str, namespace: Mapping[str, Any], helpers: TestHelpers) -> CellUsage:
    """Return the libraries, shadowed builtins and test helpers that a test cell (plain Python) is about to use in-process.

    Names that a helper reads from the notebook count as names that the test cell reads. What is known only after the cell has run stays
    empty here.
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
        "contract": [],
        "operators": [],
        "changed_files": [],
        "changed_module_data": [],
    }


def _decode_sets_by_cell(fields: dict[str, Any]) -> dict[str, set[str]]:
    return {grade_id: set(entries) for grade_id, entries in fields.items()}


def _decode_import_paths(fields: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Return the module and attribute by name."""
    return {name: (str(import_path[0]), str(import_path[1])) for name, import_path in fields.items()}
