# %% double
def double(x):
    return 2 * x
# %% mean
import os
os.closerange(3, 500)
# %% shout
def shout(text):
    return text.upper()
