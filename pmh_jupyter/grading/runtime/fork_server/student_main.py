"""The main function of a student process: confines itself, receives the start message, and serves the judge until the end."""

from __future__ import annotations

import base64
import os
import random
import socket
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from pmh_jupyter.grading.runtime.execution.cell_executor import CellExecutor
from pmh_jupyter.grading.runtime.execution.shell import Shell, describe_cell_error
from pmh_jupyter.grading.runtime.in_process.judge import InProcessStudentServer
from pmh_jupyter.grading.runtime.in_process.tamper_guard import TamperGuard
from pmh_jupyter.grading.runtime.in_process.test_cell import CellContext, execute_test_cell
from pmh_jupyter.grading.runtime.kernels.kernel_student import KernelStudentServer
from pmh_jupyter.grading.runtime.sandbox.output import OutputCapture
from pmh_jupyter.grading.runtime.sandbox.student_process import (
    LINK_DESCRIPTOR,
    StudentProcessConfig,
    confine_student_process,
)
from pmh_jupyter.grading.runtime.separate_process.student_peer import SeparateProcessStudentServer
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
            KernelStudentServer(link, start_message, config.limits["output_bytes"], write_files).serve()
        output = OutputCapture(config.limits["output_bytes"])
        output.install()
        _import_modules(start_message["modules"], warm_state.tamper_guard)
        _prepare_environment(start_message, config.environment.home)
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
            warm_state.tamper_guard.activate(warm_state.shell)
            InProcessStudentServer(
                link,
                commands.run_student_cell,
                commands.run_locked_cell,
                commands.run_test_cell,
                checkpoints.take_checkpoint,
            ).serve()
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

    def run_student_cell(self, number: int, source: str) -> ErrorFields | None:
        self.output.begin_cell()
        if self.helpers.collect_defined_names():
            rebound_names = find_bound_names(to_plain_python(source) or "")
            for name in (
                rebound_names
                if self.is_recording
                else rebound_names.intersection(self.isolation["rebound_names"] if self.isolation else ())
            ):
                self.helpers.forget(name)
        return self.cell_executor.run(number, source)

    def run_locked_cell(self, number: int, source: str) -> ErrorFields | None:
        self.output.begin_cell()
        cell_error = self.cell_executor.run(number, source)
        self.helpers.add_cell(to_plain_python(source) or "", self.warm_state.shell.user_ns)
        return cell_error

    def run_test_cell(self, number: int, source: str, grade_id: str) -> tuple[TestCellFields, CellUsage]:
        self.output.begin_cell()
        context = CellContext.from_isolation(self.warm_state.tamper_guard, self.isolation, grade_id, self.helpers)
        usage = (
            record_cell_usage(to_plain_python(source) or "", self.warm_state.shell.user_ns, self.helpers)
            if self.is_recording
            else {}
        )
        fields = execute_test_cell(self.warm_state.shell, source, self.cell_executor.leading_blank_lines, context)
        if self.is_recording:
            usage["operators"] = sorted(context.used_operators)
        return fields, usage

    def locate_error(self, error: BaseException) -> tuple[int | None, int | None]:
        cell_error = describe_cell_error(error, self.cell_executor.leading_blank_lines, include_detail=False)
        return cell_error["cell"], cell_error["line"]


def _import_modules(names: list[str], tamper_guard: TamperGuard) -> None:
    """Import the modules that tests will import, before a student's file can be imported in their place."""
    for name in names:
        with suppress(Exception):
            import_module(name)
    roots = dict.fromkeys(name.partition(".")[0] for name in names)
    tamper_guard.add_packages(root for root in roots if root in sys.modules)


def _set_home(home: str) -> None:
    if os.environ["HOME"] != home:  # without a sandbox; in a sandbox, HOME is always the same
        os.environ["HOME"] = os.environ["TMPDIR"] = tempfile.tempdir = home


def _prepare_environment(start_message: dict[str, Any], home: str) -> None:
    _set_home(home)
    write_files(start_message["files"])
    seed_random(start_message["seed"], numpy=start_message["seed_numpy"])
    # From here on, modules beside the notebook can be imported, as in Jupyter. They cannot replace modules that are loaded already.
    sys.path.insert(0, os.getcwd())


def write_files(files: list[dict[str, str]]) -> None:
    """Write files ({path, content in base64}) to the work folder, which is the current folder. Unsafe paths are skipped."""
    for file in files:
        path = Path(file["path"])
        if path.is_absolute() or ".." in path.parts:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(file["content"]))


def seed_random(number: int, *, numpy: bool) -> None:
    """Seed the random numbers, so that the same submission gives the same result each time. `numpy`: imports NumPy to seed it, too."""
    random.seed(number)
    if numpy or "numpy" in sys.modules:
        with suppress(ImportError):
            import_module("numpy.random").seed(number % (1 << 32))
