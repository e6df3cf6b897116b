"""Routes of the outbox: see what has not been sent, send it now, forget what was refused."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from pmh_jupyter.server_extension.handler import OwnerHandler
from pmh_jupyter.server_extension.relay import UUID


class OutboxHandler(OwnerHandler):
    @web.authenticated
    @authorized
    async def get(self) -> None:
        self.reply(await self.desk.unsent())


class SendHandler(OwnerHandler):
    _track_activity = True

    @web.authenticated
    @authorized
    async def post(self) -> None:
        self.reply(await self.desk.send_unsent())


class EntryHandler(OwnerHandler):
    _track_activity = True

    @web.authenticated
    @authorized
    async def delete(self, entry: str) -> None:
        await self.desk.forget(entry)
        self.set_status(204)
        self.finish()


routes = [
    (r"/pmh/api/outbox", OutboxHandler),
    (r"/pmh/api/outbox/send", SendHandler),
    (rf"/pmh/api/outbox/{UUID}", EntryHandler),
]
