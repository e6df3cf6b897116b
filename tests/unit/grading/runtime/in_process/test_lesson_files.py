"""Files and module data of the lesson are restored, whatever the notebook has made of them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pmh_jupyter.grading.runtime.in_process.lesson_files import LessonFiles, find_module_roots
from pmh_jupyter.grading.runtime.in_process.module_data import ModuleData
from pmh_jupyter.grading.runtime.marshalling.plain_data import MAX_VALUES

CONTENTS = {"a.txt": b"one", "data/b.txt": b"two"}


def _write_all(folder: Path) -> None:
    (folder / "data").mkdir()
    for path, content in CONTENTS.items():
        (folder / path).write_bytes(content)


def _link_folder(folder: Path) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / "b.txt").write_bytes(b"two")
    shutil.rmtree(folder / "data")
    (folder / "data").symlink_to("mine")


def _write_with_old_time(folder: Path) -> None:
    status = (folder / "a.txt").stat()
    (folder / "a.txt").write_bytes(b"two")
    os.utime(folder / "a.txt", ns=(status.st_atime_ns, status.st_mtime_ns))


def _put_folder_in_place_of_file(folder: Path) -> None:
    (folder / "a.txt").unlink()
    (folder / "a.txt" / "x").mkdir(parents=True)


def _put_link_in_place_of_file(folder: Path) -> None:
    (folder / "a.txt").rename(folder / "c.txt")
    (folder / "a.txt").symlink_to("c.txt")


def _put_file_in_place_of_folder(folder: Path) -> None:
    shutil.rmtree(folder / "data")
    (folder / "data").write_bytes(b"x")


CHANGES: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "nothing": (lambda folder: None, []),
    "other content": (lambda folder: (folder / "a.txt").write_bytes(b"1"), ["work/a.txt"]),
    "same size and time": (_write_with_old_time, ["work/a.txt"]),
    "deleted": (lambda folder: (folder / "a.txt").unlink(), ["work/a.txt"]),
    "folder in its place": (_put_folder_in_place_of_file, ["work/a.txt"]),
    "link in its place": (_put_link_in_place_of_file, ["work/a.txt"]),
    "link in place of its folder": (_link_folder, ["work/data/b.txt"]),
    "file in place of its folder": (_put_file_in_place_of_folder, ["work/data/b.txt"]),
}


@pytest.mark.parametrize("reads_all", [True, False])
@pytest.mark.parametrize("name", CHANGES)
def test_changed_file_is_restored(name: str, reads_all: bool, tmp_path: Path) -> None:
    change, names = CHANGES[name]
    _write_all(tmp_path)
    files = LessonFiles(CONTENTS, str(tmp_path))
    assert list(files.restore()) == []
    change(tmp_path)
    assert list(files.restore(reads_all=reads_all)) == names
    assert {path: (tmp_path / path).read_bytes() for path in CONTENTS} == CONTENTS
    assert not any((tmp_path / path).is_symlink() for path in ("a.txt", "data"))
    assert list(files.restore(reads_all=reads_all)) == []


def test_file_that_the_reference_changes_is_recorded_and_left_alone(tmp_path: Path) -> None:
    _write_all(tmp_path)
    recording = LessonFiles(CONTENTS, str(tmp_path), is_recording=True)
    (tmp_path / "a.txt").write_bytes(b"mine")
    assert (list(recording.restore()), recording.recorded_changes) == ([], {"work/a.txt"})
    files = LessonFiles(CONTENTS, str(tmp_path), recording.recorded_changes)
    assert (list(files.restore()), (tmp_path / "a.txt").read_bytes()) == ([], b"mine")


def test_names_of_modules_are_found_in_paths() -> None:
    assert find_module_roots(["checks.py", "tools/area.py", "data/a.txt"]) == {"checks", "tools"}


def _make_module(**values: Any) -> ModuleType:
    module = ModuleType("checks")
    vars(module).update(values)
    return module


MODULE_CHANGES: dict[str, tuple[Callable[[ModuleType], object], list[str]]] = {
    "nothing": (lambda checks: None, []),
    "equal value": (lambda checks: setattr(checks, "CASES", [[1, 1], [2, 4]]), []),
    "emptied": (lambda checks: checks.CASES.clear(), ["checks.CASES"]),
    "changed inside": (lambda checks: checks.CASES[0].append(3), ["checks.CASES"]),
    "bound again": (lambda checks: setattr(checks, "LIMIT", 10**9), ["checks.LIMIT"]),
    "deleted": (lambda checks: delattr(checks, "LIMIT"), ["checks.LIMIT"]),
    "not plain any more": (lambda checks: checks.CASES.append(object()), ["checks.CASES"]),
    "no plain data": (lambda checks: checks.OBJECTS.clear(), []),
    "too much data": (lambda checks: checks.MANY.clear(), []),
}


@pytest.mark.parametrize("name", MODULE_CHANGES)
def test_changed_data_of_a_module_is_restored(name: str) -> None:
    change, names = MODULE_CHANGES[name]
    checks = _make_module(CASES=[[1, 1], [2, 4]], LIMIT=3, OBJECTS=[object()], MANY=[0] * (MAX_VALUES + 1))
    cases = checks.CASES
    data = ModuleData([checks])
    change(checks)
    assert list(data.restore()) == names
    assert (checks.CASES, checks.LIMIT) == ([[1, 1], [2, 4]], 3)
    assert not names or checks.CASES is cases
    assert list(data.restore()) == []


def test_data_that_the_reference_changes_is_recorded_and_left_alone() -> None:
    checks = _make_module(REGISTRY={}, LIMIT=3)
    recording = ModuleData([checks], is_recording=True)
    checks.REGISTRY["area"] = len
    assert (list(recording.restore()), recording.recorded_changes) == ([], {"checks.REGISTRY"})
    data = ModuleData([_make_module(REGISTRY={}, LIMIT=3)], recording.recorded_changes)
    assert list(data.restore()) == []
