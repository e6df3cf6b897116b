"""Time limits of gradings in tests. No busy machine may reach the limit of a cell that is meant to finish."""

from __future__ import annotations

from typing import Any

AMPLE_SECONDS: dict[str, Any] = {"cell_seconds": 60.0, "submission_seconds": 150.0}
# The limit of a cell that never ends. The other cells of its notebook have to finish within it.
SHORT_CELL_SECONDS = 5.0
