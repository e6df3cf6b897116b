"""An instructor validates and releases in a terminal of their own notebook server, whose lean environment reads no Jupytext."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from pmh_jupyter.authoring.folder import read_folder
from pmh_jupyter.hub.up.progress import Progress
from pmh_jupyter.hub.up.server_environment import ensure_server_environment
from tests.support.hub.hub_process import HubProcess, Person, running_hub
from tests.support.repository import TEST_COURSE

pytestmark = [pytest.mark.slow, pytest.mark.needs("bubblewrap", "setpriv"), pytest.mark.timeout(300)]

RUN = """
import json, subprocess
done = subprocess.run({command}, capture_output=True, text=True)
print(json.dumps([done.returncode, done.stdout + done.stderr]))
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    folder = tmp_path_factory.mktemp("course")
    python = ensure_server_environment(folder, Progress())
    with running_hub(folder, PMH_SERVER_PYTHON=str(python)) as hub:
        yield hub.wait_until_service()


@pytest.fixture(scope="module")
def instructor(hub: HubProcess) -> Person:
    """The demo classroom's instructor, with the tests' course in the own home."""
    admin = hub.person("admin").log_in().start_server()
    assert "no jupytext" in admin.run(
        "import importlib.util as u; print(u.find_spec('jupytext') and 'jupytext' or 'no jupytext')"
    )
    put(admin)
    return admin


def put(person: Person) -> None:
    files = {file.path: file.content.decode() for file in read_folder(TEST_COURSE)}
    person.run(f"""
from pathlib import Path
for path, content in {files!r}.items():
    file = Path("odd", path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
""")


def pmh(person: Person, *arguments: str) -> tuple[int, str]:
    """Run `pmh course` in the person's server; return its exit code and output."""
    code, output = json.loads(person.run(RUN.format(command=["pmh", "course", *arguments])))
    return code, output


def test_valid_course_is_tried_by_the_service(instructor: Person) -> None:
    code, output = pmh(instructor, "validate", "odd")
    assert code == 0, output
    assert "odd-cases: 6 exercises, 10 points, release " in output
    assert "warning  odd-cases/second.py" in output
    assert "No sandbox" not in output and "No problems found." in output


def test_failing_solution_is_reported_by_the_service(instructor: Person) -> None:
    spoil = (
        "f = Path('odd/odd-cases/first.md'); old = f.read_text(); f.write_text(old.replace('double(21)', 'double(20)'))"
    )
    instructor.run(f"from pathlib import Path; {spoil}")
    try:
        code, output = pmh(instructor, "validate", "odd")
    finally:
        instructor.run("f.write_text(old)")
    assert code == 1, output
    assert "first.ipynb, größe: Its own solution does not pass (failed)" in output
    assert output.rstrip().endswith("1 problem found.")


def test_missing_course_toml_is_reported_without_the_service(instructor: Person) -> None:
    instructor.run("import os; os.makedirs('empty', exist_ok=True)")
    code, output = pmh(instructor, "validate", "empty", "--url", "http://127.0.0.1:9/services/pmh")
    assert (code, "course.toml: The file is missing." in output) == (1, True)


def test_course_is_released_and_adopted_by_the_classroom(instructor: Person, hub: HubProcess) -> None:
    code, output = pmh(instructor, "release", "odd", "--classroom", "demo")
    assert code == 0, output
    assert "odd, version 1" in output
    page = instructor.browser.get("/services/pmh/")
    assert page.status_code == 200 and "Odd" in page.text


def test_student_may_neither_validate_nor_release(hub: HubProcess) -> None:
    ada = hub.person("ada").log_in().start_server()
    put(ada)
    for verb in ("validate", "release"):
        code, output = pmh(ada, verb, "odd")
        assert code == 2
        assert "You are not an instructor of any classroom" in output
