"""The judge of one notebook: sends the student's cells to the student process, and runs the test cells here."""

from __future__ import annotations

import builtins
from typing import Any

from pmh_jupyter.grading.runtime.execution.text_clipping import clip
from pmh_jupyter.grading.runtime.files.shared_files import WORK_FOLDER, JudgeFileSync
from pmh_jupyter.grading.runtime.policies.code_execution_policy import CODE_EXECUTION_POLICY, ReleaseTexts
from pmh_jupyter.grading.runtime.policies.file_policy import FILE_POLICY
from pmh_jupyter.grading.runtime.proxies.proxies import get_apparent_class
from pmh_jupyter.grading.runtime.separate_process.cells.cell_transform import (
    CODE_FUNCTION,
    FORMAT_FUNCTION,
    MODULE_FUNCTION,
    TYPE_FUNCTION,
    transform_statement,
)
from pmh_jupyter.grading.runtime.separate_process.cells.compiled_cell import compile_cell, unpack_cell
from pmh_jupyter.grading.runtime.separate_process.cells.definition_sources import DefinitionSources
from pmh_jupyter.grading.runtime.separate_process.cells.lesson_modules import LessonModules
from pmh_jupyter.grading.runtime.separate_process.cells.templates import is_safe_template
from pmh_jupyter.grading.runtime.separate_process.cells.test_cell import TestCell
from pmh_jupyter.grading.runtime.separate_process.cells.test_environment import TestEnvironment, enforce_deadline
from pmh_jupyter.grading.runtime.separate_process.cells.test_namespace import NameResolver, Namespace
from pmh_jupyter.grading.runtime.separate_process.contract.contract import Contract
from pmh_jupyter.grading.runtime.separate_process.peers.judge_peer import JudgePeer
from pmh_jupyter.grading.runtime.test_cells.notebook_judge import NotebookJudge
from pmh_jupyter.grading.runtime.test_cells.recorded_usage import TestUsage
from pmh_jupyter.grading.runtime.test_cells.statements import remove_hidden_tests
from pmh_jupyter.grading.runtime.test_cells.test_helpers import TestHelpers
from pmh_jupyter.grading.runtime.transport.bundle import BundleCell, IsolationFields
from pmh_jupyter.grading.runtime.transport.framing import Link, PeerLost
from pmh_jupyter.grading.runtime.transport.result_fields import ErrorFields, TestCellFields
from pmh_jupyter.grading.runtime.transport.wire_format import decode_names
from pmh_jupyter.python_source.names import find_bound_names
from pmh_jupyter.python_source.plain_python import to_plain_python


