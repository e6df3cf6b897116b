"""The wall itself, built for real: as root with a uid of its own, and as an ordinary user with a namespace of their own."""

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
from pmh_jupyter.hub.server_sandbox import ServerLimits, ServerOwner, home_in_sandbox, sandbox_command, sandbox_problem

pytestmark = [pytest.mark.needs("linux", "bubblewrap", "setpriv")]

NOBODY = 65534
# Not of the range that a hub gives its users: one may be running on this machine, and processes are counted by uid.
STRANGER = 1_800_000_000
LIMITS = ServerLimits(memory_mb=256, max_processes=40)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Outside of pytest's own folder, through which only its owner may pass."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def as_user(uid: int, task: Callable[[], None]) -> None:
    """Runs the task in a process of that user's; its failure is ours."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            task()
            os._exit(0)
        except BaseException:  # noqa: BLE001 (an assertion's and everything else: it is told outside)
            os.write(writer, traceback.format_exc().encode()[-60_000:])
        os._exit(1)
    os.close(writer)
    with os.fdopen(reader) as told:
        said = told.read()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, said


USERS = [
    pytest.param(lambda task: task(), id="as-we-are"),
    pytest.param(lambda task: as_user(NOBODY, task), id="as-nobody", marks=pytest.mark.needs("root")),
]


@pytest.fixture(params=USERS)
def run_as(request: pytest.FixtureRequest) -> Callable[[Callable[[], None]], None]:
    found: Callable[[Callable[[], None]], None] = request.param
    return found


def inside(home: Path, script: str, uid: int = STRANGER, **files: tuple[Path, ...]) -> str:
    """What a shell behind the wall prints."""
    tenant = ServerOwner("ada", uid if os.geteuid() == 0 else os.getuid(), home)
    if os.geteuid() == 0:
        os.chown(home, uid, uid)
    sees = ServerFiles(Path("/usr/bin/python3"), files.get("readable", ()), files.get("hidden", ()))
    with ExitStack() as open_files:
        command, descriptors = sandbox_command(["/bin/sh", "-c", script], tenant, sees, LIMITS, open_files)
        done = subprocess.run(
            command, pass_fds=descriptors, capture_output=True, text=True, timeout=30, env={"PATH": "/usr/bin"}
        )
    return done.stdout + done.stderr


def make_home(folder: Path) -> Path:
    home = folder / "home"
    home.mkdir(mode=0o700)
    return home


Run = Callable[[Callable[[], None]], None]


def test_a_wall_can_be_had(run_as: Run) -> None:
    def task() -> None:
        assert sandbox_problem() is None

    run_as(task)


def test_the_home_can_be_written_and_nothing_else(run_as: Run, folder: Path) -> None:
    folder.chmod(0o777)

    def task() -> None:
        home = make_home(folder)
        said = inside(
            home, "pwd; echo mine > notes; cat notes; for f in /x /usr/x /etc/x /home/x; do echo > $f; done; ls -A /"
        )
        assert said.startswith("/home/ada\nmine\n")
        assert said.count("cannot create") == 4
        assert (home / "notes").read_text() == "mine\n"

    run_as(task)


def test_only_what_is_listed_shows(run_as: Run, folder: Path) -> None:
    folder.chmod(0o777)
    (folder / "keys").write_text("the hub's")

    def task() -> None:
        home = make_home(folder)
        for place in ("env", "env/secret"):
            (folder / place).mkdir()
        (folder / "env" / "library").write_text("a library")
        (folder / "env" / "secret" / "answer").write_text("sealed")
        script = f"cat {folder}/keys {folder}/env/library {folder}/env/secret/answer /etc/shadow; ls -A {folder} {folder}/env/secret"
        said = inside(home, script, readable=(folder / "env",), hidden=(folder / "env" / "secret",))
        assert "a library" in said
        assert "sealed" not in said and "the hub's" not in said and "root:" not in said
        assert said.count("No such file") == 3

    run_as(task)


def test_only_its_own_processes_show_and_none_has_a_right(run_as: Run, folder: Path) -> None:
    folder.chmod(0o777)

    def task() -> None:
        said = inside(
            make_home(folder),
            "ls -d /proc/[0-9]* | wc -l; grep -E '^(Cap|NoNewPrivs)' /proc/self/status; id -un; hostname",
        )
        assert int(said.split()[0]) <= 5
        assert {line.split()[1] for line in said.splitlines() if line.startswith("Cap")} == {"0" * 16}
        assert "NoNewPrivs:\t1" in said
        assert said.splitlines()[-2:] == ["ada", "pmh"]

    run_as(task)


def test_limits_hold(run_as: Run, folder: Path) -> None:
    folder.chmod(0o777)

    def task() -> None:
        script = "i=0; while [ $i -lt 100 ]; do sleep 30 & i=$((i+1)); done"
        assert "Cannot fork" in inside(make_home(folder), script, uid=STRANGER + 777)
        said = inside(folder / "home", "head -c 400M /dev/zero > /tmp/x; ulimit -d; ulimit -c", uid=STRANGER + 777)
        assert "No space left" in said
        assert said.split()[:2] == [str(256 << 10), "0"]

    run_as(task)


def test_what_runs_inside_ends_with_the_one_who_built_it(folder: Path) -> None:
    """Killed: no chance to clean up."""
    home = make_home(folder)
    builder = f"""
import os, subprocess, sys
from contextlib import ExitStack
from pathlib import Path
from pmh_jupyter.hub.server_files import ServerFiles
from pmh_jupyter.hub.server_sandbox import Limits, Tenant, walled
uid = {STRANGER} if os.geteuid() == 0 else os.getuid()
if os.geteuid() == 0:
    os.chown({str(home)!r}, uid, uid)
with ExitStack() as files:
    script = "echo up; exec sleep 3600"
    tenant, sees = Tenant("ada", uid, Path({str(home)!r})), ServerFiles(Path("/"), (), ())
    command, fds = walled(["/bin/sh", "-c", script], tenant, sees, Limits(256, 40), files)
    subprocess.run(command, pass_fds=fds)
"""
    with subprocess.Popen([sys.executable, "-c", builder], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "up\n"
        process.kill()
        assert process.stdout.read() == "", "the pipe ends when the last one who holds it has ended"


def test_a_home_never_lies_over_the_systems_files() -> None:
    tenant = ServerOwner("anna", 1, Path("/data/homes/anna"))
    assert home_in_sandbox(tenant, ServerFiles(Path("/"), (), ())) == "/home/anna"
    assert (
        home_in_sandbox(tenant, ServerFiles(Path("/"), (Path("/home") / "anna" / "pmh" / ".venv",), ()))
        == "/home/anna.home"
    )


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    broken = folder / "bwrap"
    broken.write_text("#!/bin/sh\necho 'no namespaces here' >&2; exit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(server_sandbox, "find_bwrap", lambda: broken)
    assert sandbox_problem() == "bubblewrap cannot make a sandbox here: no namespaces here"
    monkeypatch.setattr(server_sandbox, "find_bwrap", lambda: folder / "nowhere")
    assert "cannot be run" in str(sandbox_problem())
    monkeypatch.setattr(server_sandbox, "find_bwrap", lambda: None)
    assert sandbox_problem() == "bubblewrap is not installed."
    monkeypatch.setattr("shutil.which", lambda name, path=None: None if name == "setpriv" else f"/usr/bin/{name}")
    monkeypatch.setattr(server_sandbox, "find_bwrap", lambda: broken)
    assert "setpriv (util-linux)" in str(sandbox_problem())
