"""Runs notebooks in other languages than Python, with a Jupyter kernel in the student process.

It buys test cells in any language with a Jupyter kernel. The kernel itself reports whether a test cell ran without an error, so these
tests are protected as little as a kernel is against its own user.
"""
