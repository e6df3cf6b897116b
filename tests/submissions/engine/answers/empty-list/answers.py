# %% double
def double(x):
    return 2 * x
# %% mean
def mean(numbers):
    total = sum(numbers)
    return total / len(numbers)
# %% shout
def shout(text):
    return text.upper()
