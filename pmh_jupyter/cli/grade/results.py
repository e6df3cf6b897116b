"""The results file: one JSON object per line, appended as results arrive, and read again by the next run.

A process that is killed, or a full disk, can leave an incomplete last line; the next run removes it. The file is synced every
`SYNC_INTERVAL_SECONDS` and at the end, so a power cut loses only the results since the last sync.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pmh_jupyter.errors import BadInput
from pmh_jupyter.filesystem import LockHeld, open_locked

SYNC_INTERVAL_SECONDS = 2.0
ResultLine = dict[str, Any]
ResultKey = tuple[str, str, str]


def make_result_key(line: ResultLine) -> ResultKey:
    """Return the inputs that a result depends on: the submission's content, the release, and the version of the grader."""
    return str(line.get("hash")), str(line.get("release")), str(line.get("grader_version"))


class ResultsFile:
    """An open results file, locked for this process. Raises BadInput if another process has locked it, or if it cannot be opened."""

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
        """Return the result of an earlier run for the same content, release and grader, unless it was a grader error."""
        line = self.lines_by_submission.get(submission)
        return line if line and make_result_key(line) == key and not line.get("grader_error") else None

    def append(self, line: ResultLine) -> None:
        """Append a result."""
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
        """Sync the file and unlock it."""
        try:
            self._sync()
        finally:
            os.close(self._descriptor)

    def _sync(self) -> None:
        os.fsync(self._descriptor)
        self._last_sync = self._clock()

    def _read(self) -> None:
        """Read the file line by line, and store the key fields of the last result of each submission."""
        end_offset = 0
        with open(self._descriptor, "rb", closefd=False) as file:
            for number, raw in enumerate(file, 1):
                if not raw.endswith(b"\n"):
                    break
                line = _parse_line(raw)
                if line is None:
                    raise BadInput(
                        f"{self._path} is not a results file: line {number} is not a result.",
                        advice="Name another file with --output, or remove that line.",
                    )
                self.lines_by_submission[line["submission"]] = _select_key_fields(line)
                end_offset += len(raw)
        os.ftruncate(self._descriptor, end_offset)
        os.lseek(self._descriptor, end_offset, os.SEEK_SET)


def _open_locked(path: Path) -> int:
    try:
        return open_locked(path)
    except LockHeld as error:
        raise BadInput(
            f"Another pmh grade is writing to {path}.", advice="Wait for it, or name another file with --output."
        ) from error
    except OSError as error:
        raise BadInput(
            f"{path} cannot be written: {error.strerror}.", advice="Name another file with --output."
        ) from error


def _parse_line(raw: bytes) -> ResultLine | None:
    try:
        line = json.loads(raw)
    except ValueError:
        return None
    return line if isinstance(line, dict) and isinstance(line.get("submission"), str) else None


def _select_key_fields(line: ResultLine) -> ResultLine:
    return {
        name: line.get(name)
        for name in ("submission", "score", "max_score", "hash", "release", "grader_version", "grader_error")
    }
