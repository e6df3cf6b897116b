"""What a notebook reads of a function that a test passes to it."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from typing import Any

import pytest

from pmh_jupyter.grading.runtime.proxies.function_description import build_function, describe_function

FUNCTIONS = """
import collections.abc, functools, typing

def plain(a, b: int = 3, *rest: str, key: list[int] = (1, 2), **others) -> dict[str, int]:
    "Adds."
    local = 424242
    return a + b

def positional(a, /, b, *, c): pass
def unions(a: int | None, b: typing.Optional[str], c: typing.Union[int, str]) -> None: pass
def aliases(a: typing.List[int], b: typing.Callable[[int], str], c: collections.abc.Callable[[int], str]): pass
def forms(a: typing.Any, b: typing.Literal["x"], c: typing.Literal["x", "y"], d: "list[int]", e: tuple[()]): pass
def library_defaults(cast=int, measure=len, nested=([1], {2: {3}}, ...)): pass
def numbers():
    yield 1
async def later(n=1): pass
async def each():
    yield 1
@functools.wraps(plain)
def wrapper(*arguments, **keywords): return plain(*arguments, **keywords)
method = type("Tool", (), {"use": lambda self, x: x})().use
nested = (lambda: (secret := 424242, lambda x: x + secret))()[1]
"""


def make_functions() -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(FUNCTIONS, "<test>", "exec", dont_inherit=True), namespace)
    functions = {name: value for name, value in namespace.items() if name != "__builtins__" and callable(value)}
    return functions | {"method": functions["method"].__func__}


ORIGINALS = make_functions()
READINGS: dict[str, Callable[[Any], object]] = {
    "signature": inspect.signature,
    "argument specification": inspect.getfullargspec,
    "type hints": typing.get_type_hints,
    "annotations": lambda f: f.__annotations__,
    "defaults": lambda f: (f.__defaults__, f.__kwdefaults__),
    "names": lambda f: (f.__name__, f.__qualname__, f.__doc__, f.__module__, f.__code__.co_name),
    "counts": lambda f: (f.__code__.co_argcount, f.__code__.co_posonlyargcount, f.__code__.co_kwonlyargcount),
    "kinds": lambda f: (
        *(inspect.iscoroutinefunction(f), inspect.isgeneratorfunction(f), inspect.isasyncgenfunction(f)),
        inspect.isfunction(f),
    ),
    "wrapped": lambda f: inspect.signature(inspect.unwrap(f)),
}


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("name", ORIGINALS)
def test_built_function_reads_like_the_original(name: str, reading: str) -> None:
    original, read = ORIGINALS[name], READINGS[reading]
    assert read(build_function(describe_function(original))) == read(original)


@pytest.mark.parametrize("name", ORIGINALS)
def test_built_function_has_nothing_else_of_the_original(name: str) -> None:
    function: Any = build_function(describe_function(ORIGINALS[name]))
    while function is not None:
        code = function.__code__
        assert "424242" not in repr((code.co_consts, code.co_names, code.co_freevars))
        assert "local" not in code.co_varnames
        assert function.__closure__ is None and function.__globals__.keys() <= {"__name__", "__builtins__"}
        required = range(code.co_argcount + code.co_kwonlyargcount)
        with pytest.raises((PermissionError, TypeError)):
            function(*required)
        function = function.__dict__.get("__wrapped__")


def test_default_that_is_not_data_is_replaced() -> None:
    expected, partial = object(), functools.partial(int)

    def check(value: object, expected: object = expected, *, scale: Any = partial) -> None: ...

    signature = inspect.signature(build_function(describe_function(check)))
    assert [repr(parameter.default) for parameter in signature.parameters.values()][1:] == ["<object of the test>"] * 2


def test_default_that_contains_itself_is_replaced() -> None:
    endless: list[Any] = []
    endless.append(endless)

    def collect(values: object = endless) -> None: ...

    assert repr(build_function(describe_function(collect)).__defaults__) == "(<object of the test>,)"


def test_annotation_that_is_neither_a_type_nor_data_is_replaced() -> None:
    def check(value: Any) -> None: ...

    check.__annotations__["value"] = [object()]
    assert repr(build_function(describe_function(check)).__annotations__["value"]) == "<object of the test>"


def test_method_is_described_as_its_function() -> None:
    class Tool:
        def use(self, x: int) -> None: ...

    assert describe_function(Tool().use) == describe_function(Tool.use)


@pytest.mark.parametrize("value", [len, [].append, int, functools.partial(int), 5])
def test_only_functions_and_methods_have_a_description(value: object) -> None:
    with pytest.raises(AttributeError):
        describe_function(value)
