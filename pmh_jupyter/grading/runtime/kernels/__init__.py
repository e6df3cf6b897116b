"""Runs notebooks in other languages than Python, with a Jupyter kernel in the student process.

Test cells can be in any language with a Jupyter kernel. The kernel itself reports whether a test cell ran without an error, so a student
who controls the kernel controls the result.
"""
