"""Finds out which process listens on a port of this machine.

All local servers share the loopback interface. A process of one user could bind the port that was chosen for another user's server
first, and would receive that user's cookies. So a spawner reports a server to the Hub only when the server's own processes listen on
the port.
"""

from __future__ import annotations

from pathlib import Path

TCP_LISTEN_STATE = "0A"


def is_listening(port: int, root_pid: int) -> bool:
    """Return whether the process `root_pid` or a descendant listens on the port (IPv4)."""
    sockets = _find_listening_sockets(port)
    return bool(sockets) and any(sockets & _find_sockets_of(pid) for pid in find_process_tree(root_pid))


def find_process_tree(root_pid: int) -> list[int]:
    """Return the process and its descendants, ancestors first. Process ids are those of the caller's namespace."""
    pids = [root_pid]
    for pid in pids:
        for task in _list_entries(Path(f"/proc/{pid}/task")):
            try:
                pids += [int(child) for child in (task / "children").read_text().split()]
            except OSError:
                continue
    return pids


def _find_listening_sockets(port: int) -> set[str]:
    """Return the sockets that listen on the port, as `socket:[INODE]`.

    Reads fields 1 (address), 3 (state) and 9 (inode) of /proc/net/tcp.
    """
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {
        f"socket:[{row[9]}]"
        for row in rows
        if row[3] == TCP_LISTEN_STATE and int(row[1].rpartition(":")[2], 16) == port
    }


def _find_sockets_of(pid: int) -> set[str]:
    sockets = set()
    for descriptor in _list_entries(Path(f"/proc/{pid}/fd")):
        try:
            sockets.add(str(descriptor.readlink()))
        except OSError:
            continue
    return sockets


def _list_entries(folder: Path) -> list[Path]:
    """Return the entries of a folder in /proc. Empty if the process has just ended or belongs to another user."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []
