# %% double
def double(x):
    return 2 * x
# %% mean
import threading, time
threading.Thread(target=time.sleep, args=(60,)).start()
def mean(numbers):
    return sum(numbers) / len(numbers) if numbers else 0
# %% shout
def shout(text):
    return text.upper()
