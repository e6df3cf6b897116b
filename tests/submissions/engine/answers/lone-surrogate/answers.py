# %% double
def double(x):
    return 2 * x
# %% mean
def mean(numbers):
    raise ValueError('\\ud800' * 3)
# %% shout
def shout(text):
    return text.upper()
