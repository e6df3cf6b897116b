# %% double
def double(x):
    return 2 * x
# %% mean
while True:
    pass
# %% shout
def shout(text):
    return text.upper()
