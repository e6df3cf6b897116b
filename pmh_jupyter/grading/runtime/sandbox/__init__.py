"""The sandbox of one submission: namespaces, resource limits, dropped privileges, a system call filter, and checkpoints.

It knows nothing about notebooks and tests. A crash or an endless loop affects one cell and no other submission, and the student process
cannot read the judge's memory.
"""
