# %% double
def double(x):
    return 2 * x
# %% mean
import ctypes
ctypes.string_at(0)
# %% shout
def shout(text):
    return text.upper()
