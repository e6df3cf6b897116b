# %% double
def double(x):
    return 2 * x
# %% mean
import sys
import warnings
def mean(numbers):
    warnings.warn('old', DeprecationWarning, stacklevel=2)
    print('careful', file=sys.stderr)
    return sum(numbers) / len(numbers) if numbers else 0
# %% shout
def shout(text):
    return text.upper()
