"""autotests.yml is read with a remedy for each problem, and rendered in a sandbox."""

from __future__ import annotations

import pytest

from pmh_jupyter.authoring.nbgrader.autotest_templates import MAX_BYTES, read_templates
from pmh_jupyter.errors import InvalidCourse

PLAIN = """
python3:
    setup: "from hashlib import sha1"
    hash: 'sha1({{snippet}}.encode("utf-8")+b"{{salt}}").hexdigest()'
    dispatch: "type({{snippet}})"
    normalize: "str({{snippet}})"
    check: 'assert {{snippet}} == "{{value}}", "{{message}}"'
    templates:
        default:
            - test: "{{snippet}}"
              fail: 'value of {{snippet}} is not correct, nor "right"'
        int:
            - test: "type({{snippet}})"
              fail: "no int"
            - test: "{{snippet}}"
              fail: "wrong"
"""


def test_snippet_has_tests_for_every_type() -> None:
    tests = read_templates(PLAIN.encode(), "python3").render_snippet_tests("a", None)
    assert tests.dispatch == "type(a)"
    assert tests.tests == {"default": ("str(a)",), "int": ("str(type(a))", "str(a)")}


def test_salted_snippet_is_hashed() -> None:
    tests = read_templates(PLAIN.encode(), "python3").render_snippet_tests("a", "e40df")
    assert tests.tests["default"] == ('sha1(str(a).encode("utf-8")+b"e40df").hexdigest()',)


def test_values_become_assertions() -> None:
    templates = read_templates(PLAIN.encode(), "python3")
    checks = templates.render_assertions(templates.render_snippet_tests("f(2)", None), "default", ["4"])
    assert checks == ['assert str(f(2)) == "4", "value of f(2) is not correct, nor \\"right\\""']


def test_braces_in_a_snippet_are_plain_text() -> None:
    tests = read_templates(PLAIN.encode(), "python3").render_snippet_tests("{'{{7*7}}': 1}", None)
    assert tests.tests["default"] == ("str({'{{7*7}}': 1})",)


def test_other_name_of_the_kernel_is_accepted() -> None:
    assert read_templates(PLAIN.encode(), "python").render_snippet_tests("a", None).dispatch == "type(a)"


@pytest.mark.parametrize(
    ("content", "kernel", "message"),
    [
        pytest.param(PLAIN, "ir", "kernel ir", id="another kernel"),
        pytest.param("python3: [", "python3", "not YAML", id="no YAML"),
        pytest.param("", "python3", "no templates for python3", id="empty"),
        pytest.param("- a\n- b", "python3", "no templates", id="list"),
        pytest.param("python3: 7", "python3", "python3", id="number"),
        pytest.param(PLAIN.replace("check:", "chekc:"), "python3", "python3.check", id="unknown key"),
        pytest.param(PLAIN.replace("default:", "str:"), "python3", "default", id="no default"),
        pytest.param(
            PLAIN.replace('- test: "type({{snippet}})"', "- tset: 1"),
            "python3",
            "templates.int.0.test",
            id="unknown key of a test",
        ),
        pytest.param("#" * (MAX_BYTES + 1), "python3", "larger", id="too large"),
        pytest.param("!!python/object/apply:os.system [true]", "python3", "not YAML", id="Python object"),
    ],
)
def test_invalid_templates_are_reported(content: str, kernel: str, message: str) -> None:
    with pytest.raises(InvalidCourse) as refused:
        read_templates(content.encode(), kernel)
    (problem,) = refused.value.problems
    assert message in problem.message and problem.remedy


@pytest.mark.parametrize(
    "template",
    [
        "{{snippet",
        "{{ snippet.__class__.__mro__[1].__subclasses__() }}",
        "{{ 1/0 }}",
        "{{ cycler.__init__.__globals__.os }}",
    ],
)
def test_template_cannot_reach_this_process(template: str) -> None:
    broken = PLAIN.replace("type({{snippet}})", template, 1)
    with pytest.raises(InvalidCourse, match="cannot be used") as refused:
        read_templates(broken.encode(), "python3").render_snippet_tests("a", None)
    assert "cannot be rendered" in refused.value.problems[0].message
