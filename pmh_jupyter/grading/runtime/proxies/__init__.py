"""Represents objects of one process in the other if they cannot be copied: functions, classes and instances, in both directions.

Test cells can call the student's functions, create instances of the student's classes, use `isinstance`, `except`, operators, context
managers and `await`, and pass callbacks. Without proxies, a test cell could use plain data only.
"""
