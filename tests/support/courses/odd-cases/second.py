# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Second notebook
#
# Its first test stands without a solution cell.

# %% nbgrader={"grade_id": "environment", "grade": true, "points": 1}
import sys

assert sys.version_info >= (3, 11), "Python should be 3.11 or newer."

# %% [markdown]
# ## A locked cell
# It is the release's, and no test.

# %% nbgrader={"grade_id": "given", "locked": true}
given = [3, 1, 2]

# %% nbgrader={"grade_id": "sorted", "solution": true}
result = sorted(given)

# %% nbgrader={"grade_id": "sorted-tests", "grade": true, "points": 1}
assert result == [1, 2, 3], "The list should be in order."
assert given == [3, 1, 2], "The list that was given should be as it was."
