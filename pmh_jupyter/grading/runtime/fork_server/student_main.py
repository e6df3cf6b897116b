"""The main function of a student process: confines itself, receives the start message and the files, and serves the judge until the end."""

from __future__ import annotations

import os
import random
import socket
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from pmh_jupyter.grading.runtime.execution.cell_executor import CellExecutor
from pmh_jupyter.grading.runtime.execution.shell import Shell, describe_cell_error
from pmh_jupyter.grading.runtime.files.initial_files import receive_files
from pmh_jupyter.grading.runtime.in_process.judge import serve_in_process
from pmh_jupyter.grading.runtime.in_process.lesson_files import LessonFiles, find_module_roots
from pmh_jupyter.grading.runtime.in_process.module_data import ModuleData
from pmh_jupyter.grading.runtime.in_process.tamper_guard import TamperGuard
from pmh_jupyter.grading.runtime.in_process.test_cell import CellContext, execute_test_cell
from pmh_jupyter.grading.runtime.in_process.test_namespace import TestNamespace
from pmh_jupyter.grading.runtime.kernels.kernel_student import serve_kernel
from pmh_jupyter.grading.runtime.sandbox.output import OutputCapture
from pmh_jupyter.grading.runtime.sandbox.student_process import (
    LINK_DESCRIPTOR,
    StudentProcessConfig,
    confine_student_process,
)
from pmh_jupyter.grading.runtime.separate_process.peers.student_peer import SeparateProcessStudentServer
from pmh_jupyter.grading.runtime.test_cells.recorded_usage import CellUsage, record_cell_usage
from pmh_jupyter.grading.runtime.test_cells.test_helpers import TestHelpers
from pmh_jupyter.grading.runtime.transport.bundle import IsolationFields
from pmh_jupyter.grading.runtime.transport.framing import Link, PeerLost
from pmh_jupyter.grading.runtime.transport.result_fields import ErrorFields, TestCellFields
from pmh_jupyter.python_source.names import find_bound_names
from pmh_jupyter.python_source.plain_python import to_plain_python


@dataclass(frozen=True)
class WarmState:
    """Objects that the fork server creates once, before it forks."""

    shell: Shell
    tamper_guard: TamperGuard


def run_student_process(config: StudentProcessConfig, warm_state: WarmState) -> NoReturn:
    """Run a newly forked student process until it exits."""
    exit_code = 1
    try:
        checkpoints = confine_student_process(config)
        link = Link(socket.socket(fileno=LINK_DESCRIPTOR))
        start_message = link.receive()
        if start_message["kernel"]:
            _set_home(config.environment.home)
            serve_kernel(link, start_message, config.limits["output_bytes"])
        output = OutputCapture(config.limits["output_bytes"])
        output.install()
        _prepare_environment(start_message, link, config.environment.home, warm_state.tamper_guard)
        commands = _StudentCommands(
            warm_state,
            CellExecutor(warm_state.shell, is_plain_python=start_message["is_plain_python"]),
            output,
            start_message["is_recording"],
            start_message["notebook_isolation"],
        )
        if start_message["isolation"] == "separate-process":
            SeparateProcessStudentServer(
                link,
                warm_state.shell.user_ns,
                commands.run_student_cell,
                checkpoints.take_checkpoint,
                pop_output=output.pop_output,
                locate_error=commands.locate_error,
                shared_folders=config.environment.shared_folders,
            ).serve()
        else:
            warm_state.tamper_guard.activate()
            handlers: dict[str, Callable[..., object]] = {
                "run-cell": commands.run_student_cell,
                "run-locked-cell": commands.run_locked_cell,
                "run-test-cell": commands.run_test_cell,
            }
            serve_in_process(link, handlers, checkpoints.take_checkpoint)
    except PeerLost as lost:
        exit_code = 0 if lost.cause == "closed" else 1
    except BaseException:  # noqa: BLE001 - no exception of a cell may return to the code that forked this process
        exit_code = 1
    finally:
        os._exit(exit_code)


