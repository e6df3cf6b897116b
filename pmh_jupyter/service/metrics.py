"""What an operator watches: latency, queue, gradings, streams. Names of routes and outcomes only, never of people."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from pmh_jupyter.domain.verdict import Grading, Outcome

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The measures of one service process, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.request_seconds = Histogram(
            "pmh_request_seconds",
            "Seconds from a request's headers to its answer.",
            ["route", "method", "status"],
            registry=self._registry,
        )
        self.queued_jobs = Gauge("pmh_queue_length", "Work that waits for a grader.", registry=self._registry)
        self.running_gradings = Gauge(
            "pmh_gradings_running", "Gradings at work in this process.", registry=self._registry
        )
        self.graded_exercises = Counter(
            "pmh_gradings", "Gradings done, by outcome of each exercise.", ["outcome"], registry=self._registry
        )
        self.grading_seconds = Histogram(
            "pmh_grading_seconds", "Seconds of one grading in the sandbox.", registry=self._registry
        )
        self.event_streams = Gauge("pmh_streams", "Open event streams.", registry=self._registry)

    def count_grading(self, grading: Grading) -> None:
        """Counts one grading: each exercise by its outcome, and one of our faults as such."""
        self.grading_seconds.observe(grading.seconds)
        if grading.grader_error:
            self.graded_exercises.labels(Outcome.GRADER_ERROR.value).inc()
        for verdict in grading.verdicts:
            self.graded_exercises.labels(verdict.outcome.value).inc()

    def render(self) -> bytes:
        """The measures in Prometheus' text format."""
        return generate_latest(self._registry)
