"""The OpenAPI 3.1 document, made of the same routes and models that answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic.json_schema import models_json_schema

from pmh_jupyter import __version__
from pmh_jupyter.service.routes import PARAMETERS, Operation, Query, Route
from pmh_jupyter.wire.base import ErrorReply, Message

_REFERENCE = "#/components/schemas/{model}"
_ALWAYS = (400, 405, 500, 503)
_IDENTIFIED = (401, 403, 404, 429)
_MEANINGS = {
    400: "The request does not have the right form",
    401: "Not logged in",
    403: "Not allowed",
    404: "No such thing, or none that the caller may know of",
    405: "The address does not take this method",
    409: "It contradicts what is there",
    413: "Too large",
    422: "The course or notebook has faults; all are listed",
    429: "Too many requests; Retry-After says when to come back",
    500: "A fault of the service",
    503: "A part that is needed cannot be reached; Retry-After says when to try again",
}


def document(routes: Iterable[Route], server: str) -> dict[str, Any]:
    """The document; `server` is the API's base address as its caller sees it."""
    routes = tuple(routes)
    models: set[type[Message]] = {ErrorReply, *(model for route in routes for model in _models(route))}
    ordered = sorted(models, key=lambda model: model.__name__)
    _, schemas = models_json_schema([(model, "validation") for model in ordered], ref_template=_REFERENCE)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Python Mastery Hub for Jupyter",
            "version": __version__,
            "description": "The service's API. Every failure is an ErrorReply.",
        },
        "servers": [{"url": server}],
        "paths": {f"/{route.path}": _path(route) for route in routes},
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`token …`, a token of the Hub that carries the scope named in the operation",
                }
            },
        },
    }


def _models(route: Route) -> Iterable[type[Message]]:
    for operation in route.operations.values():
        yield from (model for model in (operation.request, operation.reply) if model)


def _path(route: Route) -> dict[str, Any]:
    parameters = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": f"^{PARAMETERS[name]}$"},
        }
        for name in route.parameters
    ]
    operations = {method.lower(): _operation(route, method, told) for method, told in route.operations.items()}
    return {**({"parameters": parameters} if parameters else {}), **operations}


def _operation(route: Route, method: str, operation: Operation) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": f"{method.lower()}_{route.handler.__name__}",
        "summary": operation.summary,
        "responses": _responses(operation),
    }
    if operation.query:
        told["parameters"] = [_query(query) for query in operation.query]
    if operation.request:
        told["requestBody"] = {"required": True, "content": _json(operation.request)}
    if operation.right:
        session = " A browser session will do as well." if operation.right.session else ""
        permission = f" In the classroom: {operation.right.permission}." if operation.right.permission else ""
        told["description"] = f"Scope {operation.right.scope}.{session}{permission}"
        told["security"] = [{"token": []}]
    return told


def _query(query: Query) -> dict[str, Any]:
    return {"name": query.name, "in": "query", "description": query.description, "schema": dict(query.schema)}


def _responses(operation: Operation) -> dict[str, Any]:
    done: dict[str, Any] = {"description": "Done"}
    if operation.reply:
        done["content"] = _json(operation.reply)
    elif operation.media != "application/json":
        done["content"] = {operation.media: {"schema": {"type": "string"}}}
    statuses = {*_ALWAYS, *operation.errors, *(_IDENTIFIED if operation.right else ())}
    if operation.request:
        statuses.add(413)
    failures = {
        str(status): {"description": _MEANINGS[status], "content": _json(ErrorReply)} for status in sorted(statuses)
    }
    return {str(operation.status): done, **failures}


def _json(model: type[Message]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REFERENCE.format(model=model.__name__)}}}
