"""The client of the service: limits of time and size, connections, and what it does not send."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pmh_jupyter.errors import Unavailable
from pmh_jupyter.server_extension import service_client
from pmh_jupyter.server_extension.error_replies import ServiceError
from pmh_jupyter.server_extension.service_client import ServiceClient, Timeouts, parse_failure, parse_retry_after
from pmh_jupyter.wire.base import ErrorReply
from tests.support.lab.requests import REQUEST_ID
from tests.support.service.small_service import TOKEN, SmallService

LOG = logging.getLogger("test")
EVENTS = "classrooms/physics-1/events"
TIMEOUT_ERRORS = (TimeoutError, httpx.TimeoutException)
ERROR_REPLY = ErrorReply(code="conflict", message="The lesson is closed.", advice="Ask.", request_id="theirs")


@asynccontextmanager
async def connect_client(url: str, timeouts: Timeouts | None = None) -> AsyncIterator[ServiceClient]:
    """A client with other timeouts or another address."""
    client = ServiceClient(url, TOKEN, LOG, timeouts)
    try:
        yield client
    finally:
        await client.close()


async def test_requests_reuse_one_connection(client: ServiceClient, service: SmallService) -> None:
    for _ in range(3):
        await client.get("me", REQUEST_ID)
    await client.send("POST", "join", b'{"join_code": "ABCD-1234"}', REQUEST_ID)

    assert len({request.client_port for request in service.requests}) == 1


async def test_request_after_a_restart_of_the_service_uses_a_new_connection(
    client: ServiceClient, service: SmallService
) -> None:
    await client.get("me", REQUEST_ID)
    await service.kill()
    service.start()

    await client.send("POST", "join", b'{"join_code": "ABCD-1234"}', REQUEST_ID)

    assert service.joined == ["ABCD-1234"]


async def test_requests_carry_token_and_request_id_and_no_cookies(client: ServiceClient, service: SmallService) -> None:
    service.set_cookie = "session=somebody; Path=/"
    await client.get("me", "first")
    await client.get("me", "second")
    async with client.open_event_stream(EVENTS, "", "", "third"):
        await service.wait_until(lambda: len(service.streams) == 1)

    assert [request.request_id for request in service.requests] == ["first", "second", "third"]
    assert {request.headers["Authorization"] for request in service.requests} == {f"token {TOKEN}"}
    assert not any("Cookie" in request.headers for request in service.requests)


async def test_proxy_of_the_environment_is_not_used(service: SmallService, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with connect_client(service.url) as client:
        assert (await client.get("me", REQUEST_ID)).status == 200
        async with client.open_event_stream(EVENTS, "", "", REQUEST_ID):
            await service.wait_until(lambda: len(service.streams) == 1)


async def test_redirect_is_not_followed(client: ServiceClient, service: SmallService) -> None:
    service.fail("me", 302, times=2, Location=f"{service.url}/api/classrooms/physics-1/outline")
    with pytest.raises(Unavailable, match="302"):
        await client.get("me", REQUEST_ID)
    assert {request.path for request in service.requests} == {"/services/pmh/api/me"}


async def test_response_time_is_limited(service: SmallService) -> None:
    service.hold("join")
    async with connect_client(service.url, Timeouts(write_seconds=0.2)) as client:
        with pytest.raises(Unavailable) as raised:
            await client.send("POST", "join", b'{"join_code": "ABCD-1234"}', REQUEST_ID)
    assert isinstance(raised.value.__cause__, TIMEOUT_ERRORS)


@pytest.mark.parametrize("is_announced", [True, False], ids=["content-length", "chunked"])
async def test_response_size_is_limited(
    client: ServiceClient, service: SmallService, monkeypatch: pytest.MonkeyPatch, is_announced: bool
) -> None:
    monkeypatch.setattr(service_client, "MAX_RESPONSE_BYTES", 100_000)
    service.respond_with("me", b"x" * 100_000, is_chunked=not is_announced)
    assert len((await client.get("me", REQUEST_ID)).body) == 100_000
    for _ in range(2):
        service.respond_with("me", b"x" * 100_001, is_chunked=not is_announced)
    with pytest.raises(Unavailable) as raised:
        await client.get("me", REQUEST_ID)
    assert isinstance(raised.value.__cause__, service_client.ResponseTooLarge)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x", "http://nowhere.invalid/x", "no-address", "http://[", ""])
async def test_address_without_a_server_is_unavailable(url: str) -> None:
    async with connect_client(url) as client:
        with pytest.raises(Unavailable):
            await client.get("me", REQUEST_ID)
        with pytest.raises(Unavailable):
            async with client.open_event_stream(EVENTS, "", "", REQUEST_ID):
                raise AssertionError("there is no stream")


async def test_connection_closed_before_the_headers_is_noticed_at_once(
    client: ServiceClient, service: SmallService
) -> None:
    service.hangs_up_at_once = True
    with pytest.raises(Unavailable) as raised:
        async with client.open_event_stream(EVENTS, "", "", REQUEST_ID):
            raise AssertionError("there is no stream")
    assert not isinstance(raised.value.__cause__, TIMEOUT_ERRORS)


async def test_stream_without_headers_is_given_up_after_the_connect_timeout(service: SmallService) -> None:
    service.hold("me")
    async with connect_client(service.url, Timeouts(connect_seconds=0.2)) as client:
        with pytest.raises(Unavailable) as raised:
            async with client.open_event_stream("me", "", "", REQUEST_ID):
                raise AssertionError("there is no stream")
    assert isinstance(raised.value.__cause__, TIMEOUT_ERRORS)


async def test_silent_stream_ends_after_the_idle_timeout(service: SmallService) -> None:
    async with connect_client(service.url, Timeouts(idle_seconds=0.05)) as client:
        async with client.open_event_stream(EVENTS, "", "", REQUEST_ID) as chunks:
            assert [chunk async for chunk in chunks] == []
        await service.wait_until(lambda: not service.streams)


async def wait_until_idle(queue: asyncio.Queue[Any]) -> None:
    """Wait until the event loop, which runs both client and service, has made 1000 rounds without taking anything from the queue."""
    idle_rounds, size = 0, queue.qsize()
    while idle_rounds < 1000:
        await asyncio.sleep(0)
        idle_rounds = idle_rounds + 1 if queue.qsize() == size else 0
        size = queue.qsize()


async def test_slow_reader_slows_the_sender_down(client: ServiceClient, service: SmallService) -> None:
    chunk_count = 64
    async with client.open_event_stream(EVENTS, "", "", REQUEST_ID) as chunks:
        await service.wait_until(lambda: len(service.streams) == 1)
        [stream] = service.streams
        for _ in range(chunk_count):
            service.send_comment("x" * (1 << 20))
        await anext(chunks)
        await wait_until_idle(stream.queue)
        assert stream.queue.qsize() > chunk_count / 2, "the client has buffered what nobody has read"
        while not stream.queue.empty():
            await anext(chunks)


async def test_leaving_a_stream_closes_its_connection_even_if_nothing_was_read(
    client: ServiceClient, service: SmallService
) -> None:
    async with client.open_event_stream(EVENTS, "", "", REQUEST_ID) as chunks:
        await service.wait_until(lambda: len(service.streams) == 1)
    await service.wait_until(lambda: not service.streams)
    assert [chunk async for chunk in chunks] == []


async def test_cancelling_the_reader_closes_the_connection_at_once(
    client: ServiceClient, service: SmallService
) -> None:
    async def read() -> None:
        async with client.open_event_stream(EVENTS, "", "", REQUEST_ID) as chunks:
            async for _ in chunks:
                pass

    reading = asyncio.create_task(read())
    await service.wait_until(lambda: len(service.streams) == 1)
    reading.cancel()
    await service.wait_until(lambda: not service.streams)
    assert reading.cancelled()


async def test_stream_canceled_at_any_moment_leaves_no_connection(client: ServiceClient, service: SmallService) -> None:
    async def read() -> None:
        async with client.open_event_stream(EVENTS, "", "", REQUEST_ID) as chunks:
            async for _ in chunks:
                pass

    for step_count in range(300):
        reading = asyncio.create_task(read())
        for _ in range(step_count % 60):
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    async with asyncio.timeout(30):
        while service.count_connections():
            await asyncio.sleep(0.01)


async def test_error_reply_instead_of_a_stream_is_raised(client: ServiceClient, service: SmallService) -> None:
    service.fail("events", 409, ERROR_REPLY, Retry_After="3")
    with pytest.raises(ServiceError) as raised:
        async with client.open_event_stream(EVENTS, "", "", REQUEST_ID):
            raise AssertionError("there is no stream")
    assert (raised.value.status, raised.value.reply, raised.value.retry_after) == (409, ERROR_REPLY, 3.0)


async def test_endless_error_instead_of_a_stream_is_cut_off(client: ServiceClient, service: SmallService) -> None:
    service.respond_with("events", b"x" * (service_client.MAX_ERROR_BODY_BYTES + 1), status=500, is_chunked=True)
    with pytest.raises(Unavailable):
        async with client.open_event_stream(EVENTS, "", "", REQUEST_ID):
            raise AssertionError("there is no stream")


def test_failure_is_the_error_of_the_service_or_of_something_else() -> None:
    failure = parse_failure(409, ERROR_REPLY.model_dump_json().encode(), 2.0, "ours")
    assert isinstance(failure, ServiceError)
    assert (failure.reply, failure.retry_after) == (ERROR_REPLY, 2.0)

    without_id = ERROR_REPLY.model_copy(update={"request_id": ""})
    failure = parse_failure(409, without_id.model_dump_json().encode(), None, "ours")
    assert isinstance(failure, ServiceError) and failure.reply.request_id == "ours"

    failure = parse_failure(502, b"<html>Bad gateway</html>", 2.0, "ours")
    assert isinstance(failure, Unavailable)
    assert "502" in failure.message
    assert failure.retry_after == 2.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("-3", 0.0), ("Wed, 21 Oct 2015 07:28:00 GMT", None), ("", None)],
)
def test_retry_after_is_read_in_seconds(value: str, seconds: float | None) -> None:
    assert parse_retry_after({"Retry-After": value}) == seconds
    assert parse_retry_after({}) is None


def create_certificate(folder: Path) -> tuple[Path, Path]:
    """Files of a self-signed certificate for 127.0.0.1 and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate_file, key_file


async def test_https_trusts_the_authorities_of_the_system_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate_file, key_file = create_certificate(tmp_path)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate_file, key_file)
    service = SmallService(tls)
    service.start()
    try:
        async with connect_client(service.url) as client:
            with pytest.raises(Unavailable):
                await client.get("me", REQUEST_ID)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate_file))
        async with connect_client(service.url) as client:
            assert (await client.get("me", REQUEST_ID)).status == 200
            async with client.open_event_stream(EVENTS, "", "", REQUEST_ID) as chunks:
                await service.wait_until(lambda: len(service.streams) == 1)
                service.send_comment("heartbeat")
                assert await anext(chunks) == b": heartbeat\n\n"
    finally:
        await service.stop()
