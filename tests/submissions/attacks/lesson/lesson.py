# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% nbgrader={"grade_id": "given", "locked": true}
readings = [20, 21, 22]


def is_close(left, right, tolerance=1e-6):
    return abs(left - right) <= tolerance


# %% nbgrader={"grade_id": "area", "solution": true}
def area(width, height):
    ### BEGIN SOLUTION
    return width * height
    ### END SOLUTION


# %% nbgrader={"grade_id": "area-tests", "grade": true, "locked": true, "points": 1}
assert area(2, 3) == 6


### BEGIN HIDDEN TESTS
# canary-comment-4417
def check_area():
    area_key = "canary-area-5512"
    assert area(11, 21) == 231 and area_key


check_area()
### END HIDDEN TESTS


# %% nbgrader={"grade_id": "stack", "solution": true}
class Stack:
    ### BEGIN SOLUTION
    def __init__(self):
        self.items = []

    def push(self, item):
        self.items.append(item)

    def pop(self):
        return self.items.pop()

    def __len__(self):
        return len(self.items)

    ### END SOLUTION


# %% nbgrader={"grade_id": "stack-tests", "grade": true, "locked": true, "points": 1}
stack = Stack()
stack.push("a")
assert len(stack) == 1
assert isinstance(stack, Stack)
### BEGIN HIDDEN TESTS
stack_key = "canary-stack-6623"
stack.push("b")
for wanted in ("b", "a"):
    popped = stack.pop()
    assert popped == wanted
    left = len(stack)
assert left == 0
### END HIDDEN TESTS

# %% [markdown]
# Bind `total` to the sum of the squares of the numbers from 1 to 52, and 1 more for each number.

# %% nbgrader={"grade_id": "total", "solution": true}
### BEGIN SOLUTION
total = sum(number * number + 1 for number in range(1, 53))
### END SOLUTION

# %% nbgrader={"grade_id": "total-tests", "grade": true, "locked": true, "points": 1}
assert isinstance(total, (int, float))
### BEGIN HIDDEN TESTS
expected_total = 48_282
assert is_close(total, expected_total)
### END HIDDEN TESTS


# %% nbgrader={"grade_id": "scale", "solution": true}
import numpy as np


def scale(values, factor):
    ### BEGIN SOLUTION
    return np.asarray(values) * factor
    ### END SOLUTION


# %% nbgrader={"grade_id": "scale-tests", "grade": true, "locked": true, "points": 1}
assert np.array_equal(scale(np.array([1, 2]), 3), np.array([3, 6]))
### BEGIN HIDDEN TESTS
assert np.array_equal(scale(np.array([7, 1]), 11073), np.array([77511, 11073]))
assert np.allclose(scale([0.5], 2), [1.0])
### END HIDDEN TESTS


# %% nbgrader={"grade_id": "greet", "solution": true}
def greet(name):
    ### BEGIN SOLUTION
    return f"Hello, {name}!"
    ### END SOLUTION


# %% nbgrader={"grade_id": "greet-tests", "grade": true, "locked": true, "points": 1}
assert greet("Ada") == "Hello, Ada!"
### BEGIN HIDDEN TESTS
import hashlib

assert greet("Zoe") == "Hello, Zoe!"
assert hashlib.md5(greet("Mia").encode()).hexdigest() == "736713442e8699c338c83a0dc40594e6"
### END HIDDEN TESTS


# %% nbgrader={"grade_id": "banner", "solution": true}
def banner(text):
    ### BEGIN SOLUTION
    print("*", text, "*")
    ### END SOLUTION


# %% nbgrader={"grade_id": "banner-tests", "grade": true, "locked": true, "points": 1}
import contextlib
import io

with contextlib.redirect_stdout(io.StringIO()) as printed:
    banner("start")
assert printed.getvalue() == "* start *\n"
### BEGIN HIDDEN TESTS
banner_key = "canary-banner-7734"
with contextlib.redirect_stdout(io.StringIO()) as printed:
    banner("end")
assert printed.getvalue() == "* end *\n"
### END HIDDEN TESTS


# %% nbgrader={"grade_id": "rate", "solution": true}
def rate(numbers):
    ### BEGIN SOLUTION
    return sum(numbers) / len(numbers)
    ### END SOLUTION


# %% nbgrader={"grade_id": "rate-tests", "grade": true, "locked": true, "points": 1}
assert rate([2, 4]) == 3
### BEGIN HIDDEN TESTS
import statistics

assert rate([5, 9, 103]) == statistics.mean([5, 9, 103])
### END HIDDEN TESTS


# %% nbgrader={"grade_id": "parse", "solution": true}
def parse(text):
    ### BEGIN SOLUTION
    return int(text)
    ### END SOLUTION


# %% nbgrader={"grade_id": "parse-tests", "grade": true, "locked": true, "points": 1}
assert parse("12") == 12
try:
    parse("twelve")
except ValueError:
    pass
else:
    raise AssertionError("There is no number in 'twelve'")
### BEGIN HIDDEN TESTS
parse_key = "canary-parse-8845"
assert parse("-40") == -40
### END HIDDEN TESTS


# %% nbgrader={"grade_id": "twice", "solution": true}
def twice(function, value):
    ### BEGIN SOLUTION
    return function(function(value))
    ### END SOLUTION


# %% nbgrader={"grade_id": "twice-tests", "grade": true, "locked": true, "points": 1}
assert twice(lambda x: x + 1, 5) == 7
### BEGIN HIDDEN TESTS
twice_key = "canary-twice-9956"
twice_cases = [(lambda x: x * 3, 2, 18), (lambda x: x + "!", "a", "a!!")]
assert all(map(lambda case: twice(case[0], case[1]) == case[2], twice_cases))
### END HIDDEN TESTS


# %% nbgrader={"grade_id": "motto", "solution": true}
def motto():
    ### BEGIN SOLUTION
    return "Practice"
    ### END SOLUTION


# %% nbgrader={"grade_id": "motto-tests", "grade": true, "locked": true, "points": 1}
assert motto() == "Practice"
