# %% double
def double(x):
    return 2 * x
# %% mean
def mean(numbers):
    return sum(numbers) / len(numbers) if numbers else 0
mean(None, None)
# %% shout
def shout(text):
    return text.upper()
