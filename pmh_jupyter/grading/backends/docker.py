"""A wall of containers: each submission is graded in one of its own, started before it is needed and removed afterwards.

A container has no network, a root that cannot be written to, no rights but those with which our zygote in it gives two identities to
judge and student and ends their processes, and limits for all of it together. It speaks with us over one socket in a folder of ours,
which is closed to all others as soon as the zygote has found it. When that socket ends, be it because this process was killed, so
does the container, and the engine removes it. What an engine that was stopped meanwhile left behind is removed by the next wall.
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections import OrderedDict
from contextlib import ExitStack

from docker import DockerClient, from_env
from docker.errors import DockerException, ImageNotFound

from pmh_jupyter.errors import NoSandbox
from pmh_jupyter.grading.backends.backend import GRACE_SECONDS, JudgeRun
from pmh_jupyter.grading.backends.container import ContainerSpec, GradingContainer, remove_orphaned_containers
from pmh_jupyter.grading.task import EffectiveLimits

log = logging.getLogger(__name__)
# So many wait for the next submission, of so many sets of preloaded modules.
SPARE_CONTAINERS, MAX_PRELOAD_SETS = 2, 2
MAX_CONNECTIONS = 32
ADVICE = "Build the image from deploy/Dockerfile, or name another with PMH_GRADER_IMAGE."


class DockerBackend:
    """`image` holds `python`, with ipython and msgspec; `mounts` are folders of this machine that are read-only in it, as they lie."""

    name = "docker"
    is_contained = True

    def __init__(self, image: str, python: str = "python3", mounts: tuple[str, ...] = ()) -> None:
        """Raises NoWall where no engine answers, or it has no such image."""
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
                "No Docker engine answers.", advice="Start it, and see that this user may use its socket (DOCKER_HOST)."
            ) from error
        remove_orphaned_containers(client)
        self._pool = _ContainerPool(client, image, python, mounts)
        weakref.finalize(self, self._pool.close)

    def run(self, bundle: bytes, limits: EffectiveLimits, preload: tuple[str, ...] = ()) -> JudgeRun:
        """See `Wall.run`; once more in another container when the first one died over it."""
        judge_run = self._run_once(bundle, limits, preload)
        if judge_run.stop_reason == "died":
            log.warning("a container died and is replaced: %s", judge_run.stderr_tail)
            judge_run = self._run_once(bundle, limits, preload)
        return judge_run

    def fingerprint(self, preload: tuple[str, ...] = ()) -> str:
        """See `Wall.made_of`: what an image's name stands for may be another one tomorrow."""
        return ""

    def close(self) -> None:
        """See `Wall.close`."""
        self._pool.close()

    def _run_once(self, bundle: bytes, limits: EffectiveLimits, preload: tuple[str, ...]) -> JudgeRun:
        container = self._pool.acquire(preload)
        try:
            container.set_memory_limit(limits)
            return container.run(bundle, limits.submission_seconds + GRACE_SECONDS)
        finally:
            container.close()


class _ContainerPool:
    """Containers that wait, by what was imported in them. Apart from the wall, which would otherwise never be let go of."""

    def __init__(self, client: DockerClient, image: str, python: str, mounts: tuple[str, ...]) -> None:
        self._client, self._image, self._python, self._mounts = client, image, python, mounts
        self._lock = threading.Lock()
        self._spares: OrderedDict[tuple[str, ...], list[GradingContainer]] = OrderedDict()
        self._fill_threads: dict[tuple[str, ...], threading.Thread] = {}
        self._generation = 0

    def acquire(self, preload: tuple[str, ...]) -> GradingContainer:
        """One that nobody has used, and that nobody else will; raises NoWall."""
        image_id = self._image_id()
        container: GradingContainer | None = None
        while container is None:
            with self._lock:
                spares = self._spares.get(preload)
                candidate = spares.pop() if spares else None
            if candidate is None:
                container = self._start(preload)
            elif candidate.spec.image == image_id and candidate.is_alive():
                container = candidate
            else:
                candidate.close()
        self._start_refill(preload)
        return container

    def close(self) -> None:
        """Ends all that wait, and those that are being started."""
        with self._lock:
            self._generation += 1
            threads = list(self._fill_threads.values())
        for thread in threads:
            thread.join()
        for container in self._evict(0):
            container.close()
        self._client.close()  # its connections; the next that is asked for makes others

    def _start(self, preload: tuple[str, ...]) -> GradingContainer:
        return GradingContainer(self._client, ContainerSpec(self._image_id(), self._python, self._mounts, preload))

    def _image_id(self) -> str:
        try:
            return str(self._client.images.get(self._image).id)
        except DockerException as error:
            raise NoSandbox(
                f"The Docker engine has no image {self._image}, or does not answer.", advice=ADVICE
            ) from error

    def _start_refill(self, preload: tuple[str, ...]) -> None:
        """Behind the back of whoever waits for a grading."""
        with self._lock:
            if preload in self._fill_threads:
                return
            self._spares.setdefault(preload, [])
            self._spares.move_to_end(preload)
            thread = threading.Thread(
                target=self._fill, args=(preload, self._generation), name="containers", daemon=True
            )
            self._fill_threads[preload] = thread
            thread.start()
        for container in self._evict(MAX_PRELOAD_SETS):
            container.close()

    def _fill(self, preload: tuple[str, ...], generation: int) -> None:
        try:
            while self._needs_spare(preload, generation):
                container = self._start(preload)
                with self._lock:
                    spares = self._spares.get(preload)
                    is_wanted = spares is not None and generation == self._generation
                    if spares is not None and is_wanted:
                        spares.append(container)
                if not is_wanted:
                    container.close()
        except NoSandbox as error:  # whoever needs one next is told
            log.warning("no container could be started ahead: %s", error.message)
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
        """Those of all sets but the last used, which are taken out of the pool."""
        evicted: list[GradingContainer] = []
        with self._lock:
            while len(self._spares) > max_sets:
                evicted += self._spares.popitem(last=False)[1]
        return evicted
