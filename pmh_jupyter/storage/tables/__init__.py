"""The database tables. Importing this package loads all of them into `Base.metadata`; queries import the single modules."""

from pmh_jupyter.storage.tables import classrooms, courses, people, results, submissions

__all__ = ["classrooms", "courses", "people", "results", "submissions"]
