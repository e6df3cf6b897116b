"""Keeps the work folder and the temporary folder of the judge and of the student process in step.

What test cells gain: they write a file that the student's function reads, read what the notebook has written, and use the files of the
lesson. Without this package every notebook whose tests touch files would have to run its tests in-process.
"""
