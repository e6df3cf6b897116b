# %% double
def double(x):
    return 2 * x
# %% mean
class Loud:
    def __repr__(self):
        raise RuntimeError('no')
    def __eq__(self, other):
        return False
def mean(numbers):
    return Loud() if numbers else 'x' * 1_000_000
# %% shout
def shout(text):
    return text.upper()
