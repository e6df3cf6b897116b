"""The student's end for notebooks in other languages than Python: a Jupyter kernel runs the cells, driven by nbclient.

Kernel and driver are processes of the submission's sandbox, with its uid and limits. They communicate over sockets among its files.
The kernel's reply is not more trustworthy than a test that runs in-process. Requests are those of `in_process.judge`, but a reply
describes only how the execution ended. `kernel_judge` turns it into a cell error or a test result.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from pmh_jupyter.grading.runtime.execution.text_clipping import clip
from pmh_jupyter.grading.runtime.files.initial_files import receive_files
from pmh_jupyter.grading.runtime.sandbox import linux
from pmh_jupyter.grading.runtime.sandbox.student_process import OUTPUT_EXIT_CODE
from pmh_jupyter.grading.runtime.transport.framing import Link

MAX_TEXT_LENGTH = 2_000
# Seeds the random numbers, so that the same submission gives the same result each time, in the languages listed here.
SEED_STATEMENTS = {"r": "set.seed({})", "julia": "import Random; Random.seed!({})", "bash": "RANDOM={}"}
STARTUP_TIMEOUT_SECONDS = 60


class KernelStartError(Exception):
    """A kernel of this name cannot be started here."""


class Kernel:
    """A running kernel. If a cell prints more than `max_output_bytes`, this process exits with `OUTPUT_EXIT_CODE`."""

    def __init__(self, name: str, max_output_bytes: int) -> None:
        try:
            client = _make_client(name)
        except ImportError as error:
            raise KernelStartError(f"{error.name} is not installed where submissions are graded") from error
        self.client, self.max_output_bytes = client, max_output_bytes
        self.output_size = 0
        self.reply: dict[str, Any] = {}
        self.output_parts: list[str] = []
        client.process_message = self._limit_output(client.process_message)
        client.on_cell_executed = self._on_cell_executed
        self.helper_pids = self._start(name)

    def seed(self, number: int) -> None:
        """Seed the language's random numbers, if `SEED_STATEMENTS` has a statement for the language."""
        seed_statement = SEED_STATEMENTS.get(str(self.client.km.kernel_spec.language).lower())
        if seed_statement:
            self.run(seed_statement.format(number))

    def run(self, source: str) -> dict[str, str]:
        """Run one cell.

        Returns status ("ok", "error", …, or "kernel-died"), error_name, message, and the end of the output.
        """
        from nbclient.exceptions import DeadKernelError
        from nbformat.v4 import new_code_cell

        self.reply, self.output_parts, self.output_size = {}, [], 0
        if not source.strip():
            return {"status": "ok", "error_name": "", "message": "", "output": ""}
        cell = new_code_cell(source)  # type: ignore[no-untyped-call]
        self.client.nb.cells = [cell]
        try:
            self.client.execute_cell(cell, 0)
        except DeadKernelError:
            return _make_lost_reply()
        if not all(map(_is_alive, self.helper_pids)):
            return _make_lost_reply()
        return {
            "status": str(self.reply.get("status", "")),
            "error_name": clip(str(self.reply.get("ename", ""))),
            "message": clip(str(self.reply.get("evalue", "")), MAX_TEXT_LENGTH),
            "output": "".join(self.output_parts)[-MAX_TEXT_LENGTH:],
        }

    def _start(self, name: str) -> list[int]:
        """Start the kernel. Returns the pids of child processes that it depends on, for example a shell that it drives."""
        from jupyter_client.kernelspec import NoSuchKernel

        try:
            self.client.start_new_kernel(cwd=os.getcwd())
            self.client.start_new_kernel_client()
        except NoSuchKernel as error:
            raise KernelStartError(f"the kernel {name} is not installed where submissions are graded") from error
        except Exception as error:  # the kernel's provisioner, its program and the sockets raise errors of any class
            raise KernelStartError(
                f"the kernel {name} does not start: {type(error).__name__}: {clip(str(error))}"
            ) from error
        # Taken before the first cell runs: processes that a cell starts do not count.
        return [pid for pid in linux.list_processes() if linux.get_parent_pid(pid) == self.client.km.provisioner.pid]

    def _on_cell_executed(self, cell: Any, cell_index: int, execute_reply: dict[str, Any]) -> None:
        self.reply = execute_reply["content"]

    def _limit_output(self, process_message: Callable[..., Any]) -> Callable[..., Any]:
        def process_limited(message: dict[str, Any], *arguments: Any) -> Any:
            content = message["content"]
            if message["msg_type"] not in ("status", "execute_input"):
                self.output_size += len(content["text"]) if "text" in content else len(str(content))
                if self.output_size > self.max_output_bytes:
                    os._exit(OUTPUT_EXIT_CODE)
            if message["msg_type"] == "stream":
                self._append_output(str(content.get("text", "")))
                return None
            return process_message(message, *arguments)

        return process_limited

    def _append_output(self, text: str) -> None:
        self.output_parts.append(text)
        if len(self.output_parts) > MAX_TEXT_LENGTH:
            self.output_parts = ["".join(self.output_parts)[-MAX_TEXT_LENGTH:]]


def serve_kernel(link: Link, start_message: dict[str, Any], max_output_bytes: int) -> NoReturn:
    """Report that the kernel is ready, or why it could not start, then serve until the judge closes the connection."""
    # Processes of the kernel have the same uid as this one. They may kill it, but must not read its memory.
    linux.prctl(linux.PR_SET_DUMPABLE, 0)
    logging.disable()
    try:
        kernel = Kernel(start_message["kernel"], max_output_bytes)
    except KernelStartError as error:
        link.send({"start_error": str(error)})
        link.receive()  # raises as soon as the judge closes the connection
        raise
    kernel.seed(start_message["seed"])
    link.send({"start_error": ""})
    # Not before the kernel has started: some languages run a file in the folder where they start.
    receive_files(link)  # those of the release
    receive_files(link)  # the student's
    while True:
        _, _, source = link.receive()
        link.send(kernel.run(source))


def _make_client(name: str) -> Any:
    """Create a client whose kernel only this sandbox can reach, because its sockets are files."""
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient
    from nbformat.v4 import new_notebook

    folder = Path(tempfile.mkdtemp(prefix="kernel-"))
    manager = AsyncKernelManager(kernel_name=name, transport="ipc", connection_file=str(folder / "k.json"))
    client = NotebookClient(
        new_notebook(),  # type: ignore[no-untyped-call]
        km=manager,
        kernel_name=name,
        timeout=None,  # the judge enforces the time limit
        startup_timeout=STARTUP_TIMEOUT_SECONDS,
        allow_errors=True,
        store_widget_state=False,
    )
    with suppress(LookupError):  # not installed: `_start` reports it
        argv = manager.kernel_spec.argv if manager.kernel_spec else []
        if len(argv) > 1 and os.path.basename(argv[0]).startswith("python") and argv[1] == "-m":
            argv.insert(1, "-P")  # otherwise a file beside the notebook could replace one of the kernel's own modules
    return client


def _make_lost_reply() -> dict[str, str]:
    return {"status": "kernel-died", "error_name": "", "message": "", "output": ""}


def _is_alive(pid: int) -> bool:
    """Return False for a process that has ended, even if it is a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state not in "ZX"
