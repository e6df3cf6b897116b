"""A course with one lesson of two exercises, and what a student may make of it."""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from typing import Any

from pmh_jupyter.domain.course import File

SLUG = "tiny"
LESSON = "sums"
COURSE = """
slug = "tiny"
title = "Tiny course"
description = "Two sums."

[[units]]
title = "Sums"

[[units.lessons]]
slug = "sums"
title = "Sums"

[[achievements]]
slug = "first"
title = "First solve"
description = "Solve an exercise."
icon = "spark"
rule = "exercises-solved"
count = 1
"""
NOTEBOOK = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3 (ipykernel)
  language: python
  name: python3
---

# Sums

```{code-cell} ipython3
---
nbgrader: {grade_id: two, solution: true}
pmh:
  title: Two
---
### BEGIN SOLUTION
two = 1 + 1
### END SOLUTION
```

```{code-cell} ipython3
---
nbgrader: {grade_id: two-tests, grade: true, points: 1}
---
assert two == 2, "two should be 2."
### BEGIN HIDDEN TESTS
assert type(two) is int
### END HIDDEN TESTS
```

```{code-cell} ipython3
---
nbgrader: {grade_id: three, solution: true}
pmh:
  title: Three
---
### BEGIN SOLUTION
three = 3
### END SOLUTION
```

```{code-cell} ipython3
---
nbgrader: {grade_id: three-tests, grade: true, points: 2}
---
assert three == 3, "three should be 3."
```
"""


def course_files(text: str = NOTEBOOK) -> tuple[File, ...]:
    """Return the course's source; another `text` of its notebook makes another release."""
    return (File("course.toml", COURSE.encode()), File(f"{LESSON}/{LESSON}.md", text.encode()))


def content(path: str, data: bytes) -> dict[str, str]:
    """Return a file as it travels."""
    return {"path": path, "sha256": sha256(data).hexdigest(), "content": base64.b64encode(data).decode()}


def upload(*classrooms: str, text: str = NOTEBOOK) -> dict[str, Any]:
    """Return the body of a CourseUpload."""
    return {
        "files": [content(file.path, file.content) for file in course_files(text)],
        "classrooms": list(classrooms),
    }


def fill_answers(release: dict[str, Any], **answers: str) -> list[dict[str, str]]:
    """Return a release's files (a StudentRelease) with these sources in the cells of these grade_ids."""
    files = []
    for file in release["files"]:
        data = base64.b64decode(file["content"])
        if file["path"].endswith(".ipynb"):
            notebook = json.loads(data)
            for cell in notebook["cells"]:
                grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
                if grade_id in answers:
                    cell["source"] = answers[grade_id]
            data = json.dumps(notebook).encode()
        files.append(content(file["path"], data))
    return files
