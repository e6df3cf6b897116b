"""The interface of a sandbox backend: it runs a judge on a bundle, and ends the judge with every process that it started."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.grading.compiled_cell_cache import CompiledCellCache

PACKAGE_FOLDER = Path(__file__).parents[2]
# The packages that run in a sandbox, as folders of ours. They import nothing else of ours.
SANDBOX_PACKAGES = ("grading/runtime", "python_source")
MAX_JUDGE_OUTPUT_BYTES = 16 << 20
STDERR_TAIL_BYTES = 4_000
# Until a fork server is ready: it starts Python, and imports IPython and the course's modules, on a busy machine.
START_TIMEOUT_SECONDS = 40.0
# Extra time of a judge beyond the submission's limit: to start, to restore a checkpoint, and to write its last line.
GRACE_SECONDS = 3.0
# A bundle runs once more if its sandbox died.
MAX_ATTEMPTS = 2


@dataclass(frozen=True)
class JudgeRun:
    """The output of a judge (the last line may be incomplete), and how the judge ended.

    stop_reason: "" if it ended by itself or the sandbox ended it; "deadline" or "output-limit" if the host ended it; "died" if it died
    together with the sandbox.
    stderr_tail: for the log.
    """

    output: bytes
    stop_reason: str = ""
    stderr_tail: str = ""


class SandboxBackend(Protocol):
    """Runs bundles through `grading/runtime` in a sandbox. Safe to use from several threads at once."""

    # Test cells that were compiled by the Python of this backend.
    compiled_cells: CompiledCellCache

    @property
    def name(self) -> str:
        """Return its name in the setting `grader_sandbox`, or "none"."""

    @property
    def is_contained(self) -> bool:
        """Return False if code in it has the same access to the machine as this process."""

    def run(self, bundle: bytes, limits: EffectiveLimits, preload: tuple[str, ...] = ()) -> JudgeRun:
        """Run a bundle, and wait until the judge and every process of the submission have ended. Raises NoSandbox if it does not start.

        preload: modules that are imported once and shared by all runs with the same list.
        """

    def fingerprint(self, preload: tuple[str, ...] = ()) -> str:
        """Return a string that identifies the software that runs students' code: its Python and installed packages. "" if unknown."""

    def list_missing_controllers(self) -> list[str]:
        """Return the controllers of control groups that cannot limit a grading here, so that it may slow down others."""

    def close(self) -> None:
        """End the processes that wait for the next run. The backend may be used again."""


def build_sandbox_environment(python: Path, home: str) -> dict[str, str]:
    """Return all environment variables of sandboxed code. Numeric libraries get one thread, because each thread reserves memory."""
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
        # Notebooks of nbgrader courses read this to find out whether they are being graded.
        "NBGRADER_EXECUTION": "autograde",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }


def build_fork_server_command(
    python: Path, folder: Path, control: int, preload: tuple[str, ...], private_paths: tuple[str, ...] | None
) -> list[str]:
    """Return the command that starts a fork server.

    folder: contains `SANDBOX_PACKAGES`, the only packages of ours that it can import.
    control: descriptor of the socket that it serves.
    private_paths: parts of the Python installation below folders that are private to each submission; None without a sandbox.
    """
    return build_python_command(
        python,
        folder,
        f"main({control}, {list(preload)!r}, {list(private_paths or ())!r}, is_sandboxed={private_paths is not None})",
    )


def build_python_command(python: Path | str, folder: Path, main_call: str, prelude: str = "") -> list[str]:
    """Return a command that calls the fork server's `main`. `prelude`: code that runs before `grading/runtime` is imported."""
    package_paths = {
        "pmh_jupyter": [],
        "pmh_jupyter.grading": [str(folder / "grading")],
        "pmh_jupyter.python_source": [str(folder / "python_source")],
    }
    code = (
        f"{prelude}"
        "import sys, types\n"
        f"for name, path in {package_paths!r}.items():\n"
        "    sys.modules[name] = module = types.ModuleType(name)\n"
        "    module.__path__ = path\n"
        "from pmh_jupyter.grading.runtime.fork_server.main import main\n"
        f"{main_call}\n"
    )
    return [str(python), "-s", "-P", "-B", "-c", code]
