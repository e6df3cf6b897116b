"""The parts of a test cell, in whichever process it runs: statements, rewritten assertions, comparisons, helpers, partial credit.

Test cells can have a result for each assertion with the values on both sides, author's messages, hidden regions, partial credit, functions
of locked cells that a student cannot change, and comparisons that a student's `__eq__` cannot decide.
"""
