"""The fork server: a warm process that forks one judge, and through it one sandbox, for every grading.

`main` serves the host, `notebook_runner` runs a notebook's cells in the judge, `student_main` is the main function of the student
process. It buys gradings that start in milliseconds, and that a lost cell costs no other cell.
"""
