"""What a test cell is made of, whichever process runs it: checks, rewritten assertions, honest comparisons, helpers, partial credit.

It buys one verdict for each assertion with the values on both sides, the author's messages, hidden regions, partial credit, functions
of locked cells that a student cannot change, and comparisons that a student's `__eq__` cannot decide.
"""
