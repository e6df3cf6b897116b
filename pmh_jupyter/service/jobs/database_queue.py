"""The queue as the workers use it: rows of the database."""

from __future__ import annotations

from pmh_jupyter.domain.submission import Job
from pmh_jupyter.domain.verdict import Grading
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import jobs
from pmh_jupyter.storage.records.fair_queue import ANY_JOB, JobFilter

# How long a killed process's jobs wait for the next one. Leases are prolonged well within it.
LEASE_SECONDS = 20.0


class DatabaseQueue:
    """See `workers.Queue`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, worker: str, job_filter: JobFilter = ANY_JOB) -> Job | None:
        return jobs.claim_next_job(self._database, worker, LEASE_SECONDS, job_filter)

    def heartbeat(self, job: Job) -> None:
        jobs.heartbeat(self._database, job.id, job.worker, LEASE_SECONDS)

    def finish(self, job: Job, grading: Grading) -> None:
        jobs.complete_job(self._database, job.id, grading)

    def release_job(self, job: Job, *, count_claim: bool) -> None:
        jobs.release_job(self._database, job.id, job.worker, count_claim=count_claim)
