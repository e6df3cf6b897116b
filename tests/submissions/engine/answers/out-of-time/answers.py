# %% double
def double(x):
    return 2 * x
# %% mean
import time
time.sleep(0.8)
def mean(numbers):
    return sum(numbers) / len(numbers) if numbers else 0
# %% shout
def shout(text):
    return text.upper()
