"""A hub below a path: `PMH_BASE_URL=/jupyter/ pmh up`. And in every configuration, it listens only where the settings say."""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.hub.hub_process import Person, page_text
from tests.support.hub.listeners import belongs_to_a_server, listening_addresses, named_addresses
from tests.support.hub.up_process import UpProcess, running_up
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.needs("linux", "bubblewrap", "setpriv"), pytest.mark.timeout(300)]

WITHOUT_SERVER_ENVIRONMENT = {"PMH_SERVER_PYTHON": sys.executable}  # builds no environment for users' servers
REFUSAL_SECONDS = 60.0

OWN_CONFIG = """
from pmh_jupyter.resource_paths import find_hub_config_file

load_subconfig(str(find_hub_config_file()))
{line}
"""


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UpProcess]:
    with running_up(
        tmp_path_factory.mktemp("below-a-path"), PMH_BASE_URL="jupyter", **WITHOUT_SERVER_ENVIRONMENT
    ) as up:
        yield up


@pytest.fixture(scope="module")
def student(up: UpProcess) -> Iterator[Person]:
    student = Person(up, "ada", "correct horse battery")
    reply = student.sign_up(up.join_code("Students"))
    assert reply.status_code == 302, page_text(reply.text)
    assert reply.headers["location"] == "/jupyter/hub/home"
    yield student.start_server()
    student.browser.close()


def test_summary_names_the_path(up: UpProcess) -> None:
    assert up.address.endswith("/jupyter")
    assert f"The hub is up: {up.address}/\n" in up.output


def test_student_opens_and_checks_a_lesson(student: Person) -> None:
    outline = student.server("GET", "pmh/api/classrooms/demo/outline").json()
    lesson = f"pmh/api/classrooms/demo/lessons/{outline['units'][0]['lessons'][0]['slug']}"
    opened = student.server("POST", f"{lesson}/open", json={})
    assert opened.status_code == 200, opened.text
    assert student.server("GET", f"api/contents/{opened.json()['notebooks'][0]}").status_code == 200
    check_id = str(uuid.uuid4())
    sent = student.server("POST", f"{lesson}/checks", json={"id": check_id})
    assert sent.status_code == 202, sent.text
    assert _wait_until_graded(student, check_id)["verdicts"]


def _wait_until_graded(student: Person, submission_id: str) -> dict[str, Any]:
    submission: dict[str, Any] = {}

    def is_graded() -> bool:
        reply = student.server("GET", f"pmh/api/submissions/{submission_id}")
        submission.update(reply.json() if reply.is_success else {})
        return submission.get("state") == "graded"

    wait_until(is_graded, "the check to be graded")
    return submission


def test_dashboard_and_account_pages_answer(student: Person) -> None:
    dashboard = student.browser.get("/services/pmh/")
    assert (dashboard.status_code, dashboard.url.path) == (200, "/jupyter/services/pmh/")
    assert 'href="/services' not in dashboard.text and 'href="/hub' not in dashboard.text
    page = student.browser.get("/hub/password")
    assert 'action="/jupyter/hub/password"' in page.text
    assert student.submit("/hub/password", password="wrong", new_password="another horse battery").status_code == 400


def test_hub_below_a_path_listens_only_where_the_settings_say(up: UpProcess, student: Person) -> None:
    processes = up.process_tree()
    servers = [process for process in processes if belongs_to_a_server(process)]
    parts_of_the_hub = [process for process in processes if process not in servers]
    assert servers
    assert listening_addresses(parts_of_the_hub) == named_addresses(up.settings)
    assert {ip for ip, _ in listening_addresses(servers)} == {"127.0.0.1"}


def test_hub_without_a_path_listens_only_where_the_settings_say(tmp_path: Path) -> None:
    with running_up(tmp_path, **WITHOUT_SERVER_ENVIRONMENT) as up:
        assert listening_addresses(up.process_tree()) == named_addresses(up.settings)


@pytest.mark.parametrize(
    ("line", "variable"),
    [
        ("c.JupyterHub.base_url = '/jupyter/'", "PMH_BASE_URL"),
        ("c.JupyterHub.bind_url += 'jupyter/'", "PMH_BASE_URL"),
        ("c.JupyterHub.ip = '0.0.0.0'", "PMH_IP"),
        ("c.ConfigurableHTTPProxy.api_url = 'http://0.0.0.0:8001'", "PMH_PROXY_API_PORT"),
        ("c.JupyterHub.hub_bind_url = 'http://0.0.0.0:8081'", "PMH_HUB_IP"),
    ],
)
def test_configuration_that_moves_a_listener_is_refused_at_once(tmp_path: Path, line: str, variable: str) -> None:
    config = tmp_path / "my_config.py"
    config.write_text(OWN_CONFIG.format(line=line))
    up = UpProcess(tmp_path, settings=WITHOUT_SERVER_ENVIRONMENT | {"PMH_CONFIG": str(config)}).start()
    assert up.process is not None
    seen = set()
    deadline = time.monotonic() + REFUSAL_SECONDS
    while up.process.poll() is None and time.monotonic() < deadline:
        seen |= listening_addresses(up.process_tree())
    assert up.wait() == 2
    assert seen <= named_addresses(up.settings), "it never listens anywhere else"
    assert "JupyterHub is configured to listen for" in up.output
    assert variable in up.output
