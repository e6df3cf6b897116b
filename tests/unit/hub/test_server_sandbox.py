"""The server sandbox, really built: as root with its own uid, and as an ordinary user with its own user namespace."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pmh_jupyter.hub import server_sandbox
from pmh_jupyter.hub.server_files import ServerFiles
from pmh_jupyter.hub.server_sandbox import (
    ServerLimits,
    ServerOwner,
    build_sandbox_command,
    find_home_in_sandbox,
    find_sandbox_problem,
)

pytestmark = [pytest.mark.needs("linux", "bubblewrap", "setpriv")]

NOBODY_UID = 65534
# Outside of the range that hubs use: a hub may run on this machine, and processes are counted by uid.
OWNER_UID = 1_800_000_000
LIMITS = ServerLimits(memory_mb=256, max_processes=40)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user can enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def as_user(uid: int, task: Callable[[], None]) -> None:
    """Run the task in a child process of that user. Its failure fails the test."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            task()
            os._exit(0)
        except BaseException:  # noqa: BLE001 (the parent reports it)
            os.write(writer, traceback.format_exc().encode()[-60_000:])
        os._exit(1)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        failure = pipe.read()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, failure


USERS = [
    pytest.param(lambda task: task(), id="current-user"),
    pytest.param(lambda task: as_user(NOBODY_UID, task), id="nobody", marks=pytest.mark.needs("root")),
]


@pytest.fixture(params=USERS)
def run_as(request: pytest.FixtureRequest) -> Callable[[Callable[[], None]], None]:
    run: Callable[[Callable[[], None]], None] = request.param
    return run


def run_in_sandbox(home: Path, script: str, uid: int = OWNER_UID, **files: tuple[Path, ...]) -> str:
    """The output of a shell script in the sandbox."""
    owner = ServerOwner("ada", uid if os.geteuid() == 0 else os.getuid(), home)
    if os.geteuid() == 0:
        os.chown(home, uid, uid)
    server_files = ServerFiles(Path("/usr/bin/python3"), files.get("readable", ()), files.get("hidden", ()))
    with ExitStack() as open_files:
        command, descriptors = build_sandbox_command(["/bin/sh", "-c", script], owner, server_files, LIMITS, open_files)
        completed = subprocess.run(
            command, pass_fds=descriptors, capture_output=True, text=True, timeout=30, env={"PATH": "/usr/bin"}
        )
    return completed.stdout + completed.stderr


def make_home(folder: Path) -> Path:
    home = folder / "home"
    home.mkdir(mode=0o700)
    return home


Run = Callable[[Callable[[], None]], None]


def test_sandbox_can_be_built(run_as: Run) -> None:
    def task() -> None:
        assert find_sandbox_problem() is None

    run_as(task)


def test_only_the_home_is_writable(run_as: Run, folder: Path) -> None:
    folder.chmod(0o777)

    def task() -> None:
        home = make_home(folder)
        output = run_in_sandbox(
            home, "pwd; echo mine > notes; cat notes; for f in /x /usr/x /etc/x /home/x; do echo > $f; done; ls -A /"
        )
        assert output.startswith("/home/ada\nmine\n")
        assert output.count("cannot create") == 4
        assert (home / "notes").read_text() == "mine\n"

    run_as(task)


def test_only_listed_files_are_visible(run_as: Run, folder: Path) -> None:
    folder.chmod(0o777)
    (folder / "keys").write_text("key of the hub")

    def task() -> None:
        home = make_home(folder)
        for name in ("env", "env/secret"):
            (folder / name).mkdir()
        (folder / "env" / "library").write_text("a library")
        (folder / "env" / "secret" / "answer").write_text("sealed")
        script = f"cat {folder}/keys {folder}/env/library {folder}/env/secret/answer /etc/shadow; ls -A {folder} {folder}/env/secret"
        output = run_in_sandbox(home, script, readable=(folder / "env",), hidden=(folder / "env" / "secret",))
        assert "a library" in output
        assert "sealed" not in output
        assert "key of the hub" not in output
        assert "root:" not in output
        assert output.count("No such file") == 3

    run_as(task)


