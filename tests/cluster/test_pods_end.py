"""How pods end: by themselves, by deletion, by what happens on the node."""

from tests.cluster.cluster import Cluster
from tests.cluster.pods import container_state, has_ended, is_running, pod, python
from tests.waiting import until

DEAF = "import signal; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"


def _running(cluster: Cluster, name: str = "one") -> str:
    """Return the uid of a pod that runs and does nothing."""
    cluster.create("pods", pod(cluster, name, image="silent/agent:1"))
    uid: str = cluster.until_pod(name, is_running)["metadata"]["uid"]
    return uid


def test_a_failed_pod_says_its_exit_code(cluster: Cluster) -> None:
    cluster.create("pods", python(cluster, "one", "import sys; sys.exit(7)"))
    done = cluster.until_pod("one", has_ended)
    assert done["status"]["phase"] == "Failed"
    assert container_state(done)["terminated"]["exitCode"] == 7
    assert container_state(done)["terminated"]["reason"] == "Error"


def test_an_image_that_crashes_fails_its_pod(cluster: Cluster) -> None:
    cluster.create("pods", pod(cluster, "one", image="crash/agent:1"))
    done = cluster.until_pod("one", has_ended)
    assert container_state(done)["terminated"]["exitCode"] == 1
    assert cluster.node.output("one") == "the agent has crashed\n"
    assert "message" not in container_state(done)["terminated"]


def test_a_failed_pod_says_its_last_words_where_it_asks_for_that(cluster: Cluster) -> None:
    crash = pod(cluster, "one", image="crash/agent:1", terminationMessagePolicy="FallbackToLogsOnError")
    cluster.create("pods", crash)
    done = cluster.until_pod("one", has_ended)
    assert container_state(done)["terminated"]["message"] == "the agent has crashed"


def test_deletion_ends_the_process_and_then_the_object(cluster: Cluster) -> None:
    _running(cluster)
    assert cluster.node.processes("one")
    cluster.delete("pods", "one")
    cluster.until_gone("one")
    until("they have ended", lambda: not cluster.node.processes("one"))


def test_a_process_that_does_not_listen_is_killed_after_its_grace(cluster: Cluster) -> None:
    cluster.create("pods", python(cluster, "one", DEAF))
    until("it has begun", lambda: is_running(cluster.pod("one")) and "deaf" in cluster.node.output("one"))
    cluster.delete("pods", "one", grace=1)
    cluster.until_gone("one")
    until("they have ended", lambda: not cluster.node.processes("one"))


def test_a_second_deletion_shortens_the_grace(cluster: Cluster) -> None:
    cluster.create("pods", python(cluster, "one", DEAF))
    until("it has begun", lambda: is_running(cluster.pod("one")) and "deaf" in cluster.node.output("one"))
    cluster.delete("pods", "one", grace=900)
    cluster.until_pod("one", lambda seen: "deletionTimestamp" in seen["metadata"])
    assert cluster.node.processes("one")
    cluster.delete("pods", "one", grace=0)
    until("its process is gone", lambda: not cluster.node.processes("one"))


def test_a_pod_that_is_taken_away_at_once_loses_its_process(cluster: Cluster) -> None:
    _running(cluster)
    cluster.delete("pods", "one", grace=0)
    assert cluster.pod("one") is None
    until("its process is gone", lambda: not cluster.node.processes("one"))


def test_a_pod_that_is_replaced_under_its_name_has_a_process_of_its_own(cluster: Cluster) -> None:
    first = _running(cluster)
    before = cluster.node.processes("one")
    cluster.delete("pods", "one", grace=0)
    assert _running(cluster) != first
    until("the first one's process is gone", lambda: set(before).isdisjoint(cluster.node.processes("one")))
    assert cluster.node.processes("one")
    assert is_running(cluster.pod("one"))


def test_a_stalled_deletion_leaves_the_pod_terminating(cluster: Cluster) -> None:
    _running(cluster)
    cluster.node.stall_deletions()
    cluster.delete("pods", "one", grace=1)
    until("its process is gone", lambda: not cluster.node.processes("one"))
    stalled = cluster.pod("one")
    assert stalled
    assert "deletionTimestamp" in stalled["metadata"]
    cluster.node.resume_deletions()
    cluster.until_gone("one")


def test_a_pod_that_is_killed_says_so(cluster: Cluster) -> None:
    _running(cluster)
    cluster.node.kill("one")
    done = cluster.until_pod("one", has_ended)
    assert container_state(done)["terminated"]["exitCode"] == 137
    assert container_state(done)["terminated"]["reason"] == "Error"


def test_a_pod_out_of_memory_says_so(cluster: Cluster) -> None:
    _running(cluster)
    cluster.node.oom_kill("one")
    done = cluster.until_pod("one", has_ended)
    assert container_state(done)["terminated"]["reason"] == "OOMKilled"


def test_an_evicted_pod_is_failed_by_its_node(cluster: Cluster) -> None:
    _running(cluster)
    cluster.node.evict("one")
    done = cluster.until_pod("one", has_ended)
    assert done["status"]["phase"] == "Failed"
    assert done["status"]["reason"] == "Evicted"
    assert "low on resource: memory" in done["status"]["message"]


def test_processes_that_a_pod_has_started_end_with_it(cluster: Cluster) -> None:
    child = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'], start_new_session=True)"
    cluster.create("pods", python(cluster, "one", child))
    cluster.until_pod("one", has_ended)
    until("they have ended", lambda: not cluster.node.processes("one"))
