"""Judging apart: the student's process runs the student's cells, the judge the test cells; a socket joins them."""
