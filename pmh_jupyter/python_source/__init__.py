"""Python source as text: its lines, its syntax tree, the names in it, and nbgrader's marker lines.

The host and `grading/runtime` share this package, so every sandbox mounts it. It imports the standard library only; IPython's transformer
is imported when a cell needs it.
"""
