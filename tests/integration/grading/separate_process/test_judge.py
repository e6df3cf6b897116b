"""How the judge resolves names, exports names, applies the contract, hides hidden tests, keeps time limits and recovers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pmh_jupyter.grading.runtime.policies.code_execution_policy import CODE_EXECUTION_POLICY
from pmh_jupyter.grading.runtime.transport.framing import PeerLost
from tests.support.grading.limits import SHORT_CELL_SECONDS
from tests.support.grading.separate_process import (
    STUDENT_CELL,
    TEST_CELL,
    open_judge,
    record_usage,
    run_notebook,
    run_tests,
    start_replacement,
)

Rows = list[dict[str, Any]]


def outcomes(results: Rows) -> list[str]:
    return [result["outcome"] for result in results]


def test_name_of_the_tests_is_replaced_only_where_the_reference_binds_it_again() -> None:
    cells = [
        (STUDENT_CELL, "def f(): return 1"),
        (TEST_CELL, "own = 5\ndef f(): return 3\nassert f() == 3"),
        (STUDENT_CELL, "def f(): return 2\nunrelated = 1"),
        (TEST_CELL, "assert f() == 2 and own == 5"),
    ]
    assert outcomes(run_tests(cells)) == ["passed"] * 2
    tampered = [cells[0], cells[1], (STUDENT_CELL, "def f(): return 2\nown = 6"), cells[3]]
    assert outcomes(run_tests(tampered, cells)) == ["passed"] * 2


def test_library_name_that_the_student_has_not_imported_raises_name_error() -> None:
    reference = [(STUDENT_CELL, "import math"), (TEST_CELL, "assert math.floor(2.5) == 2")]
    assert record_usage(reference)["library_names"] == {"math": ["math", ""]}
    (result,) = run_tests([(STUDENT_CELL, ""), reference[1]], reference)
    assert (result["outcome"], result["error_type"]) == ("failed", "NameError")


def test_builtin_that_the_reference_shadows_is_resolved_in_the_notebook() -> None:
    reference = [(STUDENT_CELL, "def sum(xs): return 7"), (TEST_CELL, "assert sum([1]) == 7")]
    assert record_usage(reference)["shadowed_builtins"] == ["sum"]
    assert outcomes(run_tests(reference)) == ["passed"]


def test_exported_names_are_sent_after_the_test_cell() -> None:
    cells = [(TEST_CELL, "n = 4"), (STUDENT_CELL, "m = n + 1"), (TEST_CELL, "assert m == 5")]
    assert outcomes(run_tests(cells)) == ["passed", "failed"]
    assert outcomes(run_tests(cells, exported_names=["n"])) == ["passed", "passed"]


def test_operator_is_permitted_where_the_reference_used_it() -> None:
    source = "class P:\n    def __eq__(self, other): return isinstance(other, P)\n    __hash__ = None"
    reference = [(STUDENT_CELL, source), (TEST_CELL, "assert P() == P()")]
    assert "1:7-1:17 operator eq" in record_usage(reference)["contract"]["t1"]
    (result,) = run_tests(reference, [(STUDENT_CELL, "def P(): return 1"), reference[1]])
    assert (result["outcome"], result["reason"]) == ("failed", "object-for-data")


VALUE_CLASS = """
class V:
    def __init__(self, x): self.x = x
    def __eq__(self, other): return self.x == other.x
    __hash__ = None
"""
# The attribute of every V equals what it is compared with first, and nothing else.
DISHONEST_VALUE_CLASS = """
class R:
    first = None
    def __eq__(self, other):
        self.first = self.first or other
        return self.first == other

class V:
    def __init__(self, x): self.x = R()
    def __eq__(self, other): return True
    __hash__ = None
"""


def test_object_is_compared_with_plain_data_only_where_the_reference_does_so() -> None:
    cells = [(STUDENT_CELL, VALUE_CLASS), (TEST_CELL, "assert V(5) == V(5)\nassert V(5).x == 5")]
    assert "1:7-1:19 operator eq" in record_usage(cells)["contract"]["t1"]
    assert outcomes(run_tests([(STUDENT_CELL, DISHONEST_VALUE_CLASS), cells[1]], cells))[1] == "failed"


MODULO_CLASS = """
class Mod:
    def __init__(self, x): self.x = x % 2
    def __eq__(self, other): return self.x == other % 2
    __hash__ = None
