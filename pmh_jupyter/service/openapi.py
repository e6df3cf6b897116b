"""Builds the OpenAPI 3.1 document from the routes and models that the service uses itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic.json_schema import models_json_schema

from pmh_jupyter import __version__
from pmh_jupyter.service.routes import PARAMETER_PATTERNS, Operation, QueryParameter, Route
from pmh_jupyter.wire.base import ErrorReply, WireModel

_SCHEMA_REF = "#/components/schemas/{model}"
_COMMON_STATUSES = (400, 405, 500, 503)
_IDENTITY_STATUSES = (401, 403, 404, 429)
_STATUS_DESCRIPTIONS = {
    400: "The request is invalid",
    401: "Not logged in",
    403: "Not allowed",
    404: "Does not exist, or the caller may not know that it exists",
    405: "The route does not support this method",
    409: "Conflicts with the current state",
    413: "The request is too large",
    422: "The course or notebook is invalid; `problems` lists everything that is wrong",
    429: "Too many requests; Retry-After is the number of seconds to wait",
    500: "Unexpected error in the service",
    503: "A required component is unavailable; Retry-After is the number of seconds to wait",
}


def build_document(routes: Iterable[Route], server_url: str) -> dict[str, Any]:
    """Build the document. `server_url` is the base URL of the API."""
    routes = tuple(routes)
    models: set[type[WireModel]] = {ErrorReply, *(model for route in routes for model in _list_models(route))}
    sorted_models = sorted(models, key=lambda model: model.__name__)
    _, schemas = models_json_schema([(model, "validation") for model in sorted_models], ref_template=_SCHEMA_REF)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Python Mastery Hub for Jupyter",
            "version": __version__,
            "description": "The service's API. The body of every error response is an ErrorReply.",
        },
        "servers": [{"url": server_url}],
        "paths": {f"/{route.path}": _make_path_item(route) for route in routes},
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`token …`, with a token of the Hub that has the scope named in the operation",
                }
            },
        },
    }


def _list_models(route: Route) -> Iterable[type[WireModel]]:
    for operation in route.operations.values():
        yield from (model for model in (operation.request_model, operation.reply_model) if model)


def _make_path_item(route: Route) -> dict[str, Any]:
    parameters = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": f"^{PARAMETER_PATTERNS[name]}$"},
        }
        for name in route.parameters
    ]
    operations = {
        method.lower(): _make_operation_object(route, method, operation)
        for method, operation in route.operations.items()
    }
    return {**({"parameters": parameters} if parameters else {}), **operations}


def _make_operation_object(route: Route, method: str, operation: Operation) -> dict[str, Any]:
    operation_object: dict[str, Any] = {
        "operationId": f"{method.lower()}_{route.handler.__name__.removesuffix('Handler')}",
        "summary": operation.summary,
        "responses": _make_responses(operation),
    }
    if operation.query_parameters:
        operation_object["parameters"] = [_make_parameter_object(query) for query in operation.query_parameters]
    if operation.request_model:
        operation_object["requestBody"] = {"required": True, "content": _make_json_content(operation.request_model)}
    if operation.access_rule:
        session_note = " or a browser session" if operation.access_rule.allows_session else ""
        permission_note = (
            f" Permission in the classroom: {operation.access_rule.permission}."
            if operation.access_rule.permission
            else ""
        )
        operation_object["description"] = (
            f"Requires the scope {operation.access_rule.scope}{session_note}.{permission_note}"
        )
        operation_object["security"] = [{"token": []}]
    return operation_object


def _make_parameter_object(parameter: QueryParameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": "query",
        "description": parameter.description,
        "schema": dict(parameter.schema),
    }


def _make_responses(operation: Operation) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "Success"}
    if operation.reply_model:
        success["content"] = _make_json_content(operation.reply_model)
    elif operation.media_type != "application/json":
        success["content"] = {operation.media_type: {"schema": {"type": "string"}}}
    statuses = {*_COMMON_STATUSES, *operation.error_statuses, *(_IDENTITY_STATUSES if operation.access_rule else ())}
    if operation.request_model:
        statuses.add(413)
    error_responses = {
        str(status): {"description": _STATUS_DESCRIPTIONS[status], "content": _make_json_content(ErrorReply)}
        for status in sorted(statuses)
    }
    return {str(operation.status): success, **error_responses}


def _make_json_content(model: type[WireModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _SCHEMA_REF.format(model=model.__name__)}}}
