"""Links over a real socket pair. The hostile end writes raw bytes."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sys
import termios
import threading
import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmh_jupyter.grading.runtime.transport.framing import Link, PeerLost
from pmh_jupyter.grading.runtime.transport.wire_format import ValueTooLarge

MAX_FRAME_BYTES = 1 << 20


@pytest.fixture
def pair() -> Iterator[tuple[Link, Link]]:
    first, second = (Link(end, 64 << 20) for end in socket.socketpair())
    yield first, second
    first.close()
    second.close()


@pytest.fixture
def hostile() -> Iterator[tuple[Link, socket.socket]]:
    own_end, raw = socket.socketpair()
    link = Link(own_end, MAX_FRAME_BYTES)
    yield link, raw
    link.close()
    raw.close()


def frame(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


@pytest.mark.parametrize(
    "message", [None, 1, "é", b"", [], ["a", [1.5, None]], {"a": [1]}, b"x" * 70_000, "y" * 65_532]
)
def test_message_arrives_unchanged(pair: tuple[Link, Link], message: Any) -> None:
    pair[0].send(message)
    assert pair[1].receive() == message


def test_several_frames_in_one_read_arrive_separately_and_in_order(hostile: tuple[Link, socket.socket]) -> None:
    link, raw = hostile
    raw.sendall(b"".join(frame(msgspec.msgpack.encode(number)) for number in range(300)))
    assert [link.receive() for _ in range(300)] == list(range(300))


@pytest.mark.parametrize("cut", [1, 3, 4, 5, 40])
def test_frame_in_two_pieces_is_received_whole(hostile: tuple[Link, socket.socket], cut: int) -> None:
    link, raw = hostile
    whole = frame(msgspec.msgpack.encode("x" * 50))
    with ThreadPoolExecutor(1) as pool, closing(raw):  # closed first, so that the thread ends in any case
        receiving = pool.submit(link.receive)
        raw.sendall(whole[:cut])
        while count_unread_bytes(raw) and not receiving.done():
            time.sleep(0.001)
        raw.sendall(whole[cut:] + frame(b"\x01"))
        assert receiving.result(timeout=30) == "x" * 50
        assert link.receive() == 1


def count_unread_bytes(sender: socket.socket) -> int:
    """Return a number that is 0 as soon as the other end has read everything (SIOCOUTQ)."""
    return int.from_bytes(fcntl.ioctl(sender, termios.TIOCOUTQ, bytes(4)), sys.byteorder)


def test_both_sides_can_send_large_frames_at_once(pair: tuple[Link, Link]) -> None:
    payload = os.urandom(8 << 20)
    received: list[object] = []

    def send_and_receive() -> None:
        pair[1].send(payload)
        received.append(pair[1].receive())

    other_side = threading.Thread(target=send_and_receive)
    other_side.start()
    pair[0].send(payload)
    received.append(pair[0].receive())
    other_side.join()
    assert received == [payload, payload]


@pytest.mark.parametrize(
    ("raw", "cause"),
    [
        pytest.param(b"\x00\x00\x00\x00", "protocol-error", id="empty frame"),
        pytest.param((MAX_FRAME_BYTES + 1).to_bytes(4, "big"), "protocol-error", id="length above the maximum"),
        pytest.param(b"\xff\xff\xff\xff\x00", "protocol-error", id="largest length"),
        pytest.param(frame(b"\xc1"), "protocol-error", id="invalid first byte"),
        pytest.param(frame(b"\x01\x01"), "protocol-error", id="two values"),
        pytest.param(frame(b"\xa1\xff"), "protocol-error", id="text that is not UTF-8"),
        pytest.param(frame(b"\xdd\xff\xff\xff\xff"), "protocol-error", id="length of a list beyond the frame"),
        pytest.param(frame(b"\x91" * 100_000), "protocol-error", id="deep nesting"),
        pytest.param(frame(b"\x81\x81\x01\x02\x03"), "protocol-error", id="mapping as a key"),
        pytest.param(b"", "closed", id="closed before a frame"),
        pytest.param(b"\x00\x00", "closed", id="closed within the length"),
        pytest.param(frame(b"\x93\x01\x02\x03")[:-1], "closed", id="closed within the frame"),
    ],
)
def test_malformed_frame_loses_the_link(hostile: tuple[Link, socket.socket], raw: bytes, cause: str) -> None:
    link, end = hostile
    end.sendall(raw)
    end.shutdown(socket.SHUT_WR)
    with pytest.raises(PeerLost) as lost:
        link.receive()
    assert lost.value.cause == cause
    assert lost.value.detail.endswith(".")
    with pytest.raises(PeerLost) as again:
        link.send(1)
    assert again.value.cause == cause


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.booleans())
def test_random_bytes_end_in_peer_lost(noise: bytes, is_framed: bool) -> None:
    own_end, raw = socket.socketpair()
    link = Link(own_end, MAX_FRAME_BYTES)
    with raw:
        raw.sendall(frame(noise) if is_framed else noise)
    with pytest.raises(PeerLost):
        while True:
            link.receive()
    link.close()


def test_announced_size_takes_no_memory_before_the_bytes_arrive(hostile: tuple[Link, socket.socket]) -> None:
    link, raw = hostile
    raw.sendall(MAX_FRAME_BYTES.to_bytes(4, "big") + b"x")
    raw.shutdown(socket.SHUT_WR)
    tracemalloc.start()
    try:
        with pytest.raises(PeerLost):
            link.receive()
        assert tracemalloc.get_traced_memory()[1] < MAX_FRAME_BYTES // 2
    finally:
        tracemalloc.stop()


def test_receiving_ends_at_the_deadline(pair: tuple[Link, Link]) -> None:
    pair[0].deadline = time.monotonic() + 0.02
    with pytest.raises(PeerLost) as lost:
        pair[0].receive()
    assert lost.value.cause == "cell-timeout"


def test_receiving_an_incomplete_frame_ends_at_the_deadline(hostile: tuple[Link, socket.socket]) -> None:
    link, raw = hostile
    raw.sendall(b"\x00\x00\x01")
    link.deadline = time.monotonic() + 0.02
    with pytest.raises(PeerLost) as lost:
        link.receive()
    assert lost.value.cause == "cell-timeout"


def test_sending_to_a_peer_that_does_not_read_ends_at_the_deadline(pair: tuple[Link, Link]) -> None:
    pair[0].deadline = time.monotonic() + 0.02
    with pytest.raises(PeerLost) as lost:
        pair[0].send(b"x" * (8 << 20))
    assert lost.value.cause == "cell-timeout"


def test_peer_that_sends_endlessly_without_reading_is_lost(hostile: tuple[Link, socket.socket]) -> None:
    link, raw = hostile
    flood = threading.Thread(target=_flood, args=[raw])
    flood.start()
    with pytest.raises(PeerLost) as lost:
        link.send(b"x" * (MAX_FRAME_BYTES - 10))
    link.close()
    flood.join()
    assert lost.value.cause == "protocol-error"


def _flood(raw: socket.socket) -> None:
    try:
        raw.sendall(b"\x00" * (8 * MAX_FRAME_BYTES))
    except OSError:
        pass


def test_sending_to_a_closed_peer_raises_peer_lost(pair: tuple[Link, Link]) -> None:
    pair[1].close()
    with pytest.raises(PeerLost) as lost:
        pair[0].send(1)
    assert lost.value.cause == "closed"


@pytest.mark.parametrize("message", ["\ud800", 2**64, object(), b"x" * (MAX_FRAME_BYTES + 1)])
def test_message_that_cannot_be_sent_leaves_the_link_usable(
    hostile: tuple[Link, socket.socket], message: object
) -> None:
    link, raw = hostile
    with pytest.raises(ValueTooLarge):
        link.send(message)
    link.send(5)
    assert raw.recv(100) == frame(b"\x05")


def test_message_that_is_nested_too_deeply_leaves_the_link_usable(pair: tuple[Link, Link]) -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(ValueTooLarge):
        pair[0].send(deep)
    pair[0].send(1)
    assert pair[1].receive() == 1


def test_callback_of_a_watched_descriptor_runs_while_the_link_waits(pair: tuple[Link, Link]) -> None:
    reader, writer = os.pipe()
    read_bytes: list[bytes] = []

    def on_readable() -> None:
        read_bytes.append(os.read(reader, 1))
        pair[1].send("now")

    pair[0].watch(reader, on_readable)
    os.write(writer, b"!")
    assert pair[0].receive() == "now"
    assert read_bytes == [b"!"]
    os.close(reader)
    os.close(writer)


def test_exception_of_a_watcher_is_raised_by_receive(pair: tuple[Link, Link]) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"!")

    def on_readable() -> None:
        os.read(reader, 1)
        raise KeyError("the watcher failed")

    pair[0].watch(reader, on_readable)
    with pytest.raises(KeyError):
        pair[0].receive()
    pair[1].send(1)
    assert pair[0].receive() == 1
    os.close(reader)
    os.close(writer)


def test_signals_do_not_interrupt_messages(pair: tuple[Link, Link]) -> None:
    previous_handler = signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        payload = b"x" * (16 << 20)
        echo = threading.Thread(target=lambda: pair[1].send(pair[1].receive()))
        echo.start()
        pair[0].send(payload)
        assert pair[0].receive() == payload
        echo.join()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous_handler)
