"""What runs a test cell in the judge.

`test_cell` runs the statements of a `compiled_cell` with names from `test_namespace`, in the interpreter state of `test_environment`.
"""
