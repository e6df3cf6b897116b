"""An update that is killed at each of its steps: nothing of the student's is lost, and the next opening finishes it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pmh_jupyter.filesystem import TEMPORARY_PREFIX
from pmh_jupyter.server_extension.lesson_folder import LessonFolder
from pmh_jupyter.server_extension.update_lesson import VerifiedRelease, apply_update, plan_update
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
    """Like SIGKILL: nothing catches it, and nothing happens afterwards."""


class Power:
    """Lets so many steps happen, then none."""

    STEPS = ((os, "fsync"), (os, "replace"), (os, "rename"), (os, "unlink"), (Path, "unlink"), (Path, "mkdir"))

    def __init__(self, monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
        self.left = steps
        for owner, name in self.STEPS:
            monkeypatch.setattr(owner, name, self._limited(getattr(owner, name)))

    def _limited(self, step: Callable[..., Any]) -> Callable[..., Any]:
        def limited(*args: Any, **named: Any) -> Any:
            if self.left <= 0:
                raise Killed
            self.left -= 1
            return step(*args, **named)

        return limited


def student_folder(root: Path) -> LessonFolder:
    folder = LessonFolder(root, "physics-1", "values")
    for name, content in STUDENT.items():
        folder.write(name, content)
    return folder


def open_lesson(folder: LessonFolder, again: bool = False) -> None:
    folder.remove_temporary_files()
    apply_update(folder, plan_update(folder, CURRENT, BASE), NOW + timedelta(minutes=again))


def contents(folder: LessonFolder) -> dict[str, bytes | None]:
    return {name: folder.read(name) for name, _ in folder.list_files()}


def everything(root: Path) -> Iterator[bytes]:
    return (path.read_bytes() for path in root.rglob("*") if path.is_file())


@pytest.fixture
def updated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes | None]:
    """The folder as an undisturbed update leaves it."""
    folder = student_folder(tmp_path_factory.mktemp("undisturbed"))
    open_lesson(folder)
    return contents(folder)


def test_an_undisturbed_update_does_what_it_should(updated: dict[str, bytes | None]) -> None:
    assert set(updated) == {"a.ipynb", "b.ipynb", "x.csv", "x.new.csv", "sub/new.csv", "own.txt"}
    assert b"return b, a" in (updated["a.ipynb"] or b"")
    assert (updated["x.csv"], updated["x.new.csv"]) == (b"mine\n", b"2\n")


def test_killed_at_any_step_nothing_is_lost_and_the_next_opening_finishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, updated: dict[str, bytes | None]
) -> None:
    steps = 0
    killed = True
    while killed:
        root = tmp_path / str(steps)
        folder = student_folder(root)
        with monkeypatch.context() as patch:
            Power(patch, steps)
            try:
                open_lesson(folder)
                killed = False
            except Killed:
                killed = True
        on_disk = set(everything(root))
        assert set(STUDENT.values()) <= on_disk, f"killed at step {steps}"

        open_lesson(folder, again=True)
        assert contents(folder) == updated, f"killed at step {steps}"
        assert not list(root.rglob(f"{TEMPORARY_PREFIX}*")), "what a kill left behind is swept up"
        steps += 1
    assert steps > 20, "the loop has really been through the update"


def test_an_update_that_is_done_does_nothing_the_second_time(tmp_path: Path) -> None:
    """Killed before the service was told: the same base comes again."""
    folder = student_folder(tmp_path)
    open_lesson(folder)

    plan = plan_update(folder, CURRENT, BASE)

    assert plan.changes == () and plan.merge_reply is None
