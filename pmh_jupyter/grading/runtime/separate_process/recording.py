"""Runs the reference solution of a release, and records its usage: what its test cells may use of a submission (see `NotebookUsage`)."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from typing import Any

from pmh_jupyter.grading.runtime.files.folder_changes import FileChange
from pmh_jupyter.grading.runtime.files.shared_files import JudgeFileSync
from pmh_jupyter.grading.runtime.proxies import importable_objects
from pmh_jupyter.grading.runtime.separate_process.cells.test_cell import TestCell
from pmh_jupyter.grading.runtime.separate_process.cells.test_namespace import NameResolver, decode_lookup
from pmh_jupyter.grading.runtime.separate_process.contract.contract import RecordingContract
from pmh_jupyter.grading.runtime.separate_process.judge import SeparateProcessJudge
from pmh_jupyter.grading.runtime.transport.result_fields import ErrorFields
from pmh_jupyter.grading.runtime.transport.wire_format import decode_names
from pmh_jupyter.python_source.names import find_bound_names
from pmh_jupyter.python_source.plain_python import to_plain_python


class _RecordingNameResolver(NameResolver):
    """Resolves names as the reference's tests read them, and records which kind each is."""

    def capture_locked_data(self, names: Iterable[str]) -> None:
        """Copy all data that a locked cell has computed. The tests may read any of it."""
        self._capture_data(set(names))

    def _may_be_shadowed(self, name: str) -> bool:
        return True

    def _uses_helper(self, name: str) -> bool:
        if name in self.helpers.data_names:
            if self._is_changed_by_reference(name):
                self.usage.locked_data.discard(name)
                self.usage.test_helpers.discard(name)
                self.helpers.forget(name)
                self.usage.rebound_names.add(name)  # a submission may bind it again instead of changing it
                return False
            if name in self.helpers.captured_names:
                self.usage.locked_data.add(name)
        return super()._uses_helper(name)

    def _is_changed_by_reference(self, name: str) -> bool:
        """Return whether the reference has changed data of a locked cell. If so, the notebook's data is used, here and for submissions."""
        _, value, _ = decode_lookup(self.peer.request("lookup-name", name))
        return not self.peer.replicas.has_same_content(value, self.helpers[name])

    def _record_value(self, name: str, import_path: Any) -> bool:
        """Record a library name, if this process can import it, or a name that shadows a builtin."""
        if import_path is not None:
            module, path = import_path
            if module not in importable_objects.STATEFUL_MODULES and _can_import(module, path):
                self.usage.library_names[name] = (module, path)
                return True
        if name in vars(builtins):
            self.usage.shadowed_builtins.add(name)
        return False


class _RecordingFileSync(JudgeFileSync):
    """Lets the reference change every file of the lesson and of the tests, and records which it changes."""

    def _may_change(self, change: FileChange) -> bool:
        self.changed_by_reference.add(self.find_stable_name(change.key))
        return True


class RecordingJudge(SeparateProcessJudge):
    """Runs the reference solution. It refuses nothing, and `build_usage` returns what was recorded."""

    _contract: RecordingContract
    contract_class = RecordingContract
    name_resolver_class = _RecordingNameResolver
    file_sync_class = _RecordingFileSync

    def _collect_locked_names(self) -> frozenset[str]:
        return frozenset()  # the reference may change them

    def run_student_cell(self, number: int, source: str) -> ErrorFields | None:
        self._usage.rebound_names |= find_bound_names(to_plain_python(source) or "")
        return super().run_student_cell(number, source)

    def _restore_locked_classes(self) -> None:
        """Record which functions and classes of locked cells the reference has changed, instead of restoring them.

        A submission may change them in another way, for example define a class again.
        """
        if self._names_of_locked_cells:
            changes = decode_names(self.peer.request_from_runner("find-locked-changes"))
            self._usage.rebound_names.update(name.partition(".")[0] for name in changes)

    def _record_cell(self, grade_id: str, test_cell: TestCell) -> None:
        self._restore_locked_classes()
        test_cell.comparison_counts.end_statement()
        entries = self._contract.recorded_entries.union(test_cell.comparison_counts.recorded_entries)
        self._usage.contract.setdefault(grade_id, set()).update(entries)

    def build_usage(self) -> dict[str, Any]:
        if self._file_sync:
            self._usage.changed_files = self._file_sync.changed_by_reference
        return super().build_usage()


def _can_import(module: str, path: str) -> bool:
    try:
        importable_objects.import_object(module, path)
    except (ImportError, AttributeError):
        return False
    return True
