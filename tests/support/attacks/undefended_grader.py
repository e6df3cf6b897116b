"""A grader without any defense, on which attacks must succeed: one interpreter, one IPython shell, cells one after another.

It works as many graders do. Tests run in the process of the answers. A test cell passes if the shell shows no error. Results are lines
of JSON on standard output and on a socket. Exit code 0 means success. Points, tags, cell types and the kernel's language are taken from
the submission, and files are written wherever their paths lead. A run that exceeds its time or exits with an error gives no points.

The server (`main`) imports IPython once and forks for each job. A job has a collector C. C starts the runner R, reads its output, and
kills it when its time is over, so that an attack reaches the collector at most. With `is_isolated`, both are in a pid namespace of their
own. R may then start only a few processes and, if the server is root, has a separate uid.

    run of a job: server ── forks ──▶ (pid 1 ── forks ──▶) C ── forks ──▶ R, which runs the notebook
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

Json = dict[str, Any]

OUTPUT_BYTES = 8 << 20
MEMORY_BYTES = 900 << 20
PROCESSES = 60
NEW_PIDS, NEW_USER, SUBREAPER, KEEP_CAPABILITIES, READ_ALL = 0x20000000, 0x10000000, 36, 8, 1 << 2
libc = ctypes.CDLL(None, use_errno=True)


class Notebook:
    """Runs, in R, the submitted notebook with the tests of the sealed one, and reports each test cell."""

    def __init__(self, submitted: str, sealed: Json, report: Callable[[Json], None]) -> None:
        self.report = report
        self.sources = {_get_grade_id(cell): "".join(cell["source"]) for cell in sealed["cells"] if _get_grade_id(cell)}
        notebook = json.loads(submitted)
        self.cells = notebook["cells"]
        kernel = notebook.get("metadata", {}).get("kernelspec", {})
        self.is_python = kernel.get("language", "python") == "python"

    def run(self) -> None:
        shell, errors = make_shell()
        for cell in self.cells:
            label, nbgrader = _get_grade_id(cell), cell.get("metadata", {}).get("nbgrader", {})
            source = "".join(cell["source"])
            if nbgrader.get("locked"):
                source = self.sources.pop(label, source)
            errors.clear()
            if cell["cell_type"] == "code" and self.is_python:
                result = shell.run_cell(source, store_history=True)
                if isinstance(result.error_in_exec, SystemExit):
                    sys.exit(result.error_in_exec.code)
            may_raise = "raises-exception" in cell.get("metadata", {}).get("tags", [])
            if nbgrader.get("grade"):
                points = nbgrader.get("points", 0)
                self.report(
                    {"test": label, "passed": not errors or may_raise, "points": points, "feedback": errors[:1]}
                )


def make_shell() -> tuple[Any, list[str]]:
    """Create a shell as in a kernel, and the list to which it adds the errors that it shows."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    errors: list[str] = []

    class Shell(InteractiveShell):
        def _showtraceback(self, etype: type, evalue: BaseException, stb: list[str]) -> None:
            errors.append("\n".join(stb))

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.xmode = "Plain"
    config.InteractiveShell.colors = "nocolor"
    return Shell.instance(config=config), errors


def _get_grade_id(cell: Json) -> str:
    return str(cell.get("metadata", {}).get("nbgrader", {}).get("grade_id", ""))


def run(job: Json, sealed: str, channel: socket.socket) -> None:
    """The main function of R: everything in one process."""
    _close_descriptors_except(1, 2, channel.fileno())
    for kind, amount in ((resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_NOFILE, 256)):
        resource.setrlimit(kind, (amount, amount))
    os.environ["HOME"] = job["home"]
    os.chdir(job["work"])
    sys.path.insert(0, "")
    sealed_file = open(sealed)  # never closed, as in careless programs

    def report(line: Json) -> None:
        with open(job["home"] + "/feedback.txt", "a", encoding="utf-8") as feedback:
            feedback.writelines(line["feedback"])
        channel.sendall(json.dumps(line).encode() + b"\n")

    Notebook(job["notebook"], json.load(sealed_file), report).run()
    sys.stdout.flush()


