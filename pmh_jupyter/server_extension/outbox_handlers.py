"""Routes of the outbox: see what has not been sent, send it now, forget what was refused."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from pmh_jupyter.server_extension.handler import OwnerHandler
from pmh_jupyter.server_extension.proxy_handlers import UUID_PATTERN


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
        await self.context.delete_refused(entry_id)
        self.set_status(204)
        self.finish()


routes = [
    (r"/pmh/api/outbox", OutboxHandler),
    (r"/pmh/api/outbox/send", OutboxSendHandler),
    (rf"/pmh/api/outbox/{UUID_PATTERN}", OutboxEntryHandler),
]
