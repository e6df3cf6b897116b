"""Runs a probe: code of a student that tries to reach a target, with and without a sandbox."""

from __future__ import annotations

import json
from typing import Any

from pmh_jupyter.domain.course import File, Release
from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.domain.release import build_release
from pmh_jupyter.domain.verdict import Outcome
from pmh_jupyter.grading.backends import SandboxBackend
from tests.support.grading.lesson import ENGINE, fill_in_answers, grade_in_sandbox, make_notebook_file, make_task
from tests.support.notebooks import make_cell

PROBES = sorted((ENGINE / "probes").glob("*.txt"))
SECRET = "pmh-secret-7261"
SURVIVE = """
import os, signal, subprocess
command = ["python3", "-c", "import time; time.sleep(600)", {word!r}]
subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
os.kill(os.getppid(), signal.SIGKILL)
"""
"""Starts a process in a separate session, with this word in its command line, and kills the process that could end it."""


def _release() -> Release:
    cells = [
        make_cell("reached = False", grade_id="probe", solution=True),
        make_cell("assert reached", grade_id="probe-tests", grade=True, locked=True, points=1),
    ]
    return build_release("probe", "Probe", [make_notebook_file(cells, "probe.ipynb")], [])


def probe_succeeds(
    code: str, backend: SandboxBackend, target: dict[str, Any], limits: EffectiveLimits | None = None
) -> bool:
    """Return whether the probe's code has reached its target, that is, set `reached`."""
    source = "import json\ntarget = json.load(open('target.json'))\nreached = False\n" + code
    release = _release()
    submitted = make_notebook_file(fill_in_answers({"probe": source}, release), "probe.ipynb")
    target_file = File("target.json", json.dumps(target).encode())
    grading = grade_in_sandbox(make_task(submitted, target_file, release=release, limits=limits), backend)
    assert grading.grader_error is None
    return grading.verdicts[0].outcome is Outcome.PASSED
