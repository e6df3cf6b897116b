"""Queries and changes, one transaction each. Synchronous; arguments and results are plain values of `domain`.

Every public function takes the `Database` first. People are identified by UUID; classrooms, courses and lessons by slug. A function
raises the errors that its docstring names, and Unavailable if the database cannot be reached, is locked for too long or is full.

people, members      people by name or id; memberships, roles and join codes
courses, classrooms  course versions; classrooms, the versions that they adopt, and their schedule
assignment_limits    resource limits of an assignment, and the grading key
outline, lessons     outline of a classroom for one member; files of a lesson
submissions          receiving and listing submissions
jobs, regrades       the grading queue
events               reading a classroom's events
staff                gradebook, and submissions of a member

Internal modules take a session and run in the transaction of their caller: shared_queries, progress_queries, submission_queries,
fair_queue, grading_keys, gradings, achievement_counters. isolation has functions of both kinds.
"""
