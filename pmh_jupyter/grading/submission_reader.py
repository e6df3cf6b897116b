"""Reads submissions in separate processes, with limits on time and memory.

The content of a submission can make its parsers (JSON, Jupytext, syntax trees, the matching of cells) slow, exhaust memory or crash them.
Only that submission is affected: its reader process is killed and replaced, and `UnreadableSubmission` has the reason. A process reads one
submission after another, because starting it takes longer than reading a notebook.
"""

from __future__ import annotations

import io
import logging
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypeVar, TypeVarTuple, Unpack

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.grading_task import GradingTask
from pmh_jupyter.domain.submission import LocalSubmission
from pmh_jupyter.domain.verdict import Flag, Message
from pmh_jupyter.errors import BadInput, InvalidNotebook, TooLarge, Unavailable, UnreadableSubmission
from pmh_jupyter.grading.assemble import AssembledSubmission, NotebookPlan, Step, assemble_submission
from pmh_jupyter.grading.reader_process import HEADER_BYTES, receive_exactly

START_TIMEOUT_SECONDS = 30.0
# Elapsed time of one request. A request that computes is ended earlier, by `reader_process.MAX_REQUEST_CPU_SECONDS`.
REQUEST_TIMEOUT_SECONDS = 30.0
# How long a request waits for a busy process before another one is started.
MAX_WAIT_FOR_IDLE_SECONDS = 0.1
MAX_REPLY_BYTES = 160 << 20
TOO_SLOW, TOO_LARGE, CRASHED = "reading it takes too long", "it is too large", "reading it ended the process"

log = logging.getLogger(__name__)
_RESULT_TYPES = {
    (type_.__module__, type_.__qualname__): type_
    for type_ in (AssembledSubmission, File, Flag, LocalSubmission, Message, NotebookPlan, Step, frozenset)
}
_ERRORS = {error.code: error for error in (BadInput, InvalidNotebook, TooLarge)}
ResultT = TypeVar("ResultT")
ArgumentsT = TypeVarTuple("ArgumentsT")


