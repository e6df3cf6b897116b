"""A grader without any defence, for attacks to be tried on: one interpreter, one IPython shell, cells one after another.

It does what many graders do. The tests run where the answers ran; a test cell counts if the shell showed no error; results are lines of
JSON on standard output and on a socket; exit code 0 means that all went well; points, tags, cell types and the kernel's language are
believed as they were handed in; files are written wherever their names say. Whoever does not end in time, or ends badly, loses all.

The server (`main`) imports IPython once and forks for each job. A job has a collector C, which starts the runner R, reads what R
writes and stops it when its time is over; so that an attack hits the collector at most. With `bounded` both are in a pid namespace of
their own, and R may start few processes and belongs, where the server is root, to a user of its own.

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
    """R's work: runs the submitted notebook with the sealed one's tests in it, and tells of each test cell."""

    def __init__(self, submitted: str, sealed: Json, tell: Callable[[Json], None]) -> None:
        self.tell = tell
        self.sources = {_label(cell): "".join(cell["source"]) for cell in sealed["cells"] if _label(cell)}
        notebook = json.loads(submitted)
        self.cells = notebook["cells"]
        kernel = notebook.get("metadata", {}).get("kernelspec", {})
        self.speaks_python = kernel.get("language", "python") == "python"

    def run(self) -> None:
        shell, errors = make_shell()
        for cell in self.cells:
            label, about = _label(cell), cell.get("metadata", {}).get("nbgrader", {})
            source = "".join(cell["source"])
            if about.get("locked"):
                source = self.sources.pop(label, source)
            errors.clear()
            if cell["cell_type"] == "code" and self.speaks_python:
                result = shell.run_cell(source, store_history=True)
                if isinstance(result.error_in_exec, SystemExit):
                    sys.exit(result.error_in_exec.code)
            forgiven = "raises-exception" in cell.get("metadata", {}).get("tags", [])
            if about.get("grade"):
                points = about.get("points", 0)
                self.tell({"test": label, "passed": not errors or forgiven, "points": points, "feedback": errors[:1]})


def make_shell() -> tuple[Any, list[str]]:
    """A shell as a kernel has it: an error is what it shows."""
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


def _label(cell: Json) -> str:
    return str(cell.get("metadata", {}).get("nbgrader", {}).get("grade_id", ""))


def run(job: Json, sealed: str, channel: socket.socket) -> None:
    """R: everything in one process, results in plain sight."""
    _keep_only(1, 2, channel.fileno())
    for kind, amount in ((resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_NOFILE, 256)):
        resource.setrlimit(kind, (amount, amount))
    os.environ["HOME"] = job["home"]
    os.chdir(job["work"])
    sys.path.insert(0, "")
    held = open(sealed)  # left open, as careless programs do

    def tell(line: Json) -> None:
        with open(job["home"] + "/feedback.txt", "a", encoding="utf-8") as feedback:
            feedback.writelines(line["feedback"])
        channel.sendall(json.dumps(line).encode() + b"\n")

    Notebook(job["notebook"], json.load(held), tell).run()
    sys.stdout.flush()


def _keep_only(*kept: int) -> None:
    """Closes the server's and the collector's descriptors: they are the tests' own, not the attacked grader's."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in (0, *kept):
            with suppress(OSError):
                os.close(int(name))


