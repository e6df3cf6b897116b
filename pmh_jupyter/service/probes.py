"""What machines ask of the service: alive, ready, figures. None needs an identity, none tells anything of people."""

from __future__ import annotations

import json

from pmh_jupyter import __version__
from pmh_jupyter.service.handler import BaseHandler
from pmh_jupyter.service.metrics import CONTENT_TYPE


class Health(BaseHandler):
    """Alive: the event loop answers. It asks nobody else, so that a slow database never makes a supervisor kill the process."""

    route_name = "health"

    async def get(self) -> None:
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps({"alive": True, "version": __version__}))


class Ready(BaseHandler):
    """Whether work can be done here, part by part; 503 when a part is missing."""

    route_name = "ready"

    async def get(self) -> None:
        parts = await self.service.readiness.parts()
        ready = all(part.ready for part in parts)
        self.set_status(200 if ready else 503)
        self.set_header("Content-Type", "application/json")
        told = {
            part.name: {"ready": part.ready}
            | ({} if part.ready else {"code": part.code, "message": part.message, "advice": part.advice})
            for part in parts
        }
        self.finish(json.dumps({"ready": ready, "parts": told}))


class Figures(BaseHandler):
    """Prometheus' figures."""

    route_name = "metrics"

    async def get(self) -> None:
        await self.service.run(self.service.measure)
        self.set_header("Content-Type", CONTENT_TYPE)
        self.finish(self.service.metrics.page())
