# %% double
def double(x):
    return 2 * x
# %% mean
def mean(numbers)
    return 0
# %% shout
def shout(text):
    return text.upper()
