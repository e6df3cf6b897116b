"""Executes the cells of a notebook in an IPython shell or by plain `exec`, and describes the errors that they raise.

Test cells of every kind rely on it: on cell and line of an error, on the text of an expression, on clipped values, and on the
analysis of the names that a cell binds and reads (`bindings`).
"""
