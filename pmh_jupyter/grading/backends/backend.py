"""What a wall promises: our judge runs behind it, is given a bundle, and is ended with all that it started."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pmh_jupyter.grading.task import EffectiveLimits

RUNTIME_FOLDER = Path(__file__).parent.parent / "runtime"
MAX_JUDGE_OUTPUT_BYTES = 16 << 20
STDERR_TAIL_BYTES = 4_000
# Until a zygote is ready: Python starts and imports IPython and the course's modules, on a busy machine.
START_TIMEOUT_SECONDS = 40.0
# How long past a submission's own limit its judge may live: to start, to bring a checkpoint back, to say the last line.
GRACE_SECONDS = 3.0


@dataclass(frozen=True)
class JudgeRun:
    """What a judge behind a wall left: its answer (complete lines may be missing at the end), and how it ended.

    `stopped` is "" when it ended by itself or was ended inside; "deadline" or "flood" when we ended it, "died" when it died with
    everything else behind the wall. `complaint` is for our log.
    """

    output: bytes
    exit_code: int
    stop_reason: str = ""
    stderr_tail: str = ""


class SandboxBackend(Protocol):
    """Runs a bundle through `grading/inside`. Safe to use from several threads at once."""

    @property
    def name(self) -> str:
        """bubblewrap, none, …"""

    @property
    def is_contained(self) -> bool:
        """False: what runs behind it can reach whatever this process can."""

    def run(self, bundle: bytes, limits: EffectiveLimits, preload: tuple[str, ...] = ()) -> JudgeRun:
        """Returns when the judge and everything of the submission have ended; raises NoWall where nothing can be started.

        `preload` names modules that are imported once and shared by all that run with the same.
        """

    def fingerprint(self, preload: tuple[str, ...] = ()) -> str:
        """Changes with what runs students' code: another Python, a package that is installed or taken away. "": nobody knows."""

    def close(self) -> None:
        """Ends what is kept for the next run. The wall may be used again."""


def sandbox_environment(python: Path, home: str) -> dict[str, str]:
    """All the variables that code behind a wall sees. Threads of numeric libraries are few: each reserves memory."""
    return {
        "PATH": f"{python.parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": home,
        "USER": "student",
        "LOGNAME": "student",
        "LANG": "C.UTF-8",
        "TMPDIR": "/tmp" if home == "/home/student" else home,
        "IPYTHONDIR": f"{home}/.ipython",
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": f"{home}/.matplotlib",
        "PYTHONHASHSEED": "0",
        # By this a notebook of an nbgrader course knows that it is being graded.
        "NBGRADER_EXECUTION": "autograde",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }


def fork_server_command(
    python: Path, folder: Path, control: int, preload: tuple[str, ...], private_paths: tuple[str, ...] | None
) -> list[str]:
    """The command that starts a zygote out of the `inside` package in `folder`; nothing else of ours can be imported in there.

    It serves the socket with the descriptor `control`. `kept`: what of the Python lies where submissions get folders of their own;
    None without a wall.
    """
    return python_command(
        python,
        folder,
        f"main({control}, {list(preload)!r}, {list(private_paths or ())!r}, is_sandboxed={private_paths is not None})",
    )


def python_command(python: Path | str, folder: Path, main_call: str, prelude: str = "") -> list[str]:
    """Runs a line of Python that calls the zygote's `main`. `before`: lines that come before anything of ours is imported."""
    code = (
        f"{prelude}"
        "import sys, types\n"
        f"for name, path in (('pmh_jupyter', []), ('pmh_jupyter.grading', [{str(folder)!r}])):\n"
        "    sys.modules[name] = module = types.ModuleType(name)\n"
        "    module.__path__ = path\n"
        "from pmh_jupyter.grading.runtime.fork_server.main import main\n"
        f"{main_call}\n"
    )
    return [str(python), "-s", "-P", "-B", "-c", code]
