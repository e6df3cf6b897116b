"""The Docker backend on a real engine: it grades like bubblewrap, contains submissions, and leaves nothing behind."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import docker
import pytest

from pmh_jupyter.config import Settings
from pmh_jupyter.domain.isolation import Isolation
from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.errors import NoSandbox
from pmh_jupyter.grading.backends import PROBE_BUNDLE, find_backend
from pmh_jupyter.grading.backends.container import CAPABILITIES, OVERHEAD_BYTES, OWNER_LABEL, remove_orphaned_containers
from pmh_jupyter.grading.backends.docker import DockerBackend
from pmh_jupyter.grading.backends.unsandboxed import UnsandboxedBackend
from pmh_jupyter.grading.canary import run_canary
from tests.support.docker.backend import IMAGE, docker_backend
from tests.support.docker.engine import docker_engine
from tests.support.grading.concurrent_probe import find_each_other, start_children
from tests.support.grading.containment import PROBES, probe_succeeds
from tests.support.grading.lesson import (
    fill_in_answers,
    grade_in_sandbox,
    index_verdicts,
    make_notebook_file,
    make_release_isolation,
    make_task,
    read_cases,
)
from tests.support.grading.limits import AMPLE_SECONDS
from tests.support.processes import find_processes

pytestmark = [pytest.mark.slow, pytest.mark.docker, pytest.mark.needs("docker", "root"), pytest.mark.timeout(300)]
ROOT = Path(__file__).parents[4]
CASES = {case.name: case for case in read_cases()}
COMPARED_CASES = ("right", "wrong", "segfault", "endless-stubborn", "fork-bomb", "memory-bomb", "kills-supervisor")


@pytest.fixture(scope="module")
def engine() -> Iterator[docker.DockerClient]:
    with docker_engine():
        client = docker.from_env()
        yield client
        client.close()


@pytest.fixture(scope="module")
def backend(engine: docker.DockerClient) -> Iterator[DockerBackend]:
    backend = docker_backend()
    yield backend
    backend.close()
    assert _own_containers(engine) == []


def _own_containers(engine: docker.DockerClient) -> list[str]:
    return [
        str(container.id)
        for container in engine.containers.list(all=True, filters={"label": OWNER_LABEL}, ignore_removed=True)
    ]


def run_failing_cell(source: str, backend: DockerBackend, limits: EffectiveLimits | None = None) -> str:
    """Run one cell; return the detail of the error that it raises."""
    limits = limits or EffectiveLimits(**AMPLE_SECONDS)
    bundle = json.loads(PROBE_BUNDLE)
    bundle["cells"][0]["source"] = source
    bundle["limits"] = {name: getattr(limits, name) for name in vars(limits)}
    events = [json.loads(line) for line in backend.run(json.dumps(bundle).encode(), limits).output.splitlines() if line]
    return str(next(event for event in events if event["event"] == "cell-finished")["error"]["detail"])


def test_canary_passes(backend: DockerBackend) -> None:
    assert (backend.name, backend.is_contained) == ("docker", True)
    run_canary(backend)


@pytest.mark.parametrize("name", COMPARED_CASES)
def test_verdicts_are_those_of_bubblewrap(name: str, backend: DockerBackend) -> None:
    case = CASES[name]
    limits = EffectiveLimits(**(AMPLE_SECONDS | case.limits))
    grading = grade_in_sandbox(
        make_task(
            make_notebook_file(fill_in_answers(case.answers)),
            limits=limits,
            isolation=make_release_isolation(Isolation.SEPARATE_PROCESS),
        ),
        backend,
    )
    verdicts = {
        name: {"outcome": verdict.outcome.value, "points": verdict.millipoints / 1000, "message": verdict.message.code}
        for name, verdict in index_verdicts(grading).items()
        if verdict.message
    }
    assert grading.grader_error is None
    assert verdicts == case.expected[Isolation.SEPARATE_PROCESS]


# The image has its own /etc/passwd, and that of these tests mounts the whole checkout for its environment.
CONTAINER_PROBES = [probe for probe in PROBES if probe.stem not in ("password-file", "project-source")]


@pytest.mark.parametrize("probe", CONTAINER_PROBES, ids=lambda probe: probe.stem)
def test_probe_reaches_nothing(probe: Path, target: dict[str, object], backend: DockerBackend) -> None:
    """test_containment.py shows that each probe works without a sandbox."""
    assert not probe_succeeds(probe.read_text(), backend, target)


ASSERT_UNPRIVILEGED = """
import os
with open("/proc/self/status") as file:
    status = file.read()
