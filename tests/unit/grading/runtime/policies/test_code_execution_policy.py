"""The judge executes libraries of its environment, and nothing that lies elsewhere."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pmh_jupyter.grading.runtime.policies import code_execution_policy
from pmh_jupyter.grading.runtime.policies.code_execution_policy import CodeExecutionPolicy, ReleaseTexts

MODULE = "pmh_policy_sample"


@pytest.fixture
def sample_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a module that can be imported through a symbolic link to the folder."""
    folder, link = tmp_path / "real", tmp_path / "link"
    folder.mkdir()
    (folder / f"{MODULE}.py").write_text("VALUE = 3\n")
    link.symlink_to(folder)
    monkeypatch.syspath_prepend(str(link))
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    yield link
    sys.modules.pop(MODULE, None)


def import_under_policy(policy: CodeExecutionPolicy) -> int:
    with policy.enforce(PermissionError, ReleaseTexts().collect_texts):
        value: int = importlib.import_module(MODULE).VALUE
    return value


def test_library_of_an_environment_behind_a_symbolic_link_can_be_imported(
    sample_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code_execution_policy, "find_library_folders", lambda: (str(sample_folder),))
    assert import_under_policy(CodeExecutionPolicy()) == 3


def test_module_outside_of_the_environment_cannot_be_imported(
    sample_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code_execution_policy, "find_library_folders", lambda: (str(sample_folder.parent / "other"),))
    with pytest.raises(PermissionError, match="not part of the test"):
        import_under_policy(CodeExecutionPolicy())
