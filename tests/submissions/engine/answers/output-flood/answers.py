# %% double
def double(x):
    return 2 * x
# %% mean
while True:
    print('again and again ' * 100)
# %% shout
def shout(text):
    return text.upper()