class Collector:
    """C: starts R, gathers its lines and its output until it has ended or its time is over."""

    def __init__(self, job: Json, sealed: str) -> None:
        self.job, self.sealed = job, sealed
        self.lines, self.output = bytearray(), bytearray()

    def collect(self) -> Json:
        for name, content in self.job["files"].items():
            path = Path(self.job["work"], name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        ours, theirs = socket.socketpair()
        reading, writing = os.pipe()
        runner = os.fork()
        if runner == 0:
            ours.close()
            os.dup2(writing, 1)
            os.dup2(writing, 2)
            _leave_after(lambda: run(self.job, self.sealed, theirs))
        theirs.close()
        os.close(writing)
        ended = self._read(runner, ours, reading)
        if ended:
            os.kill(runner, signal.SIGKILL)
        _, status, used = os.wait4(runner, 0)
        self._drain(ours, reading)
        return {
            "ended": ended or str(os.waitstatus_to_exitcode(status)),
            "memory": used.ru_maxrss >> 10,
        } | self._found()

    def _read(self, runner: int, ours: socket.socket, reading: int) -> str:
        """Why R has to be stopped; "" when it has ended by itself."""
        ended = os.pidfd_open(runner)
        until = time.monotonic() + self.job["seconds"]
        sources = [ended, ours.fileno(), reading]
        while True:
            left = until - time.monotonic()
            if left <= 0:
                return "time"
            ready, _, _ = select.select(sources, [], [], left)
            for source, buffer in ((ours.fileno(), self.lines), (reading, self.output)):
                if source in ready:
                    data = os.read(source, 1 << 16)
                    buffer += data
                    if not data:
                        sources.remove(source)
            if len(self.output) + len(self.lines) > OUTPUT_BYTES:
                return "output"
            if ready == [ended]:
                return ""

    def _drain(self, ours: socket.socket, reading: int) -> None:
        for source, buffer in ((ours.fileno(), self.lines), (reading, self.output)):
            os.set_blocking(source, False)
            with suppress(OSError):
                while (data := os.read(source, 1 << 16)) and len(buffer) < OUTPUT_BYTES:
                    buffer += data

    def _found(self) -> Json:
        told = [*_json_lines(bytes(self.lines)), *_json_lines(bytes(self.output))]
        return {"told": told, "output": bytes(self.output[-200_000:]).decode("utf-8", "replace")}


def _json_lines(text: bytes) -> Iterator[Json]:
    for line in text.splitlines():
        with suppress(ValueError):
            value = json.loads(line)
            if isinstance(value, dict) and "test" in value:
                yield value


def _leave_after(act: Callable[[], object]) -> None:
    """Ends this process as Python would, the exit handlers included, without returning to what the parent was about."""
    code = 1
    try:
        act()
        code = 0
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else int(left.code is not None)
    except BaseException as error:  # noqa: BLE001 - whatever it is, this process ends here
        os.write(2, f"\nlost: {type(error).__name__}: {error}"[:2000].encode("utf-8", "replace"))
    import atexit
    import threading

    with suppress(BaseException):
        threading._shutdown()  # type: ignore[attr-defined]  # as the interpreter does at its end: it waits for threads
        atexit._run_exitfuncs()
    os._exit(code)


def serve_job(job: Json, sealed: str) -> Json:
    """Runs one job to its end, measures what it left, and clears it away."""
    folder = tempfile.mkdtemp(
        prefix="undefended-"
    )  # with no clean-up of its own that a forked process would run at its end
    try:
        home = Path(folder, "home")
        work = home / "work"
        work.mkdir(parents=True)
        job |= {"home": str(home), "work": str(work)}
        for path in (Path(folder), home, work):
            path.chmod(0o777)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _leave_after(lambda: _collect_into(writing, job, sealed))
        os.close(writing)
        answer = _read_all(reading, job["seconds"] + 2)
        if answer and not job["bounded"]:
            os.waitpid(child, 0)
        left = _others()
        found: Json = json.loads(answer) if answer else {"ended": "lost", "memory": 0, "told": [], "output": ""}
        found |= {"processes": len(left)} | _measure(home)
        _end_all(child)
        if job["next"]:
            found["output"] += _next_person(home)
        return found
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _next_person(home: Path) -> str:
    """What the next interpreter says that starts in the same home."""
    command = [sys.executable, "-m", "IPython", "--no-banner", "-c", "print('next')"]
    environ = {**os.environ, "HOME": str(home)}
    done = subprocess.run(command, env=environ, cwd=home, capture_output=True, text=True, timeout=30)
    return done.stdout + done.stderr


def _collect_into(writing: int, job: Json, sealed: str) -> None:
    os.setsid()
    libc.prctl(0x59616D61, ctypes.c_ulong(-1))  # where only ancestors may look at a process, this one lets all
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not job["bounded"]:
        _write_all(writing, Collector(job, sealed).collect())
        return
    libc.prctl(1, signal.SIGKILL)
    if libc.unshare(NEW_PIDS | (0 if os.geteuid() == 0 else NEW_USER)):
        raise OSError(ctypes.get_errno(), "no pid namespace")
    if os.fork() == 0:  # pid 1, whose end is the end of all
        libc.prctl(1, signal.SIGKILL)
        if os.fork() == 0:
            os.setsid()
            _become(job["uid"])
            _write_all(writing, Collector(job, sealed).collect())
            os._exit(0)
        os.close(writing)
        while True:
            signal.pause()
    os.close(writing)
    while True:
        signal.pause()


def _become(uid: int) -> None:
    """Somebody who may start few processes: the kernel counts them by user, and not at all for root."""
    # Somebody who is not root has processes and threads already, which count.
    most = PROCESSES if os.geteuid() == 0 else PROCESSES + len(list(Path("/proc").glob("[0-9]*/task/*")))
    resource.setrlimit(resource.RLIMIT_NPROC, (most, most))
    if os.geteuid() == 0:
        libc.prctl(KEEP_CAPABILITIES, 1)
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
        # One right is kept, to read what the interpreter still imports, wherever that is installed.
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)
        rights = (ctypes.c_uint32 * 6)(READ_ALL, READ_ALL, 0, 0, 0, 0)
        libc.capset(header, rights)


