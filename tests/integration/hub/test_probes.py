"""Probes that a student runs in a kernel. Each must succeed on a hub without sandboxes, and fail on a hub with them."""

from __future__ import annotations

import os
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from pmh_jupyter.hub.accounts.first_admin import ensure_admin
from tests.integration.hub.conftest import Neighbors
from tests.support.hub.hub_process import FORK_UNTIL_REFUSED, ROOT, Person

pytestmark = [pytest.mark.slow, pytest.mark.needs("bubblewrap", "setpriv"), pytest.mark.timeout(300)]

GOT = "got: "
NOTHING = "nothing"

HELPERS = """
import glob, os, urllib.request

def read(path):
    with open(path, "rb") as file:
        return file.read()

def environments():
    # Of every process but this server's own.
    for path in glob.glob("/proc/[0-9]*/environ"):
        try:
            pairs = read(path).decode(errors="replace").split("\\0")
        except OSError:
            continue
        environ = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
        if environ.get("JUPYTERHUB_API_TOKEN") != os.environ["JUPYTERHUB_API_TOKEN"]:
            yield environ

def call(url, token, method="GET"):
    request = urllib.request.Request(url, headers={"Authorization": f"token {token}"}, method=method)
    with urllib.request.urlopen(request, timeout=20) as reply:
        return reply.read().decode()

of_this_hub = {"JUPYTERHUB_API_URL": os.environ["JUPYTERHUB_API_URL"]}

def stolen(needed="JUPYTERHUB_API_TOKEN", **like):
    for environ in environments():
        if needed in environ and all(environ.get(key) == value for key, value in like.items()):
            return environ[needed]
    return os.environ["JUPYTERHUB_API_TOKEN"]
"""


@dataclass(frozen=True)
class Probe:
    """Code that stores its target in `loot`. An empty value or an OSError means failure; `proof` is part of the target."""

    name: str
    code: str
    proof: str


FILES = [
    Probe("the Hub's database", "loot = read(f'{data}/jupyterhub.sqlite')[:15]", "SQLite format 3"),
    Probe("the service's database", "loot = read(f'{data}/pmh.sqlite')[:15]", "SQLite format 3"),
    Probe("the accounts", "loot = read(f'{data}/accounts.sqlite')", "$argon2id$"),
    Probe("the key of the Hub's cookies", "loot = len(read(f'{data}/jupyterhub_cookie_secret'))", "65"),
    Probe("the service's keys", "loot = [len(read(path)) for path in glob.glob(f'{data}/keys/*')]", "64"),
    Probe("the Hub's log", "loot = read(f'{data}.log')", "JupyterHub"),
    Probe(
        "a sealed test in a course's source",
        "loot = b''.join(map(read, glob.glob(f'{root}/courses/*/*/*')))",
        "HIDDEN TESTS",
    ),
    Probe("another user's home", "loot = read(f'{data}/homes/bob/diary.txt')", "secret diary"),
    Probe("the log of another user's server", "loot = read(f'{data}/logs/servers/bob.log')", "ServerApp"),
    Probe("the machine's /tmp, where the grader works", "loot = read(shared_file)", "left by another process"),
    Probe(
        "the root folder of another process",
        "loot = read(f'/proc/{hub_pid}/root{data}/jupyterhub.sqlite')[:15]",
        "SQLite format 3",
    ),
]
PROCESSES = [
    Probe("the Hub's environment", "loot = read(f'/proc/{hub_pid}/environ')", "PMH_DATA_DIR"),
    Probe(
        "the proxy's key",
        "loot = [environ for environ in environments() if 'CONFIGPROXY_AUTH_TOKEN' in environ]",
        "CONFIGPROXY",
    ),
    Probe(
        "another user's processes",
        "loot = [environ for environ in environments() if environ.get('JUPYTERHUB_USER') == 'bob']",
        "bob",
    ),
    Probe("a signal to another user's server", "os.kill(bob_pid, 0); loot = 'it would have arrived'", "arrived"),
    Probe("the descriptors of another process", "loot = os.listdir(f'/proc/{hub_pid}/fd')", "0"),
]
ADDRESSES = [
    Probe(
        "the service as another user",
        "me = call(os.environ['PMH_SERVICE_URL'] + '/api/me', stolen(JUPYTERHUB_USER='bob', **of_this_hub)); loot = 'bob' in me and me",
        '"name":"bob"',
    ),
    Probe(
        "all users on the Hub's API",
        "loot = call(os.environ['JUPYTERHUB_API_URL'] + '/users', stolen(JUPYTERHUB_SERVICE_NAME='idle-culler', **of_this_hub))",
        '"name": "bob"',
    ),
    Probe(
        "the proxy's routes",
        "loot = call(f'http://127.0.0.1:{proxy_port}/api/routes', stolen('CONFIGPROXY_AUTH_TOKEN', PMH_PROXY_API_PORT=proxy_port))",
        "/user/bob",
    ),
]


