"""Stands in for objects that cannot be copied: the student's functions, classes and instances in the judge, and the reverse.

What test cells gain: they call the student's functions, create instances of the student's classes, use `isinstance`, `except`, operators,
context managers and `await`, and pass callbacks of their own. Without proxies a test cell could use plain data only.
"""
