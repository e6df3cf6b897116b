"""Runs the test cells in the judge, a process that the student's code never enters.

The student process runs the student's cells and answers requests about their objects. Hidden tests, expected values and points never
exist in its memory, and nothing that it answers is trusted. Test cells are written as for one process: names that a test cell does not
bind itself are looked up in the student process (`test_namespace`).
"""
