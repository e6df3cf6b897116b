"""The queue as the workers use it: rows of the database."""

from __future__ import annotations

from pmh_jupyter.domain.verdict import Grading
from pmh_jupyter.domain.work import Job
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import jobs
from pmh_jupyter.storage.records.turns import ANYTHING, Wish

# How long a killed process's jobs wait for the next one. Leases are prolonged well within it.
LEASE_SECONDS = 20.0


class DatabaseQueue:
    """See `workers.Queue`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, worker: str, wish: Wish = ANYTHING) -> Job | None:
        return jobs.claim_next(self._database, worker, LEASE_SECONDS, wish)

    def heartbeat(self, job: Job) -> None:
        jobs.heartbeat(self._database, job.id, job.worker, LEASE_SECONDS)

    def finish(self, job: Job, grading: Grading) -> None:
        jobs.complete(self._database, job.id, grading)

    def give_back(self, job: Job, *, tried: bool) -> None:
        jobs.give_back(self._database, job.id, job.worker, tried=tried)
