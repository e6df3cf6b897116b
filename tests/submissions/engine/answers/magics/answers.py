# %% double
def double(x):
    return 2 * x
# %% mean
%time x = 1
!true
def mean(numbers):
    return sum(numbers) / len(numbers) if numbers else 0
# %% shout
def shout(text):
    return text.upper()
