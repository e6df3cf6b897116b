# %% double
def double(x):
    return 2 * x
# %% mean
for n in range(5000):
    print(n, 'lines are fine' * 10)
def mean(numbers):
    return sum(numbers) / len(numbers) if numbers else 0
# %% shout
def shout(text):
    return text.upper()
