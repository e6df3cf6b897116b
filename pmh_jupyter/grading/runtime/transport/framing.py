"""Frames between the judge and the student process: four bytes of length (big-endian), then one msgpack value.

The other side is not trusted. Malformed input (nothing, garbage, half a frame, a header that announces four gigabytes) ends in
`PeerLost`, and memory grows only with the bytes that arrive.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable
from typing import Any

import msgspec

from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS
from pmh_jupyter.grading.runtime.transport.wire_format import ValueTooLarge

__builtins__ = BUILTINS

MAX_FRAME_BYTES = 64 << 20
_HEADER_BYTES = 4
_CHUNK_BYTES = 1 << 16
_MAX_CHUNK_BYTES = 1 << 20
# Sending to a closed peer raises an error. Without the flag a signal would end this process.
_SEND_FLAGS = getattr(socket, "MSG_DONTWAIT", 0) | getattr(socket, "MSG_NOSIGNAL", 0)
# How long a link waits past its deadline: see `Link._wait`.
_GRACE_MS = 20
_POLL_READ_WRITE = select.POLLIN | select.POLLOUT


class PeerLost(Exception):
    """The other process can no longer be used.

    cause: "cell-timeout", "protocol-error" (it sent something malformed) or "closed". detail: a sentence for the log.
    """

    def __init__(self, cause: str, detail: str) -> None:
        super().__init__(cause, detail)
        self.cause = cause
        self.detail = detail


class Link:
    """One end of a stream socket that carries frames, for use by one thread at a time.

    sock: a connected stream socket. The link owns it from now on.
    max_frame_bytes: maximum length of a frame, in both directions.

    `deadline` (a value of `time.monotonic()`, or None) applies to sending and receiving. `extend_deadline` moves it, but not behind
    `latest_deadline`. After `PeerLost`, every further use raises the same error again.
    """

    def __init__(self, sock: socket.socket, max_frame_bytes: int = MAX_FRAME_BYTES) -> None:
        sock.setblocking(True)
        self.deadline: float | None = None
        self.latest_deadline = 0.0
        self._sock = sock
        self._max_frame_bytes = max_frame_bytes
        self._failure: PeerLost | None = None
        self._watchers: dict[int, Callable[[], None]] = {}
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)
        # Received bytes of frames that `receive` has not returned yet.
        self._inbox = bytearray()
        self._chunk = bytearray(_CHUNK_BYTES)
        self._view = memoryview(self._chunk)
        self._outbox = bytearray()
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder()

    def fileno(self) -> int:
        """Return the file descriptor of the socket."""
        return self._sock.fileno()

    def extend_deadline(self, seconds: float) -> None:
        """Allow more time for something that is slower here than in a notebook."""
        if self.deadline is not None and self.deadline < self.latest_deadline:
            self.deadline = min(self.deadline + seconds, self.latest_deadline)

    def close(self) -> None:
        """Close the socket. The other side reads the end of the stream."""
        self._failure = self._failure or PeerLost("closed", "The link is closed.")
        self._sock.close()

    def watch(self, descriptor: int, on_readable: Callable[[], None]) -> None:
        """Call `on_readable` whenever the descriptor is readable or closed while this link waits.

        `on_readable` must read from the descriptor or raise. Its exceptions are raised by `send` or `receive`.
        """
        self._watchers[descriptor] = on_readable
        self._poll.register(descriptor, select.POLLIN)

    def send(self, message: Any) -> None:
        """Send one message of plain msgpack values.

        Raises `PeerLost`. Raises `ValueTooLarge` if the message is not plain msgpack, too deep or longer than a frame; nothing has been
        sent then, and the link can still be used.
        """
        if self._failure is not None:
            raise PeerLost(self._failure.cause, self._failure.detail)
        frame = self._outbox
        try:
            self._encoder.encode_into(message, frame, _HEADER_BYTES)
        except (msgspec.MsgspecError, RecursionError, TypeError, ValueError, OverflowError, MemoryError) as error:
            self._outbox = bytearray()
            raise ValueTooLarge(f"This cannot be sent: {error}") from None
        length = len(frame) - _HEADER_BYTES
        if length > self._max_frame_bytes:
            self._outbox = bytearray()
            raise ValueTooLarge(f"This is too large to send: {length} bytes, at most {self._max_frame_bytes}.")
        frame[:_HEADER_BYTES] = length.to_bytes(_HEADER_BYTES, "big")
        try:
            sent_bytes = self._sock.send(frame, _SEND_FLAGS)
        except BlockingIOError:
            sent_bytes = 0
        except OSError:
            raise self._mark_lost("closed", "The other side has closed the connection.") from None
        if sent_bytes != len(frame):
            self._send_rest(sent_bytes)
        if length > _MAX_CHUNK_BYTES:
            self._outbox = bytearray()

    def _send_rest(self, sent_bytes: int) -> None:
        """Send the rest of the frame and read at the same time: if both sides only sent, both would block."""
        self._poll.modify(self._sock, _POLL_READ_WRITE)
        is_complete = False
        try:
            with memoryview(self._outbox) as remaining:
                while sent_bytes < len(remaining):
                    ready = self._wait()
                    if ready & select.POLLIN:
                        self._read_available()
                    if ready & ~select.POLLIN:
                        sent_bytes += self._send_some(remaining[sent_bytes:])
            is_complete = True
        finally:
            self._outbox = bytearray()
            if not is_complete:
                self._mark_lost("closed", "A frame was cut short.")
            self._poll.modify(self._sock, select.POLLIN)

    def _send_some(self, remaining: memoryview) -> int:
        try:
            return self._sock.send(remaining, _SEND_FLAGS)
        except BlockingIOError:
            return 0
        except OSError:
            raise self._mark_lost("closed", "The other side has closed the connection.") from None

    def receive(self) -> Any:
        """Return the next message, decoded but not validated: treat it as hostile. Raises `PeerLost`."""
        if self._failure is not None:
            raise PeerLost(self._failure.cause, self._failure.detail)
        if self._inbox:
            return self._receive_fragmented()
        if self.deadline is not None or self._watchers:
            self._wait()
        # The usual case: exactly one frame has come, and it fits.
        try:
            count = self._sock.recv_into(self._chunk)
        except OSError:
            count = 0
        view = self._view
        if (
            count > _HEADER_BYTES
            and int.from_bytes(view[:_HEADER_BYTES], "big") == count - _HEADER_BYTES <= self._max_frame_bytes
        ):
            return self._decode(view[_HEADER_BYTES:count])
        if not count:
            raise self._mark_lost("closed", "The other side has closed the connection.")
        self._inbox += view[:count]
        return self._receive_fragmented()

    def _receive_fragmented(self) -> Any:
        """Receive a frame that arrives in pieces or together with others."""
        self._fill_inbox(_HEADER_BYTES)
        length = int.from_bytes(self._inbox[:_HEADER_BYTES], "big")
        if not 0 < length <= self._max_frame_bytes:
            raise self._mark_lost(
                "protocol-error", f"A frame of {length} bytes, at most {self._max_frame_bytes} are allowed."
            )
        end = _HEADER_BYTES + length
        self._fill_inbox(end)
        frame, self._inbox = self._inbox, self._inbox[end:]
        with memoryview(frame) as view:
            return self._decode(view[_HEADER_BYTES:end])

    def _fill_inbox(self, count: int) -> None:
        """Wait until the inbox contains `count` bytes."""
        while len(self._inbox) < count:
            if self.deadline is not None or self._watchers:
                self._wait()
            self._read_available(count - len(self._inbox))

    def _read_available(self, byte_count: int = _CHUNK_BYTES) -> None:
        """Read the available bytes into the inbox, which may contain one frame and its header at most."""
        if len(self._inbox) > self._max_frame_bytes + _HEADER_BYTES:
            raise self._mark_lost("protocol-error", "The other side does not stop sending.")
        if byte_count > len(self._chunk) < _MAX_CHUNK_BYTES:
            self._chunk = bytearray(min(len(self._chunk) * 4, _MAX_CHUNK_BYTES))
            self._view = memoryview(self._chunk)
        try:
            count = self._sock.recv_into(self._chunk)
        except OSError:
            count = 0
        if not count:
            raise self._mark_lost("closed", "The other side has closed the connection.")
        self._inbox += self._view[:count]

    def _wait(self) -> int:
        """Wait until the socket is ready, and return its poll events. Meanwhile the callbacks of watched descriptors run."""
        own_descriptor = self._sock.fileno()
        while True:
            timeout = None
            if self.deadline is not None:
                timeout = (self.deadline - time.monotonic()) * 1000
                if timeout <= -_GRACE_MS:
                    raise self._mark_lost("cell-timeout", "The time limit was reached.")
                # An alarm for the same moment reports the running code, so it takes precedence.
                timeout = timeout + _GRACE_MS
            socket_events = 0
            for descriptor, bits in self._poll.poll(timeout):
                if descriptor == own_descriptor:
                    socket_events = bits
                elif descriptor in self._watchers:
                    self._watchers[descriptor]()
            if socket_events:
                return socket_events

    def _decode(self, body: memoryview) -> Any:
        try:
            return self._decoder.decode(body)
        except RecursionError:
            raise self._mark_lost("protocol-error", "A frame is nested too deeply.") from None
        except MemoryError:
            raise self._mark_lost("protocol-error", "A frame needs too much memory.") from None
        except (msgspec.MsgspecError, ValueError, TypeError, OverflowError):
            raise self._mark_lost("protocol-error", "A frame is not msgpack.") from None

    def _mark_lost(self, cause: str, detail: str) -> PeerLost:
        """Record why the link is lost and return the error. A later cause does not replace the first."""
        self._failure = self._failure or PeerLost(cause, detail)
        return self._failure
