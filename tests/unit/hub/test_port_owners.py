"""Finding the process that listens on a port, with real sockets and processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import closing

from pmh_jupyter.hub.port_owners import find_process_tree, is_listening

LISTEN = """
import os, socket, sys
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
sys.stdin.read()
"""


def test_port_belongs_to_the_process_tree_that_listens() -> None:
    command = ["/bin/sh", "-c", '"$0" -c "$1"; :', sys.executable, LISTEN]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as shell:
        assert shell.stdin and shell.stdout
        port = int(shell.stdout.readline())
        assert len(find_process_tree(shell.pid)) == 2
        assert is_listening(port, shell.pid), "by the shell's child"
        assert is_listening(port, os.getpid()), "by our child's child"
        with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as unrelated:
            assert not is_listening(port, unrelated.pid)
            assert unrelated.stdin
            unrelated.stdin.close()
        shell.stdin.close()


def test_bound_port_without_listener_belongs_to_nobody() -> None:
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        assert not is_listening(bound.getsockname()[1], os.getpid()), "the socket is bound, but does not listen"


def test_ended_process_has_no_descendants() -> None:
    with subprocess.Popen(["/bin/true"]) as ended:
        ended.wait()
    assert find_process_tree(ended.pid) == [ended.pid]
