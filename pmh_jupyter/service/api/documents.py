"""What describes or proves: the OpenAPI document, and the keys that sign receipts."""

from __future__ import annotations

from pmh_jupyter.service.handler import ApiHandler
from pmh_jupyter.service.rights import ANYBODY, Right, Scope
from pmh_jupyter.service.routes import Operation, Route
from pmh_jupyter.wire.work import ReceiptKeys


class Document(ApiHandler):
    """The OpenAPI document."""

    async def get(self) -> None:
        self.finish(self.settings["openapi"])


class Keys(ApiHandler):
    """Public keys by key id: whoever holds a receipt can check it."""

    async def get(self) -> None:
        self.send(ReceiptKeys(keys=self.service.signer.public_keys))


ROUTES = (
    Route("openapi.json", Document, {"GET": Operation("This document", ANYBODY)}),
    Route(
        "receipts/keys",
        Keys,
        {
            "GET": Operation(
                "Public keys of receipts", Right(Scope.LEARN, session=True), ReceiptKeys, needs_person=False
            )
        },
    ),
)
