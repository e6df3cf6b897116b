"""Whether a thread is waiting, seen from another one."""

from __future__ import annotations

import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any


def wait_for_sleeps(thread_id: int, call: Future[Any], number: int) -> bool:
    """Wait until a thread has slept a number of times, as SQLite does between two attempts to lock. False if its call ends before."""
    status = Path(f"/proc/self/task/{thread_id}/status")

    def count_sleeps() -> int:
        [line] = [line for line in status.read_text().splitlines() if line.startswith("voluntary_ctxt_switches")]
        return int(line.split()[1])

    count_before = count_sleeps()
    while count_sleeps() < count_before + number and not call.done():
        time.sleep(0.01)
    return not call.done()
