"""What nodes and people with kubectl do to pods."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pools.models import Pool, PoolToken
from pools.sightings import MANAGED_BY, PLATFORM, POOL, SeenPod
from tests.simulation.fleet.agent import PodAgent
from tests.simulation.fleet.cluster import Cluster
from tests.simulation.ledger import Ledger
from tests.simulation.processes import Processes

Happening = Callable[[SeenPod], None]


@dataclass
class Node:
    """`agents`: of the world; those of pods come and go. `is_lost`: it answers the cluster no more, its processes go on."""

    cluster: Cluster
    ledger: Ledger
    processes: Processes
    agents: list[Any] = field(default_factory=list)
    is_lost: bool = False

    def happenings(self) -> dict[str, Happening]:
        """Return what may happen to a pod, by name."""
        return {
            "run": self.run,
            "silent": lambda pod: self.cluster.change(pod.name, phase="Running", ready=True),
            "crash": lambda pod: self._end(pod, phase="Failed", exit_code=1, ended_reason="Error"),
            "succeed": lambda pod: self._end(pod, phase="Succeeded", exit_code=0, ended_reason="Completed"),
            "image": lambda pod: self._hold_up(pod, waiting_reason="ImagePullBackOff", waiting_message="not found"),
            "unschedulable": lambda pod: self._hold_up(pod, unschedulable="0/1 nodes are available"),
            "vanish": self._vanish,
            "replace": self._replace,
            "lose": lambda pod: self._lose(),
        }

    def run(self, pod: SeenPod) -> None:
        """Start the pod's container, which needs the secret; its agent connects, or does so again."""
        if self.is_lost or pod.is_over or pod.name not in self.cluster.secrets:
            return
        well = {"waiting_reason": "", "waiting_message": "", "unschedulable": ""}
        self.cluster.change(pod.name, phase="Running", ready=True, **well)
        agent = self.agent_of(pod) or self._started(pod)
        if agent.session is None:
            agent.connect()

    def agent_of(self, pod: SeenPod) -> PodAgent | None:
        """Return the agent in this pod, if its process runs."""
        ours = (it for it in self.agents if isinstance(it, PodAgent) and it.uid == pod.uid and not it.is_over)
        return next(ours, None)

    def live(self) -> None:
        """Let happen what happens by itself: who has left ends, and so do the containers of pods that are deleted."""
        if self.is_lost:
            return
        self._end_those_who_left()
        for pod in [pod for pod in self.cluster.pods.values() if pod.deleting]:
            agent = self.agent_of(pod)
            if agent is not None:
                agent.stop()
            if agent is None or agent.is_over:
                self._forget(pod)

    def settle(self) -> None:
        """Be well: run every pod that can be run, and end what is to end."""
        self.is_lost = False
        self.live()
        for pod in list(self.cluster.pods.values()):
            if pod.is_ours and not pod.deleting:
                self.run(pod)

    def foreign(self, number: int, *, similar: bool) -> None:
        """Somebody else makes a pod; `similar`: another installation of the platform does."""
        labels = {MANAGED_BY: PLATFORM, POOL: "pool-of-another"} if similar else {"app": "shop"}
        self.cluster.put(f"{'iac-' if similar else 'shop-'}{number}", labels=labels, phase="Running")

    def orphan(self, number: int, pool: Pool) -> None:
        """A pod of ours is there that no row knows."""
        self.cluster.put(f"iac-orphan-{number}", labels={MANAGED_BY: PLATFORM, POOL: pool.pk}, phase="Running")

    def _started(self, pod: SeenPod) -> PodAgent:
        agent = PodAgent(
            name=pod.name,
            pod_name=pod.name,
            uid=pod.uid,
            text=self.cluster.secrets[pod.name],
            token=PoolToken(),  # its text is looked up each time that it connects
            capacity=Pool.objects.values_list("slots_per_pod", flat=True).get(pk=pod.pool_id),
            ledger=self.ledger,
            processes=self.processes,
        )
        self.agents.append(agent)
        return agent

    def _end(self, pod: SeenPod, **facts: Any) -> None:
        if self.is_lost or pod.is_over:
            return
        self.cluster.change(pod.name, ready=False, **facts)
        if (agent := self.agent_of(pod)) is not None:
            agent.kill(noticed=pod.phase == "Succeeded")

    def _end_those_who_left(self) -> None:
        for pod in list(self.cluster.pods.values()):
            agent = self.agent_of(pod)
            if agent is not None and agent.leaving and not agent.runs:
                self._end(pod, phase="Succeeded", exit_code=0, ended_reason="Completed")

    def _hold_up(self, pod: SeenPod, **facts: Any) -> None:
        if pod.phase == "Pending":
            self.cluster.change(pod.name, **facts)

    def _vanish(self, pod: SeenPod) -> None:
        """Somebody deletes the pod at once."""
        if (agent := self.agent_of(pod)) is not None and not self.is_lost:
            agent.kill(noticed=False)
        self._forget(pod)

    def _replace(self, pod: SeenPod) -> None:
        """Somebody deletes the pod, and makes another one under its name."""
        self._vanish(pod)
        self.cluster.put(pod.name, labels={"app": "shop"}, phase="Running")

    def _lose(self) -> None:
        self.is_lost = not self.is_lost

    def _forget(self, pod: SeenPod) -> None:
        self.cluster.pods.pop(pod.name, None)
        self.cluster.secrets.pop(pod.name, None)
