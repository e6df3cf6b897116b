"""Prometheus metrics for operators. Labels are names of routes, methods, statuses and outcomes, never of people."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from pmh_jupyter.domain.verdict import Grading, Outcome

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The metrics of one service process, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.request_duration_seconds = Histogram(
            "pmh_request_duration_seconds",
            "Seconds from the headers of a request to the end of its response.",
            ["route", "method", "status"],
            registry=self._registry,
        )
        self.queued_jobs = Gauge("pmh_queued_jobs", "Jobs waiting for a worker.", registry=self._registry)
        self.running_gradings = Gauge(
            "pmh_running_gradings", "Jobs being graded by this process.", registry=self._registry
        )
        self.graded_exercises = Counter(
            "pmh_graded_exercises", "Exercises graded, by outcome.", ["outcome"], registry=self._registry
        )
        self.grading_duration_seconds = Histogram(
            "pmh_grading_duration_seconds", "Seconds of one grading in the sandbox.", registry=self._registry
        )
        self.event_streams = Gauge("pmh_event_streams", "Open event streams.", registry=self._registry)

    def count_grading(self, grading: Grading) -> None:
        """Count the exercises of a grading by outcome. A grading that failed as a whole counts as one grader error."""
        self.grading_duration_seconds.observe(grading.seconds)
        if grading.grader_error:
            self.graded_exercises.labels(Outcome.GRADER_ERROR.value).inc()
        for verdict in grading.verdicts:
            self.graded_exercises.labels(verdict.outcome.value).inc()

    def render(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        return generate_latest(self._registry)
