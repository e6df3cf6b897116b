"""The service beside the Hub: who may ask what, the queue of gradings, and everything a panel or a dashboard is told.

Read it along a request: `app` (addresses) → `handler` (identity, rights, limits, errors) → `api/` (a resource a file) → `storage`;
and along the work: `jobs/` (claims a job, grades it in the sandbox, records the verdicts) → `stream` (tells who listens).
"""
