"""The queue's other end: jobs are claimed, graded in the sandbox, and their verdicts recorded."""
