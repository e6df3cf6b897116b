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

from pmh_jupyter.errors import NoWall
from pmh_jupyter.grading.task import Limits
from pmh_jupyter.grading.walls.base import GRACE_SECONDS, Ended
from pmh_jupyter.grading.walls.container import Container, Made, sweep

log = logging.getLogger(__name__)
# So many wait for the next submission, of so many sets of preloaded modules.
SPARE, MOST_SETS = 2, 2
MOST_CONNECTIONS = 32
ADVICE = "Build the image from deploy/Dockerfile, or name another with PMH_GRADER_IMAGE."


class DockerWall:
    """`image` holds `python`, with ipython and msgspec; `mounts` are folders of this machine that are read-only in it, as they lie."""

    name = "docker"
    contained = True

    def __init__(self, image: str, python: str = "python3", mounts: tuple[str, ...] = ()) -> None:
        """Raises NoWall where no engine answers, or it has no such image."""
        try:
            client = from_env(timeout=60, max_pool_size=MOST_CONNECTIONS)
            with ExitStack() as undo:
                undo.callback(client.close)
                client.images.get(image)
                undo.pop_all()
        except ImageNotFound as error:
            raise NoWall(f"The Docker engine has no image {image}.", advice=ADVICE) from error
        except DockerException as error:
            raise NoWall(
                "No Docker engine answers.", advice="Start it, and see that this user may use its socket (DOCKER_HOST)."
            ) from error
        sweep(client)
        self._pool = _Pool(client, image, python, mounts)
        weakref.finalize(self, self._pool.close)

    def run(self, bundle: bytes, limits: Limits, preload: tuple[str, ...] = ()) -> Ended:
        """See `Wall.run`; once more in another container when the first one died over it."""
        ended = self._run(bundle, limits, preload)
        if ended.stopped == "died":
            log.warning("a container died and is replaced: %s", ended.complaint)
            ended = self._run(bundle, limits, preload)
        return ended

    def made_of(self, preload: tuple[str, ...] = ()) -> str:
        """See `Wall.made_of`: what an image's name stands for may be another one tomorrow."""
        return ""

    def close(self) -> None:
        """See `Wall.close`."""
        self._pool.close()

    def _run(self, bundle: bytes, limits: Limits, preload: tuple[str, ...]) -> Ended:
        container = self._pool.take(preload)
        try:
            container.allow(limits)
            return container.run(bundle, limits.submission_seconds + GRACE_SECONDS)
        finally:
            container.close()


class _Pool:
    """Containers that wait, by what was imported in them. Apart from the wall, which would otherwise never be let go of."""

    def __init__(self, client: DockerClient, image: str, python: str, mounts: tuple[str, ...]) -> None:
        self._client, self._image, self._python, self._mounts = client, image, python, mounts
        self._lock = threading.Lock()
        self._spare: OrderedDict[tuple[str, ...], list[Container]] = OrderedDict()
        self._filling: dict[tuple[str, ...], threading.Thread] = {}
        self._generation = 0

    def take(self, preload: tuple[str, ...]) -> Container:
        """One that nobody has used, and that nobody else will; raises NoWall."""
        image = self._image_id()
        found: Container | None = None
        while found is None:
            with self._lock:
                waiting = self._spare.get(preload)
                candidate = waiting.pop() if waiting else None
            if candidate is None:
                found = self._start(preload)
            elif candidate.made.image == image and candidate.lives():
                found = candidate
            else:
                candidate.close()
        self._refill(preload)
        return found

    def close(self) -> None:
        """Ends all that wait, and those that are being started."""
        with self._lock:
            self._generation += 1
            filling = list(self._filling.values())
        for thread in filling:
            thread.join()
        for container in self._let_go(0):
            container.close()
        self._client.close()  # its connections; the next that is asked for makes others

    def _start(self, preload: tuple[str, ...]) -> Container:
        return Container(self._client, Made(self._image_id(), self._python, self._mounts, preload))

    def _image_id(self) -> str:
        try:
            return str(self._client.images.get(self._image).id)
        except DockerException as error:
            raise NoWall(f"The Docker engine has no image {self._image}, or does not answer.", advice=ADVICE) from error

    def _refill(self, preload: tuple[str, ...]) -> None:
        """Behind the back of whoever waits for a grading."""
        with self._lock:
            if preload in self._filling:
                return
            self._spare.setdefault(preload, [])
            self._spare.move_to_end(preload)
            thread = threading.Thread(
                target=self._fill, args=(preload, self._generation), name="containers", daemon=True
            )
            self._filling[preload] = thread
            thread.start()
        for container in self._let_go(MOST_SETS):
            container.close()

    def _fill(self, preload: tuple[str, ...], generation: int) -> None:
        try:
            while self._wants(preload, generation):
                container = self._start(preload)
                with self._lock:
                    waiting = self._spare.get(preload)
                    kept = waiting is not None and generation == self._generation
                    if waiting is not None and kept:
                        waiting.append(container)
                if not kept:
                    container.close()
        except NoWall as error:  # whoever needs one next is told
            log.warning("no container could be started ahead: %s", error.message)
        finally:
            with self._lock:
                self._filling.pop(preload, None)

    def _wants(self, preload: tuple[str, ...], generation: int) -> bool:
        with self._lock:
            return generation == self._generation and len(self._spare.get(preload, [None] * SPARE)) < SPARE

    def _let_go(self, sets: int) -> list[Container]:
        """Those of all sets but the last used, which are taken out of the pool."""
        gone: list[Container] = []
        with self._lock:
            while len(self._spare) > sets:
                gone += self._spare.popitem(last=False)[1]
        return gone
