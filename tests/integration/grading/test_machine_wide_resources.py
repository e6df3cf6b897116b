"""What the kernel counts or keeps for the whole machine, or for the grader's user: a submission gets none of it, or a small share.

Each refusal has a twin: what an ordinary program does with the same call works.
"""

from __future__ import annotations

import platform

import pytest

from pmh_jupyter.grading.runtime.sandbox.namespaces import MAX_DESCRIPTORS, MAX_TERMINALS
from pmh_jupyter.grading.runtime.sandbox.seccomp import MACHINES
from tests.support.grading.cells import TEST, list_outcomes, run_cells
from tests.support.grading.lesson import start_bubblewrap_backend

pytestmark = [
    pytest.mark.needs("bubblewrap"),
    pytest.mark.skipif(platform.machine() not in MACHINES, reason="This architecture has no filter."),
]

HELPERS = """
import ctypes, errno, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    return 0 if libc.syscall(number, *arguments) >= 0 else ctypes.get_errno()
def fail_with(numbers, function, *arguments):
    try:
        function(*arguments)
    except OSError as error:
        assert error.errno in numbers, error
        return
    raise AssertionError("not refused")
# A file of the system that all submissions see, and a part of it that somebody has read just now.
library = os.open(os.__file__, os.O_RDONLY)
assert os.pread(library, 1, 0)
"""
REFUSED = {
    "residency by reading without waiting": "fail_with({errno.EOPNOTSUPP}, os.preadv, library, [bytearray(1)], 0, os.RWF_NOWAIT)",
    "residency by a mapping": "import mmap\n"
    "size = mmap.PAGESIZE\n"
    "libc.mmap.restype = ctypes.c_void_p\n"
    "address = libc.mmap(None, size, mmap.PROT_READ, mmap.MAP_PRIVATE, library, 0)\n"
    "resident = ctypes.create_string_buffer(1)\n"
    "assert libc.mincore(ctypes.c_void_p(address), size, resident) == -1 and ctypes.get_errno() == errno.ENOSYS",
    "statistics of the page cache": "ranges, counts = (ctypes.c_uint64 * 2)(), (ctypes.c_uint64 * 5)()\n"
    "assert call(451, library, ranges, counts, 0) == errno.ENOSYS",
    "contexts of asynchronous input": "assert call({io_setup}, 1, ctypes.byref(ctypes.c_ulong(0))) == errno.ENOSYS",
    "groups of fanotify": "assert call({fanotify_init}, 0x200, 0) == errno.EPERM",
    "sockets of virtual machines": "fail_with({errno.EAFNOSUPPORT}, socket.socket, 40, socket.SOCK_STREAM)",
    "sockets of other families": "for family in {*range(50)} - {1, 2, 10, 16}:\n"
    "    fail_with({errno.EAFNOSUPPORT}, socket.socket, family, socket.SOCK_DGRAM)",
}
WORKING = {
    "advice": "for advice in (os.POSIX_FADV_SEQUENTIAL, os.POSIX_FADV_DONTNEED):\n    os.posix_fadvise(library, 0, 0, advice)",
    "vectors": "first, second = bytearray(2), bytearray(3)\nassert os.preadv(library, [first, second], 0) == 5\n"
    "with open('out', 'wb') as file:\n    assert os.pwritev(file.fileno(), [first, second], 0) == 5",
    "memory map": "import mmap\nwith mmap.mmap(library, 0, prot=mmap.PROT_READ) as view:\n"
    "    view.madvise(mmap.MADV_SEQUENTIAL)\n    assert view[:1] == os.pread(library, 1, 0)",
    "loopback": "import threading\nserver = socket.create_server(('127.0.0.1', 0))\n"
    "threading.Thread(target=lambda: server.accept()[0].sendall(b'hello')).start()\n"
    "with socket.create_connection(server.getsockname()) as client:\n    assert client.recv(5) == b'hello'",
    "event loop": "import asyncio\nasync def double(x):\n    await asyncio.sleep(0)\n    return 2 * x\n"
    "import threading\nresults = []\n"
    "thread = threading.Thread(target=lambda: results.append(asyncio.run(double(2))))\nthread.start(); thread.join()\n"
    "assert results == [4]",
    "socket pair": "left, right = socket.socketpair()\nsocket.send_fds(left, [b'x'], [library])\n"
    "assert len(socket.recv_fds(right, 1, 1)[1]) == 1",
    "network interfaces": "assert socket.if_nameindex()\nsocket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close()",
    "terminal": "import pty\npid, terminal = pty.fork()\nif pid == 0:\n    os.execvp('tty', ['tty'])\n"
    "assert os.read(terminal, 100).startswith(b'/dev/pts/')\nos.waitpid(pid, 0)",
    "watching a folder": "watcher = libc.inotify_init1(0)\nassert watcher >= 0 and libc.inotify_add_watch(watcher, b'.', 2) >= 0",
}


def _fill_in_numbers(source: str) -> str:
    machine = MACHINES[platform.machine()]
    numbers = machine.missing | machine.refused
    return source.replace("{io_setup}", str(numbers["io_setup"])).replace(
        "{fanotify_init}", str(numbers["fanotify_init"])
    )


@pytest.mark.parametrize("name", REFUSED)
def test_submission_is_refused(name: str) -> None:
    assert list_outcomes(run_cells(start_bubblewrap_backend(), HELPERS + _fill_in_numbers(REFUSED[name]))) == ["ok"]


@pytest.mark.parametrize("name", WORKING)
def test_ordinary_use_works(name: str) -> None:
    assert list_outcomes(run_cells(start_bubblewrap_backend(), HELPERS + WORKING[name])) == ["ok"]


def test_submission_has_few_terminals_of_its_own() -> None:
    """The terminals of all of its processes count together, and none of them is one of the machine's."""
    open_terminals = f"""
def open_until_refused():
    opened = []
    try:
        while len(opened) < 100:
            opened.append(os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY))
    except OSError as error:
        assert error.errno == errno.ENOSPC, error
    return opened
opened = open_until_refused()
assert len(opened) == {MAX_TERMINALS}, len(opened)
if os.fork() == 0:
    os._exit(len(open_until_refused()))
assert os.waitstatus_to_exitcode(os.wait()[1]) == 0
for terminal in opened:
    os.close(terminal)
assert os.openpty()
"""
    assert list_outcomes(run_cells(start_bubblewrap_backend(), HELPERS + open_terminals)) == ["ok"]


def test_grader_may_send_more_descriptors_than_all_students_together() -> None:
    """The kernel counts the descriptors under way for a user, and a message with at most 253 more may exceed the sender's limit."""
    student = f"import resource\nassert resource.getrlimit(resource.RLIMIT_NOFILE) == ({MAX_DESCRIPTORS},) * 2\nx = 1"
    judge = f"{TEST}import resource\nassert x == 1\nassert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > {MAX_DESCRIPTORS} + 253"
    assert list_outcomes(run_cells(start_bubblewrap_backend(), student, judge)) == ["ok", "ok"]