class SeparateProcessJudge(NotebookJudge):
    """Runs the cells of a submitted notebook with separate-process isolation. See `recording` for those of the reference solution.

    link: the connection to the student process. isolation: the notebook's isolation (see `IsolationFields`), or None.
    shared_folders: the paths of the folders that tests and notebook share, by name. lesson_files: the lesson's files in them
    ({path, content in base64}). max_file_bytes: maximum size of a file.
    """

    contract_class = Contract
    name_resolver_class = NameResolver
    file_sync_class = JudgeFileSync

    def __init__(
        self,
        link: Link,
        isolation: IsolationFields | None,
        *,
        shared_folders: dict[str, str] | None = None,
        lesson_files: list[dict[str, str]] | None = None,
        max_file_bytes: int = 64 << 20,
    ) -> None:
        self._usage = TestUsage(isolation)
        self._contract = self.contract_class(self._usage.contract.values())
        self._definition_sources = DefinitionSources()
        self._names_of_locked_cells: dict[int, tuple[str, ...]] = {}
        self._release_texts = ReleaseTexts()
        # The shell that a test cell has requested, and its previous namespace.
        self._borrowed_shell: tuple[Any, Any] | None = None
        self._helpers = TestHelpers(transform_statement)
        self._file_sync = (
            self.file_sync_class(shared_folders, lesson_files or [], max_file_bytes, self._usage.changed_files)
            if shared_folders
            else None
        )
        self._lesson_modules = LessonModules(
            lesson_files or [],
            (shared_folders or {}).get(WORK_FOLDER, ""),
            self._helpers.recorder_delegate,
            self._release_texts,
            self._transform_functions,
        )
        self._connect_peer(link)
        self.namespace = self._make_namespace()
        self._environment = TestEnvironment(self.peer, self._definition_sources, self.namespace, self._get_ipython)

    def _make_namespace(self) -> Namespace:
        history = [""]
        namespace = Namespace(self._name_resolver)
        namespace.update(
            {
                "__name__": "__main__",
                "__builtins__": builtins,
                **self._transform_functions,
                "In": history,
                "_ih": history,
                "get_ipython": self._get_ipython,
            }
        )
        return namespace

    @property
    def _transform_functions(self) -> dict[str, Any]:
        """The functions that transformed statements call, by name."""
        return {
            TYPE_FUNCTION: get_apparent_class,
            MODULE_FUNCTION: self._get_student_module,
            CODE_FUNCTION: self._get_code_argument,
            FORMAT_FUNCTION: self._get_format_method,
        }

    def _connect_peer(self, link: Link) -> None:
        self.peer = JudgePeer(link, self._contract, lambda: self.namespace.get_own("input"), self._file_sync)
        self._name_resolver = self.name_resolver_class(self.peer, self._usage, self._helpers)
        self._name_resolver.locked_names = self._collect_locked_names()

    def _collect_locked_names(self) -> frozenset[str]:
        """Return the names whose values are those of locked cells."""
        return frozenset().union(*self._names_of_locked_cells.values())

    @property
    def is_student_lost(self) -> bool:
        return self.peer.failure is not None

    def reconnect(self, link: Link) -> None:
        self.peer.is_retired = True
        self._connect_peer(link)
        self.namespace.name_resolver = self._name_resolver
        self._environment = TestEnvironment(self.peer, self._definition_sources, self.namespace, self._get_ipython)

    def build_usage(self) -> dict[str, Any]:
        return self._usage.as_dict()

    def checkpoint(self) -> None:
        self.peer.request_from_runner("checkpoint")

    def run_student_cell(self, number: int, source: str) -> ErrorFields | None:
        # Names that the cell binds only matter if the tests have bound a name that the reference binds, too, which is rare.
        helper_names = self._helpers.collect_defined_names()
        if any(name in helper_names or self.namespace.has_own(name) for name in self._usage.rebound_names):
            for name in find_bound_names(to_plain_python(source) or "") & self._usage.rebound_names:
                self.namespace.pop_own(name)
                self._helpers.forget(name)
        return self._run_new_cell(number, source)

    def run_locked_cell(self, number: int, source: str) -> ErrorFields | None:
        """Run a locked cell in the student process, and define its helpers here too."""
        python_source = to_plain_python(source) or ""
        bound_names = find_bound_names(python_source)
        for name in bound_names:
            self.namespace.pop_own(name)
        self._helpers.add_cell(python_source)
        self._release_texts.add(python_source)
        self._names_of_locked_cells[number] = tuple(sorted(bound_names - self._usage.rebound_names))
        self._name_resolver.locked_names = self._collect_locked_names()
        return self._run_new_cell(number, source)

    def _run_new_cell(self, number: int, source: str) -> ErrorFields | None:
        self._append_to_history(source)
        self._definition_sources.add(source)
        return self._run_in_student_process(number, source)

    def prepare_replay(self) -> None:
        self._export_names()

    def replay_cell(self, cell: BundleCell) -> None:
        """Run a cell again for its effects in the student process. A test cell has none: the names that it binds are in the judge."""
        if cell["kind"] != "test":
            self._run_in_student_process(cell["cell"], cell["source"])

    def _run_in_student_process(self, number: int, source: str) -> ErrorFields | None:
        self._name_resolver.clear_cache()
        locked_names = self._names_of_locked_cells.get(number)
        with self.peer.discard_output():
            cell_error = _decode_cell_error(self.peer.request_from_runner("run-cell", number, source))
            if locked_names:
                self.peer.request_from_runner("save-locked-names", locked_names)
                self._name_resolver.capture_locked_data(locked_names)
        return cell_error

    def _restore_locked_classes(self) -> None:
        """Undo changes of functions and classes of locked cells."""
        if self._names_of_locked_cells:
            for name in decode_names(self.peer.request_from_runner("restore-locked-classes")):
                self._contract.observations.record_helper_change(name)

    def run_test_cell(self, number: int, grade_id: str, source: str, packed_cell: str = "") -> TestCellFields:
        """Run a test cell within the deadline of the link. Names that later cells of the notebook read are exported afterwards."""
        self._name_resolver.clear_cache()
        # Tests may read `In`, and feedback may quote it.
        self._append_to_history(remove_hidden_tests(source))
        self.peer.begin_cell(self._usage.contract.get(grade_id, ()), source, self._definition_sources.cells)
        self._restore_locked_classes()
        compiled_cell = unpack_cell(packed_cell) or compile_cell(source)
        self._release_texts.add(compiled_cell.python_source if compiled_cell else "")
        test_cell = TestCell(self.peer, self.namespace, self._helpers, compiled_cell)
        try:
            with (
                self._environment.enter(),
                self._lesson_modules.enable(),
                CODE_EXECUTION_POLICY.enforce(
                    self._contract.observations.make_code_violation, self._release_texts.collect_texts
                ),
                FILE_POLICY.monitor(self._file_sync),  # after the other policy, which looks up folders when it starts
                enforce_deadline(self.peer.link),  # last: only `TestCell.run` handles `TimeLimitReached`
            ):
                fields = test_cell.run()
        finally:
            self._contract.end_cell()
            if self._borrowed_shell is not None:
                self._borrowed_shell[0].user_ns, self._borrowed_shell = self._borrowed_shell[1], None
        self._record_cell(grade_id, test_cell)
        self.peer.end_cell()
        self._export_names()
        test_cell.flag_collector.extend(self._file_sync.pop_flags() if self._file_sync else ())
        return fields | {"flags": test_cell.flag_collector.flags}

    def _record_cell(self, grade_id: str, test_cell: TestCell) -> None:
        """Called after a test cell has run."""

    def _export_names(self) -> None:
        """Send the names that later cells of the notebook read to the student process."""
        for name in self._usage.exported_names:
            if self.namespace.has_own(name):
                self.peer.request_from_runner("bind-name", name, self.namespace.get_own(name))

    def _append_to_history(self, source: str) -> None:
        self.namespace.get_own("In", []).append(source)

    def _get_code_argument(self, text: Any, name: str) -> Any:
        """Return the first argument for `eval` or `exec`. A function of the notebook with that name receives it unchanged."""
        is_overridden = name in self._usage.shadowed_builtins or self.namespace.has_own(name)
        return text if is_overridden else self._release_texts.compile_release_text(text, name)

    def _get_format_method(self, value: Any, name: str) -> Any:
        """Return `value.format`. A template of the notebook must not read attributes or items of the test's values."""
        is_template = type(value) is str and value not in self._release_texts.collect_texts()
        if is_template and not is_safe_template(value):
            raise self._contract.observations.make_code_violation(f"a template for str.{name}: {value[:80]!r}")
        return getattr(value, name)

    def _get_student_module(self, name: str) -> Any:
        return self.peer.request("import-module", name)

    def _get_ipython(self) -> Any:
        """Return a shell in the judge with the names of the tests, created on first use."""
        from pmh_jupyter.grading.runtime.execution.shell import make_shell

        shell = make_shell()
        self._borrowed_shell = self._borrowed_shell or (shell, shell.user_ns)
        shell.user_ns = self.namespace
        return shell


def _decode_cell_error(reply: Any) -> ErrorFields | None:
    """Validate a cell error that the student process reports. Raises `PeerLost` if it is malformed."""
    if reply is None:
        return None
    if type(reply) is not dict:
        raise PeerLost("protocol-error", "A cell error is malformed.")
    error, detail = reply.get("error_type"), reply.get("detail")
    cell, line = reply.get("cell"), reply.get("line")
    return {
        "error_type": clip(error, 80) if type(error) is str else "",
        "detail": clip(detail) if type(detail) is str else "",
        "cell": cell if type(cell) is int else None,
        "line": line if type(line) is int else None,
    }
