"""Images as a node finds them: their names say what happens, so that a test needs no registry."""

from collections.abc import Callable

from tests.cluster.api import Object
from tests.cluster.pod_object import NotYet, only

SILENT = ["python", "-c", "import signal; signal.pause()"]
"""Runs, and never connects to anybody; ends at SIGTERM."""

CRASH = ["python", "-c", "import sys; sys.exit('the agent has crashed')"]


class Images:
    """What the registry has; `publish` adds to it."""

    def __init__(self) -> None:
        self._published: set[str] = set()

    def publish(self, image: str) -> None:
        """Let the image exist, for whoever pulls it from now on."""
        self._published.add(image)

    def pull(self, image: str, attempt: int) -> None:
        """Return when there is one, else raise `NotYet` in the words of a kubelet with containerd."""
        if image in self._published:
            return
        if image.startswith("slow/"):
            raise NotYet("ContainerCreating", "")
        if image.startswith("missing/"):
            raise _back_off(image) if attempt else NotYet("ErrImagePull", _why(image))


def scripted(pod: Object) -> Object:
    """Return the pod with the command that its image has here, where the name is one of ours."""
    commands = {"silent/": SILENT, "crash/": CRASH}
    found = [command for prefix, command in commands.items() if only(pod)["image"].startswith(prefix)]
    if not found:
        return pod
    container = {**only(pod), "command": found[0], "args": []}
    return {**pod, "spec": {**pod["spec"], "containers": [container]}}


Pull = Callable[[str, int], None]


def _back_off(image: str) -> NotYet:
    return NotYet("ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {_why(image)}')


def _why(image: str) -> str:
    full = f"registry.example/{image}" + ("" if ":" in image else ":latest")
    return (
        f'failed to pull and unpack image "{full}": failed to resolve reference "{full}": pull access denied, repository '
        "does not exist or may require authorization: server message: insufficient_scope: authorization failed"
    )
