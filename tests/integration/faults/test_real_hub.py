"""A real hub loses a part while people work: its service, its proxy, a user's server. Nothing acknowledged is lost, nothing comes twice."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from sqlalchemy import select

from pmh_jupyter.config import Settings
from pmh_jupyter.service.receipts import ReceiptSigner
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.tables.submissions import JobRow
from tests.support.hub.hub_process import HubProcess
from tests.support.hub.learner import Learner
from tests.support.service.service_process import prepare_database
from tests.support.storage.consistency import books_balance

pytestmark = [pytest.mark.slow, pytest.mark.needs("bubblewrap", "setpriv", "linux")]

ENDLESS = "while True:\n    pass"
SECONDS = 30.0


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """One grading at a time, so that one that does not end keeps the next from beginning."""
    folder = tmp_path_factory.mktemp("faults")
    hub = HubProcess(folder / "hub-data", {"PMH_GRADING_WORKERS": "1", "PMH_CELL_SECONDS": "4"})
    prepare_database(Settings.from_environ(hub.settings))
    try:
        yield hub.start().until_service()
    finally:
        hub.stop()
    ending = hub.log.partition("initiating shutdown")[2]
    assert ending and "Starting" not in ending, "a Hub that stops starts nothing again"


@pytest.fixture(scope="module")
def ada(hub: HubProcess) -> Learner:
    return Learner(hub.person("ada").log_in().start_server()).join()


@pytest.fixture(autouse=True)
def books(hub: HubProcess, ada: Learner) -> Iterator[None]:
    """After each fault they balance, and hold what was acknowledged."""
    yield
    settings = Settings.from_environ(hub.settings)
    receipts = {id: work["receipt"] for id, work in ada.work.items() if work["kind"] == "submission"}
    with Database(settings.resolved_database_url) as database:
        keys = ReceiptSigner(settings.data_path / "keys" / "receipts").public_keys
        assert books_balance(database, receipts, keys) == {uuid.UUID(id) for id in ada.work}
    assert ada.outbox() == {"waiting": [], "refused": []}


def test_the_service_is_killed_between_acknowledgement_and_grading(hub: HubProcess, ada: Learner) -> None:
    begun, waiting = ada.submit(two=ENDLESS), ada.submit(two="two = 2")
    kill(service(hub))
    assert states(hub)[begun["id"]] == "running" and states(hub)[waiting["id"]] == "queued"
    hub.until(lambda: find(hub, is_service) is not None, SECONDS, "the Hub to start the service again")
    assert [ada.graded(work["id"])["verdicts"][0]["outcome"] for work in (begun, waiting)] == ["timed-out", "passed"]
    assert ada.send("submissions", waiting["id"])["receipt"] == waiting["receipt"]


def test_a_users_server_is_killed_during_a_check(hub: HubProcess, ada: Learner) -> None:
    being_graded = ada.check(two=ENDLESS)
    ada.write(two="two = 2")
    kept = str(uuid.uuid4())
    with stopped(service(hub)), ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ada.try_to_send, "checks", kept)
        hub.until(lambda: outbox(hub), SECONDS, "the check to be kept")
        kill(*adas(hub))
        reply = asking.result()
        assert reply is None or reply.status_code >= 500
    ada.person.browser.get("/hub/home")  # the page on which the Hub looks after somebody's server
    hub.until(lambda: not ada.person.server_is_ready(), SECONDS, "the Hub to notice")
    ada.person.start_server()
    assert ada.graded(being_graded["id"])["verdicts"][0]["outcome"] == "timed-out"
    assert ada.graded(kept)["verdicts"][0]["outcome"] == "passed"  # sent without being asked for again
    hub.until(lambda: not outbox(hub), SECONDS, "the outbox to be empty")
    ada.send("checks", kept)


def test_the_proxy_is_killed(hub: HubProcess, ada: Learner) -> None:
    ada.write(two="two = 1 + 1")
    on_its_way, afterwards = str(uuid.uuid4()), str(uuid.uuid4())
    proxy = psutil.Process(int((hub.data / "jupyterhub-proxy.pid").read_text()))
    with closing(ada.events()) as stream, ThreadPoolExecutor(1) as pool:
        seen = [next(stream)]
        with stopped(service(hub)):
            asking = pool.submit(ada.try_to_send, "submissions", on_its_way)
            hub.until(lambda: outbox(hub), SECONDS, "the submission to be kept")
            kill(proxy)
            assert asking.result() is None, "it was answered after all"
        seen.extend(stream)  # to its end: the connection broke
    sent = [ada.send("submissions", id) for id in (on_its_way, afterwards)]
    assert all(work["receipt"]["submission"] == work["id"] for work in sent)
    seen += ada.read_events(
        lambda event: event["kind"] == "submission-graded" and event["data"]["work"] == afterwards, seen[-1]["number"]
    )
    numbers = [event["number"] for event in seen]
    assert numbers == sorted(set(numbers))
    assert seen == ada.read_events(lambda event: event["number"] == numbers[-1])
    ada.graded(on_its_way)


# --- Processes of the hub -------------------------------------------------------------------------------------------------------


def family(hub: HubProcess) -> list[psutil.Process]:
    assert hub.process is not None
    return psutil.Process(hub.process.pid).children(recursive=True)


def is_service(process: psutil.Process) -> bool:
    return process.cmdline()[1:] == ["-m", "pmh_jupyter.service"]


def adas(hub: HubProcess) -> list[psutil.Process]:
    """The processes of Ada's server that are there now."""
    found = []
    for process in family(hub):
        with suppress(psutil.Error):  # it has ended meanwhile
            if process.environ().get("JUPYTERHUB_USER") == "ada":
                found.append(process)
    return found


def find(hub: HubProcess, wanted: Callable[[psutil.Process], bool]) -> psutil.Process | None:
    for process in family(hub):
        try:
            if wanted(process):
                return process
        except psutil.Error:  # it has ended meanwhile
            continue
    return None


def service(hub: HubProcess) -> psutil.Process:
    found = find(hub, is_service)
    assert found is not None
    return found


def kill(*processes: psutil.Process) -> None:
    """-9, and waits until they are gone or nothing but a zombie is left for the Hub to reap."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # it went with the one before it
            process.kill()
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                os.sched_yield()


@contextmanager
def stopped(process: psutil.Process) -> Iterator[None]:
    """Holds a process still, so that what reaches it is not answered."""
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


# --- What lies on disk ----------------------------------------------------------------------------------------------------------


def outbox(hub: HubProcess) -> list[Path]:
    return list((hub.data / "homes" / "ada" / ".pmh" / "outbox").glob("*.work"))


def states(hub: HubProcess) -> dict[str, str]:
    """Where each work's job stands."""
    with Database(Settings.from_environ(hub.settings).resolved_database_url) as database, database.read() as session:
        return {str(id): state for id, state in session.execute(select(JobRow.submission_id, JobRow.state))}
