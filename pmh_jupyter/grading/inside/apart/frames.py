"""Frames between the judge and the student's process: four bytes of length, then one msgpack value.

The other side is not believed. Whatever it sends (nothing, garbage, half a frame, four gigabytes announced) ends in
`Lost`, and memory grows only with the bytes that really came.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable
from typing import Any

import msgspec

from pmh_jupyter.grading.inside.apart.forms import TooMuch

from .own import BUILTINS

__builtins__ = BUILTINS

MOST_BYTES = 64 << 20
_HEAD = 4
_CHUNK = 1 << 16
_MOST_CHUNK = 1 << 20
# A peer that is gone is told by an error, not by a signal that ends this process.
_SEND = getattr(socket, "MSG_DONTWAIT", 0) | getattr(socket, "MSG_NOSIGNAL", 0)
# Milliseconds past its deadline that a link still waits.
_LATE = 20
_ROOM = select.POLLIN | select.POLLOUT


class Lost(Exception):
    """The other side is of no more use. `cause`: "time", "answer" (a bad frame) or "gone"; `detail`: a plain sentence."""

    def __init__(self, cause: str, detail: str) -> None:
        super().__init__(cause, detail)
        self.cause = cause
        self.detail = detail


class Link:
    """One end of a stream socket that carries frames; for one thread at a time.

    sock: a connected stream socket, which the link owns from now on. most_bytes: the longest frame, either way.
    `deadline` (a `time.monotonic()`, or None) holds for sending and receiving alike.
    After `Lost` the link stays lost: each further use raises it again.
    """

    def __init__(self, sock: socket.socket, most_bytes: int = MOST_BYTES) -> None:
        sock.setblocking(True)
        self.deadline: float | None = None
        self._sock = sock
        self._most = most_bytes
        self._lost: Lost | None = None
        self._heard: dict[int, Callable[[], None]] = {}
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)
        # Bytes that came and belong to no frame handed out yet.
        self._inbox = bytearray()
        self._chunk = bytearray(_CHUNK)
        self._view = memoryview(self._chunk)
        self._outbox = bytearray()
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder()

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self._sock.fileno()

    def close(self) -> None:
        """Close the socket; the other side reads the end."""
        self._lost = self._lost or Lost("gone", "The link is closed.")
        self._sock.close()

    def watch(self, descriptor: int, heard: Callable[[], None]) -> None:
        """While this link waits, call `heard` whenever the descriptor can be read (or hung up).

        `heard` must read what came, call `unwatch`, or raise: what it raises comes out of `send` or `receive`.
        """
        self._heard[descriptor] = heard
        self._poll.register(descriptor, select.POLLIN)

    def unwatch(self, descriptor: int) -> None:
        """No longer watch a descriptor."""
        if self._heard.pop(descriptor, None) is not None:
            self._poll.unregister(descriptor)

    def send(self, message: Any) -> None:
        """Send one message of plain msgpack values.

        Raises `Lost`; or `TooMuch` for what is no plain msgpack, too deep or longer than a frame: nothing was sent then
        and the link is as good as before.
        """
        if self._lost is not None:
            raise Lost(self._lost.cause, self._lost.detail)
        out = self._outbox
        try:
            self._encoder.encode_into(message, out, _HEAD)
        except (msgspec.MsgspecError, RecursionError, TypeError, ValueError, OverflowError, MemoryError) as error:
            self._outbox = bytearray()
            raise TooMuch(f"This cannot be sent: {error}") from None
        length = len(out) - _HEAD
        if length > self._most:
            self._outbox = bytearray()
            raise TooMuch(f"This is too large to send: {length} bytes, at most {self._most}.")
        out[:_HEAD] = length.to_bytes(_HEAD, "big")
        try:
            sent = self._sock.send(out, _SEND)
        except BlockingIOError:
            sent = 0
        except OSError:
            raise self._lose("gone", "The other side is gone.") from None
        if sent != len(out):
            self._send_rest(sent)
        if length > _MOST_CHUNK:
            self._outbox = bytearray()

    def _send_rest(self, sent: int) -> None:
        """Send the rest of the frame, reading meanwhile: both sides may be sending, and nobody reading."""
        self._poll.modify(self._sock, _ROOM)
        whole = False
        try:
            with memoryview(self._outbox) as rest:
                while sent < len(rest):
                    ready = self._wait()
                    if ready & select.POLLIN:
                        self._take()
                    if ready & ~select.POLLIN:
                        sent += self._send_some(rest[sent:])
            whole = True
        finally:
            self._outbox = bytearray()
            if not whole:
                self._lose("gone", "A frame was cut short.")
            self._poll.modify(self._sock, select.POLLIN)

    def _send_some(self, rest: memoryview) -> int:
        try:
            return self._sock.send(rest, _SEND)
        except BlockingIOError:
            return 0
        except OSError:
            raise self._lose("gone", "The other side is gone.") from None

    def receive(self) -> Any:
        """The next message, as msgspec reads msgpack: treat it as hostile. Raises `Lost`."""
        if self._lost is not None:
            raise Lost(self._lost.cause, self._lost.detail)
        if self._inbox:
            return self._receive_slowly()
        if self.deadline is not None or self._heard:
            self._wait()
        # The usual case: exactly one frame has come, and it fits.
        try:
            count = self._sock.recv_into(self._chunk)
        except OSError:
            count = 0
        view = self._view
        if count > _HEAD and int.from_bytes(view[:_HEAD], "big") == count - _HEAD <= self._most:
            return self._decoded(view[_HEAD:count])
        if not count:
            raise self._lose("gone", "The other side is gone.")
        self._inbox += view[:count]
        return self._receive_slowly()

    def _receive_slowly(self) -> Any:
        """A frame in pieces, or several at once."""
        self._gather(_HEAD)
        length = int.from_bytes(self._inbox[:_HEAD], "big")
        if not 0 < length <= self._most:
            raise self._lose("answer", f"A frame of {length} bytes, at most {self._most} are allowed.")
        end = _HEAD + length
        self._gather(end)
        frame, self._inbox = self._inbox, self._inbox[end:]
        with memoryview(frame) as view:
            return self._decoded(view[_HEAD:end])

    def _gather(self, count: int) -> None:
        """Wait until the inbox holds that many bytes."""
        while len(self._inbox) < count:
            if self.deadline is not None or self._heard:
                self._wait()
            self._take(count - len(self._inbox))

    def _take(self, wanted: int = _CHUNK) -> None:
        """Add to the inbox what can be read at once; one frame and its head at most may lie there unread."""
        if len(self._inbox) > self._most + _HEAD:
            raise self._lose("answer", "The other side sends without end.")
        if wanted > len(self._chunk) < _MOST_CHUNK:
            self._chunk = bytearray(min(len(self._chunk) * 4, _MOST_CHUNK))
            self._view = memoryview(self._chunk)
        try:
            count = self._sock.recv_into(self._chunk)
        except OSError:
            count = 0
        if not count:
            raise self._lose("gone", "The other side is gone.")
        self._inbox += self._view[:count]

    def _wait(self) -> int:
        """Wait until the socket is ready; answers poll's bits for it. Watched descriptors are heard meanwhile."""
        mine = self._sock.fileno()
        while True:
            timeout = None
            if self.deadline is not None:
                timeout = (self.deadline - time.monotonic()) * 1000
                if timeout <= -_LATE:
                    raise self._lose("time", "The time is up.")
                # A timer set for the same moment, which knows what is being done, comes first.
                timeout = timeout + _LATE
            answer = 0
            for descriptor, bits in self._poll.poll(timeout):
                if descriptor == mine:
                    answer = bits
                elif descriptor in self._heard:
                    self._heard[descriptor]()
            if answer:
                return answer

    def _decoded(self, body: memoryview) -> Any:
        try:
            return self._decoder.decode(body)
        except RecursionError:
            raise self._lose("answer", "A frame is nested too deeply.") from None
        except MemoryError:
            raise self._lose("answer", "A frame needs too much memory.") from None
        except (msgspec.MsgspecError, ValueError, TypeError, OverflowError):
            raise self._lose("answer", "A frame is no msgpack.") from None

    def _lose(self, cause: str, detail: str) -> Lost:
        """Note why the link is lost; the first cause stays."""
        self._lost = self._lost or Lost(cause, detail)
        return self._lost
