"""Whose process listens: real sockets, real processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import closing

from pmh_jupyter.hub.port_owners import is_listening, process_tree

LISTEN = """
import os, socket, sys
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
sys.stdin.read()
"""


def test_a_port_belongs_to_the_family_that_holds_it() -> None:
    command = ["/bin/sh", "-c", '"$0" -c "$1"; :', sys.executable, LISTEN]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as shell:
        assert shell.stdin and shell.stdout
        port = int(shell.stdout.readline())
        assert len(process_tree(shell.pid)) == 2
        assert is_listening(port, shell.pid), "by the shell's child"
        assert is_listening(port, os.getpid()), "by our child's child"
        with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as stranger:
            assert not is_listening(port, stranger.pid)
            assert stranger.stdin
            stranger.stdin.close()
        shell.stdin.close()


def test_a_free_port_is_nobodys() -> None:
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        assert not is_listening(bound.getsockname()[1], os.getpid()), "bound is not listening"


def test_a_process_that_has_ended_has_no_family_but_itself() -> None:
    with subprocess.Popen(["/bin/true"]) as ended:
        ended.wait()
    assert process_tree(ended.pid) == [ended.pid]
