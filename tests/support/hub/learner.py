"""A student at a real hub who takes the tiny course through their own server, as the panel does.

ada = Learner(hub.person("ada").log_in().start_server()).join()
sent = ada.submit(two="two = 2")
assert ada.wait_until_graded(sent["id"])["state"] == "graded"
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any

import httpx

from pmh_jupyter.domain.roles import Role
from tests.support import tiny_course
from tests.support.hub.hub_process import Person
from tests.support.notebooks import answer
from tests.support.service.service_process import CLASSROOM, JOIN_CODES

API = "pmh/api/"
LESSON = f"{API}classrooms/{CLASSROOM}/lessons/{tiny_course.LESSON}"
WAIT_SECONDS = 60.0
RETRY_INTERVAL_SECONDS = 0.1

Event = dict[str, Any]


class Learner:
    """Does what the panel does: sends again under the same id, and resumes the event stream after the last event."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.acknowledged_submissions: dict[str, dict[str, Any]] = {}
        """Acknowledged checks and submissions by id, as the service answered."""

    def join(self) -> Learner:
        """Join the classroom and open the lesson."""
        self._ask("POST", f"{API}join", {"join_code": JOIN_CODES[Role.STUDENT]})
        self.notebook = self._ask("POST", f"{LESSON}/open", {})["notebooks"][0]
        return self

    def write(self, **answers: str) -> None:
        """Write answers into the notebook and save it."""
        url = f"api/contents/{self.notebook}"
        content = self._ask("GET", url)["content"]
        for grade_id, source in answers.items():
            content = json.loads(answer(json.dumps(content).encode(), grade_id, source))
        self._ask("PUT", url, {"type": "notebook", "content": content})

    def submit(self, **answers: str) -> dict[str, Any]:
        """Write answers and submit until the service acknowledges."""
        self.write(**answers)
        return self.send("submissions", str(uuid.uuid4()))

    def check(self, **answers: str) -> dict[str, Any]:
        self.write(**answers)
        return self.send("checks", str(uuid.uuid4()))

    def send(self, kind: str, id: str) -> dict[str, Any]:
        """Send a check or submission under this id until the service acknowledges it. Returns its answer."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            reply = self.try_to_send(kind, id)
            if reply is not None and reply.status_code == 202 and reply.json()["state"] != "waiting":
                self.acknowledged_submissions[id] = reply.json()
                return self.acknowledged_submissions[id]
            # During an outage, proxy or Hub answer with any status. A refusal of the service is final.
            assert reply is None or reply.status_code in (202, 503) or not is_error_of_pmh(reply), reply.text
            time.sleep(RETRY_INTERVAL_SECONDS)
        raise AssertionError(f"{id} was not acknowledged. Last answer: {reply and reply.text}")

    def try_to_send(self, kind: str, id: str) -> httpx.Response | None:
        """Send once. None if the connection broke."""
        try:
            return self.person.server("POST", f"{LESSON}/{kind}", json={"id": id})
        except httpx.TransportError:
            return None

    def wait_until_graded(self, id: str) -> dict[str, Any]:
        """Wait for the event that the check or submission is graded, and return it."""
        self.read_events(lambda event: event["kind"] == "submission-graded" and event["data"]["submission_id"] == id)
        return self._ask("GET", f"{API}submissions/{id}")

    def outbox(self) -> dict[str, Any]:
        return self._ask("GET", f"{API}outbox")

    def read_events(self, is_last: Callable[[Event], bool], after: int = 0) -> list[Event]:
        """Read events after a number, up to the last one. Resumes the stream if it breaks."""
        events: list[Event] = []
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            with closing(self.events(events[-1]["number"] if events else after)) as stream:
                for event in stream:
                    events.append(event)
                    if is_last(event):
                        return events
            time.sleep(RETRY_INTERVAL_SECONDS)
        raise AssertionError(f"The event did not come. Last events: {events[-3:]}")

    def events(self, after: int = 0) -> Generator[Event, None, None]:
        """One connection to the stream, until it ends or breaks."""
        url = f"{self.person.server_url}{API}classrooms/{CLASSROOM}/events"
        headers = {"Last-Event-ID": str(after)}
        try:
            with self.person.browser.stream("GET", url, headers=headers, timeout=WAIT_SECONDS) as reply:
                if reply.headers["Content-Type"] == "text/event-stream":
                    for line in reply.iter_lines():
                        if line.startswith("data: "):
                            yield json.loads(line.removeprefix("data: "))
        except httpx.TransportError:
            return

    def _ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        reply = self.person.server(method, path, json=body)
        assert reply.is_success, f"{method} {path}: {reply.status_code} {reply.text}"
        body_of_reply: dict[str, Any] = reply.json()
        return body_of_reply


def is_error_of_pmh(reply: httpx.Response) -> bool:
    """Return whether the service or the server extension answered: their errors are JSON with advice."""
    return reply.headers.get("Content-Type", "").startswith("application/json") and "advice" in reply.json()
