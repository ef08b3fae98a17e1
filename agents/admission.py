"""Whom a token lets in: a pod's own token only that pod's agent, and any other one nobody who calls himself a pod."""

from agents.protocol import Hello
from iacplatform.base import clock
from pools.models import COMING, STAYING, Pod, PodPhase, PoolToken


def fault(token: PoolToken, hello: Hello) -> str:
    """Return why an agent that says this may not enter with the token, in a sentence; empty: it may."""
    return _stranger(token.pod, hello) if token.pod else _pretender(hello)


def arrive(pod: Pod) -> bool:
    """Note on its row that the pod's agent connects; return whether the pod is being removed, and takes nothing new.

    Within a transaction: until its end nobody else can begin to remove the pod.
    """
    pod = Pod.objects.select_for_update(no_key=True).get(pk=pod.pk)
    arrived = {"connected_at": pod.connected_at or clock.DatabaseNow(), "trouble": "", "trouble_words": ""}
    phase = PodPhase.RUNNING if pod.phase in COMING else pod.phase
    Pod.objects.filter(pk=pod.pk).update(**arrived, trouble_since=None, phase=phase)
    return pod.phase not in STAYING


def _stranger(pod: Pod, hello: Hello) -> str:
    if {hello.name, hello.pod_name} != {pod.name}:
        return (
            f"This token lets in the agent of pod {pod.name} alone. For an agent of your own make a token of pool "
            f"{pod.pool.name}; in the pod, leave IAC_AGENT_NAME and IAC_AGENT_POD_NAME as they are."
        )
    if hello.capacity != pod.slots:
        return f"Pod {pod.name} was made with {pod.slots} slots: leave IAC_AGENT_CAPACITY in it as it is."
    return ""


def _pretender(hello: Hello) -> str:
    pod = Pod.objects.filter(name__in={hello.name, hello.pod_name}).first()
    if pod is None:
        return ""
    return (
        f"{pod.name} is a pod of pool {pod.pool.name}, whose agent has a token of its own. Give this agent another "
        "IAC_AGENT_NAME, and no IAC_AGENT_POD_NAME."
    )
