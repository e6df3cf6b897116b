"""The warm-up of the fork server leaves the process as it was."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import builtins, linecache, signal, sys, threading, warnings
from pmh_jupyter.grading.runtime.execution.shell import make_shell
from pmh_jupyter.grading.runtime.fork_server.warmup import warm_up

hooks = []
sys.addaudithook(lambda event, arguments: hooks.append(event) if event == "sys.addaudithook" else None)
shell = make_shell()
shell.reset()


def state():
    names = (builtins.input, warnings.warn, sys.stdout, signal.getsignal(signal.SIGALRM), sys.path_hooks[:])
    return names, sorted(shell.user_ns), sorted(name for name in linecache.cache if name.startswith("<cell"))


before = state()
warm_up(shell)
assert state() == before, (state(), before)
assert hooks == [] and threading.active_count() == 1 and shell.execution_count == 1
"""


def test_warm_up_restores_the_state_of_the_process() -> None:
    completed = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60)
    assert completed.returncode == 0, completed.stderr
