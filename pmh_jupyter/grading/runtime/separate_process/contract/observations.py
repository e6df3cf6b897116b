"""What a test cell has shown about a submission, apart from the results of its statements."""

from __future__ import annotations

from pmh_jupyter.grading.runtime.test_cells.flag_collector import FlagCollector
from pmh_jupyter.grading.runtime.transport.result_fields import TestReason

HELPER_CHANGED = "helper-changed"


class ContractViolation(Exception):
    """A test would have used an object of the student in a way that the contract does not permit, or the object made a false claim.

    reason: the reason of the test result. class_name: the name of the object's class, for the student.
    """

    def __init__(self, detail: str, reason: TestReason = TestReason.NONE, class_name: str = "") -> None:
        super().__init__(detail[:200])
        self.reason, self.class_name = reason, class_name


class CodeFromData(ContractViolation):
    """A test tried to execute, in the judge, code that is not part of the release."""


class CellObservations:
    """The observations of one test cell.

    - `flag_collector`: its integrity flags.
    - `statement_line`: the line of the current statement.
    - `violation`: the first violation of the current statement. It counts even if the test catches the exception.
    - `seen_failure`: the first failure of the current statement that the student's code has seen and could have caught, in a callback, a
      decorated function or a context manager, or that the test may have caught. The statement does not pass.
    - `has_shortfall`: whether the cell received an empty value where the reference gives values. The cell does not pass.
    """

    def __init__(self) -> None:
        self.flag_collector = FlagCollector()
        self.has_shortfall = False
        self.begin_statement(0)

    def begin_statement(self, line: int) -> None:
        """Start the statement that begins at this line, or the same one again."""
        self.statement_line = line
        self.violation: ContractViolation | None = None
        self.seen_failure: BaseException | None = None

    def make_violation(
        self, reason: TestReason, class_name: str, detail: str, *, is_suspicious: bool = True
    ) -> ContractViolation:
        """Return the exception to raise for a violation. Staff see a flag if it is suspicious."""
        return self._add_violation(ContractViolation(detail, reason, class_name), detail if is_suspicious else "")

    def make_code_violation(self, detail: str) -> ContractViolation:
        """Return the exception to raise for data of the student that would have been executed here. See `code_execution_policy`."""
        return self._add_violation(CodeFromData(detail, TestReason.CODE_FOR_DATA), detail)

    def _add_violation(self, violation: ContractViolation, flag_detail: str) -> ContractViolation:
        if flag_detail:
            self.flag_collector.add(violation.reason, flag_detail)
        self.violation = self.violation or violation
        return violation

    def record_failure(self, error: BaseException) -> None:
        """Record a failure that the statement must not hide."""
        self.seen_failure = self.seen_failure or error

    def record_helper_change(self, name: str) -> None:
        """Record that the notebook has changed a function or a class of a locked cell. The release's version is used."""
        self.flag_collector.add(HELPER_CHANGED, name)
