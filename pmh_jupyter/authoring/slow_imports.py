"""Finds slow imports of a lesson's notebooks, so that the grader can import these modules before a submission arrives. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pmh_jupyter.authoring.text_notebook import is_source_notebook, to_ipynb
from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.notebook import read_notebook
from pmh_jupyter.errors import InvalidNotebook

# Modules that are slow to import, and may be imported once for all submissions.
SLOW_IMPORTS = frozenset(
    {"matplotlib", "networkx", "numpy", "pandas", "scipy", "seaborn", "sklearn", "statsmodels", "sympy"}
)

_FROM_STATEMENT = re.compile(r"^[ \t]*from[ \t]+([\w.]+)[ \t]+import\b", re.MULTILINE)
_IMPORT_STATEMENT = re.compile(r"^[ \t]*import[ \t]+(.+)$", re.MULTILINE)


def find_slow_imports(files: Iterable[File]) -> tuple[str, ...]:
    """Return the modules of `SLOW_IMPORTS` that the notebooks among these files import, sorted. `matplotlib.pyplot` replaces matplotlib.

    The search is textual. Text that only looks like an import causes an unneeded import, which is harmless.
    """
    sources = [source for file in files if is_source_notebook(file) for source in _list_code_cells(file)]
    modules = {module for source in sources for module in _find_imported_modules(source)}
    slow_modules = {root for root in (module.partition(".")[0] for module in modules) if root in SLOW_IMPORTS}
    if any(module.startswith("matplotlib.pyplot") for module in modules) or "seaborn" in slow_modules:
        slow_modules = slow_modules - {"matplotlib"} | {"matplotlib.pyplot"}
    return tuple(sorted(slow_modules))


def _list_code_cells(file: File) -> list[str]:
    """Return the code cells of a notebook; none if it cannot be read, which is reported elsewhere."""
    try:
        converted = to_ipynb(file)
        return [
            cell.source for cell in read_notebook(converted.path, converted.content).cells if cell.cell_type == "code"
        ]
    except InvalidNotebook:
        return []


def _find_imported_modules(source: str) -> Iterator[str]:
    for match in _FROM_STATEMENT.finditer(source):
        yield match[1] if match[1] != "matplotlib" or "pyplot" not in source else "matplotlib.pyplot"
    for match in _IMPORT_STATEMENT.finditer(source):
        yield from (name.split()[0] for name in match[1].split(",") if name.split())
