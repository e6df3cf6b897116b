"""The fork server: a warm process that forks one judge, and through it one sandbox, for every grading.

`main` serves the host, `notebook_runner` runs a notebook's cells in the judge, and `student_main` is the main function of the student
process. Test cells start within milliseconds, and run even if the student process is lost in another cell.
"""
