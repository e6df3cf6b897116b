"""The builtins as they were before any cell ran.

A module whose `__builtins__` is this dict goes on working when a student's cell has put something else into `builtins`.
"""

from __future__ import annotations

import builtins
from typing import Any

BUILTINS: Any = dict(vars(builtins))