def test_only_own_processes_are_visible_and_none_has_a_capability(run_as: Run, folder: Path) -> None:
    folder.chmod(0o777)

    def task() -> None:
        output = run_in_sandbox(
            make_home(folder),
            "ls -d /proc/[0-9]* | wc -l; grep -E '^(Cap|NoNewPrivs)' /proc/self/status; id -un; hostname",
        )
        assert int(output.split()[0]) <= 5
        assert {line.split()[1] for line in output.splitlines() if line.startswith("Cap")} == {"0" * 16}
        assert "NoNewPrivs:\t1" in output
        assert output.splitlines()[-2:] == ["ada", "pmh"]

    run_as(task)


def test_limits_are_enforced(run_as: Run, folder: Path) -> None:
    folder.chmod(0o777)

    def task() -> None:
        script = "i=0; while [ $i -lt 100 ]; do sleep 30 & i=$((i+1)); done"
        assert "Cannot fork" in run_in_sandbox(make_home(folder), script, uid=OWNER_UID + 777)
        output = run_in_sandbox(
            folder / "home", "head -c 400M /dev/zero > /tmp/x; ulimit -d; ulimit -c", uid=OWNER_UID + 777
        )
        assert "No space left" in output
        assert output.split()[:2] == [str(256 << 10), "0"]

    run_as(task)


def test_sandboxed_processes_end_when_the_builder_is_killed(folder: Path) -> None:
    home = make_home(folder)
    builder = f"""
import os, subprocess, sys
from contextlib import ExitStack
from pathlib import Path
from pmh_jupyter.hub.server_files import ServerFiles
from pmh_jupyter.hub.server_sandbox import ServerLimits, ServerOwner, build_sandbox_command
uid = {OWNER_UID} if os.geteuid() == 0 else os.getuid()
if os.geteuid() == 0:
    os.chown({str(home)!r}, uid, uid)
with ExitStack() as files:
    script = "echo up; exec sleep 3600"
    owner, server_files = ServerOwner("ada", uid, Path({str(home)!r})), ServerFiles(Path("/"), (), ())
    command, fds = build_sandbox_command(["/bin/sh", "-c", script], owner, server_files, ServerLimits(256, 40), files)
    subprocess.run(command, pass_fds=fds)
"""
    with subprocess.Popen([sys.executable, "-c", builder], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "up\n"
        process.kill()
        assert process.stdout.read() == "", "the pipe closes when the last process that holds it has ended"


def test_home_never_hides_readable_files() -> None:
    owner = ServerOwner("anna", 1, Path("/data/homes/anna"))
    assert find_home_in_sandbox(owner, ServerFiles(Path("/"), (), ())) == "/home/anna"
    assert (
        find_home_in_sandbox(owner, ServerFiles(Path("/"), (Path("/home") / "anna" / "pmh" / ".venv",), ()))
        == "/home/anna.home"
    )


def test_sandbox_problem_names_what_is_missing(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    broken = folder / "bwrap"
    broken.write_text("#!/bin/sh\necho 'no namespaces here' >&2; exit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(server_sandbox, "find_bwrap", lambda: broken)
    assert find_sandbox_problem() == "bubblewrap cannot create a sandbox: no namespaces here"
    monkeypatch.setattr(server_sandbox, "find_bwrap", lambda: folder / "nowhere")
    assert "cannot be run" in str(find_sandbox_problem())
    monkeypatch.setattr(server_sandbox, "find_bwrap", lambda: None)
    assert find_sandbox_problem() == "bubblewrap is not installed."
    monkeypatch.setattr("shutil.which", lambda name, path=None: None if name == "setpriv" else f"/usr/bin/{name}")
    monkeypatch.setattr(server_sandbox, "find_bwrap", lambda: broken)
    assert "setpriv (util-linux)" in str(find_sandbox_problem())
