"""Files that tests and notebook share, though each process has folders of its own: before one of the two goes on, what the other
has changed is brought to it.

The judge asks, the student's process answers. Nothing is looked at before a test does something with a file in these folders. What
the student's process tells is not believed: names and bytes come from it, and the judge writes them into folders where it writes
nothing of its own. What the lesson or a test has written stays as it is for the tests, unless the reference changes it, too.
"""

from __future__ import annotations

import base64
import errno
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from .folders import (
    FILE,
    FOLDER,
    GONE,
    MOST_DEPTH,
    MOST_FILES,
    PART_BYTES,
    SMALL_BYTES,
    TICK_NS,
    Change,
    Folders,
    Key,
    read_change,
)
from .forms import BadForm, exact
from .own import BUILTINS

__builtins__ = BUILTINS

_stat = os.stat  # as it is while no test is told of what it looks at
WORK, TEMPORARY = "work", "temporary"
CHANGED = "file-changed"
Place = tuple[str, bytes]
"""Where a process works: a folder, as a place and a path in it."""


class SharedFiles:
    """The judge's end, through `peer`. `places`: the shared folders here; given: the release's own files ({path, content in base64}) for
    the place "work"; most_bytes: of one file, and of each place.

    `changed` are the files of the lesson's and the tests' that the reference changes, by `name`; with `record` they are found out.
    """

    def __init__(
        self,
        places: dict[str, str],
        given: list[dict[str, str]],
        most_bytes: int,
        changed: Iterable[str] = (),
        *,
        record: bool = False,
    ) -> None:
        self.folders = Folders(places)
        self.peer: JudgingPeer
        self.changed = set(changed)
        self._given, self._most, self._record = given, most_bytes, record
        self._flags: dict[str, None] = {}
        self._begun = self._met = self._busy = False
        # What may have changed since the last look: over there, here; whether files were opened here; whether some still are.
        self._stale, self._dirty, self._opened, self._held = True, False, False, False
        # Files of the lesson, of the tests, of the notebook; parts of names that are random.
        self._lessons: set[Key] = set()
        self._tests: set[Key] = set()
        self._came: set[Key] = set()
        self._random: set[bytes] = set()
        self._stands: Place = (WORK, b"")

    def connect(self, peer: JudgingPeer) -> None:
        """Another student's process: it knows nothing, and what came from the last one may not be in its folders."""
        self.peer, self._met, self._stale = peer, False, True
        if not self._begun:
            return
        self._dirty, self._stands = True, (WORK, b"")
        for key in sorted(self._came, reverse=True):
            with suppress(OSError):
                self.folders.make(Change(*key, GONE))
        self._came.clear()
        self.folders.forget_all_but(self._lessons - self._tests)

    def take_flags(self) -> list[dict[str, str]]:
        """What was refused since the last time."""
        flags, self._flags = self._flags, {}
        return [{"code": CHANGED, "detail": name[:200]} for name in flags]

    # What the judge's process does.

    def looked(self) -> None:
        """The test is about to look at files, or to change them. Raises OSError where there are too many, and `Lost`."""
        with self.peer.alone:
            if self._stale and not self._busy:
                self._agree()

    def changing(self) -> None:
        """The test is about to change files."""
        self.looked()
        if not self._busy:
            self._dirty = True

    def made(self, path: str | bytes) -> None:
        """The test has made a file of a random name."""
        self._random.add(os.path.basename(os.fsencode(path)))

    def opening(self) -> None:
        """The test is about to open a file, and may keep it open."""
        self.looked()
        self._opened = self._opened or not self._busy

    def before(self) -> None:
        """The student's code is about to run."""
        if self._busy:
            return
        held = self._held
        if self._opened or held:
            self._opened, self._held = False, self._is_held()
        if self._dirty or self._held or held:
            self._dirty = True
            self._agree()

    def after(self) -> None:
        """The student's code has run."""
        self._stale = True
        if self._held and not self._busy:
            self._agree()

    def concerns(self, path: Any) -> bool:
        """Whether a path may lead into the shared folders."""
        if path is None or isinstance(path, int):
            return not isinstance(path, int)
        with suppress(TypeError, ValueError):
            plain = os.fsencode(path)
            return not plain.startswith((b"/", b"<")) or plain.startswith(tuple(self.folders.places.values()))
        return False

    def holds(self, path: str) -> bool:
        """Whether a path lies in the shared folders. What is mounted in them (a Python that is installed below `/tmp`) does not."""
        plain = os.path.abspath(os.fsencode(path))
        roots = [root for root in self.folders.places.values() if plain == root or plain.startswith(root + b"/")]
        try:
            return any(_stat(plain).st_dev == _stat(root).st_dev for root in roots)
        except OSError:
            return bool(roots)

    # The conversation.

    def _agree(self) -> None:
        """What changed here goes over, and what changed there comes."""
        if self.peer.lost is not None or self.peer.retired:
            return
        self._busy = True
        try:
            if not self._begun:
                self._begin()
            there = None if self._met else self.folders.digests()
            changes = self.folders.changes() if self._dirty or self._held or not self._met else []
            for change in changes:
                self._note(change)
            theirs, stands = self._ask(changes, there)
            self._met = True
            self._take(theirs)
            self._stand(stands)
            self._stale = self._dirty = False
        finally:
            self._busy = False

    def _begin(self) -> None:
        """The lesson's own files are only brought here when somebody asks for them."""
        self._begun = True
        for file in self._given:
            path, content = os.fsencode(os.path.normpath(file["path"])), base64.b64decode(file["content"])
            for end in (index for index, letter in enumerate(path) if letter == ord("/")):
                self.folders.make(Change(WORK, path[:end], FOLDER))
            whole = content if len(content) <= SMALL_BYTES else None
            change = Change(WORK, path, FILE, len(content), time.time_ns() - TICK_NS, 0o644, whole)
            self.folders.make(change)
            if whole is None:
                self.folders.put(change, 0, content)
            self._lessons.add(change.key)

    def _note(self, change: Change) -> None:
        """A change of the tests' own."""
        self._came.discard(change.key)
        if change.kind == FILE:
            self._tests.add(change.key)
        elif change.kind == GONE:
            self._lessons.discard(change.key)
            self._tests.discard(change.key)

    def _ask(self, changes: list[Change], there: dict[Key, bytes] | None) -> tuple[list[Change], Place | None]:
        digests = None if there is None else tuple((*key, digest) for key, digest in there.items())
        stands = self._where()
        moved = stands if stands is not None and stands != self._stands else None
        answer = self.peer.plainly("files", digests, tuple(tuple(change) for change in changes), moved)
        for change in changes:
            if change.kind == FILE and change.data is None:
                self._send_parts(change)
        self._stands = stands or self._stands
        return self._read(answer)

    def _send_parts(self, change: Change) -> None:
        for offset in range(0, change.size, PART_BYTES):
            self.peer.plainly("file-put", tuple(change), offset, self.folders.part(change.key, offset, change.size))

    def _read(self, answer: Any) -> tuple[list[Change], Place | None]:
        """What the student's process says. Raises `Lost` for what no honest one says, and OSError for too much."""
        try:
            if type(answer) is not tuple:
                raise BadForm("No answer.")
            changes, stands = answer
            if type(changes) is not tuple or len(changes) > 2 * MOST_FILES:
                raise BadForm("No list of files.")
            read = [read_change(change, self.folders.places, self._most) for change in changes]
            if stands is not None and exact(stands, tuple) != (WORK, b""):
                stands = read_change((*stands, FOLDER, 0, 0, 0, None), self.folders.places, 0).key
        except (BadForm, TypeError, ValueError) as error:
            raise self.peer.lose(f"What was said of files is malformed: {error}"[:200]) from None
        if sum(change.size for change in read) > self._most * len(self.folders.places):
            raise OSError(errno.EFBIG, "the notebook's files are too large to be looked at")
        return read, stands

    def _take(self, changes: list[Change]) -> None:
        for change in changes:
            if change.key in self._lessons or change.key in self._tests:
                if not self._may_change(change):
                    continue
            elif change.kind != GONE:
                self._came.add(change.key)
            if change.kind == GONE:
                for keys in (self._lessons, self._tests, self._came):
                    keys.discard(change.key)
            self.folders.make(change)
            if change.kind == FILE and change.data is None:
                self._fetch(change)

    def _may_change(self, change: Change) -> bool:
        name = self.name(change.key)
        if self._record:
            self.changed.add(name)
        elif name not in self.changed:
            self._flags[name] = None
            return False
        return True

    def name(self, key: Key) -> str:
        """A file by a name that it has in each run: what is random in it is left out."""
        parts = [b"*" if part in self._random else part for part in key[1].split(b"/")]
        return f"{key[0]}/{os.fsdecode(b'/'.join(parts))}"

    def _fetch(self, change: Change) -> None:
        offset = 0
        while offset < change.size:
            data = self.peer.plainly("file-part", change.place, change.path, offset, change.size)
            if type(data) is not bytes or len(data) > change.size - offset:
                raise self.peer.lose("A part of a file is malformed.")
            if not data:
                break
            self.folders.put(change, offset, data)
            offset += len(data)

    def _where(self) -> Place | None:
        return where(self.folders.places)

    def _stand(self, stands: Place | None) -> None:
        """The folder that the notebook works in is the test's too."""
        if stands is not None and stands != self._stands:
            enter(self.folders.places, stands)
            self._stands = self._where() or self._stands

    def _is_held(self) -> bool:
        """Whether a file in the shared folders is open here: it may change without anybody being told."""
        for name in os.listdir("/proc/self/fd"):
            with suppress(OSError):
                path = os.fsencode(os.readlink(f"/proc/self/fd/{name}"))
                if path.startswith(tuple(self.folders.places.values())) and path not in self.folders.places.values():
                    return True
        return False


