"""Servers in containers on a real engine: their limits, and the addresses that they cannot reach but the machine itself can."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import docker
import pytest

from pmh_jupyter.config import Settings
from pmh_jupyter.errors import Conflict, Unavailable
from pmh_jupyter.hub.docker_spawner import ensure_network, require_image
from tests.integration.hub.conftest import Neighbors
from tests.support.docker.engine import DOCKER_CONFIG, docker_engine, skeleton_image
from tests.support.hub.hub_process import FORK_UNTIL_REFUSED, ROOT, running_hub

pytestmark = [pytest.mark.slow, pytest.mark.docker, pytest.mark.needs("docker", "root"), pytest.mark.timeout(300)]

IMAGE = "pmh-test-server"
NETWORK = "pmh-test"


@pytest.fixture(scope="module")
def engine() -> Iterator[docker.DockerClient]:
    with docker_engine():
        skeleton_image(IMAGE)
        client = docker.from_env()
        yield client
        client.close()


@pytest.fixture(scope="module")
def contained(engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbors]:
    settings = {
        "PMH_SPAWNER": "docker",
        "PMH_DOCKER_IMAGE": IMAGE,
        "PMH_DOCKER_NETWORK": NETWORK,
        "PMH_SERVER_MEMORY_MB": "512",
    }
    with running_hub(tmp_path_factory.mktemp("docker"), DOCKER_CONFIG, **settings) as hub:
        ada, bob = (hub.person(name).log_in().start_server() for name in ("ada", "bob"))
        yield Neighbors(hub, ada, bob)


def reaches(people: Neighbors, ip: str, port: int) -> bool:
    """True if Ada's container can connect to the address."""
    code = f"""
import socket
try:
    socket.create_connection(({ip!r}, {port}), timeout=3).close()
    print("reached")
except OSError as error:
    print("no:", error)
"""
    return "reached" in people.ada.run(code)


def machine_reaches(ip: str, port: int) -> bool:
    try:
        socket.create_connection((ip, port), timeout=3).close()
    except OSError:
        return False
    return True


def test_container_has_no_unneeded_privileges(contained: Neighbors) -> None:
    status = contained.ada.run("print(open('/proc/self/status').read())")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["Uid"].split() == ["1000"] * 4
    assert {fields[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert fields["NoNewPrivs"] == "1"
    for path in ("/x", "/etc/x", "/usr/x", "/opt/x", str(ROOT / "pmh_jupyter" / "x")):
        output = contained.ada.run(f"try:\n    open({path!r}, 'w')\nexcept OSError as error:\n    print('refused')")
        assert "refused" in output, path


def test_limits_are_enforced(contained: Neighbors, engine: docker.DockerClient) -> None:
    host_config = engine.api.inspect_container(f"{NETWORK}-ada")["HostConfig"]
    assert (host_config["Memory"], host_config["MemorySwap"]) == (512 << 20, 512 << 20)
    assert (host_config["PidsLimit"], host_config["ReadonlyRootfs"], host_config["CpuQuota"]) == (256, True, 200_000)
    allocate = (
        "import subprocess, sys\nprint(subprocess.run([sys.executable, '-c', 'bytearray(700 << 20)']).returncode)"
    )
    assert contained.ada.run(allocate).strip() == "-9"
    assert "Cannot fork" in contained.ada.run(FORK_UNTIL_REFUSED)
    fill_tmp = """
try:
    with open("/tmp/big", "wb") as file:
        for _ in range(60):
            file.write(bytes(10 << 20))
except OSError as error:
    print("full", error.errno)
import os; os.remove("/tmp/big")
"""
    assert "full 28" in contained.ada.run(fill_tmp)


def test_other_containers_cannot_be_reached(contained: Neighbors, engine: docker.DockerClient) -> None:
    bob = engine.api.inspect_container(f"{NETWORK}-bob")["NetworkSettings"]["Networks"][NETWORK]["IPAddress"]
    assert machine_reaches(bob, 8888)
    assert not reaches(contained, bob, 8888)


def test_only_hub_and_service_can_be_reached(contained: Neighbors, engine: docker.DockerClient) -> None:
    settings = contained.hub.settings
    gateway = ensure_network(engine, NETWORK)
    for variable in ("PMH_HUB_PORT", "PMH_SERVICE_PORT"):
        assert reaches(contained, gateway, int(settings[variable])), variable
    for variable in ("PMH_PORT", "PMH_PROXY_API_PORT"):
        assert machine_reaches("127.0.0.1", int(settings[variable])), variable
        assert not reaches(contained, gateway, int(settings[variable])), variable
        assert not reaches(contained, "127.0.0.1", int(settings[variable])), variable


def test_files_of_the_machine_are_not_visible(contained: Neighbors) -> None:
    data = contained.hub.data
    assert (data / "jupyterhub.sqlite").exists()
    visible = contained.ada.run(
        f"import os; print([os.path.exists(path) for path in ({str(data)!r}, '/var/run/docker.sock', '/var/tmp')])"
    )
    assert visible.strip() == "[False, False, False]"
    courses = contained.ada.run(f"import os; print(os.path.exists({str(ROOT / 'courses')!r}))")
    assert (ROOT / "courses").exists() and courses.strip() == "False"


def test_server_reaches_the_service_as_its_owner(contained: Neighbors) -> None:
    code = """
import os
from urllib.request import Request, urlopen
headers = {"Authorization": f"token {os.environ['JUPYTERHUB_API_TOKEN']}"}
print(urlopen(Request(os.environ["PMH_SERVICE_URL"] + "/api/me", headers=headers)).read().decode())
"""
    assert json.loads(contained.ada.run(code))["name"] == "ada"


def test_home_outlives_its_container(contained: Neighbors, engine: docker.DockerClient) -> None:
    contained.bob.run("open('notes.txt', 'w').write('still here')")
    contained.bob.stop_server()
    assert f"{NETWORK}-bob" not in {
        container.name for container in engine.containers.list(all=True, ignore_removed=True)
    }
    contained.bob.start_server()
    assert contained.bob.run("import os; print(os.getcwd(), open('notes.txt').read())") == "/home/jovyan still here\n"


def test_network_that_connects_containers_is_refused(engine: docker.DockerClient) -> None:
    connecting_network = engine.networks.create("pmh-joined", driver="bridge")
    try:
        with pytest.raises(Conflict, match="reach each other") as refused:
            ensure_network(engine, "pmh-joined")
        assert "docker network rm pmh-joined" in refused.value.advice
    finally:
        connecting_network.remove()


def test_missing_image_is_reported(engine: docker.DockerClient) -> None:
    require_image(Settings(docker_image=IMAGE))
    with pytest.raises(Unavailable, match="no image nowhere") as refused:
        require_image(Settings(docker_image="nowhere"))
    assert "deploy/Dockerfile" in refused.value.advice
