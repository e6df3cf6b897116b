"""Workers that claim grading jobs from the queue, grade them in the sandbox, and save the verdicts."""
