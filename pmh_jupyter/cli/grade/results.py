"""The file of results: a JSON object a line, written as results come, and read again by the next run.

A line is complete or it is not there: it is written in one go, and what a kill or a full disk left of the last one is cut off at the next
start. The file is brought to the disk every few seconds and at the end, so that a power cut costs no more than these.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pmh_jupyter.errors import BadInput

SYNC_INTERVAL_SECONDS = 2.0
ResultLine = dict[str, Any]
ResultKey = tuple[str, str, str]


def result_key(line: ResultLine) -> ResultKey:
    """What a result depends on: the submission's content, the release, the version of the grader."""
    return str(line.get("hash")), str(line.get("release")), str(line.get("grader"))


class ResultsFile:
    """An open file of results, of which this process is the only writer. Raises BadInput where that cannot be."""

    def __init__(self, path: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = Path(path)
        self._clock = clock
        self._descriptor = _open_locked(self._path)
        self._last_sync = clock()
        self.lines_by_submission: dict[str, ResultLine] = {}
        try:
            self._read()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def find_result(self, submission: str, key: ResultKey) -> ResultLine | None:
        """The result of an earlier run for the same content, release and grader; a fault of ours is none."""
        line = self.lines_by_submission.get(submission)
        return line if line and result_key(line) == key and not line.get("fault") else None

    def append(self, line: ResultLine) -> None:
        """Writes a result."""
        data = json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        start_offset = os.lseek(self._descriptor, 0, os.SEEK_END)
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except BaseException:
            os.ftruncate(self._descriptor, start_offset)
            raise
        if self._clock() - self._last_sync >= SYNC_INTERVAL_SECONDS:
            self._sync()

    def close(self) -> None:
        """Brings everything to the disk and gives the file to the next run."""
        try:
            self._sync()
        finally:
            os.close(self._descriptor)

    def _sync(self) -> None:
        os.fsync(self._descriptor)
        self._last_sync = self._clock()

    def _read(self) -> None:
        """Reads a line at a time, keeping of each submission's last result what it takes to know it again."""
        end_offset = 0
        with open(self._descriptor, "rb", closefd=False) as file:
            for number, raw in enumerate(file, 1):
                if not raw.endswith(b"\n"):
                    break
                line = _parse_line(raw)
                if line is None:
                    raise BadInput(
                        f"{self._path} is no file of results: line {number} is none.",
                        advice="Name another file with --output, or take that line out.",
                    )
                self.lines_by_submission[line["submission"]] = _keep_key_fields(line)
                end_offset += len(raw)
        os.ftruncate(self._descriptor, end_offset)
        os.lseek(self._descriptor, end_offset, os.SEEK_SET)


def _open_locked(path: Path) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise BadInput(
            f"{path} cannot be written: {error.strerror}.", advice="Name another file with --output."
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise BadInput(
            f"Another pmh grade is writing {path}.", advice="Wait for it, or name another file with --output."
        ) from error
    return descriptor


def _parse_line(raw: bytes) -> ResultLine | None:
    try:
        line = json.loads(raw)
    except ValueError:
        return None
    return line if isinstance(line, dict) and isinstance(line.get("submission"), str) else None


def _keep_key_fields(line: ResultLine) -> ResultLine:
    return {name: line.get(name) for name in ("submission", "score", "max_score", "hash", "release", "grader", "fault")}
