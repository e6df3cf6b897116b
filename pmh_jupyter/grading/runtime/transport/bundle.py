"""The bundle: the input of a judge, which the host encodes as JSON (`grading/run.py`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict


class BundleCell(TypedDict):
    """A cell of a notebook. cell: its number. compiled: a test cell from the host's cache (see `compiled_cell.pack_cell`), or empty."""

    cell: int
    kind: Literal["student", "locked", "test"]
    source: str
    grade_id: str | None
    compiled: str


class IsolationFields(TypedDict, total=False):
    """The isolation of a notebook: the fields of `domain.isolation.NotebookUsage`, and two of `NotebookIsolation`.

    A bundle has all of them. `TestUsage` treats a missing field as empty.
    """

    isolation: str
    exported_names: Sequence[str]
    library_names: Mapping[str, Sequence[str]]
    rebound_names: Sequence[str]
    shadowed_builtins: Sequence[str]
    test_helpers: Sequence[str]
    locked_data: Sequence[str] | None
    changed_files: Sequence[str]
    changed_module_data: Sequence[str]
    shares_test_names: bool
    contract: Mapping[str, Sequence[str]]
    operators: Mapping[str, Sequence[str]]


class Bundle(TypedDict):
    """The cells and the files of one notebook, and how to run it.

    files: path, and content in base64. release_paths: the paths of those that belong to the release. limits: the fields of
    `EffectiveLimits`. isolation: None runs tests in the student process. kernel: empty for Python.
    compile: sources of test cells to compile.
    """

    cells: list[BundleCell]
    files: list[dict[str, str]]
    release_paths: list[str]
    limits: dict[str, Any]
    seed: int
    preload: Sequence[str]
    isolation: IsolationFields | None
    kernel: str
    is_recording: bool
    compile: NotRequired[Sequence[str]]


def is_separate_process(bundle: Bundle) -> bool:
    """Return whether the tests run in the judge. Those of a notebook with a kernel run in the student process."""
    isolation = bundle["isolation"]
    return isolation is not None and isolation["isolation"] == "separate-process" and not bundle["kernel"]
