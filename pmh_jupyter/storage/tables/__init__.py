"""The database tables. Importing this package loads all tables into `Base.metadata`. Queries import only the modules that they need."""

from pmh_jupyter.storage.tables import classrooms, courses, people, results, submissions

__all__ = ["classrooms", "courses", "people", "results", "submissions"]
