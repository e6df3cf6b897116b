"""Finds the submitted notebook that belongs to a notebook of the release. Pure.

The candidates, in order of preference: the notebook with the same path; the one that shares the most grade_ids; the one with the same
name in another folder; the one whose name differs only by a copy marker such as "(2)"; the only submitted notebook, if the release has
one notebook as well. A notebook with the same path that cannot be read is skipped if there is another candidate.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.notebook import Notebook, read_submitted_notebook
from pmh_jupyter.domain.verdict import Message
from pmh_jupyter.errors import InvalidNotebook

_COPY_MARKERS = re.compile(r"(?i)^copy of |[-_ ]*copy *\d*$| *\(\d+\)$|[^\w]+")


class SubmittedNotebooks:
    """The notebooks of one submission. Each is parsed at most once and matched to at most one notebook of the release."""

    def __init__(self, notebooks: Iterable[File], release_notebooks: Iterable[Notebook]) -> None:
        self.files = {file.path: file for file in notebooks}
        self.release_paths = {notebook.path for notebook in release_notebooks}
        self.is_single_notebook = len(self.files) == len(self.release_paths) == 1
        self.unmatched_paths = [path for path in sorted(self.files) if path not in self.release_paths]
        self._parsed_notebooks: dict[str, Notebook | None] = {}

    def find_notebook(self, release_notebook: Notebook) -> tuple[Notebook | None, Message | None]:
        """Return the student's version with the repair message, if one was needed; or None with the reason why there is none."""
        exact_match = self._read_notebook(release_notebook.path) if release_notebook.path in self.files else None
        if exact_match is not None:
            return exact_match, None
        ranked_paths = [(self._rank_candidate(release_notebook, path), path) for path in self.unmatched_paths]
        best_rank, path = max(ranked_paths, key=lambda pair: pair[0], default=((0,), ""))
        best_match = self._read_notebook(path) if any(best_rank) else None
        if best_match is not None:
            self.unmatched_paths.remove(path)
            return best_match, Message("repair-notebook-name", {"found": path, "expected": release_notebook.path})
        unreadable = (
            [release_notebook.path]
            if release_notebook.path in self.files
            else self.unmatched_paths
            if self.is_single_notebook
            else []
        )
        if unreadable:
            return None, Message("notebook-unreadable", {"notebook": unreadable[0]})
        return None, Message("notebook-missing", {"notebook": release_notebook.path})

    def make_extra_notebook_messages(self, release_notebook: Notebook) -> list[Message]:
        """Return a message for each notebook that contains cells of this one and was not graded."""
        grade_ids = set(release_notebook.index_cells_by_grade_id())
        readable = ((path, self._read_notebook(path)) for path in self.unmatched_paths)
        paths = [
            path for path, notebook in readable if notebook and grade_ids & set(notebook.index_cells_by_grade_id())
        ]
        return [Message("extra-notebook", {"found": path, "expected": release_notebook.path}) for path in paths]

    def _rank_candidate(self, release_notebook: Notebook, path: str) -> tuple[int, ...]:
        notebook = self._read_notebook(path)
        if notebook is None:
            return (0,)
        shared_ids = len(set(release_notebook.index_cells_by_grade_id()) & set(notebook.index_cells_by_grade_id()))
        has_same_name = path.rpartition("/")[2] == release_notebook.path.rpartition("/")[2]
        return (
            shared_ids,
            int(has_same_name),
            int(normalize_notebook_name(path) == normalize_notebook_name(release_notebook.path)),
            int(self.is_single_notebook),
        )

    def _read_notebook(self, path: str) -> Notebook | None:
        """Return None for a notebook that cannot be read."""
        if path not in self._parsed_notebooks:
            try:
                self._parsed_notebooks[path] = read_submitted_notebook(path, self.files[path].content)
            except InvalidNotebook:
                self._parsed_notebooks[path] = None
        return self._parsed_notebooks[path]


def normalize_notebook_name(path: str) -> str:
    """Return a notebook's lower-case name without folder, extension and copy markers ("Copy of", "-Copy1", " (2)")."""
    return _COPY_MARKERS.sub("", path.rpartition("/")[2].removesuffix(".ipynb")).lower()