"""


@pytest.mark.parametrize("value", range(3, 45, 7))
def test_objects_that_equal_many_numbers_are_accepted_where_the_reference_has_them(value: int) -> None:
    cells = [(STUDENT_CELL, MODULO_CLASS), (TEST_CELL, f"assert Mod(1) == {value}\nassert not Mod(0) == {value}")]
    expected = ["passed"] * 2 if value % 2 else ["failed"] * 2
    assert outcomes(run_tests(cells)) == expected


POINT_CLASS = """
import functools

@functools.total_ordering
class P:
    def __init__(self, x): self.x = x
    def __eq__(self, other): return isinstance(other, P) and other.x == self.x
    def __lt__(self, other): return self.x < other.x
    def __contains__(self, value): return value == self.x
    __hash__ = None
"""
DISHONEST_POINT_CLASS = """
class P:
    def __init__(self, x): self.x = x
    {method}
    __hash__ = None
"""


@pytest.mark.parametrize(
    ("method", "test"),
    [
        pytest.param("def __eq__(self, other): return True", "assert P(1) == P(1)", id="always equal"),
        pytest.param(
            "def __ne__(self, other): return False\n    def __eq__(self, other): return True",
            "assert not P(1) != P(1)",
            id="never unequal",
        ),
        pytest.param("def __contains__(self, other): return True", "assert 3 in P(3)", id="contains everything"),
        pytest.param(
            "def __lt__(self, other): return True\n    __ge__ = __lt__", "assert P(1) < P(2)", id="always less"
        ),
    ],
)
def test_allowed_operator_that_is_always_true_fails_and_is_flagged(method: str, test: str) -> None:
    reference = [(STUDENT_CELL, POINT_CLASS), (TEST_CELL, test)]
    assert outcomes(run_tests(reference)) == ["passed"]
    with open_judge(record_usage(reference)) as judge:
        judge.run_student_cell(0, DISHONEST_POINT_CLASS.format(method=method))
        fields = judge.run_test_cell(1, "t1", test)
    assert outcomes(fields["tests"]) == ["failed"]
    assert [flag["code"] for flag in fields["flags"]] == ["dishonest-operator"]


def test_test_that_catches_a_policy_violation_fails_nevertheless() -> None:
    reference = [
        (STUDENT_CELL, "def f(): return 1"),
        (TEST_CELL, "try: ok = f() == 1\nexcept Exception: ok = True\nassert ok"),
    ]
    hostile = "class L:\n    def __eq__(self, o): return True\ndef f(): return L()"
    results = run_tests([(STUDENT_CELL, hostile), reference[1]], reference)
    assert "passed" not in outcomes(results)


def test_context_manager_of_the_student_cannot_suppress_a_failed_assertion() -> None:
    source = "class C:\n    def __enter__(self): return 1\n    def __exit__(self, *a): return {}"
    test = (TEST_CELL, "with C() as c:\n    assert c == 2")
    results = run_tests([(STUDENT_CELL, source.format("True")), test], [(STUDENT_CELL, source.format("False")), test])
    assert outcomes(results) == ["failed"]


def test_result_of_a_hidden_test_contains_no_values() -> None:
    source = "### BEGIN HIDDEN TESTS\nassert f(3) == 424242, 'Message'\n### END HIDDEN TESTS"
    (result,) = run_tests([(STUDENT_CELL, "def f(x): return 1"), (TEST_CELL, source)])
    assert result["is_hidden"] and result["outcome"] == "failed"
    assert "424242" not in repr(result)


def test_endless_loop_of_a_test_times_out() -> None:
    with open_judge() as judge:
        judge.run_student_cell(0, "def f(): return 1")
        judge.peer.link.deadline = time.monotonic() + SHORT_CELL_SECONDS
        results = judge.run_test_cell(1, "t1", "assert f() == 1\nwhile True: pass\nassert f() == 1")["tests"]
    assert outcomes(results) == ["passed", "timed-out", "not-checked"]


def test_time_limit_that_passes_while_policies_start_is_a_timeout_of_the_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    """It must not be raised from `run_test_cell`, where it would count as an error of the grader."""
    enforce = CODE_EXECUTION_POLICY.enforce

    @contextmanager
    def enforce_slowly(*arguments: Any) -> Iterator[None]:
        time.sleep(0.1)  # an alarm that was already set would be raised here
        with enforce(*arguments):
            yield

    monkeypatch.setattr(CODE_EXECUTION_POLICY, "enforce", enforce_slowly)
    with open_judge() as judge:
        judge.run_student_cell(0, "x = 1")
        judge.peer.link.deadline = time.monotonic()
        results = judge.run_test_cell(1, "t1", "while True: pass")["tests"]
    assert outcomes(results) == ["timed-out"]


CATCH_EVERYTHING = "try: f()\nexcept Exception: pass\nassert True"


def test_student_process_that_exits_is_lost() -> None:
    with open_judge() as judge:
        judge.run_student_cell(0, "def f():\n    import os\n    os._exit(3)")
        with pytest.raises(PeerLost) as lost:
            judge.run_test_cell(1, "t1", CATCH_EVERYTHING)
        assert lost.value.cause == "closed"
        with pytest.raises(PeerLost):
            judge.run_student_cell(2, "x = 1")


def test_student_process_that_exceeds_the_time_limit_is_lost() -> None:
    with open_judge() as judge:
        judge.run_student_cell(0, "def f():\n    while True: pass")
        judge.peer.link.deadline = time.monotonic() + SHORT_CELL_SECONDS
        results = judge.run_test_cell(1, "t1", CATCH_EVERYTHING)["tests"]
        assert outcomes(results) == ["timed-out", "not-checked"]
        assert judge.peer.failure is not None and judge.peer.failure.cause == "cell-timeout"
        with pytest.raises(PeerLost):
            judge.run_student_cell(2, "x = 1")


def test_judge_continues_with_another_process_after_a_loss() -> None:
    with open_judge() as judge:
        judge.run_student_cell(0, "class C: ...\ndef f(): return 1")
        judge.run_test_cell(1, "t1", "own = 3\nold = C()\nassert f() == 1")
        link = start_replacement()
        judge.reconnect(link)
        judge.run_student_cell(0, "def f(): return 2\nclass C: ...")
        results = judge.run_test_cell(2, "t2", "assert f() == 2 and own == 3\nassert isinstance(C(), C)\nassert old.x")[
            "tests"
        ]
        link.close()
    assert outcomes(results) == ["passed", "passed", "failed"]
    assert results[2]["error_type"] == "ReferenceError"


def test_running_the_same_notebook_twice_gives_equal_results() -> None:
    cells = [
        (
            STUDENT_CELL,
            "import random\nclass P:\n    def __init__(self, x): self.x = x\ns = {'a', 'b', 'c'}\ndef f(): return [s, P(1).x]",
        ),
        (TEST_CELL, "assert f() == 1\nassert P(1).y\nrandom.seed(1)\nassert random.random() == 2\nassert s == 3"),
    ]
    assert repr(run_tests(cells)) == repr(run_tests(cells))
    assert record_usage(cells) == record_usage(cells)


def test_output_of_the_students_cells_does_not_reach_the_test() -> None:
    cells = [
        (STUDENT_CELL, "print('noise')"),
        (STUDENT_CELL, "def f(): print('x')"),
        (
            TEST_CELL,
            "import io, contextlib\nb = io.StringIO()\nwith contextlib.redirect_stdout(b): f()\nassert b.getvalue() == 'x\\n'",
        ),
    ]
    assert outcomes(run_tests(cells)) == ["passed"]


def test_ten_thousand_calls_of_a_student_function_succeed() -> None:
    with open_judge() as judge:
        results = run_notebook(
            judge,
            [(STUDENT_CELL, "def f(x): return x + 1"), (TEST_CELL, "assert all(f(n) == n + 1 for n in range(10_000))")],
        )
    assert outcomes(results) == ["passed"]


def test_in_and_get_ipython_belong_to_the_judge() -> None:
    test = "%matplotlib inline\nassert get_ipython().user_ns['x'] == 1 and 'x = 1' in In[-2] and 'assert' in In[-1]"
    (result,) = run_tests([(STUDENT_CELL, "x = 1"), (TEST_CELL, test)])
    assert result["outcome"] == "passed", result


def test_test_cell_that_is_not_python_is_a_grader_error() -> None:
    assert outcomes(run_tests([(STUDENT_CELL, ""), (TEST_CELL, "assert (")])) == ["grader-error"]


def test_shell_has_the_cells_of_the_notebook_wherever_get_ipython_is_imported_from() -> None:
    source = "from IPython.core.getipython import get_ipython\nevens = [n for n in range(10) if n % 2 == 0]"
    test = (
        "from IPython import get_ipython as shell\n"
        "assert 'for n in range' in get_ipython().user_ns['In'][-2]\n"
        "assert shell().user_ns['In'][-1].startswith('from IPython import')"
    )
    assert outcomes(run_tests([(STUDENT_CELL, source), (TEST_CELL, test)])) == ["passed", "passed"]
