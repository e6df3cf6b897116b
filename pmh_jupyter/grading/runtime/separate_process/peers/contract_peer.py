"""The judge's uses of the student's objects. Each is looked up in the contract, recorded or refused, and its result may be verified."""

from __future__ import annotations

import sys
import types
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from pmh_jupyter.grading.runtime.marshalling import conversion
from pmh_jupyter.grading.runtime.proxies import attribute_policy
from pmh_jupyter.grading.runtime.proxies.operators import (
    CLAIMING_OPERATORS,
    FREE_OPERATORS,
    SEQUENCE_OPERATORS,
    TEXT_OPERATORS,
    apply_operator,
)
from pmh_jupyter.grading.runtime.proxies.proxies import (
    ProxyMeta,
    find_value_base,
    get_apparent_class,
    has_operator,
    is_proxy,
)
from pmh_jupyter.grading.runtime.proxies.signatures import build_signature
from pmh_jupyter.grading.runtime.separate_process.claims.claim_verifier import ClaimVerifier, get_class_name
from pmh_jupyter.grading.runtime.separate_process.contract.contract import Contract
from pmh_jupyter.grading.runtime.separate_process.contract.observations import ContractViolation
from pmh_jupyter.grading.runtime.separate_process.contract.places import is_result_discarded
from pmh_jupyter.grading.runtime.separate_process.peers.peer import Peer
from pmh_jupyter.grading.runtime.test_cells.code_filenames import is_release_filename
from pmh_jupyter.grading.runtime.test_cells.contract_entries import ClaimDetail, Use
from pmh_jupyter.grading.runtime.transport.framing import Link
from pmh_jupyter.grading.runtime.transport.result_fields import TestReason


