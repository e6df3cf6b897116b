"""Responses match the OpenAPI document, for valid and invalid requests, and no request causes a server error."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

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

EXAMPLES_PER_TEST = 12
CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]


def generated_operations() -> list[tuple[str, str, GenerationMode]]:
    """Every JSON operation with valid requests, and with invalid ones if it has parameters or a body.

    The event stream is left out, because it does not end; test_story and test_faults read it.
    """
    operations = []
    for route in ROUTES:
        for method, operation in route.operations.items():
            if operation.media_type == "application/json":
                operations.append((route.path, method, GenerationMode.POSITIVE))
                if route.parameters or operation.request_model or operation.query_parameters:
                    operations.append((route.path, method, GenerationMode.NEGATIVE))
    return operations


async def test_document_describes_every_operation(live: RunningService) -> None:
    document = await live.anonymous().get("api/openapi.json")
    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]) == {f"/{route.path}" for route in ROUTES}
    operation_ids = set()
    for route in ROUTES:
        for method in route.operations:
            operation = document["paths"][f"/{route.path}"][method.lower()]
            assert operation["responses"]["500"]
            operation_ids.add(operation["operationId"])
    assert len(operation_ids) == sum(len(route.operations) for route in ROUTES)
    assert "get_Me" in operation_ids
    assert "sealed" not in json.dumps(document["components"]["schemas"]["LessonFilesReply"])


@pytest.fixture(scope="module")
def schema(hub: BareHub, module_settings: Settings) -> Iterator[tuple[BaseSchema, Callable[[Case[Any]], None]]]:
    """The document as schemathesis reads it, and a function that sends a case to the service as an instructor."""
    token = hub.token("teacher", [*hub.server_scopes, "custom:pmh:teach"])
    with service_process(module_settings, hub), httpx.Client(timeout=30) as client:
        api_url = f"{module_settings.resolved_service_url}/api"
        headers = {"Authorization": f"token {token}"}
        join_body = {"join_code": JOIN_CODES[Role.INSTRUCTOR]}
        assert client.post(f"{api_url}/join", json=join_body, headers=headers).is_success
        document = client.get(f"{api_url}/openapi.json").json()

        def send(case: Case[Any]) -> None:
            response = case.call(base_url=api_url, headers=headers)
            case.validate_response(response, checks=CHECKS)

        yield schemathesis.openapi.from_dict(document), send


@pytest.mark.parametrize(("path", "method", "mode"), generated_operations())
def test_responses_conform_to_the_document(
    schema: tuple[BaseSchema, Callable[[Case[Any]], None]], path: str, method: str, mode: GenerationMode
) -> None:
    document, send = schema
    operation = document[f"/{path}"][method]

    @settings(
        max_examples=EXAMPLES_PER_TEST,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send_generated_cases(case: Case[Any]) -> None:
        send(case)

    send_generated_cases()
