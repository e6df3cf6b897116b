"""Read by every kernel in a user's container as it starts: when memory runs out, the kernel goes, and not the server with all the rest."""

from pathlib import Path

Path("/proc/self/oom_score_adj").write_text("500")