class StudentsFiles:
    """The other end, in the student's process. `places`: the shared folders there."""

    def __init__(self, places: dict[str, str]) -> None:
        self.folders = Folders(places)
        self._stands = where(self.folders.places)

    def files(self, there: Any, changes: Any, moved: Any) -> tuple[tuple[Any, ...], Place | None]:
        """Takes the judge's changes; answers what has changed here, and the folder that is worked in now, if it is another one.

        there: what files the judge has (place, path, digest), where it does not know what is here; else None.
        """
        for change in changes:
            self.folders.make(Change(*change))
        if moved is not None:
            enter(self.folders.places, moved)
            self._stands = moved
        digests = None if there is None else {(place, path): digest for place, path, digest in there}
        here = tuple(tuple(change) for change in self.folders.changes(digests))
        stands = where(self.folders.places)
        news, self._stands = stands if stands != self._stands else None, stands
        return here, news

    def part(self, place: str, path: bytes, offset: int, size: int) -> bytes:
        """A part of a file of so many bytes here."""
        return self.folders.part((place, path), offset, size)

    def put(self, change: Any, offset: int, data: bytes) -> None:
        """A part of a file of the judge's."""
        self.folders.put(Change(*change), offset, data)


def where(places: dict[str, bytes]) -> Place | None:
    """Where this process works; None for a folder that is not shared."""
    with suppress(OSError):
        here = os.getcwdb()
        for place, root in places.items():
            if here == root:
                return place, b""
            if here.startswith(root + b"/") and here.count(b"/") < MOST_DEPTH:
                return place, here[len(root) + 1 :]
    return None


def enter(places: dict[str, bytes], stands: Place) -> None:
    """Works there from now on, if there is such a folder."""
    place, path = stands
    with suppress(OSError):
        folder = os.path.join(places[place], path)
        if os.path.realpath(folder) == folder.rstrip(b"/"):
            os.chdir(folder)


from .judging_peer import JudgingPeer  # RENAME-ONLY
