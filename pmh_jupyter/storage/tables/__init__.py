"""The tables. Whoever needs the whole schema imports this package; whoever asks a question imports the file of its noun."""

from pmh_jupyter.storage.tables import classrooms, courses, people, results, submissions

__all__ = ["classrooms", "courses", "people", "results", "submissions"]
