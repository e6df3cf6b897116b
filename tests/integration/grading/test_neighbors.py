"""A submission sees nothing of other processes, other submissions, and the host."""

from __future__ import annotations

import pytest

from tests.support.grading.cells import list_outcomes, run_cells
from tests.support.grading.lesson import start_bubblewrap_backend

pytestmark = pytest.mark.needs("bubblewrap")
# Each is refused, or finds only what belongs to the submission.
PROBES = {
    "processes": "assert set(seen()) == {1, os.getpid()}, seen()",
    "identities": "assert os.getuid() != 0 and os.getgroups() in ([], [os.getgid()])",
    "capabilities": "assert {line.split()[1].strip('0') for line in open('/proc/self/status') if line[:3] == 'Cap'} == {''}",
    "no-way-back": "status = open('/proc/self/status').read()\nassert 'NoNewPrivs:\\t1' in status and 'Seccomp:\\t2' in status",
    "descriptors": "assert {int(n) for n in os.listdir('/proc/self/fd')} <= {0, 1, 2, 3, 4, 5}",
    "kill-first": "refused(os.kill, 1, 0)",
    "memory-of-first": "refused(open, '/proc/1/mem', 'rb')",
    "descriptors-of-first": "refused(os.listdir, '/proc/1/fd')",
    "environment-of-first": "refused(open, '/proc/1/environ', 'rb')",
    "trace-first": "import ctypes\nassert ctypes.CDLL(None).ptrace(16, 1, 0, 0) == -1",
    "mount": "import ctypes\nassert ctypes.CDLL(None).mount(b'x', b'/tmp', b'tmpfs', 0, None) == -1",
    "set-uid": "refused(os.setuid, 0)",
    "host-name": "import socket\nrefused(socket.sethostname, 'x')",
    "settings": "refused(open, '/proc/sys/kernel/hostname', 'w')",
    "programs": "refused(open, os.__file__, 'a')",
    "our-source": """folders = ('/pmh', '/pmh/grading/runtime', '/pmh/python_source')
assert not [folder + '/' + n for folder in folders for n in os.listdir(folder) if os.access(folder + '/' + n, os.W_OK)]""",
    "network": "import socket\nassert [name for _, name in socket.if_nameindex()] == ['lo']",
}
PROBE_HELPERS = """
import os
def seen():
    return [int(name) for name in os.listdir('/proc') if name.isdecimal()]
def refused(do, *arguments):
    try:
        do(*arguments)
    except OSError:
        return
    raise AssertionError("not refused")
"""


@pytest.mark.parametrize("name", PROBES)
def test_student_process_is_isolated(name: str) -> None:
    assert list_outcomes(run_cells(start_bubblewrap_backend(), PROBE_HELPERS + PROBES[name])) == ["ok"]


def test_text_of_tests_is_not_in_the_memory_of_the_student_process() -> None:
    """The process searches its own readable memory, between a test that ran and one that will run."""
    search = """
import re
word = "".join(["sec", "ret-", "90126"]).encode()
found = 0
with open('/proc/self/maps') as maps, open('/proc/self/mem', 'rb', 0) as memory:
    for line in maps:
        start, end = (int(number, 16) for number in line.split()[0].split('-'))
        if ' rw' in line and end - start < 1 << 28:
            memory.seek(start)
            try:
                found += memory.read(end - start).count(word)
            except OSError:
                pass
assert found <= most, found
"""
    tests = "# test\nassert x == 1, 'secret-90126'"
    cells = ["x = 1", tests, "most = 5  # our own word, and copies of it", search, tests]
    assert list_outcomes(run_cells(start_bubblewrap_backend(), *cells)) == ["ok"] * 5
    cells[2] += "\nkept = [''.join(['sec', 'ret-', '90126', str(number)]) for number in range(20)]"
    assert list_outcomes(run_cells(start_bubblewrap_backend(), *cells))[3] == "AssertionError", (
        "the search finds nothing"
    )


def test_submission_leaves_nothing_for_the_next_one() -> None:
    leftover = "import os, sys\nsys.modules['math'].pi = 3\nos.environ['LEFT'] = 'x'\nopen('/tmp/left', 'w').close()"
    inspection = (
        "import os, math\nassert math.pi > 3.1 and 'LEFT' not in os.environ and not os.path.exists('/tmp/left')"
    )
    assert (
        list_outcomes(run_cells(start_bubblewrap_backend(), leftover))
        == list_outcomes(run_cells(start_bubblewrap_backend(), inspection))
        == ["ok"]
    )
