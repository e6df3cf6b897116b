"""Tests in the student's own process: attacks that earn the point from plain `exec` earn nothing here, and honest answers pass."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy
import numpy.testing  # noqa: F401
import pytest

from pmh_jupyter.domain.feedback_text import FLAG_TEXTS
from pmh_jupyter.grading.runtime.execution.shell import Shell, make_shell
from pmh_jupyter.grading.runtime.in_process.tamper_guard import TamperGuard
from pmh_jupyter.grading.runtime.in_process.test_cell import CellContext, execute_test_cell
from tests.support.attacks.in_process_attack import Attack
from tests.support.attacks.in_process_attacks import ATTACKS
from tests.support.grading.in_process_answers import HONEST_ANSWERS


@pytest.fixture(scope="module")
def shell() -> Any:
    yield make_shell()
    Shell.clear_instance()


@pytest.fixture(scope="module")
def tamper_guard(shell: Shell) -> Iterator[TamperGuard]:
    """Its snapshot is of a process that has not imported `colorsys`, because some attacks intercept that import."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delitem(sys.modules, "colorsys", raising=False)
        yield TamperGuard(["numpy"])


def run_in_fork(function: Callable[[], Any]) -> Any:
    """Return the result of a function that runs in a separate process, as a submission does."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(write_end, json.dumps(function()).encode())
        except BaseException as error:  # noqa: BLE001 - reported to the test
            os.write(write_end, json.dumps(f"{type(error).__name__}: {error}").encode())
        finally:
            os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as file:
        result = file.read()
    os.waitpid(pid, 0)
    return json.loads(result)


def run_student_cell(namespace: dict[str, Any], source: str) -> None:
    exec(compile(source, "<cell 1>", "exec"), namespace)


def passes_undefended(attack: Attack, shell: Shell) -> bool:
    """Return whether a runner without a defense gives the point, because it sees no exception that it takes for a failure."""
    return passes_in_shell(attack, shell) if attack.undefended == "shell" else passes_in_plain_python(attack)


def passes_in_shell(attack: Attack, shell: Shell) -> bool:
    answer, test = (
        shell.run_cell(source, store_history=True)  # type: ignore[no-untyped-call]
        for source in (attack.student, attack.test)
    )
    assert answer.success
    return bool(test.success)


def passes_in_plain_python(attack: Attack) -> bool:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    run_student_cell(namespace, attack.student)
    try:
        exec(attack.test, namespace)
    except Exception:  # noqa: BLE001
        return False
    except BaseException:  # noqa: BLE001 - such a runner sees a process that ended normally
        return True
    return True


def run_defended(
    shell: Shell, tamper_guard: TamperGuard, answer: str, test: str, **context_fields: Any
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    tamper_guard.activate()
    if "get_ipython" in answer:
        shell.run_student_cell(1, answer)
    else:
        try:
            run_student_cell(shell.user_ns, answer)
        except RuntimeError:
            pass  # a ForbiddenOperation
    known: dict[str, Any] = {"allowed_operators": (), "shadowed_builtins": (), "exported_names": ()}
    fields = known | context_fields
    if fields["allowed_operators"] == "recorded":
        recording = CellContext(tamper_guard=tamper_guard, **(fields | {"allowed_operators": None}))
        fields["allowed_operators"] = execute_test_cell(shell, test, {}, recording).operators
    context = CellContext(tamper_guard=tamper_guard, **fields)
    result = execute_test_cell(shell, test, {}, context).fields
    return result["tests"], result["flags"]


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_earns_nothing(name: str, shell: Shell, tamper_guard: TamperGuard) -> None:
    attack = ATTACKS[name]
    assert run_in_fork(lambda: passes_undefended(attack, shell)) is True, "not an attack: it fails without a defense"
    tests, flags = run_in_fork(
        lambda: run_defended(shell, tamper_guard, attack.student, attack.test, library_names=attack.library_names)
    )
    assert not all(test["outcome"] == "passed" for test in tests), tests
    assert attack.flags <= {flag["code"] for flag in flags}, flags
    assert attack.flags or not name.startswith("matcher") or flags == []
    assert {flag["code"] for flag in flags} <= FLAG_TEXTS.keys()


@pytest.mark.parametrize(
    "name", [name for name in ATTACKS if name.startswith("dishonest") and "arithmetic" not in name]
)
def test_dishonest_operator_is_detected_without_recorded_usage(
    name: str, shell: Shell, tamper_guard: TamperGuard
) -> None:
    attack = ATTACKS[name]
    tests, flags = run_in_fork(
        lambda: run_defended(shell, tamper_guard, attack.student, attack.test, allowed_operators=None)
    )
    assert not all(test["outcome"] == "passed" for test in tests)
    assert attack.flags <= {flag["code"] for flag in flags}


@pytest.mark.parametrize("name", HONEST_ANSWERS)
def test_honest_answer_passes_without_a_flag(name: str, shell: Shell, tamper_guard: TamperGuard) -> None:
    answer, test, context_fields = HONEST_ANSWERS[name]
    tests, flags = run_in_fork(lambda: run_defended(shell, tamper_guard, answer, test, **context_fields))
    assert [test["outcome"] for test in tests] == ["passed"] * len(tests), tests
    assert flags == []


def test_matplotlib_and_a_students_magic_are_not_flagged(shell: Shell, tamper_guard: TamperGuard) -> None:
    cell = "%matplotlib inline\nget_ipython().register_magic_function(lambda line: 42, magic_name='mine')"
    tests, flags = run_in_fork(lambda: run_defended(shell, tamper_guard, cell, "assert get_ipython() is not None"))
    assert (tests[0]["outcome"], flags) == ("passed", [])


def test_hooks_of_the_interpreter_are_restored(shell: Shell, tamper_guard: TamperGuard) -> None:
    cell = (
        "import sys, signal, threading, gc\n"
        "sys.setprofile(lambda *x: None)\nthreading.settrace(lambda *x: None)\nsys.excepthook = print\n"
        "signal.signal(signal.SIGALRM, lambda *x: None)\nsignal.setitimer(signal.ITIMER_REAL, 100)\n"
        "gc.callbacks.append(lambda *x: None)"
    )

    def run() -> Any:
        _, flags = run_defended(shell, tamper_guard, cell, "assert True")
        return flags, sys.getprofile() is None, sys.excepthook is not print, tamper_guard.restore(shell.user_ns)

    flags, *restored = run_in_fork(run)
    flagged = {(flag["code"], flag["detail"]) for flag in flags}
    assert flagged == {
        ("tracing-attempted", "sys.setprofile"),
        ("tracing-attempted", "threading.settrace"),
        ("interpreter-changed", "sys.excepthook"),
        ("interpreter-changed", "gc.callbacks"),
        ("signal-handler-changed", "SIGALRM"),
        ("signal-handler-changed", "ITIMER_REAL"),
    }
    assert restored == [True, True, []]


def test_hook_that_a_library_sets_is_restored_without_a_flag(shell: Shell, tamper_guard: TamperGuard) -> None:
    def run() -> Any:
        original = sys.displayhook
        _, flags = run_defended(
            shell, tamper_guard, "import pprint, sys\nsys.displayhook = pprint.pprint", "assert True"
        )
        return flags, sys.displayhook is original

    assert run_in_fork(run) == [[], True]


IMPORT_SCRIPT = """
import copyreg, sys
from types import SimpleNamespace
from pmh_jupyter.grading.runtime.in_process.tamper_guard import TamperGuard