def _close_descriptors_except(*preserved: int) -> None:
    """Close the descriptors of server and collector, which belong to the test suite, not to the attacked grader."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in (0, *preserved):
            with suppress(OSError):
                os.close(int(name))


class Collector:
    """The collector C: starts R, and reads its lines and its output until R exits or its time is over."""

    def __init__(self, job: Json, sealed: str) -> None:
        self.job, self.sealed = job, sealed
        self.lines, self.output = bytearray(), bytearray()

    def collect(self) -> Json:
        for name, content in self.job["files"].items():
            path = Path(self.job["work"], name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        own_socket, runner_socket = socket.socketpair()
        read_end, write_end = os.pipe()
        runner = os.fork()
        if runner == 0:
            own_socket.close()
            os.dup2(write_end, 1)
            os.dup2(write_end, 2)
            _exit_after(lambda: run(self.job, self.sealed, runner_socket))
        runner_socket.close()
        os.close(write_end)
        stop_reason = self._read(runner, own_socket, read_end)
        if stop_reason:
            os.kill(runner, signal.SIGKILL)
        _, status, usage = os.wait4(runner, 0)
        self._read_pending(own_socket, read_end)
        return {
            "exit_reason": stop_reason or str(os.waitstatus_to_exitcode(status)),
            "memory": usage.ru_maxrss >> 10,
        } | self._parse_output()

    def _read(self, runner: int, own_socket: socket.socket, read_end: int) -> str:
        """Read until R exits. Returns why R must be killed; "" if it has exited by itself."""
        runner_pidfd = os.pidfd_open(runner)
        deadline = time.monotonic() + self.job["seconds"]
        sources = [runner_pidfd, own_socket.fileno(), read_end]
        while True:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return "time"
            ready, _, _ = select.select(sources, [], [], remaining)
            for source, buffer in ((own_socket.fileno(), self.lines), (read_end, self.output)):
                if source in ready:
                    data = os.read(source, 1 << 16)
                    buffer += data
                    if not data:
                        sources.remove(source)
            if len(self.output) + len(self.lines) > OUTPUT_BYTES:
                return "output"
            if ready == [runner_pidfd]:
                return ""

    def _read_pending(self, own_socket: socket.socket, read_end: int) -> None:
        for source, buffer in ((own_socket.fileno(), self.lines), (read_end, self.output)):
            os.set_blocking(source, False)
            with suppress(OSError):
                while (data := os.read(source, 1 << 16)) and len(buffer) < OUTPUT_BYTES:
                    buffer += data

    def _parse_output(self) -> Json:
        lines = [*_parse_json_lines(bytes(self.lines)), *_parse_json_lines(bytes(self.output))]
        return {"lines": lines, "output": bytes(self.output[-200_000:]).decode("utf-8", "replace")}


def _parse_json_lines(text: bytes) -> Iterator[Json]:
    for line in text.splitlines():
        with suppress(ValueError):
            value = json.loads(line)
            if isinstance(value, dict) and "test" in value:
                yield value


def _exit_after(action: Callable[[], object]) -> None:
    """Exit this process as Python would, exit handlers included, without returning to the code of the parent."""
    code = 1
    try:
        action()
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException as error:  # noqa: BLE001 - this process exits here, whatever was raised
        os.write(2, f"\nlost: {type(error).__name__}: {error}"[:2000].encode("utf-8", "replace"))
    import atexit
    import threading

    with suppress(BaseException):
        threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as the interpreter does at its exit
        atexit._run_exitfuncs()
    os._exit(code)


def serve_job(job: Json, sealed: str) -> Json:
    """Run one job to its end, measure what it has left behind, and remove it."""
    # Not a TemporaryDirectory: a forked process would delete it at its exit.
    folder = tempfile.mkdtemp(prefix="undefended-")
    try:
        home = Path(folder, "home")
        work = home / "work"
        work.mkdir(parents=True)
        job |= {"home": str(home), "work": str(work)}
        for path in (Path(folder), home, work):
            path.chmod(0o777)
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read_end)
            _exit_after(lambda: _collect_into(write_end, job, sealed))
        os.close(write_end)
        answer = _read_all(read_end, job["seconds"] + 2)
        if answer and not job["is_isolated"]:
            os.waitpid(child, 0)
        pids = _find_descendants()
        report: Json = json.loads(answer) if answer else {"exit_reason": "lost", "memory": 0, "lines": [], "output": ""}
        report |= {"processes": len(pids)} | _measure(home)
        _kill_all(child)
        if job["next_person"]:
            report["output"] += _run_next_person(home)
        return report
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run_next_person(home: Path) -> str:
    """Return the output of the next interpreter that starts in the same home."""
    command = [sys.executable, "-m", "IPython", "--no-banner", "-c", "print('next')"]
    environ = {**os.environ, "HOME": str(home)}
    completed = subprocess.run(command, env=environ, cwd=home, capture_output=True, text=True, timeout=30)
    return completed.stdout + completed.stderr


def _collect_into(write_end: int, job: Json, sealed: str) -> None:
    os.setsid()
    libc.prctl(0x59616D61, ctypes.c_ulong(-1))  # allows every process to read this one, where only ancestors may
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not job["is_isolated"]:
        _write_all(write_end, Collector(job, sealed).collect())
        return
    libc.prctl(1, signal.SIGKILL)
    if libc.unshare(NEW_PIDS | (0 if os.geteuid() == 0 else NEW_USER)):
        raise OSError(ctypes.get_errno(), "no pid namespace")
    if os.fork() == 0:  # pid 1: when it exits, the kernel kills the others
        libc.prctl(1, signal.SIGKILL)
        if os.fork() == 0:
            os.setsid()
            _drop_privileges(job["uid"])
            _write_all(write_end, Collector(job, sealed).collect())
            os._exit(0)
        os.close(write_end)
        while True:
            signal.pause()
    os.close(write_end)
    while True:
        signal.pause()


def _drop_privileges(uid: int) -> None:
    """Limit the number of processes, which the kernel counts by user, and not for root."""
    # Processes and threads that a user other than root has already count as well.
    max_processes = PROCESSES if os.geteuid() == 0 else PROCESSES + len(list(Path("/proc").glob("[0-9]*/task/*")))
    resource.setrlimit(resource.RLIMIT_NPROC, (max_processes, max_processes))
    if os.geteuid() == 0:
        libc.prctl(KEEP_CAPABILITIES, 1)
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
        # Keeps one capability, to read modules that the interpreter still imports, wherever they are installed.
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)
        capabilities = (ctypes.c_uint32 * 6)(READ_ALL, READ_ALL, 0, 0, 0, 0)
        libc.capset(header, capabilities)


def _write_all(write_end: int, value: Json) -> None:
    data = json.dumps(value).encode()
    while data:
        data = data[os.write(write_end, data) :]


def _read_all(read_end: int, seconds: float) -> bytes:
    """Read until the writer closes the pipe, or until there is a complete JSON value. Returns b"" if that takes too long."""
    data, deadline = bytearray(), time.monotonic() + seconds
    try:
        while (remaining := deadline - time.monotonic()) > 0 and select.select([read_end], [], [], remaining)[0]:
            chunk = os.read(read_end, 1 << 16)
            data += chunk
            if len(chunk) < 1 << 16:
                with suppress(ValueError):
                    json.loads(data)
                    return bytes(data)
            if not chunk:
                break
        return b""
    finally:
        os.close(read_end)


def _measure(folder: Path) -> Json:
    count = size = outside = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                size += os.lstat(os.path.join(parent, name)).st_size
                count += 1
                outside += name.startswith("outside-")
    return {"files": count, "disk": size >> 20, "outside": outside}


def _find_descendants() -> list[int]:
    """Return every descendant of this process, which inherits the orphans of a job."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            with suppress(OSError, ValueError):
                state, parent = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()[:2]
                if state != "Z":
                    parents[int(entry)] = int(parent)
    descendants: list[int] = []
    level = {os.getpid()}
    while level := {pid for pid, parent in parents.items() if parent in level}:
        descendants += level
    return descendants


def _kill_all(child: int) -> None:
    """Kill descendants until none is left. A pid namespace ends with its first process."""
    while pids := _find_descendants():
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def main() -> None:
    """Read jobs as lines of JSON from standard input, and write results as lines to standard output.

    Command-line arguments: the sealed notebook, and modules to import.
    """
    sealed, *preload = sys.argv[1:]
    output = os.dup(1)
    os.set_inheritable(output, False)
    os.dup2(2, 1)
    libc.prctl(SUBREAPER, 1)
    for name in ("IPython.core.interactiveshell", *preload):
        importlib.import_module(name)
    os.environ["PMH_SEALED"] = sealed
    for line in sys.stdin:
        _write_all(output, serve_job(json.loads(line), sealed))
        os.write(output, b"\n")


if __name__ == "__main__":
    main()
