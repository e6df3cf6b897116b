# %% double
def double(x):
    return 2 * x
# %% mean
x = sum(range(10 ** 12))
# %% shout
def shout(text):
    return text.upper()
