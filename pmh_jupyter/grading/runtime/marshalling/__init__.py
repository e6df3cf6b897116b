"""Encodes Python values for the other process, and decodes received values without running any code that they name.

What test cells gain: arguments and results of the student's functions are real values in the test (numbers, texts, dates, containers,
NumPy arrays, pandas tables, exceptions). `replicas` synchronizes mutable arguments, so that a test of a function that sorts a list in
place works as it does in one process.
"""
