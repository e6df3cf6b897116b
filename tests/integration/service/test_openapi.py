"""The OpenAPI document is true: whatever fits it, or does not, is answered as it says, and never with a fault of ours."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error, response_schema_conformance, status_code_conformance
from schemathesis.schemas import BaseSchema

from pmh_jupyter.config import Settings
from pmh_jupyter.domain.roles import Role
from pmh_jupyter.service.api import ROUTES
from tests.support.hub.bare_hub import BareHub
from tests.support.service.service_process import JOIN_CODES, RunningService, service_process

EXAMPLES = 12
CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]


def tried() -> list[tuple[str, str, GenerationMode]]:
    """Every operation with what fits it; and with what does not, where there is anything to get wrong. The stream does not end by
    itself; test_story and test_faults read it."""
    found = []
    for route in ROUTES:
        for method, operation in route.operations.items():
            if operation.media_type == "application/json":
                found.append((route.path, method, GenerationMode.POSITIVE))
                if route.parameters or operation.request_model or operation.query_parameters:
                    found.append((route.path, method, GenerationMode.NEGATIVE))
    return found


async def test_the_document_names_every_route(live: RunningService) -> None:
    document = await live.anonymous().get("api/openapi.json")
    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]) == {f"/{route.path}" for route in ROUTES}
    for route in ROUTES:
        for method in route.operations:
            assert document["paths"][f"/{route.path}"][method.lower()]["responses"]["500"]
    assert "sealed" not in json.dumps(document["components"]["schemas"]["LessonFilesReply"])


@pytest.fixture(scope="module")
def schema(hub: BareHub, module_settings: Settings) -> Iterator[tuple[BaseSchema, Callable[[Case], None]]]:
    """The document as schemathesis reads it, and what calls the service with a case of it as an instructor."""
    token = hub.token("teacher", [*hub.server_scopes, "custom:pmh:teach"])
    with service_process(module_settings, hub), httpx.Client(timeout=30) as client:
        base = f"{module_settings.resolved_service_url}/api"
        headers = {"Authorization": f"token {token}"}
        assert client.post(f"{base}/join", json={"join_code": JOIN_CODES[Role.INSTRUCTOR]}, headers=headers).is_success
        document = client.get(f"{base}/openapi.json").json()

        def call(case: Case) -> None:
            reply = case.call(base_url=base, headers=headers)
            case.validate_response(reply, checks=CHECKS)

        yield schemathesis.openapi.from_dict(document), call


@pytest.mark.parametrize(("path", "method", "mode"), tried())
def test_nothing_gets_a_fault_of_ours(
    schema: tuple[BaseSchema, Callable[[Case], None]], path: str, method: str, mode: GenerationMode
) -> None:
    document, call = schema
    operation = document[f"/{path}"][method]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def try_it(case: Case) -> None:
        call(case)

    try_it()
