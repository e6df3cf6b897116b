"""Routes of the outbox: list unsent submissions, send them now, delete a rejected one."""

from __future__ import annotations

from uuid import UUID

from jupyter_server.auth.decorator import authorized
from tornado import web

from pmh_jupyter.server_extension.handler import OwnerHandler
from pmh_jupyter.server_extension.route_patterns import API_PATTERN, UUID_GROUP


class OutboxHandler(OwnerHandler):
    @web.authenticated
    @authorized
    async def get(self) -> None:
        self.reply(await self.context.list_outbox())


class OutboxSendHandler(OwnerHandler):
    _track_activity = True

    @web.authenticated
    @authorized
    async def post(self) -> None:
        self.reply(await self.context.send_outbox())


class OutboxEntryHandler(OwnerHandler):
    _track_activity = True

    @web.authenticated
    @authorized
    async def delete(self, entry_id: str) -> None:
        await self.context.delete_rejected(UUID(entry_id))
        self.set_status(204)
        self.finish()


ROUTES = [
    (rf"{API_PATTERN}/outbox", OutboxHandler),
    (rf"{API_PATTERN}/outbox/send", OutboxSendHandler),
    (rf"{API_PATTERN}/outbox/{UUID_GROUP}", OutboxEntryHandler),
]
