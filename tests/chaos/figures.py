"""What a run of chaos came to, in a few lines."""

from collections import Counter
from dataclasses import dataclass, field

from tests.chaos import ledger, tracebacks, verdict
from tests.chaos.verdict import Evidence


@dataclass(kw_only=True)
class Figures:
    """`converged_seconds`: from the last fault until nothing waited but for a person."""

    seed: int
    minutes: float
    faults: Counter[str] = field(default_factory=Counter)
    restarts: int = 0
    samples: int = 0
    converged_seconds: float = 0.0

    def lines(self, evidence: Evidence) -> list[str]:
        """Return them, for people."""
        view = evidence.view
        started, stored = (len(ledger.of_kind(evidence.ledger, kind)) for kind in ("started", "stored"))
        return [
            f"chaos: CHAOS_SEED={self.seed} CHAOS_MINUTES={self.minutes:g}",
            f"faults: {self.faults.total()} {dict(self.faults)}; processes started again: {self.restarts}",
            f"tasks: {len(view.tasks)} {verdict.by_end(view.tasks)}",
            f"attempts: {len(view.attempts)} {dict(Counter(each.outcome or 'open' for each in view.attempts))}",
            f"applies started: {started}; states stored by engines: {stored}",
            f"log bytes: {sum(each.log_stored for each in view.attempts)}; events: {len(view.events)}",
            f"answers by status (0: none): {dict(sorted(evidence.answers.by_status().items()))}",
            f"looks at the watchdog: {self.samples}",
            f"tracebacks: {sum(tracebacks.ends(evidence.rows.home / 'logs').values())}",
            f"at rest {self.converged_seconds:.1f} s after the last fault",
        ]