assert {line.split()[1].strip("0") for line in status.splitlines() if line[:3] == "Cap"} == {""}
assert "NoNewPrivs:\\t1\\nSeccomp:\\t2" in status
assert 0 not in os.getresuid() + os.getresgid() + tuple(os.getgroups())
assert os.listdir("/sys/class/net") == ["lo"]
for place in ("", "/etc", "/usr", "/pmh/grading/runtime", "/pmh/python_source", "/pmh-control", "/judge"):
    try:
        open(f"{place}/x", "w")
    except OSError:
        continue
    raise AssertionError(place)
raise ValueError("nothing")
"""


def test_student_has_no_capabilities_no_network_and_no_writable_folder(backend: DockerBackend) -> None:
    assert run_failing_cell(ASSERT_UNPRIVILEGED, backend) == "nothing"


INSPECT_OTHER_PROCESSES = """
import os
for name in os.listdir("/proc"):
    if name.isdecimal() and int(name) != os.getpid():
        for look in (
            lambda: os.kill(int(name), 0),
            lambda: open(f"/proc/{name}/mem", "rb").close(),
            lambda: open(f"/proc/{name}/environ").read(1),
            lambda: os.listdir(f"/proc/{name}/fd"),
        ):
            try:
                look()
                reached = True
            except OSError:
                pass
"""
JUDGES_FILES = "import os\nreached = any(files for _, _, files in os.walk('/judge'))"


def test_judge_cannot_be_inspected_or_ended(backend: DockerBackend) -> None:
    assert probe_succeeds(INSPECT_OTHER_PROCESSES, UnsandboxedBackend(), {}), "the probe itself does not work"
    assert not probe_succeeds(INSPECT_OTHER_PROCESSES, backend, {})
    assert probe_succeeds("import os\nreached = len(os.listdir('/judge')) == 1", backend, {}), (
        "there is nothing to look for"
    )
    assert not probe_succeeds(JUDGES_FILES, backend, {})


FILL = """

written = 0
try:
    with open("/tmp/full", "wb", buffering=0) as a, open("/tmp/more", "wb", buffering=0) as b:
        for file in (a, b) * 100:
            written += file.write(bytes(1 << 20))
except OSError as error:
    raise ValueError(f"{error.errno} {written}")
"""


def test_limits_are_set_and_enforced(backend: DockerBackend, engine: docker.DockerClient) -> None:
    run_canary(backend)
    for thread in list(backend._pool._fill_threads.values()):
        thread.join()
    (spare, *_) = backend._pool._spares[()]
    host = engine.api.inspect_container(spare.id)["HostConfig"]
    assert (host["Memory"], host["MemorySwap"]) == (spare.memory_bytes, spare.memory_bytes)
    assert (host["NetworkMode"], host["ReadonlyRootfs"], host["Privileged"]) == ("none", True, False)
    assert (host["PidsLimit"], host["NanoCpus"], host["CapDrop"]) == (256, 10**9, ["ALL"])
    assert {name.removeprefix("CAP_") for name in host["CapAdd"]} == set(CAPABILITIES)
    limits = EffectiveLimits(**AMPLE_SECONDS, memory_bytes=300 << 20, processes=30)
    read = """
