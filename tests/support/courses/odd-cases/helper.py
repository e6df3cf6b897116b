"""A module of the lesson's: data, and no notebook."""


def double(number):
    return number * 2
