# %% double
def double(x):
    return 2 * x
# %% mean
def mean(numbers):
    while True:
        pass
# %% shout
def shout(text):
    return text.upper()
