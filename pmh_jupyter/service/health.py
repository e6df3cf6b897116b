"""Endpoints for supervisors and monitoring: /health, /ready and /metrics. They need no login and contain no personal data."""

from __future__ import annotations

import json

from pmh_jupyter import __version__
from pmh_jupyter.service.handler import BaseHandler
from pmh_jupyter.service.metrics import CONTENT_TYPE


class HealthHandler(BaseHandler):
    """Reports that the event loop runs. Checks nothing else, so that a slow database never makes a supervisor kill the process."""

    route_name = "health"

    async def get(self) -> None:
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps({"alive": True, "version": __version__}))


class ReadinessHandler(BaseHandler):
    """Reports which components are ready; responds with 503 if one is not."""

    route_name = "ready"

    async def get(self) -> None:
        statuses = await self.service.readiness.check_components()
        is_ready = all(status.is_ready for status in statuses)
        self.set_status(200 if is_ready else 503)
        self.set_header("Content-Type", "application/json")
        components = {
            status.name: {"ready": status.is_ready}
            | ({} if status.is_ready else {"code": status.code, "message": status.message, "advice": status.advice})
            for status in statuses
        }
        self.finish(json.dumps({"ready": is_ready, "components": components}))


class MetricsHandler(BaseHandler):
    """Returns metrics in Prometheus' text format."""

    route_name = "metrics"

    async def get(self) -> None:
        await self.service.run_blocking(self.service.update_gauges)
        self.set_header("Content-Type", CONTENT_TYPE)
        self.finish(self.service.metrics.render())