class ContractPeer(Peer):
    """Applies the contract of the test cell to the judge's end of a connection. See `contract`."""

    def __init__(self, link: Link, contract: Contract) -> None:
        super().__init__(link, is_judge=True)
        self.contract = contract
        self._claims = ClaimVerifier(contract, self._ask_silently, self.discard_output)
        self.codec.keeps_half_precision = lambda: contract.admit(Use.RECEIVE_HALF)
        self.replicas.change_policy = contract
        # Objects of the notebook that were read into a list, kept because Python may reuse the id of one that is deleted.
        self._items_by_id: dict[int, tuple[Any, list[Any]]] = {}
        # Objects from places where the reference raised an exception, so that no use of them was recorded. Their attributes may be read.
        self._objects_after_exception: dict[int, Any] = {}
        # Attributes of classes: class methods may construct objects.
        self._class_attributes: dict[int, Any] = {}
        # The names of the attributes that the notebook has set on functions of the test.
        self._notebook_attributes: weakref.WeakKeyDictionary[Any, set[str]] = weakref.WeakKeyDictionary()
        self._discards_output = False

    def request(self, operation: str, *arguments: Any) -> Any:
        try:
            result = self.send_request(operation, *arguments)
            if self.contract.is_active:
                self._note_received(operation, result)
            return result
        except (StopIteration, StopAsyncIteration):
            is_next = operation == "apply-operator" and arguments[1] in ("next", "anext")
            if is_next or self.contract.admit(Use.RAISE):
                raise
            # Python does the same in a generator. Otherwise StopIteration would silently end a loop of the test, and the remaining values
            # would not be checked.
            raise RuntimeError("the notebook raised StopIteration") from None
        except Exception as error:
            is_expected = self.contract.admit(Use.RAISE)
            if not is_expected and operation == "get-attribute" and isinstance(error, AttributeError):
                # The reference has the attribute, and `getattr(x, name, default)` would hide that it is missing.
                self.contract.observations.record_failure(error)
            raise

    def send_request(self, operation: str, *arguments: Any) -> Any:
        """Send a request without applying the contract to its result."""
        return super().request(operation, *arguments)

    def _note_received(self, operation: str, result: Any) -> None:
        if is_proxy(result) and self.contract.has_entry(Use.RAISE):
            self._objects_after_exception[id(result)] = result
        if operation in _VALUE_OPERATIONS:
            self.contract.admit_received_value(result)

    def get_attribute(self, target: Any, name: str) -> Any:
        place = self.contract.find_place()
        if not self._may_get_attribute(target, name, place):
            if name in self.contract.names_on_functions and get_apparent_class(target) is types.FunctionType:
                value = self.request("get-attribute", target, name)
                if not is_proxy(value):
                    return value
            return getattr(self._convert_or_refuse(target, f"attribute {name}"), name)
        if name == "__signature__":
            return self._fetch_signature(target)
        value = self.request("get-attribute", target, name)
        if type(target) is ProxyMeta and is_proxy(value):
            self._class_attributes[id(value)] = value
        return value

    def _may_get_attribute(self, target: Any, name: str, place: str) -> bool:
        is_free = get_apparent_class(target) is types.ModuleType or id(target) in self._objects_after_exception
        is_free = is_free or (name in _EXCEPTION_ATTRIBUTES and isinstance(target, BaseException))
        return is_free or self.contract.admit(Use.GET_ATTRIBUTE, name, place=place)

    def set_function_attribute(self, function: types.FunctionType, name: str, value: Any) -> None:
        """Set an attribute that the notebook sets on a function of the test, if tests read attributes of this name from the reference.

        Raises PermissionError if the test has set it: the notebook must not change what the test itself records there.
        """
        names = self._notebook_attributes.setdefault(function, set())
        if hasattr(function, name) and name not in names:
            raise PermissionError(f"the test has set the attribute {name}")
        if self.contract.admit_function_attribute(name):
            self.contract.admit_received_value(value)
            names.add(name)
            setattr(function, name, value)

    def call(self, target: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        place = self.contract.find_place()
        for argument in arguments:
            self._record_seen_failure(argument)  # for example of an `ExitStack` that calls `__exit__`
        call = partial(super().call, target)
        is_constructor = type(target) is ProxyMeta or id(target) in self._class_attributes
        is_constructor = is_constructor or self.contract.has_entry(Use.COMPARE_CONSTRUCTED, place=place)
        if self.contract.is_active and is_constructor and (arguments or keywords):
            return self._claims.call_with_decoys(call, arguments, keywords, place)
        return call(arguments, keywords)

    def apply_operator(self, target: Any, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        if name == "call":
            return self.call(target, arguments, keywords)
        if name in ("exit", "aexit"):
            return self._exit_context(target, name, arguments)
        if name in FREE_OPERATORS:
            return super().apply_operator(target, name, arguments, keywords)
        place = self.contract.find_place()
        if not _is_free_operator(target, name) and not self.contract.admit_operator(name, place):
            # An object that is compared with another object of the notebook receives no value of the test.
            is_suspicious = name in CLAIMING_OPERATORS and not (arguments and is_proxy(arguments[0]))
            data = self._convert_or_refuse(target, name, is_suspicious=is_suspicious)
            return apply_operator(name, data, list(arguments), keywords)
        if arguments:
            return self._apply_with_operand(target, name, arguments, keywords, place)
        result = super().apply_operator(target, name, arguments, keywords)
        if name == "bool":
            self._claims.verify_truth(target, result, lambda: self._ask_silently(target, name), place)
        return result

    def _apply_with_operand(
        self, target: Any, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any], place: str
    ) -> Any:
        """Apply an operator that the contract permits to an object and another operand, and verify what the object claims."""
        operand = arguments[0]
        if not is_proxy(operand) and not self.contract.admit_comparison_with_data(name, place):
            return NotImplemented
        claimed_equal = self._claims.ask_decoys(name, target, operand, place)
        result = super().apply_operator(target, name, arguments, keywords)
        self._claims.verify(name, target, result, operand, place, claimed_equal)
        return result

    def recognizes(self, target: Any, name: str, other: Any) -> bool:
        """Ask the class only where the reference uses such a class, because a class could claim every object."""
        if self.contract.is_enforced and not self.contract.has_entry(Use.OPERATOR, name):
            return False
        return super().recognizes(target, name, other) and self.contract.admit(Use.OPERATOR, name)

    def record_default_operator(self, name: str, other: Any) -> None:
        self.contract.admit(Use.OPERATOR, name)
        if not is_proxy(other):
            self.contract.admit(Use.OPERATOR, name, ClaimDetail.WITH_DATA)

    def record_object(self, value: Any) -> None:
        if self.contract.is_active:
            self._claims.record_object(value)
            self.contract.admit(Use.RECEIVE_OBJECT)

    def require_expected_object(self, value: Any) -> None:
        """Refuse an object of the test with its own equality where the reference gives none: it may equal the expected value."""
        contract = self.contract
        if contract.is_active and attribute_policy.has_own_equality(value) and not is_result_discarded():
            if not contract.admit(Use.RECEIVE_OWN):
                detail = "an object of the test where the reference gives plain data"
                raise contract.observations.make_violation(TestReason.OBJECT_OF_TEST, "", detail, is_suspicious=False)

    def require_class_name(self, target: type) -> None:
        """Refuse a test that reads the name of the student's class where the reference has a class of Python or a library."""
        # Only tests are restricted. Libraries and this package may name a class in a message.
        if is_release_filename(sys._getframe(2).f_code.co_filename):
            if not self.contract.admit(Use.CLASS_NAME):
                raise self._make_refusal(target, Use.CLASS_NAME)

    def expects_data(self) -> bool:
        return self.contract.is_enforced and not self.contract.has_entry(Use.RECEIVE_OBJECT)

    def _convert_or_refuse(self, target: Any, use: str, *, is_suspicious: bool = False) -> Any:
        """Return the data that an object can be converted to. Raises `ContractViolation` if it cannot."""
        base = find_value_base(type(target))
        if base is not None:
            return conversion.PLAIN_VALUE_FUNCTIONS[base](target)
        data = self.request("get-value", target)
        if is_proxy(data) and use in SEQUENCE_OPERATORS:
            data = self._read_items(target)
        if is_proxy(data):
            raise self._make_refusal(target, use, is_suspicious=is_suspicious)
        return data

    def _read_items(self, target: Any) -> Any:
        """Return the items of an object as a list, read once per test cell, or the object if it cannot be iterated over."""
        if not (has_operator(type(target), "iter") or has_operator(type(target), "getitem")):
            return target
        cached = self._items_by_id.get(id(target))
        if cached is None:
            items = list(self.request("apply-operator", target, "iter", ()))
            cached = self._items_by_id[id(target)] = target, items
        return cached[1]

    def _make_refusal(self, target: Any, use: str, *, is_suspicious: bool = False) -> ContractViolation:
        class_name = get_class_name(target)
        detail = f"an object of class {class_name} where the reference gives plain data ({use})"
        return self.contract.observations.make_violation(
            TestReason.OBJECT_FOR_DATA, class_name, detail, is_suspicious=is_suspicious
        )

    def _exit_context(self, target: Any, name: str, arguments: tuple[Any, ...]) -> Any:
        """Leave a context manager of the student. It neither receives nor suppresses the failure of a statement."""
        error = arguments[1] if len(arguments) == 3 else None
        if not isinstance(error, BaseException):
            return super().apply_operator(target, name, (None, None, None), {})
        self._record_seen_failure(error)
        if isinstance(error, AssertionError) or not isinstance(error, Exception):
            super().apply_operator(target, name, (AssertionError, AssertionError(), None), {})
            return False
        return super().apply_operator(target, name, (get_apparent_class(error), error, None), {})

    def begin_cell(self, entries: Iterable[str], source: str, earlier_sources: Iterable[str]) -> None:
        """Start a test cell with the entries of its contract. See `claims` for the sources."""
        self.contract.begin_cell(entries)
        self._items_by_id.clear()
        self._objects_after_exception.clear()
        self._class_attributes.clear()
        self._claims.begin_cell(source, earlier_sources)

    def _ask_silently(self, target: Any, name: str, *arguments: Any) -> Any:
        with self.discard_output():
            return self.request("apply-operator", target, name, arguments)

    @contextmanager
    def discard_output(self) -> Iterator[None]:
        """Discard the output of the student's code in a `with` block."""
        previous, self._discards_output = self._discards_output, True
        try:
            yield
        finally:
            self._discards_output = previous

    def _fetch_signature(self, target: Any) -> Any:
        parts = self.request("get-signature", target)
        try:
            return build_signature(parts)
        except (TypeError, ValueError, IndexError):
            raise AttributeError("__signature__") from None

    def sanitize_error(self, error: BaseException) -> BaseException:
        """Hide the details of a failure in a callback of the test."""
        self._record_seen_failure(error)
        return AssertionError() if isinstance(error, AssertionError) else error

    def _record_seen_failure(self, value: Any) -> None:
        """Record that the student's code receives a value, if it is a failed assertion of the test."""
        if isinstance(value, AssertionError) and not self.contract.admit(Use.SEE_FAILURE):
            self.contract.observations.record_failure(value)


def _is_free_operator(target: Any, name: str) -> bool:
    """Return whether an operator may be applied without an entry in the contract."""
    if name == "iter":
        return has_operator(type(target), "next")
    return name in TEXT_OPERATORS and isinstance(target, BaseException)


# Operations whose reply is a value of the notebook.
_VALUE_OPERATIONS = frozenset(("call", "apply-operator", "get-attribute", "get-value", "copy-object", "await-result"))
# Attributes that Python itself uses when it handles an exception.
_EXCEPTION_ATTRIBUTES = ("args", "with_traceback", "add_note")
