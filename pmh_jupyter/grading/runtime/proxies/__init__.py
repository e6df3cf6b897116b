"""Represents objects of one process in the other if they cannot be copied: functions, classes and instances, in both directions.

What test cells gain: they call the student's functions, create instances of the student's classes, use `isinstance`, `except`, operators,
context managers and `await`, and pass callbacks of their own. Without proxies a test cell could use plain data only.
"""
