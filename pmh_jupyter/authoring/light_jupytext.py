"""Imports Jupytext without its contents managers: `from pmh_jupyter.authoring.light_jupytext import jupytext`.

They import all of Jupyter Server, which takes as long as the rest of Jupytext. Jupytext works without them.
"""

from __future__ import annotations

import sys

if "jupytext" not in sys.modules:
    _managers = ("jupytext.sync_contentsmanager", "jupytext.async_contentsmanager")
    sys.modules.update(dict.fromkeys(_managers))  # type: ignore[arg-type]  # None: their import raises ImportError
    try:
        import jupytext
    finally:
        for _manager in _managers:
            del sys.modules[_manager]
else:
    import jupytext

__all__ = ["jupytext"]
