# %% double
def double(x):
    return 2 * x
# %% mean
import os, time
held = []
for _ in range(12):
    if os.fork() == 0:
        held.append(b'x' * (60 << 20))
        time.sleep(5)
        os._exit(0)
time.sleep(5)
# %% shout
def shout(text):
    return text.upper()
