"""A backend of Docker containers: one for each submission, started in advance and removed afterwards.

A container has no network, a read-only root, and resource limits for all of its processes together. It has only the capabilities that the
fork server needs to give judge and student different user ids and to end their processes. It communicates with this process over one
socket, to which nobody else can connect once the fork server has connected. When this socket closes, for example because this process
was killed, the container ends and the engine removes it. If the engine was stopped before, the next backend removes the container.
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections import OrderedDict
from contextlib import ExitStack

from docker import DockerClient, from_env
from docker.errors import DockerException, ImageNotFound

from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.errors import NoSandbox
from pmh_jupyter.grading.backends.backend import GRACE_SECONDS, MAX_ATTEMPTS, JudgeRun
from pmh_jupyter.grading.backends.container import ContainerSpec, GradingContainer, remove_orphaned_containers
from pmh_jupyter.grading.compiled_cell_cache import CompiledCellCache

log = logging.getLogger(__name__)
# Waiting containers per set of preloaded modules, and the number of sets that have waiting containers.
SPARE_CONTAINERS, MAX_PRELOAD_SETS = 2, 2
MAX_CONNECTIONS = 32
ADVICE = "Build the image from deploy/Dockerfile, or name another with PMH_GRADER_IMAGE."


class DockerBackend:
    """Runs submissions with `python` of `image`, which needs ipython and msgspec. `mounts`: folders of this machine, mounted read-only."""

    name = "docker"
    is_contained = True

    def __init__(self, image: str, python: str = "python3", mounts: tuple[str, ...] = ()) -> None:
        """Create the backend. Raises NoSandbox if no engine answers, or if it does not have the image."""
        self.compiled_cells = CompiledCellCache()
        try:
            client = from_env(timeout=60, max_pool_size=MAX_CONNECTIONS)
            with ExitStack() as on_failure:
                on_failure.callback(client.close)
                client.images.get(image)
                on_failure.pop_all()
        except ImageNotFound as error:
            raise NoSandbox(f"The Docker engine has no image {image}.", advice=ADVICE) from error
        except DockerException as error:
            raise NoSandbox(
                "No Docker engine answers.",
                advice="Start Docker, and check that this user may use its socket (DOCKER_HOST).",
            ) from error
        remove_orphaned_containers(client)
        self._pool = _ContainerPool(client, image, python, mounts)
        weakref.finalize(self, self._pool.close)

    def run(self, bundle: bytes, limits: EffectiveLimits, preload: tuple[str, ...] = ()) -> JudgeRun:
        """See `SandboxBackend.run`. If the container dies, the bundle runs once more in another one."""
        for _ in range(MAX_ATTEMPTS):
            container = self._pool.acquire(preload)
            try:
                container.set_memory_limit(limits)
                judge_run = container.run(bundle, limits.submission_seconds + GRACE_SECONDS)
            finally:
                container.close()
            if judge_run.stop_reason != "died":
                break
            log.warning("a container died and is replaced: %s", judge_run.stderr_tail)
        return judge_run

    def fingerprint(self, preload: tuple[str, ...] = ()) -> str:
        """See `SandboxBackend.fingerprint`. It is unknown, because an image's name may refer to another image later."""
        return ""

    def list_missing_controllers(self) -> list[str]:
        """See `SandboxBackend.list_missing_controllers`. The engine limits each container."""
        return []

    def close(self) -> None:
        """See `SandboxBackend.close`."""
        self._pool.close()


class _ContainerPool:
    """The waiting containers by preloaded modules.

    Not part of the backend: its threads and the finalizer refer to it, and a backend that they refer to would never be garbage-collected.
    """

    def __init__(self, client: DockerClient, image: str, python: str, mounts: tuple[str, ...]) -> None:
        self._client, self._image, self._python, self._mounts = client, image, python, mounts
        self._lock = threading.Lock()
        self._spares: OrderedDict[tuple[str, ...], list[GradingContainer]] = OrderedDict()
        self._fill_threads: dict[tuple[str, ...], threading.Thread] = {}
        self._generation = 0

    def acquire(self, preload: tuple[str, ...]) -> GradingContainer:
        """Return a new container, which no other caller gets. Raises NoSandbox."""
        image_id = self._find_image_id()
        container: GradingContainer | None = None
        while container is None:
            with self._lock:
                spares = self._spares.get(preload)
                candidate = spares.pop() if spares else None
            if candidate is None:
                container = self._start_container(preload)
            elif candidate.spec.image == image_id and candidate.is_alive():
                container = candidate
            else:
                candidate.close()
        self._start_refill(preload)
        return container

    def close(self) -> None:
        """Remove all waiting containers, including those that are being started."""
        with self._lock:
            self._generation += 1
            threads = list(self._fill_threads.values())
        for thread in threads:
            thread.join()
        for container in self._evict(0):
            container.close()
        self._client.close()  # the next request opens new connections

    def _start_container(self, preload: tuple[str, ...]) -> GradingContainer:
        return GradingContainer(self._client, ContainerSpec(self._find_image_id(), self._python, self._mounts, preload))

    def _find_image_id(self) -> str:
        try:
            return str(self._client.images.get(self._image).id)
        except DockerException as error:
            raise NoSandbox(
                f"The Docker engine has no image {self._image}, or does not answer.", advice=ADVICE
            ) from error

    def _start_refill(self, preload: tuple[str, ...]) -> None:
        """Start replacements in the background."""
        with self._lock:
            if preload in self._fill_threads:
                return
            self._spares.setdefault(preload, [])
            self._spares.move_to_end(preload)
            thread = threading.Thread(
                target=self._fill_spares, args=(preload, self._generation), name="containers", daemon=True
            )
            self._fill_threads[preload] = thread
            thread.start()
        for container in self._evict(MAX_PRELOAD_SETS):
            container.close()

    def _fill_spares(self, preload: tuple[str, ...], generation: int) -> None:
        try:
            while self._needs_spare(preload, generation):
                container = self._start_container(preload)
                with self._lock:
                    spares = self._spares.get(preload)
                    is_wanted = spares is not None and generation == self._generation
                    if spares is not None and is_wanted:
                        spares.append(container)
                if not is_wanted:
                    container.close()
        except NoSandbox as error:  # the next grading reports it
            log.warning("no container could be started in advance: %s", error.message)
        finally:
            with self._lock:
                self._fill_threads.pop(preload, None)

    def _needs_spare(self, preload: tuple[str, ...], generation: int) -> bool:
        with self._lock:
            return (
                generation == self._generation
                and len(self._spares.get(preload, [None] * SPARE_CONTAINERS)) < SPARE_CONTAINERS
            )

    def _evict(self, max_sets: int) -> list[GradingContainer]:
        """Remove the containers of all but the `max_sets` most recently used sets from the pool, and return them."""
        evicted: list[GradingContainer] = []
        with self._lock:
            while len(self._spares) > max_sets:
                evicted += self._spares.popitem(last=False)[1]
        return evicted
