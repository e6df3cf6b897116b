"""The sandbox of one submission: namespaces, resource limits, dropped privileges, a system call filter, and checkpoints.

It knows nothing about notebooks and tests. It buys that a crash or an endless loop costs one cell, that a cell can use up or leave
behind nothing that matters to another submission, and that the student process cannot read the judge's memory.
"""