class SubmissionReader:
    """A pool of reader processes. Safe to use from several threads; use it as a context manager, or call `close`.

    preload: modules that the processes import before the first request. timeout_seconds: elapsed time of one request.
    """

    def __init__(self, preload: tuple[str, ...] = (), *, timeout_seconds: float = REQUEST_TIMEOUT_SECONDS) -> None:
        self._preload, self._timeout_seconds = preload, timeout_seconds
        self._state_changed = threading.Condition()
        self._idle: list[_ReaderProcess] = []
        self._busy_count = 0
        self._is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start a process, so that the first request need not wait for it. Raises Unavailable."""
        self._return_idle(_ReaderProcess(self._preload))

    def close(self) -> None:
        """End the idle processes now, and busy ones after their request."""
        with self._state_changed:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for process in idle:
            process.kill()

    def assemble(self, task: GradingTask) -> AssembledSubmission:
        """Call `assemble_submission` in a reader process. Raises UnreadableSubmission, and Unavailable if no process can be started."""
        return self.call(
            assemble_submission,
            replace(
                task,
                sealed_files=tuple(file for file in task.sealed_files if file.is_ipynb),
                submitted_files=tuple(file for file in task.submitted_files if file.is_ipynb),
                isolation=None,
            ),
        )

    def call(self, function: Callable[[Unpack[ArgumentsT]], ResultT], *arguments: *ArgumentsT) -> ResultT:
        """Call a function of this package in a reader process. Its result consists of the types in `_RESULT_TYPES`.

        Raises the BadInput that the function raises, UnreadableSubmission if it fails otherwise or exceeds a limit, and Unavailable if no
        process can be started.
        """
        request = pickle.dumps((function, arguments), protocol=5)
        process = self._claim_idle()
        try:
            process = process or _ReaderProcess(self._preload)
            reply = process.request(request, self._timeout_seconds)
        except BaseException:
            if process is not None:
                process.kill()
            raise
        finally:
            with self._state_changed:
                self._busy_count -= 1
                self._state_changed.notify()
        self._return_idle(process)
        result: ResultT = _decode_reply(reply)
        return result

    def _claim_idle(self) -> _ReaderProcess | None:
        """Return an idle process, or None if there is none and none becomes idle soon. Counts a process as busy in either case."""
        with self._state_changed:
            if self._busy_count:
                self._state_changed.wait_for(lambda: self._idle or not self._busy_count, MAX_WAIT_FOR_IDLE_SECONDS)
            self._busy_count += 1
            return self._idle.pop() if self._idle else None

    def _return_idle(self, process: _ReaderProcess) -> None:
        with self._state_changed:
            is_kept = not self._is_closed and not process.has_retired
            if is_kept:
                self._idle.append(process)
                self._state_changed.notify()
        if not is_kept:
            process.kill()


class _ReaderProcess:
    """One process and the socket to it."""

    def __init__(self, preload: tuple[str, ...]) -> None:
        self.has_retired = False
        self._is_started = False
        self._channel, remote_channel = socket.socketpair()
        with remote_channel:
            # -P: do not import our modules from the current folder, which may be a student's.
            command = [sys.executable, "-P", "-m", "pmh_jupyter.grading.reader_process", *preload]
            environ = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
            try:
                self._process = subprocess.Popen(
                    command, stdin=remote_channel.fileno(), stdout=subprocess.DEVNULL, env=environ
                )
            except OSError as error:
                self._channel.close()
                raise Unavailable(f"The process that reads submissions cannot be started: {error.strerror}.") from error

    def request(self, request: bytes, seconds: float) -> bytes:
        """Send a request and return the reply. Raises UnreadableSubmission if none arrives in time, Unavailable before the first one."""
        if not self._is_started:
            try:
                self._receive(time.monotonic() + START_TIMEOUT_SECONDS)
            except (OSError, UnreadableSubmission) as error:
                raise Unavailable("The process that reads submissions does not start.") from error
            self._is_started = True
        deadline = time.monotonic() + seconds
        try:
            self._channel.settimeout(seconds)
            self._channel.sendall(len(request).to_bytes(HEADER_BYTES) + request)
            reply = self._receive(deadline)
        except TimeoutError as error:
            raise UnreadableSubmission(TOO_SLOW) from error
        except OSError as error:
            raise UnreadableSubmission(self._describe_end()) from error
        self.has_retired = reply[:1] != b"\0"
        return reply[1:]

    def kill(self) -> None:
        """End the process and wait until it has ended."""
        self._channel.close()
        self._process.kill()
        self._process.wait()

    def _receive(self, deadline: float) -> bytes:
        size = int.from_bytes(receive_exactly(self._channel, HEADER_BYTES, deadline))
        if size > MAX_REPLY_BYTES:
            raise UnreadableSubmission(TOO_LARGE)
        return bytes(receive_exactly(self._channel, size, deadline))

    def _describe_end(self) -> str:
        """Return why the process has ended, according to its exit status."""
        self._process.kill()
        return TOO_SLOW if self._process.wait() == -signal.SIGXCPU else CRASHED


class _ReplyUnpickler(pickle.Unpickler):
    """Accepts inert types only: the process has parsed a student's files, so its reply must not name any code."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _RESULT_TYPES[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} is not a type of a reply") from None


def _decode_reply(reply: bytes) -> Any:
    """Return the result in a reply, or raise its error."""
    try:
        kind, *values = _ReplyUnpickler(io.BytesIO(reply)).load()
    except Exception as error:
        log.error("malformed reply of a reader process: %s", error)
        raise UnreadableSubmission(CRASHED) from error
    if kind == "result":
        return values[0]
    if kind == "error":
        code, message, advice = values
        raise _ERRORS.get(code, BadInput)(message, advice=advice)
    raise UnreadableSubmission(values[0])
