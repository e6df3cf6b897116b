# %% double
def double(x):
    return 2 * x
# %% mean
grown = []
while True:
    grown.append(' ' * (1 << 20))
# %% shout
def shout(text):
    return text.upper()
