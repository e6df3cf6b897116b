"""The judge's rules: names, exports, operators, hidden tests, time, loss, and the same answer each time."""

from __future__ import annotations

import time
from typing import Any

import pytest

from pmh_jupyter.grading.runtime.transport.framing import PeerLost
from tests.support.grading.separate_process import STUDENT, TESTS, another, judge_of, judged, recorded, run_apart

Rows = list[dict[str, Any]]


def outcomes(tests: Rows) -> list[str]:
    return [test["outcome"] for test in tests]


def test_the_tests_own_name_stands_until_a_students_cell_binds_what_the_reference_binds() -> None:
    cells = [
        (STUDENT, "def f(): return 1"),
        (TESTS, "mine = 5\ndef f(): return 3\nassert f() == 3"),
        (STUDENT, "def f(): return 2\nunrelated = 1"),
        (TESTS, "assert f() == 2 and mine == 5"),
    ]
    assert outcomes(judged(cells)) == ["passed"] * 2
    forged = [cells[0], cells[1], (STUDENT, "def f(): return 2\nmine = 6"), cells[3]]
    assert outcomes(judged(forged, cells)) == ["passed"] * 2


def test_a_library_of_the_reference_is_missing_where_the_student_has_not_imported_it() -> None:
    reference = [(STUDENT, "import math"), (TESTS, "assert math.floor(2.5) == 2")]
    assert recorded(reference)["library_names"] == {"math": ["math", ""]}
    (test,) = judged([(STUDENT, ""), reference[1]], reference)
    assert (test["outcome"], test["error_type"]) == ("failed", "NameError")


def test_a_builtin_that_the_reference_shadows_is_the_students() -> None:
    reference = [(STUDENT, "def sum(xs): return 7"), (TESTS, "assert sum([1]) == 7")]
    assert recorded(reference)["shadowed_builtins"] == ["sum"]
    assert outcomes(judged(reference)) == ["passed"]


def test_exports_go_over_after_the_cell() -> None:
    cells = [(TESTS, "n = 4"), (STUDENT, "m = n + 1"), (TESTS, "assert m == 5")]
    assert outcomes(judged(cells)) == ["passed", "failed"]
    assert outcomes(judged(cells, exported_names=["n"])) == ["passed", "passed"]


def test_operators_are_those_of_the_reference_in_that_cell() -> None:
    source = "class P:\n    def __eq__(self, other): return isinstance(other, P)\n    __hash__ = None"
    reference = [(STUDENT, source), (TESTS, "assert P() == P()")]
    assert recorded(reference)["operators"] == {"t1": ["eq"]}
    assert outcomes(judged(reference)) == ["passed"]
    (test,) = judged(reference, [(STUDENT, "def P(): return 1"), reference[1]])
    assert test["outcome"] == "failed" and "where plain data is expected" in test["text"]


def test_an_object_is_compared_with_plain_data_only_where_one_of_the_reference_is() -> None:
    honest = "class V:\n    def __init__(self, x): self.x = x\n    def __eq__(self, o): return self.x == o.x\n    __hash__ = None"
    cells = [(STUDENT, honest), (TESTS, "assert V(5) == V(5)\nassert V(5).x == 5")]
    assert recorded(cells)["operators"] == {"t1": ["eq"]}
    liar = "class R:\n    first = None\n    def __eq__(self, o):\n        self.first = self.first or o\n        return self.first == o"
    lied = f"{liar}\n{honest.replace('self.x = x', 'self.x = R()', 1)}\n    def __eq__(self, o): return True"
    assert outcomes(judged([(STUDENT, f"{lied}"), cells[1]], cells))[1] == "failed"


@pytest.mark.parametrize("value", range(3, 45, 7))
def test_objects_that_equal_many_numbers_are_believed_where_those_of_the_reference_do(value: int) -> None:
    source = "class Mod:\n    def __init__(self, x): self.x = x % 2\n    def __eq__(self, o): return self.x == o % 2\n    __hash__ = None"
    cells = [(STUDENT, source), (TESTS, f"assert Mod(1) == {value}\nassert not Mod(0) == {value}")]
    expected = ["passed"] * 2 if value % 2 else ["failed"] * 2
    assert outcomes(judged(cells)) == expected


@pytest.mark.parametrize(
    ("lie", "check"),
    [
        ("def __eq__(self, other): return True", "assert P(1) == P(1)"),
        ("def __ne__(self, other): return False\n    def __eq__(self, other): return True", "assert not P(1) != P(1)"),
        ("def __contains__(self, other): return True", "assert 3 in P(3)"),
        ("def __lt__(self, other): return True\n    __ge__ = __lt__", "assert P(1) < P(2)"),
    ],
)
def test_where_operators_are_allowed_one_that_says_yes_to_everything_fails(lie: str, check: str) -> None:
    honest = (
        "import functools\n@functools.total_ordering\nclass P:\n    def __init__(self, x): self.x = x\n"
        "    def __eq__(self, o): return isinstance(o, P) and o.x == self.x\n    def __lt__(self, o): return self.x < o.x\n"
        "    def __contains__(self, y): return y == self.x\n    __hash__ = None"
    )
    reference = [(STUDENT, honest), (TESTS, check)]
    assert outcomes(judged(reference)) == ["passed"]
    with judge_of(recorded(reference)) as judge:
        judge.run_student_cell(0, f"class P:\n    def __init__(self, x): self.x = x\n    {lie}\n    __hash__ = None")
        tests, flags = judge.run_test_cell(1, "t1", check)
    assert outcomes(tests) == ["failed"]
    assert [flag["code"] for flag in flags] == ["dishonest-operator"]