tamper_guard, shell = TamperGuard(), SimpleNamespace(user_ns={})
assert "numpy" not in sys.modules
tamper_guard.activate()
exec("import numpy", shell.user_ns)
assert tamper_guard.restore(shell.user_ns) == []
assert shell.user_ns["numpy"].ufunc in copyreg.dispatch_table
copyreg.pickle(range, lambda x: (int, (42,)))
assert [flag["detail"] for flag in tamper_guard.restore(shell.user_ns)] == ["copyreg.dispatch_table"]
"""


def test_library_that_the_student_imports_may_register_its_classes() -> None:
    completed = subprocess.run([sys.executable, "-c", IMPORT_SCRIPT], capture_output=True, text=True, timeout=60)
    assert completed.returncode == 0, completed.stderr


if sys.version_info >= (3, 12):  # sys.monitoring is new in 3.12

    def test_monitoring_tool_is_removed(shell: Shell, tamper_guard: TamperGuard) -> None:
        cell = (
            "import sys\nsys.monitoring.use_tool_id(3, 'mine')\n"
            "sys.monitoring.set_events(3, sys.monitoring.events.LINE)"
        )
        _, flags = run_in_fork(lambda: run_defended(shell, tamper_guard, cell, "assert True"))
        assert flags == [{"code": "tracing-attempted", "detail": "sys.monitoring"}]


def test_change_of_the_judges_own_module_is_restored(shell: Shell, tamper_guard: TamperGuard) -> None:
    cell = (
        "import pmh_jupyter.grading.runtime.in_process.test_cell as runner\n"
        "runner.compile_with_recorder = lambda *x: compile('', '', 'exec')\ndef answer(x): return 0"
    )
    tests, flags = run_in_fork(lambda: run_defended(shell, tamper_guard, cell, "assert answer(3) == 42"))
    assert tests[0]["outcome"] == "failed"
    assert {flag["code"] for flag in flags} == {"library-changed"}


def test_test_cell_leaves_nothing_behind(shell: Shell, tamper_guard: TamperGuard) -> None:
    cell = "raised = []\ndef answer(x):\n    raised.append(ValueError())\n    raise raised[0]"
    test = "expected = 42\ndef helper(x): return 90126\n### BEGIN HIDDEN TESTS\nassert answer(3) == 90126\n### END HIDDEN TESTS"

    def run() -> Any:
        import linecache

        tests, _ = run_defended(shell, tamper_guard, cell, test)
        names = sorted({"expected", "helper"} & shell.user_ns.keys())
        history = [
            shell.user_ns["In"],
            shell.user_ns["Out"],
            list(linecache.cache),
            repr(getattr(sys, "last_value", None)),
        ]
        return (
            names,
            repr(shell.user_ns["raised"][0].__traceback__),
            "90126" in repr((history, tests)),
            "<test>" in linecache.cache,
        )

    assert run_in_fork(run) == [[], "None", False, False]


def test_exported_name_stays(shell: Shell, tamper_guard: TamperGuard) -> None:
    def run() -> Any:
        run_defended(shell, tamper_guard, "other = 1", "expected = 42\nother = 2", exported_names=["expected"])
        return shell.user_ns["expected"], shell.user_ns["other"]

    assert run_in_fork(run) == [42, 1]
