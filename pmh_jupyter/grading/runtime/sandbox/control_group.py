"""The control group (cgroup) of one grading inside its sandbox: files of the group that the host has opened.

The sandbox has no file system of control groups. The kernel checks the permissions of the process that opened a file, so the student
process can join with a file that the host has opened. It joins before it drops its privileges, and then closes the files, so a student's
code never has access to them.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pmh_jupyter.grading.runtime.sandbox.descriptors import move_to_private

# What an open file is for. `JOIN`: a process that writes "0" moves itself into the group. `MEMORY`, `PROCESSES`: limits.
# `EVENTS`: counts the processes that the kernel has killed because the memory limit was reached.
JOIN, MEMORY, PROCESSES, EVENTS = "join", "memory", "processes", "events"
# Memory that Python itself needs beyond the memory limit of a submission.
INTERPRETER_OVERHEAD_BYTES = 32 << 20


@dataclass(frozen=True)
class ControlGroup:
    """Open files of a group. `files`: what each is for, and its descriptor. Without files, every method does nothing."""

    files: tuple[tuple[str, int], ...] = ()

    @property
    def descriptors(self) -> tuple[int, ...]:
        """The descriptors of all files."""
        return tuple(descriptor for _, descriptor in self.files)

    def set_limits(self, limits: dict[str, Any]) -> None:
        """Limit the number of processes in the group and their total memory, in-memory files and kernel memory included."""
        memory_limits = self._find(MEMORY)
        amount = str(limits["memory_bytes"] + INTERPRETER_OVERHEAD_BYTES).encode()
        # With v1, the limit of memory with swap may never be below that of memory alone, whether both are raised or lowered.
        for descriptor in reversed(memory_limits):
            with suppress(OSError):
                os.pwrite(descriptor, amount, 0)
        for descriptor in memory_limits:
            os.pwrite(descriptor, amount, 0)
        processes = "max" if limits["processes"] is None else str(limits["processes"])
        for descriptor in self._find(PROCESSES):
            os.pwrite(descriptor, processes.encode(), 0)

    def join(self) -> None:
        """Move this process, which must have only one thread, into the group. Its children start in the group."""
        for descriptor in self._find(JOIN):
            os.pwrite(descriptor, b"0", 0)

    def count_memory_kills(self) -> int:
        """Return how many processes the kernel has killed because the memory limit was reached; 0 if memory is not counted."""
        count = 0
        for descriptor in self._find(EVENTS):
            rows = (line.partition(" ") for line in os.pread(descriptor, 4096, 0).decode().split("\n"))
            count += sum(int(number) for name, _, number in rows if name == "oom_kill")
        return count

    def close(self) -> None:
        """Close the files. The group remains."""
        for descriptor in self.descriptors:
            os.close(descriptor)

    def close_all_but_events(self) -> ControlGroup:
        """Close the files that can change something. Returns the group with those that only count, with private descriptors."""
        ControlGroup(tuple(file for file in self.files if file[0] != EVENTS)).close()
        return ControlGroup(tuple((EVENTS, move_to_private(descriptor)) for descriptor in self._find(EVENTS)))

    def _find(self, purpose: str) -> list[int]:
        return [descriptor for name, descriptor in self.files if name == purpose]
