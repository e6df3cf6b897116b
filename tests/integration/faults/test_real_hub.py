"""Killed parts of a real hub (service, proxy, a user's server): nothing acknowledged is lost, and nothing is recorded twice."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
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
from tests.support.hub.outages import (
    find_process,
    find_processes_of,
    find_server_processes,
    is_service,
    kill,
    suspend,
)
from tests.support.service.service_process import prepare_database
from tests.support.storage.consistency import check_consistency
from tests.support.waiting import TIMEOUT_SECONDS

pytestmark = [pytest.mark.slow, pytest.mark.needs("bubblewrap", "setpriv", "linux")]

ENDLESS = "while True:\n    pass"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """A hub with one grading worker, so an endless submission blocks the next."""
    folder = tmp_path_factory.mktemp("faults")
    hub = HubProcess(folder / "hub-data", {"PMH_GRADING_WORKERS": "1", "PMH_CELL_SECONDS": "4"})
    prepare_database(Settings.from_environ(hub.settings))
    try:
        yield hub.start().wait_until_service()
    finally:
        hub.stop()
    ending = hub.log.partition("initiating shutdown")[2]
    assert ending and "Starting" not in ending, "the Hub must not restart a service while it shuts down"


@pytest.fixture(scope="module")
def ada(hub: HubProcess) -> Learner:
    return Learner(hub.person("ada").log_in().start_server()).join()


@pytest.fixture(autouse=True)
def check_database(hub: HubProcess, ada: Learner) -> Iterator[None]:
    """After each test, the database is consistent and has all acknowledged submissions."""
    yield
    settings = Settings.from_environ(hub.settings)
    receipts = {
        id: submission["receipt"]
        for id, submission in ada.acknowledged_submissions.items()
        if submission["kind"] == "final"
    }
    with Database(settings.resolved_database_url) as database:
        keys = ReceiptSigner(settings.data_path / "keys" / "receipts").public_keys
        assert check_consistency(database, receipts, keys) == {uuid.UUID(id) for id in ada.acknowledged_submissions}
    assert ada.outbox() == {"waiting": [], "rejected": []}


def test_acknowledged_submissions_are_graded_after_the_service_is_killed(hub: HubProcess, ada: Learner) -> None:
    running, waiting = ada.submit(two=ENDLESS), ada.submit(two="two = 2")
    kill([find_process(hub, is_service)])
    assert job_states(hub)[running["id"]] == "running" and job_states(hub)[waiting["id"]] == "queued"
    hub.wait_until(lambda: find_processes_of(hub, is_service), TIMEOUT_SECONDS, "the Hub to restart the service")
    assert [ada.wait_until_graded(submission["id"])["verdicts"][0]["outcome"] for submission in (running, waiting)] == [
        "timed-out",
        "passed",
    ]
    assert ada.send("submissions", waiting["id"])["receipt"] == waiting["receipt"]


def test_saved_check_is_sent_after_the_users_server_is_killed(hub: HubProcess, ada: Learner) -> None:
    being_graded = ada.check(two=ENDLESS)
    ada.write(two="two = 2")
    saved_id = str(uuid.uuid4())
    with suspend(find_process(hub, is_service)), ThreadPoolExecutor(1) as pool:
        request = pool.submit(ada.try_to_send, "checks", saved_id)
        hub.wait_until(lambda: outbox_files(hub), TIMEOUT_SECONDS, "the check to be saved")
        kill(find_server_processes(hub, "ada"))
        reply = request.result()
        assert reply is None or reply.status_code >= 500
    ada.person.browser.get("/hub/home")  # on this page the Hub checks the user's server
    hub.wait_until(
        lambda: not ada.person.server_is_ready(), TIMEOUT_SECONDS, "the Hub to notice that the server is gone"
    )
    ada.person.start_server()
    assert ada.wait_until_graded(being_graded["id"])["verdicts"][0]["outcome"] == "timed-out"
    # Sent from the outbox when the server started.
    assert ada.wait_until_graded(saved_id)["verdicts"][0]["outcome"] == "passed"
    hub.wait_until(lambda: not outbox_files(hub), TIMEOUT_SECONDS, "the outbox to be empty")
    ada.send("checks", saved_id)


def test_events_and_submissions_survive_a_killed_proxy(hub: HubProcess, ada: Learner) -> None:
    ada.write(two="two = 1 + 1")
    interrupted_id, later_id = str(uuid.uuid4()), str(uuid.uuid4())
    proxy = psutil.Process(int((hub.data / "jupyterhub-proxy.pid").read_text()))
    with closing(ada.events()) as stream, ThreadPoolExecutor(1) as pool:
        seen = [next(stream)]
        with suspend(find_process(hub, is_service)):
            request = pool.submit(ada.try_to_send, "submissions", interrupted_id)
            hub.wait_until(lambda: outbox_files(hub), TIMEOUT_SECONDS, "the submission to be saved")
            kill([proxy])
            assert request.result() is None, "the request was answered in spite of the killed proxy"
        seen.extend(stream)  # until the connection breaks
    sent = [ada.send("submissions", id) for id in (interrupted_id, later_id)]
    assert all(submission["receipt"]["submission_id"] == submission["id"] for submission in sent)
    seen += ada.read_events(
        lambda event: event["kind"] == "submission-graded" and event["data"]["submission_id"] == later_id,
        seen[-1]["number"],
    )
    numbers = [event["number"] for event in seen]
    assert numbers == sorted(set(numbers))
    assert seen == ada.read_events(lambda event: event["number"] == numbers[-1])
    ada.wait_until_graded(interrupted_id)


# --- Files and rows ----------------------------------------------------------------------------------------------------------


def outbox_files(hub: HubProcess) -> list[Path]:
    return list((hub.data / "homes" / "ada" / ".pmh" / "outbox").glob("*.entry"))


def job_states(hub: HubProcess) -> dict[str, str]:
    """The state of each submission's job."""
    with (
        Database(Settings.from_environ(hub.settings).resolved_database_url) as database,
        database.begin_read() as session,
    ):
        return {str(id): state for id, state in session.execute(select(JobRow.submission_id, JobRow.state))}
