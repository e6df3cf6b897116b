"""Reads notebooks that are stored as text by Jupytext, for readable diffs: MyST Markdown (.md) or percent scripts (.py).

A text file is a notebook if it begins with a header that names jupytext; any other .md or .py file of a lesson is data.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import takewhile

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.notebook_json import dump_notebook
from pmh_jupyter.errors import InvalidNotebook
from pmh_jupyter.python_source.resource_exhaustion import record_exhaustion

# Starts each line of the header, by suffix.
_LINE_PREFIXES = {".md": "", ".py": "#"}
_MAX_HEADER_BYTES = 4000
_PREFERRED_SUFFIXES = (".ipynb", ".md", ".py")
_FORMATS = {".md": "md:myst", ".py": "py:percent"}


def is_source_notebook(file: File) -> bool:
    """Return whether a file is a notebook, as .ipynb or as text."""
    return file.is_ipynb or _is_text_notebook(file)


def find_companions(files: Iterable[File]) -> dict[str, str]:
    """Return the Jupytext companions among the files: the path of each, and of the notebook of the same name that takes precedence.

    An .ipynb takes precedence over a text notebook, and .md before .py.
    """
    chosen_paths: dict[str, str] = {}
    companions: dict[str, str] = {}
    for file in sorted(
        filter(is_source_notebook, files), key=lambda file: _PREFERRED_SUFFIXES.index(_get_suffix(file.path))
    ):
        stem = file.path.removesuffix(_get_suffix(file.path))
        if stem in chosen_paths:
            companions[file.path] = chosen_paths[stem]
        else:
            chosen_paths[stem] = file.path
    return companions


def to_ipynb(file: File) -> File:
    """Convert a notebook to .ipynb, without the random cell ids of a conversion. Raises InvalidNotebook with the line, if known."""
    if not _is_text_notebook(file):
        return file
    # Missing in a user's server, which also imports this module.
    from pmh_jupyter.authoring.light_jupytext import jupytext

    suffix = _get_suffix(file.path)
    try:
        notebook = jupytext.reads(file.content.decode(), fmt=_FORMATS[suffix])
    except Exception as error:  # jupytext raises errors of YAML, JSON and its own
        record_exhaustion(error)
        raise InvalidNotebook(
            f"{file.path} cannot be read as Jupytext: {_read_first_line(error)}",
            advice="Check the fences and the metadata's YAML or JSON. `jupytext --to ipynb` shows details.",
        ) from error
    for cell in notebook["cells"]:
        cell.pop("id", None)
    return File(file.path.removesuffix(suffix) + ".ipynb", dump_notebook(dict(notebook)))


def _is_text_notebook(file: File) -> bool:
    """Return whether the file begins with a header that names jupytext. Searches line by line, because the file may hold anything."""
    prefix = _LINE_PREFIXES.get(_get_suffix(file.path))
    if prefix is None:
        return False
    first_line, *lines = file.content[:_MAX_HEADER_BYTES].decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    if first_line != f"{prefix} ---".strip():
        return False
    header = takewhile(lambda line: line.startswith(prefix), lines)
    return any(line.removeprefix(prefix).strip().startswith("jupytext:") for line in header)


def _get_suffix(path: str) -> str:
    return "." + path.rpartition(".")[2]


def _read_first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).replace("\n", " ")[:200]
