"""Synchronizes the work folder and the temporary folder of the judge with those of the student process.

Test cells can write a file that the student's function reads, read files that the notebook has written, and use the files of the lesson.
Without this package, tests that use files would have to run in-process.
"""
