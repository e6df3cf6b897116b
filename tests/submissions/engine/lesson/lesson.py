# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Double

# %% nbgrader={"grade_id": "double", "solution": true}
def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION


# %% nbgrader={"grade_id": "double-tests", "grade": true, "locked": true, "points": 1}
assert double(2) == 4
assert double("ab") == "abab", "A text is doubled by repeating it"

# %% [markdown]
# # Mean


# %% nbgrader={"grade_id": "mean", "solution": true}
def mean(numbers):
    ### BEGIN SOLUTION
    return sum(numbers) / len(numbers) if numbers else 0
    ### END SOLUTION


# %% nbgrader={"grade_id": "mean-tests", "grade": true, "locked": true, "points": 1.5}
assert mean([1, 2, 3]) == 2
for numbers, expected in (([4], 4), ([0, 1], 0.5)):
    assert mean(numbers) == expected

# %% nbgrader={"grade_id": "mean-edge", "grade": true, "locked": true, "points": 0.5}
assert mean([]) == 0
### BEGIN HIDDEN TESTS
assert mean([90125, 90127]) == 90126
### END HIDDEN TESTS

# %% [markdown]
# # Shout


# %% nbgrader={"grade_id": "shout", "solution": true}
def shout(text):
    ### BEGIN SOLUTION
    return text.upper()
    ### END SOLUTION


# %% nbgrader={"grade_id": "shout-tests", "grade": true, "locked": true, "points": 1}
assert shout("hey") == "HEY"
