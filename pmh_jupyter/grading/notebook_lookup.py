"""Which of the notebooks that were handed in is which of the release's. Pure.

By its name; else by the grade_ids in it; else by its name without folder and without what a copy adds to a name; else, where one is
wanted and one was handed in, that one. One of the right name that cannot be read gives way to a copy that can.
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
    """The notebooks of a submission. Each is read at most once, and taken for at most one of the release's."""

    def __init__(self, notebooks: Iterable[File], release_notebooks: Iterable[Notebook]) -> None:
        self.files = {file.path: file for file in notebooks}
        self.release_paths = {notebook.path for notebook in release_notebooks}
        self.is_single_notebook = len(self.files) == len(self.release_paths) == 1
        self.unmatched_paths = [path for path in sorted(self.files) if path not in self.release_paths]
        self._parsed_notebooks: dict[str, Notebook | None] = {}

    def find_notebook(self, release_notebook: Notebook) -> tuple[Notebook | None, Message | None]:
        """The student's version with what was healed to find it, or None with why there is none."""
        exact_match = self._read_notebook(release_notebook.path) if release_notebook.path in self.files else None
        if exact_match is not None:
            return exact_match, None
        ranked = [(self._rank_candidate(release_notebook, path), path) for path in self.unmatched_paths]
        best_rank, path = max(ranked, key=lambda pair: pair[0], default=((0,), ""))
        best_match = self._read_notebook(path) if any(best_rank) else None
        if best_match is not None:
            self.unmatched_paths.remove(path)
            return best_match, Message("repair-notebook-name", {"found": path, "wanted": release_notebook.path})
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

    def extra_notebook_messages(self, release_notebook: Notebook) -> list[Message]:
        """One message for each notebook that holds cells of this one and was not graded."""
        grade_ids = set(release_notebook.cells_by_grade_id())
        readable = ((path, self._read_notebook(path)) for path in self.unmatched_paths)
        paths = [path for path, notebook in readable if notebook and grade_ids & set(notebook.cells_by_grade_id())]
        return [Message("extra-notebook", {"found": path, "wanted": release_notebook.path}) for path in paths]

    def _rank_candidate(self, release_notebook: Notebook, path: str) -> tuple[int, ...]:
        notebook = self._read_notebook(path)
        if notebook is None:
            return (0,)
        shared_ids = len(set(release_notebook.cells_by_grade_id()) & set(notebook.cells_by_grade_id()))
        same_name = path.rpartition("/")[2] == release_notebook.path.rpartition("/")[2]
        return (
            shared_ids,
            int(same_name),
            int(_normalize_stem(path) == _normalize_stem(release_notebook.path)),
            int(self.is_single_notebook),
        )

    def _read_notebook(self, path: str) -> Notebook | None:
        """None for one that cannot be read."""
        if path not in self._parsed_notebooks:
            try:
                self._parsed_notebooks[path] = read_submitted_notebook(path, self.files[path].content)
            except InvalidNotebook:
                self._parsed_notebooks[path] = None
        return self._parsed_notebooks[path]


def _normalize_stem(path: str) -> str:
    return _COPY_MARKERS.sub("", path.rpartition("/")[2].removesuffix(".ipynb")).lower()
