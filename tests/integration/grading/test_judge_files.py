"""The files of the judge itself: tests cannot use them, whatever number or path a notebook returns."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pmh_jupyter.grading.backends.backend import SandboxBackend
from tests.support.grading.cells import TEST, list_outcomes, run_cells
from tests.support.grading.lesson import start_bubblewrap_backend

pytestmark = pytest.mark.needs("bubblewrap")

# Runs in the judge. Numbers below `first` are those of files that tests open.
FIND_SOCKETS = """
import os, stat
sockets = []
for name in os.listdir("/proc/self/fd"):
    try:
        if os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
            sockets.append(int(name))
    except OSError:
        pass
"""
IS_REFUSED = """
def is_refused(use, *arguments):
    try:
        use(*arguments)
    except OSError as error:
        return error.errno == 9
    return False
"""


@pytest.fixture(scope="module")
def backend() -> Iterator[SandboxBackend]:
    backend = start_bubblewrap_backend()
    yield backend
    backend.close()


def test_connections_of_the_judge_have_private_numbers(backend: SandboxBackend) -> None:
    run = run_cells(backend, f"{TEST}{FIND_SOCKETS}assert len(sockets) >= 3 and min(sockets) >= 900, sockets")
    assert list_outcomes(run) == ["ok"]


@pytest.mark.parametrize(
    "use",
    [
        "os.close, fd",
        "os.write, fd, b'x'",
        "os.read, fd, 1",
        "os.dup, fd",
        "os.dup2, 1, fd",
        "os.fstat, fd",
        "os.sendfile, 1, fd, None, 1",
        "os.fdopen, fd",
        "tokenize.open, fd",
    ],
)
def test_private_number_cannot_be_used(backend: SandboxBackend, use: str) -> None:
    source = f"{TEST}{FIND_SOCKETS}{IS_REFUSED}import tokenize\nassert all(is_refused({use}) for fd in sockets)"
    assert list_outcomes(run_cells(backend, source)) == ["ok"]


@pytest.mark.parametrize("number", ["5", "True", "np.int64(5)", "900"])
@pytest.mark.parametrize("use", ["open", "os.path.exists", "os.stat", "os.path.getsize"])
def test_number_is_not_a_path(backend: SandboxBackend, use: str, number: str) -> None:
    source = f"{TEST}import os\nimport numpy as np\ntry:\n    {use}({number})\nexcept TypeError as error:\n    message = str(error)\n"
    run = run_cells(backend, f"{source}assert 'a path was expected' in message")
    assert list_outcomes(run) == ["ok"]


def test_files_that_a_test_opens_can_be_used_by_number(backend: SandboxBackend) -> None:
    source = """
import os, tempfile
descriptor, path = tempfile.mkstemp()
with os.fdopen(descriptor, "w") as file:
    file.write("text")
descriptor = os.open(path, os.O_RDONLY)
assert os.read(descriptor, 1000) == b"text"
os.close(descriptor)
with tempfile.TemporaryDirectory() as folder:
    pass
assert not os.path.exists(folder)
"""
    assert list_outcomes(run_cells(backend, f"{TEST}{source}")) == ["ok"]


@pytest.mark.parametrize(
    "path",
    [
        "/proc/self/cmdline",
        "//proc/self/cmdline",
        "/dev/../proc/self/maps",
        "/dev/fd/0",
        "/sys/kernel/notes",
        "/dev/stdin",
    ],
)
def test_files_that_describe_the_judge_cannot_be_opened(backend: SandboxBackend, path: str) -> None:
    source = f"try:\n    open({path!r})\nexcept PermissionError as error:\n    message = str(error)\n"
    run = run_cells(backend, f"{TEST}{source}assert 'a test may not open this file' in message")
    assert list_outcomes(run) == ["ok"]


def test_folder_whose_name_begins_like_one_of_the_kernel_is_ordinary(backend: SandboxBackend) -> None:
    source = "try:\n    open('/development/data.csv')\nexcept FileNotFoundError as error:\n    kind = type(error)\n"
    assert list_outcomes(run_cells(backend, f"{TEST}{source}assert kind is FileNotFoundError")) == ["ok"]
