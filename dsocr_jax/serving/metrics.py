"""Counters of a server in Prometheus' text format."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from dsocr_jax.reading.desk import Result
from dsocr_jax.reading.documents import Failure

CONTENT_TYPE = CONTENT_TYPE_LATEST
#: Seconds; from a blank page on a GPU to a long document on a CPU.
BUCKETS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000)


class Metrics:
    """What a server counts.

    Args:
        rows: of the engine.
        active: gives the rows at work.
        open_pages: gives the pages that were opened and are not read yet.
        open_requests: gives the requests that were let in and have not been answered.
        ready: whether the server is.
    """

    def __init__(
        self,
        rows: int,
        active: Callable[[], float],
        open_pages: Callable[[], float],
        open_requests: Callable[[], float],
        ready: Callable[[], float],
    ):
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "dsocr_requests", "Requests that were answered.", ["path", "status"], registry=self.registry
        )
        self._pages = Counter(
            "dsocr_pages", "Pages, by how their answers ended.", ["finish_reason"], registry=self.registry
        )
        self._loops = Counter("dsocr_loops", "Answers that went in circles and were ended.", registry=self.registry)
        self._tokens = Counter(
            "dsocr_tokens", "Tokens; those of pictures are part of the prompt's.", ["kind"], registry=self.registry
        )
        self._seconds = Histogram(
            "dsocr_request_seconds", "From request to answer.", ["path"], buckets=BUCKETS, registry=self.registry
        )
        self._first = Histogram(
            "dsocr_first_text_seconds",
            "To the first text of a stream.",
            buckets=BUCKETS,
            registry=self.registry,
        )
        for reason in ("stop", "length", "repetition", "failed", "cancelled"):
            self._pages.labels(reason)
        for kind in ("prompt", "vision", "completion"):
            self._tokens.labels(kind)
        for name, text, value in (
            ("dsocr_rows", "Pages that can be read at once.", lambda: float(rows)),
            ("dsocr_rows_active", "Pages that are being read.", active),
            ("dsocr_pages_open", "Pages that were opened and are not read yet.", open_pages),
            ("dsocr_requests_open", "Requests that were let in and not answered yet.", open_requests),
            ("dsocr_ready", "1 when the model is loaded and warm.", ready),
        ):
            Gauge(name, text, registry=self.registry).set_function(value)
        ProcessCollector(registry=self.registry)

    def request(self, path: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        self._requests.labels(path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)

    def first_text(self, seconds: float) -> None:
        """Note how long the first text of a stream took."""
        self._first.observe(seconds)

    def page(self, result: Result | None) -> None:
        """Count a page that has ended; None for one that was given up."""
        if result is None or isinstance(result, Failure):
            self._pages.labels("cancelled" if result is None else "failed").inc()
            return
        self._pages.labels(result.finish_reason).inc()
        # Every try before the last one was a loop, too.
        self._loops.inc(max(0, result.tries - 1) + (result.finish_reason == "repetition"))
        self._tokens.labels("prompt").inc(result.prompt_tokens)
        self._tokens.labels("vision").inc(result.vision_tokens)
        self._tokens.labels("completion").inc(len(result.token_ids))

    def text(self) -> bytes:
        """Everything, in Prometheus' format."""
        return generate_latest(self.registry)
