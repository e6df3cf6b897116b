# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Eight small exercises
# What a class of beginners is given in a week: functions on plain data, each with visible and hidden tests.

# %% nbgrader={"grade_id": "double", "solution": true}
def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION


# %% nbgrader={"grade_id": "double-test", "grade": true, "locked": true, "points": 1}
assert double(2) == 4
### BEGIN HIDDEN TESTS
assert double(-7) == -14
assert double("ab") == "abab"
### END HIDDEN TESTS


# %% nbgrader={"grade_id": "mean", "solution": true}
def mean(numbers):
    ### BEGIN SOLUTION
    return sum(numbers) / len(numbers) if numbers else 0
    ### END SOLUTION


# %% nbgrader={"grade_id": "mean-test", "grade": true, "locked": true, "points": 1}
assert mean([1, 2, 3]) == 2
### BEGIN HIDDEN TESTS
assert mean([]) == 0
assert abs(mean([0.1] * 10) - 0.1) < 1e-9
### END HIDDEN TESTS


# %% nbgrader={"grade_id": "count", "solution": true}
def count_words(text):
    ### BEGIN SOLUTION
    counts = {}
    for word in text.lower().split():
        counts[word] = counts.get(word, 0) + 1
    return counts
    ### END SOLUTION


# %% nbgrader={"grade_id": "count-test", "grade": true, "locked": true, "points": 1}
assert count_words("a b a") == {"a": 2, "b": 1}
### BEGIN HIDDEN TESTS
assert count_words("A a") == {"a": 2}
assert count_words("") == {}
### END HIDDEN TESTS


# %% nbgrader={"grade_id": "primes", "solution": true}
def primes(limit):
    ### BEGIN SOLUTION
    found = []
    for number in range(2, limit):
        if all(number % prime for prime in found):
            found.append(number)
    return found
    ### END SOLUTION


# %% nbgrader={"grade_id": "primes-test", "grade": true, "locked": true, "points": 1}
assert primes(10) == [2, 3, 5, 7]
### BEGIN HIDDEN TESTS
assert primes(2) == []
assert len(primes(300)) == 62
### END HIDDEN TESTS


# %% nbgrader={"grade_id": "account", "solution": true}
### BEGIN SOLUTION
class Account:
    def __init__(self, balance=0):
        self.balance = balance

    def withdraw(self, amount):
        if amount > self.balance:
            raise ValueError("not enough")
        self.balance -= amount
        return self.balance


### END SOLUTION

# %% nbgrader={"grade_id": "account-test", "grade": true, "locked": true, "points": 1}
account = Account(10)
assert account.withdraw(3) == 7
### BEGIN HIDDEN TESTS
try:
    Account(1).withdraw(2)
except ValueError:
    pass
else:
    raise AssertionError("more than there is was paid out")
### END HIDDEN TESTS


# %% nbgrader={"grade_id": "sort", "solution": true}
def sort_in_place(numbers):
    ### BEGIN SOLUTION
    for end in range(len(numbers), 1, -1):
        for place in range(end - 1):
            if numbers[place] > numbers[place + 1]:
                numbers[place], numbers[place + 1] = numbers[place + 1], numbers[place]
    ### END SOLUTION


# %% nbgrader={"grade_id": "sort-test", "grade": true, "locked": true, "points": 1}
numbers = [3, 1, 2]
sort_in_place(numbers)
assert numbers == [1, 2, 3]
### BEGIN HIDDEN TESTS
longer = [5, -1, 5, 0, 9, 3]
sort_in_place(longer)
assert longer == [-1, 0, 3, 5, 5, 9]
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "total", "solution": true}
### BEGIN SOLUTION
total = sum(primes(100))
### END SOLUTION

# %% nbgrader={"grade_id": "total-test", "grade": true, "locked": true, "points": 1}
assert total == 1060


# %% nbgrader={"grade_id": "matrix", "solution": true}
def transpose(rows):
    ### BEGIN SOLUTION
    return [list(column) for column in zip(*rows, strict=True)]
    ### END SOLUTION


# %% nbgrader={"grade_id": "matrix-test", "grade": true, "locked": true, "points": 1}
assert transpose([[1, 2], [3, 4]]) == [[1, 3], [2, 4]]
### BEGIN HIDDEN TESTS
assert transpose([[1, 2, 3]]) == [[1], [2], [3]]
### END HIDDEN TESTS
