"""Which of the notebooks that were handed in is which of the release's. Pure.

By its name; else by the grade_ids in it; else by its name without folder and without what a copy adds to a name; else, where one is
wanted and one was handed in, that one. One of the right name that cannot be read gives way to a copy that can.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.notebook import Notebook, read_submitted
from pmh_jupyter.domain.verdict import Message
from pmh_jupyter.errors import InvalidNotebook

_OF_A_COPY = re.compile(r"(?i)^copy of |[-_ ]*copy *\d*$| *\(\d+\)$|[^\w]+")


class Submitted:
    """The notebooks of a submission. Each is read at most once, and taken for at most one of the release's."""

    def __init__(self, notebooks: Iterable[File], wanted: Iterable[Notebook]) -> None:
        self.files = {file.path: file for file in notebooks}
        self.names = {notebook.path for notebook in wanted}
        self.sure = len(self.files) == len(self.names) == 1
        self.strangers = [path for path in sorted(self.files) if path not in self.names]
        self._read: dict[str, Notebook | None] = {}

    def find(self, wanted: Notebook) -> tuple[Notebook | None, Message | None]:
        """The student's version with what was healed to find it, or None with why there is none."""
        there = self._notebook(wanted.path) if wanted.path in self.files else None
        if there is not None:
            return there, None
        ranked = [(self._rank(wanted, path), path) for path in self.strangers]
        best, path = max(ranked, key=lambda one: one[0], default=((0,), ""))
        found = self._notebook(path) if any(best) else None
        if found is not None:
            self.strangers.remove(path)
            return found, Message("healed-notebook-name", {"found": path, "wanted": wanted.path})
        unreadable = [wanted.path] if wanted.path in self.files else self.strangers if self.sure else []
        if unreadable:
            return None, Message("notebook-unreadable", {"notebook": unreadable[0]})
        return None, Message("notebook-missing", {"notebook": wanted.path})

    def extra(self, wanted: Notebook) -> list[Message]:
        """One message for each notebook that holds cells of this one and was not graded."""
        ids = set(wanted.by_grade_id())
        readable = ((path, self._notebook(path)) for path in self.strangers)
        paths = [path for path, notebook in readable if notebook and ids & set(notebook.by_grade_id())]
        return [Message("extra-notebook", {"found": path, "wanted": wanted.path}) for path in paths]

    def _rank(self, wanted: Notebook, path: str) -> tuple[int, ...]:
        notebook = self._notebook(path)
        if notebook is None:
            return (0,)
        shared = len(set(wanted.by_grade_id()) & set(notebook.by_grade_id()))
        same_name = path.rpartition("/")[2] == wanted.path.rpartition("/")[2]
        return shared, int(same_name), int(_stem(path) == _stem(wanted.path)), int(self.sure)

    def _notebook(self, path: str) -> Notebook | None:
        """None for one that cannot be read."""
        if path not in self._read:
            try:
                self._read[path] = read_submitted(path, self.files[path].content)
            except InvalidNotebook:
                self._read[path] = None
        return self._read[path]


def _stem(path: str) -> str:
    return _OF_A_COPY.sub("", path.rpartition("/")[2].removesuffix(".ipynb")).lower()
