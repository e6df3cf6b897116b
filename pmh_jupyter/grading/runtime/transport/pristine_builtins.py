"""The builtins as they were before any cell ran.

A module that sets `__builtins__ = BUILTINS` keeps working when a cell of the student replaces something in `builtins`. Every module that
answers requests in the student process does so.

The assignment is repeated in each module because Python reads it there: a function looks up its builtins in the globals of its module,
once, when it is defined. So the statement has to run in the module, above its functions. A helper could only replace the statement with a
call, and an import hook would hide it. `tests/unit/grading/runtime/transport/test_pristine_builtins.py` checks every function of these
modules.
"""

from __future__ import annotations

import builtins
from typing import Any

BUILTINS: Any = dict(vars(builtins))
