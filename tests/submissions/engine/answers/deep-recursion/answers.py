# %% double
def double(x):
    return 2 * x
# %% mean
def mean(numbers):
    return mean(numbers)
# %% shout
def shout(text):
    return text.upper()
