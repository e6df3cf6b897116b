"""Encodes Python values for the other process, and decodes what arrives without running any code that it names.

What test cells gain: arguments and results of the student's functions are real values in the test (numbers, texts, dates, containers,
NumPy arrays, pandas tables, exceptions). `replicas` keeps mutable arguments in step, so that a test of a function that sorts a list in
place works as it does in one process.
"""
