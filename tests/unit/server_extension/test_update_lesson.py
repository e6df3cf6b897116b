"""An update that is killed at each of its steps: no file of the student is lost, and the next opening finishes it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pmh_jupyter.filesystem import TEMPORARY_PREFIX
from pmh_jupyter.server_extension.collect_files import LIMITS
from pmh_jupyter.server_extension.lesson_folder import LessonFolder
from pmh_jupyter.server_extension.update_lesson import VerifiedRelease, apply_update, plan_update
from pmh_jupyter.submission_files import LeftOutPaths
from tests.support.notebooks import answer, notebook

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
FIRST = notebook(swap="pass", mean="pass")
MINE = answer(FIRST, "swap", "def swap(a, b): return b, a")
BASE = VerifiedRelease("1" * 64, {"a.ipynb": FIRST, "b.ipynb": FIRST, "x.csv": b"1\n", "gone.csv": b"0\n"})
CURRENT = VerifiedRelease(
    "2" * 64,
    {
        "a.ipynb": notebook(intro="New.", swap="pass", mean="...", extra="pass"),
        "b.ipynb": notebook(intro="New.", swap="pass", mean="..."),
        "x.csv": b"2\n",
        "sub/new.csv": b"3\n",
    },
)
STUDENT = {"a.ipynb": MINE, "b.ipynb": FIRST, "x.csv": b"mine\n", "gone.csv": b"0\n", "own.txt": b"own\n"}


class Killed(BaseException):
    """Like SIGKILL: nothing catches it."""


class KillAfter:
    """Lets a number of file operations succeed, then raises Killed at every further one."""

    STEPS = ((os, "fsync"), (os, "replace"), (os, "rename"), (os, "unlink"), (Path, "unlink"), (Path, "mkdir"))

    def __init__(self, monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
        self.remaining_steps = steps
        for owner, name in self.STEPS:
            monkeypatch.setattr(owner, name, self._limited(getattr(owner, name)))

    def _limited(self, step: Callable[..., Any]) -> Callable[..., Any]:
        def limited(*args: Any, **named: Any) -> Any:
            if self.remaining_steps <= 0:
                raise Killed
            self.remaining_steps -= 1
            return step(*args, **named)

        return limited


def student_folder(root: Path) -> LessonFolder:
    folder = LessonFolder(root, "physics-1", "values")
    for name, content in STUDENT.items():
        folder.write(name, content)
    return folder


def open_lesson(folder: LessonFolder, is_second: bool = False) -> None:
    folder.remove_temporary_files()
    apply_update(folder, plan_update(folder, CURRENT, BASE), NOW + timedelta(minutes=is_second))


def read_contents(folder: LessonFolder) -> dict[str, bytes | None]:
    return {file.path: file.content for file in folder.read_files(LIMITS, LeftOutPaths())}


def read_all_files(root: Path) -> Iterator[bytes]:
    return (path.read_bytes() for path in root.rglob("*") if path.is_file())


@pytest.fixture
def expected_contents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes | None]:
    """The contents of the folder after an update without interruption."""
    folder = student_folder(tmp_path_factory.mktemp("uninterrupted"))
    open_lesson(folder)
    return read_contents(folder)


def test_update_merges_notebooks_and_keeps_both_versions_of_a_data_file(
    expected_contents: dict[str, bytes | None],
) -> None:
    assert set(expected_contents) == {"a.ipynb", "b.ipynb", "x.csv", "x.new.csv", "sub/new.csv", "own.txt"}
    assert b"return b, a" in (expected_contents["a.ipynb"] or b"")
    assert (expected_contents["x.csv"], expected_contents["x.new.csv"]) == (b"mine\n", b"2\n")


def test_update_killed_at_any_step_loses_nothing_and_the_next_opening_finishes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected_contents: dict[str, bytes | None]
) -> None:
    steps = 0
    is_killed = True
    while is_killed:
        root = tmp_path / str(steps)
        folder = student_folder(root)
        with monkeypatch.context() as patch:
            KillAfter(patch, steps)
            try:
                open_lesson(folder)
                is_killed = False
            except Killed:
                is_killed = True
        on_disk = set(read_all_files(root))
        assert set(STUDENT.values()) <= on_disk, f"killed at step {steps}"

        open_lesson(folder, is_second=True)
        assert read_contents(folder) == expected_contents, f"killed at step {steps}"
        assert not list(root.rglob(f"{TEMPORARY_PREFIX}*")), "temporary files are deleted"
        steps += 1
    assert steps > 20, "the loop has covered the whole update"


def test_finished_update_changes_nothing_if_it_is_repeated(tmp_path: Path) -> None:
    """If the server is killed before the service has recorded the opening, the next update has the same base."""
    folder = student_folder(tmp_path)
    open_lesson(folder)

    plan = plan_update(folder, CURRENT, BASE)

    assert plan.changes == () and plan.merge_reply is None
