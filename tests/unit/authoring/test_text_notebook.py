from __future__ import annotations

import json

import jupytext
import pytest

from pmh_jupyter.authoring.text_notebook import is_source_notebook, to_ipynb
from pmh_jupyter.domain.course import File
from pmh_jupyter.errors import InvalidNotebook

MYST = """---
jupytext:
  text_representation:
    format_name: myst
kernelspec:
  name: python3
  display_name: Python 3
---

# Title

```{code-cell} ipython3
---
nbgrader: {grade_id: a, solution: true}
pmh:
  hints: ["One: look.", Two]
---
### BEGIN SOLUTION
größe = 1
### END SOLUTION
```

+++ {"nbgrader": {"grade_id": "why", "grade": true, "solution": true, "points": 1}}

Because.
"""
PERCENT = """# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: percent
# ---

# %% [markdown]
# # Title

# %% nbgrader={"grade_id": "a", "solution": true}
x = 1
"""


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("n.ipynb", "anything", True),
        ("n.md", MYST, True),
        ("n.md", MYST.replace("\n", "\r\n"), True),
        ("n.py", PERCENT, True),
        ("n.md", "# Notes\n\njupytext: is a tool", False),
        ("n.md", "---\ntitle: Notes\n---\n", False),
        ("n.py", "# %%\nx = 1\n", False),
        ("n.txt", MYST, False),
        ("n.py", "import jupytext\n", False),
    ],
)
def test_text_file_with_a_header_is_a_notebook(path: str, text: str, expected: bool) -> None:
    assert is_source_notebook(File(path, text.encode())) is expected


def test_myst_keeps_metadata_and_becomes_ipynb() -> None:
    converted = to_ipynb(File("part/n.md", MYST.encode()))
    title, answer, why = json.loads(converted.content)["cells"]
    assert converted.path == "part/n.ipynb"
    assert title["source"] == ["# Title"]
    assert answer["metadata"] == {
        "nbgrader": {"grade_id": "a", "solution": True},
        "pmh": {"hints": ["One: look.", "Two"]},
    }
    assert why["metadata"]["nbgrader"]["points"] == 1
    assert all("id" not in cell for cell in (title, answer, why))


def test_percent_script_becomes_ipynb() -> None:
    converted = to_ipynb(File("n.py", PERCENT.encode()))
    assert [cell["cell_type"] for cell in json.loads(converted.content)["cells"]] == ["markdown", "code"]


def test_same_text_gives_the_same_bytes() -> None:
    assert to_ipynb(File("n.md", MYST.encode())) == to_ipynb(File("n.md", MYST.encode()))


def test_metadata_survives_a_round_trip_through_jupytext() -> None:
    once = jupytext.reads(MYST, fmt="md:myst")
    again = jupytext.reads(jupytext.writes(once, fmt="md:myst"), fmt="md:myst")
    assert [cell.metadata for cell in again.cells] == [cell.metadata for cell in once.cells]


def test_ipynb_is_not_converted() -> None:
    file = File("n.ipynb", b"whatever")
    assert to_ipynb(file) is file


@pytest.mark.parametrize(
    "content",
    [
        MYST.replace("nbgrader: {grade_id: a,", "nbgrader: {grade_id: a").replace("solution: true}", "solution: true").encode(),
        MYST.encode().replace("größe".encode(), b"gr\xf6\xdfe"),
        MYST.replace('{"nbgrader"', '{"nbgrader').encode(),
    ],
    ids=["YAML", "UTF-8", "JSON"],
)  # fmt: skip
def test_error_names_the_file_that_cannot_be_read(content: bytes) -> None:
    with pytest.raises(InvalidNotebook, match=r"n\.md cannot be read as Jupytext: \S+"):
        to_ipynb(File("n.md", content))