from pathlib import Path
files = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
raise ValueError(next(file.read_text() for file in files if file.exists()))
"""
    assert int(run_failing_cell(read, backend, limits)) == limits.memory_bytes + OVERHEAD_BYTES
    assert run_failing_cell(FILL, backend) == f"28 {64 << 20}"
    (count,) = start_children(backend, 25, processes=30)
    assert count < 30


def test_each_submission_has_its_own_container(backend: DockerBackend) -> None:
    where = "import socket; raise ValueError(socket.gethostname())"
    with ThreadPoolExecutor(2) as pool:
        names = list(pool.map(lambda _: run_failing_cell(where, backend), range(4)))
        assert len(set(names)) == 4
    assert find_each_other(backend) == [set(), set()]


def test_no_process_of_a_submission_outlives_it(backend: DockerBackend, engine: docker.DockerClient) -> None:
    code = "import subprocess\nsubprocess.Popen(['sleep', '86399.7'], start_new_session=True)\nraise ValueError('left')"
    assert run_failing_cell(code, backend) == "left"
    assert find_processes("86399.7") == []


def test_closed_backend_leaves_no_container_and_can_be_used_again(
    backend: DockerBackend, engine: docker.DockerClient
) -> None:
    run_canary(backend)
    backend.close()
    assert _own_containers(engine) == []
    run_canary(backend)


GRADER = """
from tests.support.docker.backend import docker_backend
from tests.integration.grading.backends.test_docker import run_failing_cell
import threading

backend = docker_backend()
run_failing_cell("raise ValueError()", backend)
threading.Thread(target=run_failing_cell, args=("import time; time.sleep(60)", backend), daemon=True).start()
backend._pool._fill_threads and [thread.join() for thread in list(backend._pool._fill_threads.values())]
print("begin", flush=True)
input()
"""


@pytest.mark.timeout(90)
def test_no_container_outlives_a_killed_grader(engine: docker.DockerClient) -> None:
    started_at = int(time.time())
    command = [sys.executable, "-c", GRADER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True) as grader:
        assert grader.stdout and grader.stdout.readline() == "begin\n"
        every = engine.containers.list(filters={"label": OWNER_LABEL}, ignore_removed=True)
        containers = {container.id for container in every if f"/{grader.pid}/" in container.labels[OWNER_LABEL]}
        grader.kill()
    assert containers
    events = engine.events(since=started_at, decode=True, filters={"event": "destroy", "label": OWNER_LABEL})
    for event in events:  # past events first, then new ones
        containers.discard(event["id"])
        if not containers:
            break
    events.close()


def test_containers_of_ended_graders_are_removed_and_others_are_not(
    engine: docker.DockerClient, backend: DockerBackend
) -> None:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    names = Path("/proc/self/ns/pid").readlink()
    began = Path("/proc/1/stat").read_text().rpartition(")")[2].split()[19]
    owners = {
        "gone": f"{boot}/{names}/1/7",
        "rebooted": f"other/{names}/1/{began}",
        "lives": f"{boot}/{names}/1/{began}",
    }
    owners["elsewhere"] = f"{boot}/pid:[1]/1/7"
    containers = {
        name: engine.containers.create(IMAGE, ["true"], labels={OWNER_LABEL: owner}) for name, owner in owners.items()
    }
    try:
        remove_orphaned_containers(engine)
        remaining = _own_containers(engine)
        assert {name for name, container in containers.items() if container.id in remaining} == {"lives", "elsewhere"}
    finally:
        for name in ("lives", "elsewhere"):
            containers[name].remove()


def test_missing_image_python_and_engine_are_reported(
    engine: docker.DockerClient, monkeypatch: pytest.MonkeyPatch, backend: DockerBackend
) -> None:
    with pytest.raises(NoSandbox, match="no image nowhere") as caught:
        find_backend(Settings(grader_sandbox="docker", grader_image="nowhere"))
    assert "deploy/Dockerfile" in caught.value.advice
    with pytest.raises(NoSandbox, match="does not start|can be started"):
        find_backend(Settings(grader_sandbox="docker", docker_image=IMAGE))  # has no Python
    gc.collect()  # an open connection is a warning, which should fail this test and not a later one
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with warnings.catch_warnings():
        # Docker's client does not close a socket that failed to connect.
        warnings.simplefilter("ignore", ResourceWarning)
        with pytest.raises(NoSandbox, match="No Docker engine answers"):
            find_backend(Settings(grader_sandbox="docker"))
        gc.collect()