def run_probe(people: Neighbors, probe: Probe) -> str:
    """Run the probe in Ada's kernel. Returns its output."""
    data = people.hub.data
    (data / "homes" / "bob" / "diary.txt").write_text("secret diary")
    ensure_admin(data / "accounts.sqlite", "admin")
    assert people.hub.process
    with tempfile.NamedTemporaryFile("w", dir="/tmp", suffix=".pmh-probe") as shared:
        shared.write("left by another process")
        shared.flush()
        Path(shared.name).chmod(0o644)
        context = {
            "data": str(data),
            "root": str(ROOT),
            "hub_pid": people.hub.process.pid,
            "bob_pid": server_of("bob", people),
            "shared_file": shared.name,
            "proxy_port": people.hub.settings["PMH_PROXY_API_PORT"],
        }
        setup = f"globals().update({context!r})\n{HELPERS}\nloot = None\n"
        code = f"try:\n    {probe.code}\nexcept OSError as error:\n    print(error)\n"
        return people.ada.run(f"{setup}{code}print({GOT!r} + str(loot) if loot else {NOTHING!r})")


def server_of(name: str, people: Neighbors) -> int:
    """The process id of a user's server, outside of its sandbox."""
    address = f"/user/{name}/\0".encode()
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            content = environ.read_bytes()
        except OSError:
            continue
        if (
            b"JUPYTERHUB_SERVICE_PREFIX=" + address in content
            and people.hub.settings["PMH_HUB_PORT"].encode() in content
        ):
            return int(environ.parent.name)
    raise AssertionError(f"{name} has no server")


@pytest.mark.parametrize("probe", [*FILES, *PROCESSES, *ADDRESSES], ids=lambda probe: probe.name)
def test_probe_fails_in_a_sandbox(probe: Probe, unsandboxed: Neighbors, sandboxed: Neighbors) -> None:
    output = run_probe(unsandboxed, probe)
    assert GOT in output and probe.proof in output, "the probe is broken: it must succeed without a sandbox"
    output = run_probe(sandboxed, probe)
    assert NOTHING in output and GOT not in output


LISTEN = """
import re, time, zmq
ports = {int(line.split()[1].rpartition(":")[2], 16) for line in open("/proc/net/tcp").readlines()[1:] if line.split()[3] == "0A"}
context = zmq.Context()
poller = zmq.Poller()
sockets = []
for port in ports:
    socket = context.socket(zmq.SUB)
    socket.setsockopt(zmq.LINGER, 0)
    socket.subscribe(b"")
    socket.connect(f"tcp://127.0.0.1:{port}")
    poller.register(socket, zmq.POLLIN)
    sockets.append(socket)
loot = ""
deadline = time.monotonic() + SECONDS
while time.monotonic() < deadline:
    for socket, _ in poller.poll(50):
        loot += b"".join(socket.recv_multipart()).decode(errors="replace")
    if "bob's answer" in loot:
        break
for socket in sockets:
    socket.close()
context.term()
print("got: " + loot[-200:] if "bob's answer" in loot else "nothing")
"""


