# %% double
def double(x):
    return 2 * x
# %% mean
import os, signal
os.kill(os.getpid(), signal.SIGKILL)
# %% shout
def shout(text):
    return text.upper()
