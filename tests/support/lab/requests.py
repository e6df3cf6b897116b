"""What the requests of the tests have in common."""

from __future__ import annotations

REQUEST_ID = "request-1"
