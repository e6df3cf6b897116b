"""Frames over a real socket pair; the hostile side writes raw bytes."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmh_jupyter.grading.runtime.transport.framing import Link, PeerLost
from pmh_jupyter.grading.runtime.transport.wire_format import ValueTooLarge

MOST = 1 << 20


@pytest.fixture
def pair() -> Iterator[tuple[Link, Link]]:
    one, other = (Link(end, 64 << 20) for end in socket.socketpair())
    yield one, other
    one.close()
    other.close()


@pytest.fixture
def hostile() -> Iterator[tuple[Link, socket.socket]]:
    mine, raw = socket.socketpair()
    link = Link(mine, MOST)
    yield link, raw
    link.close()
    raw.close()


def frame(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


@pytest.mark.parametrize(
    "message", [None, 1, "é", b"", [], ["a", [1.5, None]], {"a": [1]}, b"x" * 70_000, "y" * 65_532]
)
def test_a_message_arrives_as_it_was(pair: tuple[Link, Link], message: Any) -> None:
    pair[0].send(message)
    assert pair[1].receive() == message


def test_several_frames_in_one_read_stay_apart_and_in_order(hostile: tuple[Link, socket.socket]) -> None:
    link, raw = hostile
    raw.sendall(b"".join(frame(msgspec.msgpack.encode(number)) for number in range(300)))
    assert [link.receive() for _ in range(300)] == list(range(300))


@pytest.mark.parametrize("cut", [1, 3, 4, 5, 40])
def test_a_frame_in_two_pieces(hostile: tuple[Link, socket.socket], cut: int) -> None:
    link, raw = hostile
    whole = frame(msgspec.msgpack.encode("x" * 50))
    raw.sendall(whole[:cut])
    rest = threading.Timer(0.01, raw.sendall, [whole[cut:] + frame(b"\x01")])
    rest.start()
    assert link.receive() == "x" * 50
    assert link.receive() == 1
    rest.join()


def test_both_sides_send_large_frames_at_once(pair: tuple[Link, Link]) -> None:
    load = os.urandom(8 << 20)
    came: list[object] = []

    def there() -> None:
        pair[1].send(load)
        came.append(pair[1].receive())

    other = threading.Thread(target=there)
    other.start()
    pair[0].send(load)
    came.append(pair[0].receive())
    other.join()
    assert came == [load, load]


@pytest.mark.parametrize(
    ("raw", "cause"),
    [
        (b"\x00\x00\x00\x00", "protocol-error"),
        ((MOST + 1).to_bytes(4, "big"), "protocol-error"),
        (b"\xff\xff\xff\xff\x00", "protocol-error"),
        (frame(b"\xc1"), "protocol-error"),
        (frame(b"\x01\x01"), "protocol-error"),
        (frame(b"\xa1\xff"), "protocol-error"),
        (frame(b"\xdd\xff\xff\xff\xff"), "protocol-error"),
        (frame(b"\x91" * 100_000), "protocol-error"),
        (frame(b"\x81\x81\x01\x02\x03"), "protocol-error"),
        (b"", "closed"),
        (b"\x00\x00", "closed"),
        (frame(b"\x93\x01\x02\x03")[:-1], "closed"),
    ],
)
def test_a_bad_frame_loses_the_link(hostile: tuple[Link, socket.socket], raw: bytes, cause: str) -> None:
    link, end = hostile
    end.sendall(raw)
    end.shutdown(socket.SHUT_WR)
    with pytest.raises(PeerLost) as lost:
        link.receive()
    assert lost.value.cause == cause and lost.value.detail.endswith(".")
    with pytest.raises(PeerLost) as again:
        link.send(1)
    assert again.value.cause == cause


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.booleans())
def test_random_bytes_give_a_message_or_lost(noise: bytes, framed: bool) -> None:
    mine, raw = socket.socketpair()
    link = Link(mine, MOST)
    with raw:
        raw.sendall(frame(noise) if framed else noise)
    with pytest.raises(PeerLost):
        while True:
            link.receive()
    link.close()


def test_an_announced_size_takes_no_memory_before_the_bytes_come(hostile: tuple[Link, socket.socket]) -> None:
    link, raw = hostile
    raw.sendall(MOST.to_bytes(4, "big") + b"x")
    raw.shutdown(socket.SHUT_WR)
    tracemalloc.start()
    try:
        with pytest.raises(PeerLost):
            link.receive()
        assert tracemalloc.get_traced_memory()[1] < MOST // 2
    finally:
        tracemalloc.stop()


def test_a_deadline_ends_waiting(pair: tuple[Link, Link]) -> None:
    pair[0].deadline = time.monotonic() + 0.02
    with pytest.raises(PeerLost) as lost:
        pair[0].receive()
    assert lost.value.cause == "cell-timeout"


def test_a_deadline_ends_a_frame_that_drips(hostile: tuple[Link, socket.socket]) -> None:
    link, raw = hostile
    raw.sendall(b"\x00\x00\x01")
    link.deadline = time.monotonic() + 0.02
    with pytest.raises(PeerLost) as lost:
        link.receive()
    assert lost.value.cause == "cell-timeout"


def test_a_deadline_ends_sending_to_one_that_does_not_read(pair: tuple[Link, Link]) -> None:
    pair[0].deadline = time.monotonic() + 0.02
    with pytest.raises(PeerLost) as lost:
        pair[0].send(b"x" * (8 << 20))
    assert lost.value.cause == "cell-timeout"


def test_one_who_sends_without_end_while_not_reading_is_given_up(hostile: tuple[Link, socket.socket]) -> None:
    link, raw = hostile
    flood = threading.Thread(target=_flood, args=[raw])
    flood.start()
    with pytest.raises(PeerLost) as lost:
        link.send(b"x" * (MOST - 10))
    link.close()
    flood.join()
    assert lost.value.cause == "protocol-error"


def _flood(raw: socket.socket) -> None:
    try:
        raw.sendall(b"\x00" * (8 * MOST))
    except OSError:
        pass


def test_sending_to_one_who_is_gone(pair: tuple[Link, Link]) -> None:
    pair[1].close()
    with pytest.raises(PeerLost) as lost:
        pair[0].send(1)
    assert lost.value.cause == "closed"


@pytest.mark.parametrize("message", ["\ud800", 2**64, object(), b"x" * (MOST + 1)])
def test_what_cannot_be_sent_leaves_the_link_as_it_was(hostile: tuple[Link, socket.socket], message: object) -> None:
    link, raw = hostile
    with pytest.raises(ValueTooLarge):
        link.send(message)
    link.send(5)
    assert raw.recv(100) == frame(b"\x05")


def test_too_deep_to_send(pair: tuple[Link, Link]) -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(ValueTooLarge):
        pair[0].send(deep)
    pair[0].send(1)
    assert pair[1].receive() == 1


def test_a_watched_descriptor_is_heard_while_waiting(pair: tuple[Link, Link]) -> None:
    ear, mouth = os.pipe()
    heard: list[bytes] = []

    def hear() -> None:
        heard.append(os.read(ear, 1))
        pair[1].send("now")

    pair[0].watch(ear, hear)
    os.write(mouth, b"!")
    assert pair[0].receive() == "now" and heard == [b"!"]
    pair[0].unwatch(ear)
    os.close(ear)
    os.close(mouth)


def test_what_a_watcher_raises_comes_out(pair: tuple[Link, Link]) -> None:
    ear, mouth = os.pipe()
    os.close(mouth)

    def hear() -> None:
        raise KeyError("the other end hung up")

    pair[0].watch(ear, hear)
    with pytest.raises(KeyError):
        pair[0].receive()
    pair[0].unwatch(ear)
    os.close(ear)
    pair[1].send(1)
    assert pair[0].receive() == 1


def test_signals_do_not_disturb(pair: tuple[Link, Link]) -> None:
    before = signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        load = b"x" * (16 << 20)
        other = threading.Thread(target=lambda: pair[1].send(pair[1].receive()))
        other.start()
        pair[0].send(load)
        assert pair[0].receive() == load
        other.join()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
