"""The sandbox of one submission: namespaces, resource limits, dropped privileges, a system call filter, and checkpoints.

It knows nothing about notebooks and tests. What test cells gain: a crash or an endless loop costs one cell, no other submission is
affected, and the student process cannot read the judge's memory.
"""