def keep_answering(person: Person, stop: threading.Event) -> None:
    while not stop.is_set():
        person.run("print('bob\\'s answer')")


def test_output_of_another_users_kernel_cannot_be_read(unsandboxed: Neighbors, sandboxed: Neighbors) -> None:
    # Without a sandbox, it may take long on a busy machine.
    for people, expected, seconds in ((unsandboxed, GOT, 50), (sandboxed, NOTHING, 5)):
        people.bob.run("'starts the kernel'")
        stop = threading.Event()
        worker = threading.Thread(target=keep_answering, args=(people.bob, stop))
        worker.start()
        try:
            assert expected in people.ada.run(LISTEN.replace("SECONDS", str(seconds)))
        finally:
            stop.set()
            worker.join()


def test_server_token_reaches_no_staff_route(sandboxed: Neighbors) -> None:
    """Another token of the same person does, so it is the token that is refused and not the person."""
    admin = sandboxed.hub.person("admin").log_in().start_server()
    url = f"{sandboxed.hub.address}/services/pmh/api/classrooms/demo/gradebook"
    code = f"{HELPERS}\ntry:\n    print(call({url!r}, TOKEN)[:40])\nexcept OSError as error:\n    print(error)"
    assert '"classroom":"demo"' in admin.run(code.replace("TOKEN", repr(admin.token())))
    assert "403" in admin.run(code.replace("TOKEN", "os.environ['JUPYTERHUB_API_TOKEN']"))
    admin.stop_server()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "users"),
        ("GET", "users/bob"),
        ("POST", "users/ada/tokens"),
        ("DELETE", "users/bob/server"),
        ("GET", "proxy"),
    ],
)
def test_server_token_has_no_further_permission_at_the_hub(method: str, path: str, sandboxed: Neighbors) -> None:
    """An administrator's own token may do each of them, so it is not the address that is wrong."""
    address = f"os.environ['JUPYTERHUB_API_URL'] + '/{path}'"
    code = f"{HELPERS}\ntry:\n    print(call({address}, os.environ['JUPYTERHUB_API_TOKEN'], {method!r}))\n"
    answer = sandboxed.ada.run(f"{code}except OSError as error:\n    print('refused:', error)")
    assert "refused: HTTP Error 40" in answer
    if method == "GET":
        admin = sandboxed.hub.person("admin").log_in()
        assert admin.api("GET", path).status_code == 200


@pytest.mark.needs("root")
def test_server_of_a_hub_run_by_root_has_no_privileges(sandboxed: Neighbors) -> None:
    status = sandboxed.ada.run("print(open('/proc/self/status').read())")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert os.getuid() == 0
    assert "0" not in fields["Uid"].split()
    assert "0" not in fields["Gid"].split()
    assert {fields[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert fields["NoNewPrivs"] == "1"
    assert fields.get("Groups", "").strip() == ""


def test_limits_are_enforced(sandboxed: Neighbors) -> None:
    assert "MemoryError" in sandboxed.ada.run(
        "try:\n    b = bytearray(3 << 30)\nexcept MemoryError:\n    print('MemoryError')"
    )
    assert "Cannot fork" in sandboxed.ada.run(FORK_UNTIL_REFUSED)


def test_system_is_read_only_and_scratch_folders_are_private(sandboxed: Neighbors) -> None:
    for path in ("/usr/x", "/etc/x", "/x", str(ROOT / "pmh_jupyter" / "x")):
        output = sandboxed.ada.run(
            f"try:\n    open({path!r}, 'w')\nexcept OSError as error:\n    print('refused', error.errno)"
        )
        assert "refused" in output, path
    sandboxed.ada.run("open('/tmp/mine', 'w').write('x'); open('/dev/shm/mine', 'w').write('x')")
    assert "False False" in sandboxed.bob.run(
        "import os; print(os.path.exists('/tmp/mine'), os.path.exists('/dev/shm/mine'))"
    )
