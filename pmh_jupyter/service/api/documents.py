"""The OpenAPI document, and the public keys of receipts."""

from __future__ import annotations

from pmh_jupyter.service.handler import ApiHandler
from pmh_jupyter.service.permissions import LEARN_AS_SELF, PUBLIC
from pmh_jupyter.service.routes import Operation, Route
from pmh_jupyter.wire.submission import ReceiptKeysReply


class OpenApiHandler(ApiHandler):
    """Returns the OpenAPI document."""

    async def get(self) -> None:
        self.finish(self.settings["openapi"])


class ReceiptKeysHandler(ApiHandler):
    """Returns the public keys with which anybody can verify a receipt."""

    async def get(self) -> None:
        self.send(ReceiptKeysReply(keys=self.service.signer.public_keys))


ROUTES = (
    Route("openapi.json", OpenApiHandler, {"GET": Operation("Get this document", PUBLIC)}),
    Route(
        "receipts/keys",
        ReceiptKeysHandler,
        {
            "GET": Operation(
                "Get the public keys of receipts",
                LEARN_AS_SELF,
                ReceiptKeysReply,
                needs_person=False,
            )
        },
    ),
)
