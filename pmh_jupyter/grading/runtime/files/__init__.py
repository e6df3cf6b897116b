"""Synchronizes the work folder and the temporary folder of the judge with those of the student process.

What test cells gain: they write a file that the student's function reads, read what the notebook has written, and use the files of the
lesson. Without this package every notebook whose tests touch files would have to run its tests in-process.
"""
