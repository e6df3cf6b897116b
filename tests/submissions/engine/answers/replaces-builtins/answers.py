# %% double
def double(x):
    return 2 * x
# %% mean
print = len = sum = list = dict = str = isinstance = None
def mean(numbers):
    total = count = 0
    for number in numbers:
        total += number
        count += 1
    return total / count if count else 0
# %% shout
def shout(text):
    return text.upper()
