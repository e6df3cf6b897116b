"""The service beside the Hub: HTTP API, pages for the browser, grading queue and event streams.

Reading order
- A request passes `app` (routes), `handler` (authentication, permissions, limits, errors), and a file of `api/` or `pages/`, which calls
  `storage`.
- A job is claimed by `jobs/worker_pool`, graded by `jobs/grader`, and saved by `storage`; `event_broadcaster` then wakes the streams
  of `api/events`.
- `process` builds all of this at startup as a `context.ServiceContext`.
"""
