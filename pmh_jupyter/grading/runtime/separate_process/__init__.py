"""Runs the test cells in the judge, a process that the student's code never enters.

The student process runs the student's cells and answers requests about their objects. Its memory never contains hidden tests, expected
values or points, and its replies are not trusted. Test cells are written as for one process: names that a test cell does not
bind itself are looked up in the student process (`cells.test_namespace`).

The packages are layers, from bottom to top: `contract`, `claims`, `peers`, `cells`. The modules beside them are the judge of a notebook.
"""