@dataclass(frozen=True)
class _StudentCommands:
    """The commands of the judge.

    isolation: that of the bundle, if tests run in-process. is_recording: test cells report their usage.
    """

    warm_state: WarmState
    cell_executor: CellExecutor
    output: OutputCapture
    is_recording: bool
    isolation: IsolationFields | None
    helpers: TestHelpers = field(default_factory=TestHelpers)

    @cached_property
    def test_namespace(self) -> TestNamespace:
        """The names of the test cells, if they have names of their own."""
        return TestNamespace(self.warm_state.shell.user_ns, self.isolation["exported_names"] if self.isolation else ())

    def run_student_cell(self, number: int, source: str) -> ErrorFields | None:
        self.output.begin_cell()
        rebound_names = self.isolation["rebound_names"] if self.isolation else ()
        if self.is_recording or rebound_names:  # in a separate process, no names are shared with tests
            bound_names = find_bound_names(to_plain_python(source) or "")
            self._forget_names(bound_names if self.is_recording else bound_names.intersection(rebound_names))
        return self.cell_executor.run(number, source)

    def run_locked_cell(self, number: int, source: str) -> ErrorFields | None:
        self.output.begin_cell()
        cell_error = self.cell_executor.run(number, source)
        python_source = to_plain_python(source) or ""
        self._forget_names(find_bound_names(python_source))
        self.helpers.add_cell(python_source, self.warm_state.shell.user_ns)
        return cell_error

    def _forget_names(self, names: set[str]) -> None:
        """Use the notebook's value of names that it has bound again."""
        for name in names:
            self.helpers.forget(name)
            self.test_namespace.pop_own(name)

    def run_test_cell(self, number: int, source: str, grade_id: str) -> tuple[TestCellFields, CellUsage]:
        self.output.begin_cell()
        context = CellContext.from_isolation(
            self.warm_state.tamper_guard, self.isolation, grade_id, self.helpers, self.test_namespace
        )
        usage = (
            record_cell_usage(to_plain_python(source) or "", self.warm_state.shell.user_ns, self.helpers)
            if self.is_recording
            else {}
        )
        run = execute_test_cell(self.warm_state.shell, source, self.cell_executor.leading_blank_lines, context)
        if self.is_recording:
            usage |= self._collect_changes() | {"operators": sorted(run.operators), "contract": sorted(run.contract)}
        return run.fields, usage

    def _collect_changes(self) -> CellUsage:
        """Return the files and the module data of the lesson that the notebook or its tests have changed so far."""
        files, data = self.warm_state.tamper_guard.lesson_files, self.warm_state.tamper_guard.module_data
        return {
            "changed_files": sorted(files.recorded_changes) if files else [],
            "changed_module_data": sorted(data.recorded_changes) if data else [],
        }

    def locate_error(self, error: BaseException) -> tuple[int | None, int | None]:
        cell_error = describe_cell_error(error, self.cell_executor.leading_blank_lines, include_detail=False)
        return cell_error["cell"], cell_error["line"]


def _import_modules(names: Iterable[str]) -> None:
    for name in names:
        with suppress(Exception):
            import_module(name)


def _set_home(home: str) -> None:
    if os.environ["HOME"] != home:  # without a sandbox; in a sandbox, HOME is always the same
        os.environ["HOME"] = os.environ["TMPDIR"] = tempfile.tempdir = home


def _prepare_environment(start_message: dict[str, Any], link: Link, home: str, tamper_guard: TamperGuard) -> None:
    """Receive the files, and import and protect the modules that tests import, before a student's file can be imported in their place."""
    _set_home(home)
    module_roots = find_module_roots(start_message["release_paths"])
    lesson_modules = [name for name in start_message["modules"] if name.partition(".")[0] in module_roots]
    libraries = [name for name in start_message["modules"] if name not in lesson_modules]
    _import_modules(libraries)
    library_roots = dict.fromkeys(name.partition(".")[0] for name in libraries)
    tamper_guard.add_packages(root for root in library_roots if root in sys.modules)
    receive_files(link)  # those of the release
    seed_random(start_message["seed"], numpy=start_message["seed_numpy"])
    # From here on, modules beside the notebook can be imported, as in Jupyter. They cannot replace modules that are loaded already.
    sys.path.insert(0, os.getcwd())
    if start_message["isolation"] == "in-process":
        _import_lesson(start_message, lesson_modules, tamper_guard)
        seed_random(start_message["seed"], numpy=start_message["seed_numpy"])
    receive_files(link)  # the student's


def _import_lesson(start_message: dict[str, Any], module_names: list[str], tamper_guard: TamperGuard) -> None:
    """Import the lesson's modules, and save their state and the lesson's files."""
    isolation, is_recording = start_message["notebook_isolation"] or {}, start_message["is_recording"]
    paths = [path for path in start_message["release_paths"] if os.path.isfile(path)]
    contents = {path: Path(path).read_bytes() for path in paths}
    loaded_modules, writes_bytecode = set(sys.modules), sys.dont_write_bytecode
    sys.dont_write_bytecode = True  # the work folder contains what the student sees there, no more
    _import_modules(module_names)
    sys.dont_write_bytecode = writes_bytecode
    roots = find_module_roots(paths) & sys.modules.keys() - loaded_modules
    folder = os.getcwd()
    tamper_guard.add_lesson_modules(roots, (os.path.join(folder, path) for path in paths if path.endswith(".py")))
    tamper_guard.module_data = ModuleData(
        (module for name, module in [*sys.modules.items()] if name.partition(".")[0] in roots),
        isolation.get("changed_module_data", ()),
        is_recording=is_recording,
    )
    tamper_guard.lesson_files = LessonFiles(
        contents,
        folder,
        isolation.get("changed_files", ()),
        is_recording=is_recording,
    )


def seed_random(number: int, *, numpy: bool) -> None:
    """Seed the random numbers, so that the same submission gives the same result each time. `numpy`: imports NumPy to seed it, too."""
    random.seed(number)
    if numpy or "numpy" in sys.modules:
        with suppress(ImportError):
            import_module("numpy.random").seed(number % (1 << 32))
