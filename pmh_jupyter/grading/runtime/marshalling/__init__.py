"""Encodes Python values for the other process, and decodes received values without running any code that they name.

Test cells can use real values as arguments and results of the student's functions (numbers, strings, dates, containers, NumPy arrays,
pandas tables, exceptions). `replicas` synchronizes mutable arguments, so that a test of a function that sorts a list in place works as it
does in one process.
"""
