"""The results file: one JSON object per line, appended as results arrive, and read again by the next run.

A process that is killed, or a full disk, can leave an incomplete last line; the next run removes it. The file is synced every
`SYNC_INTERVAL_SECONDS` and at the end, so a power cut loses only the results since the last sync.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from pmh_jupyter.cli.grade.result_line import ResultLine
from pmh_jupyter.errors import BadInput
from pmh_jupyter.filesystem import LockHeld, open_locked

SYNC_INTERVAL_SECONDS = 2.0


class ResultKey(NamedTuple):
    """The inputs that a result depends on: the hash of the submission's content, the release, and the version of the grader."""

    hash: str
    release: str
    grader_version: str


@dataclass(frozen=True)
class NewResult:
    """A result of this run."""

    line: ResultLine
    key: ResultKey
    is_grader_error: bool

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of the results file."""
        return self.line.to_json() | self.key._asdict() | {"grader_error": self.is_grader_error}


@dataclass(frozen=True)
class EarlierResult:
    """What is needed of a result in the file. Scores are in points."""

    key: ResultKey
    score: float
    max_score: float
    is_grader_error: bool


class ResultsFile:
    """An open results file, locked for this process. Raises BadInput if another process has locked it, or if it cannot be opened."""

    def __init__(self, path: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = Path(path)
        self._clock = clock
        self._descriptor = _open_locked(self._path)
        self._last_sync = clock()
        self._earlier_results: dict[str, EarlierResult] = {}
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

    def find_result(self, submission: str, key: ResultKey) -> EarlierResult | None:
        """Return the result of an earlier run for the same content, release and grader, unless it was a grader error."""
        result = self._earlier_results.get(submission)
        return result if result and result.key == key and not result.is_grader_error else None

    def append(self, result: NewResult) -> None:
        """Append a result."""
        data = json.dumps(result.to_json(), ensure_ascii=False).encode("utf-8", "replace") + b"\n"
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
        """Read the file line by line, and remember the last result of each submission."""
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
                self._earlier_results[line["submission"]] = _read_earlier_result(line)
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


def _parse_line(raw: bytes) -> dict[str, Any] | None:
    try:
        line = json.loads(raw)
    except ValueError:
        return None
    return line if isinstance(line, dict) and isinstance(line.get("submission"), str) else None


def _read_earlier_result(line: dict[str, Any]) -> EarlierResult:
    key = ResultKey(*(str(line.get(name)) for name in ResultKey._fields))
    return EarlierResult(key, line.get("score", 0.0), line.get("max_score", 0.0), bool(line.get("grader_error")))