def test_a_test_that_catches_a_breach_of_the_rules_fails_all_the_same() -> None:
    reference = [(STUDENT, "def f(): return 1"), (TESTS, "try: ok = f() == 1\nexcept Exception: ok = True\nassert ok")]
    hostile = "class L:\n    def __eq__(self, o): return True\ndef f(): return L()"
    tests = judged([(STUDENT, hostile), reference[1]], reference)
    assert "passed" not in outcomes(tests)


def test_a_context_manager_of_the_students_swallows_no_failed_check() -> None:
    source = "class C:\n    def __enter__(self): return 1\n    def __exit__(self, *a): return {}"
    check = (TESTS, "with C() as c:\n    assert c == 2")
    tests = judged([(STUDENT, source.format("True")), check], [(STUDENT, source.format("False")), check])
    assert outcomes(tests) == ["failed"]


def test_hidden_tests_say_nothing() -> None:
    source = "### BEGIN HIDDEN TESTS\nassert f(3) == 424242, 'Told'\n### END HIDDEN TESTS"
    (test,) = judged([(STUDENT, "def f(x): return 1"), (TESTS, source)])
    assert test["is_hidden"] and test["outcome"] == "failed"
    assert "424242" not in repr(test)


def test_a_test_that_loops_by_itself_is_out_of_time() -> None:
    with judge_of() as judge:
        judge.run_student_cell(0, "def f(): return 1")
        judge.peer.link.deadline = time.monotonic() + 0.3
        tests, _ = judge.run_test_cell(1, "t1", "assert f() == 1\nwhile True: pass\nassert f() == 1")
    assert outcomes(tests) == ["passed", "timed-out", "not-checked"]


CATCHES = "try: f()\nexcept Exception: pass\nassert True"


def test_a_students_process_that_is_gone_is_lost() -> None:
    with judge_of() as judge:
        judge.run_student_cell(0, "def f():\n    import os\n    os._exit(3)")
        with pytest.raises(PeerLost) as lost:
            judge.run_test_cell(1, "t1", CATCHES)
        assert lost.value.cause == "closed"
        with pytest.raises(PeerLost):
            judge.run_student_cell(2, "x = 1")


def test_a_students_process_that_takes_too_long_costs_the_test_that_waits_and_is_lost() -> None:
    with judge_of() as judge:
        judge.run_student_cell(0, "def f():\n    while True: pass")
        judge.peer.link.deadline = time.monotonic() + 0.3
        tests, _ = judge.run_test_cell(1, "t1", CATCHES)
        assert outcomes(tests) == ["timed-out", "not-checked"]
        assert judge.peer.failure.cause == "cell-timeout"
        with pytest.raises(PeerLost):
            judge.run_student_cell(2, "x = 1")


def test_after_a_loss_the_judge_goes_on_with_another_process() -> None:
    with judge_of() as judge:
        judge.run_student_cell(0, "class C: ...\ndef f(): return 1")
        judge.run_test_cell(1, "t1", "mine = 3\nold = C()\nassert f() == 1")
        link = another()
        judge.reconnect(link)
        judge.run_student_cell(0, "def f(): return 2\nclass C: ...")
        tests, _ = judge.run_test_cell(
            2, "t2", "assert f() == 2 and mine == 3\nassert isinstance(C(), C)\nassert old.x"
        )
        link.close()
    assert outcomes(tests) == ["passed", "passed", "failed"]
    assert tests[2]["error_type"] == "ReferenceError"


def test_the_same_notebook_is_judged_the_same_each_time() -> None:
    cells = [
        (
            STUDENT,
            "import random\nclass P:\n    def __init__(self, x): self.x = x\ns = {'a', 'b', 'c'}\ndef f(): return [s, P(1).x]",
        ),
        (TESTS, "assert f() == 1\nassert P(1).y\nrandom.seed(1)\nassert random.random() == 2\nassert s == 3"),
    ]
    assert repr(judged(cells)) == repr(judged(cells))
    assert recorded(cells) == recorded(cells)


def test_output_of_a_students_cell_is_not_the_tests() -> None:
    cells = [
        (STUDENT, "print('noise')"),
        (STUDENT, "def f(): print('x')"),
        (
            TESTS,
            "import io, contextlib\nb = io.StringIO()\nwith contextlib.redirect_stdout(b): f()\nassert b.getvalue() == 'x\\n'",
        ),
    ]
    assert outcomes(judged(cells)) == ["passed"]


def test_ten_thousand_calls() -> None:
    with judge_of() as judge:
        tests = run_apart(
            judge, [(STUDENT, "def f(x): return x + 1"), (TESTS, "assert all(f(n) == n + 1 for n in range(10_000))")]
        )
    assert outcomes(tests) == ["passed"]


def test_what_ipython_gives_is_the_judges_own() -> None:
    test = "%matplotlib inline\nassert get_ipython().user_ns['x'] == 1 and 'x = 1' in In[-2] and 'assert' in In[-1]"
    (row,) = judged([(STUDENT, "x = 1"), (TESTS, test)])
    assert row["outcome"] == "passed", row


def test_a_cell_that_is_no_python_is_our_fault() -> None:
    assert outcomes(judged([(STUDENT, ""), (TESTS, "assert (")])) == ["grader-error"]
