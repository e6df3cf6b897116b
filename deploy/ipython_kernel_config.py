"""Configuration of every kernel in a user's container: if memory runs out, the kernel is killed, and not the server."""

from pathlib import Path

Path("/proc/self/oom_score_adj").write_text("500")
