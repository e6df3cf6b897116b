"""Executes the cells of a notebook in an IPython shell or by plain `exec`, and describes the errors that they raise.

Test cells can report the cell and the line of an error, the source text of an expression, and readable values.
"""
