"""What a run of chaos came to, in a few lines."""

import re
from collections import Counter
from dataclasses import dataclass, field

from pools.models import PodPhase
from tests.chaos import ledger, tracebacks, verdict
from tests.chaos.fleet import sights
from tests.chaos.fleet.stage import Fleet
from tests.chaos.verdict import Evidence
from tests.cluster.traffic import Request

_DETAILS = re.compile(r"[\d.:]*\d[\d.:]*|iac-\S+")


@dataclass(kw_only=True)
class Figures:
    """`converged_seconds`: from the last fault until no task waited but for a person, and until the pool was small."""

    seed: int
    minutes: float
    faults: Counter[str] = field(default_factory=Counter)
    faults_of_pods: Counter[str] = field(default_factory=Counter)
    restarts: int = 0
    samples: int = 0
    converged_seconds: dict[str, float] = field(default_factory=dict)
    last: dict[str, str] = field(default_factory=dict)
    """What came to rest last."""

    def lines(self, evidence: Evidence, fleet: Fleet) -> list[str]:
        """Return them, for people."""
        view = evidence.view
        started, stored = (len(ledger.of_kind(evidence.ledger, kind)) for kind in ("started", "stored"))
        return [
            f"chaos: CHAOS_SEED={self.seed} CHAOS_MINUTES={self.minutes:g}",
            f"faults: {self.faults.total()} {dict(self.faults)}; processes started again: {self.restarts}",
            f"faults of pods: {self.faults_of_pods.total()} {dict(self.faults_of_pods)}",
            *self._of_pods(evidence, fleet),
            f"tasks: {len(view.tasks)} {verdict.by_end(view.tasks)}",
            f"attempts: {len(view.attempts)} {dict(Counter(each.outcome or 'open' for each in view.attempts))}",
            f"applies started: {started}; states stored by engines: {stored}",
            f"log bytes: {sum(each.log_stored for each in view.attempts)}; events: {len(view.events)}",
            f"answers by status (0: none): {dict(sorted(evidence.answers.by_status().items()))}",
            f"looks at the watchdog: {self.samples}",
            f"tracebacks: {sum(tracebacks.ends(evidence.rows.home / 'logs').values())}",
            *(
                f"{who} at rest {after:.1f} s after the last fault; the last: {self.last.get(who, '')}"
                for who, after in self.converged_seconds.items()
            ),
        ]

    def _of_pods(self, evidence: Evidence, fleet: Fleet) -> list[str]:
        """Return how many pods there were and why they went, and what the cluster was asked."""
        rows, witness = sights.of(fleet, evidence.rows).rows, fleet.witness
        causes = Counter(_DETAILS.sub("…", row.cause)[:90] for row in rows if row.phase == PodPhase.GONE)
        asked = Counter(f"{request.verb} {request.resource}" for request in list(fleet.cluster.proxy.requests))
        on_pods = sum(bool(attempt.pod_name) for attempt in evidence.view.attempts)
        return [
            f"pods: {len(rows)}, attempts on them: {on_pods}; gone because: {dict(causes)}",
            f"calls to the cluster: {dict(asked)}; unanswered: {len(_unanswered(fleet))}",
            f"pods whose end we asked for: {len(set(witness.deleted))}; while the database was away: {witness.unjudged}",
        ]


def _unanswered(fleet: Fleet) -> list[Request]:
    return [request for request in list(fleet.cluster.proxy.requests) if request.status == 0]
