# %% double
def double(x):
    return 2 * x
# %% mean
print('x' * (40 << 20))
def mean(numbers):
    return sum(numbers) / len(numbers) if numbers else 0
# %% shout
def shout(text):
    return text.upper()