def _write_all(writing: int, value: Json) -> None:
    data = json.dumps(value).encode()
    while data:
        data = data[os.write(writing, data) :]


def _read_all(reading: int, seconds: float) -> bytes:
    """Everything until the writer ends, or until a whole value stands there; nothing where it takes too long."""
    data, until = bytearray(), time.monotonic() + seconds
    try:
        while (left := until - time.monotonic()) > 0 and select.select([reading], [], [], left)[0]:
            more = os.read(reading, 1 << 16)
            data += more
            if not more or len(more) < 1 << 16:
                with suppress(ValueError):
                    json.loads(data)
                    return bytes(data)
            if not more:
                break
        return b""
    finally:
        os.close(reading)


def _measure(folder: Path) -> Json:
    count = size = outside = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                size += os.lstat(os.path.join(place, name)).st_size
                count += 1
                outside += name.startswith("outside-")
    return {"files": count, "disk": size >> 20, "outside": outside}


def _others() -> list[int]:
    """Every process below this one: what a job left comes to us when its parents end."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            with suppress(OSError, ValueError):
                state, parent = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()[:2]
                if state != "Z":
                    parents[int(entry)] = int(parent)
    found: list[int] = []
    level = {os.getpid()}
    while level := {pid for pid, parent in parents.items() if parent in level}:
        found += level
    return found


def _end_all(child: int) -> None:
    """Kills until nothing is left; a pid namespace ends with its first process."""
    while left := _others():
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def main() -> None:
    """Jobs as lines of JSON on standard input, results as lines on standard output. Arguments: the sealed notebook, modules to import."""
    sealed, *preload = sys.argv[1:]
    out = os.dup(1)
    os.set_inheritable(out, False)
    os.dup2(2, 1)
    libc.prctl(SUBREAPER, 1)
    for name in ("IPython.core.interactiveshell", *preload):
        importlib.import_module(name)
    os.environ["PMH_SEALED"] = sealed
    for line in sys.stdin:
        _write_all(out, serve_job(json.loads(line), sealed))
        os.write(out, b"\n")


if __name__ == "__main__":
    main()
