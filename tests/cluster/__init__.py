"""A real Kubernetes control plane for tests: etcd, API server, controller manager and scheduler; only the node is ours.

The fixtures come from the plugin `tests.cluster.fixtures`, so every test folder can use them:

`control_plane` (session): `ControlPlane`, one for each worker of xdist, started by the first test that asks.
    .url, .admin                      address of the API server; `Api` with every right (of the test, never of the platform)
    .etcd, .api_server, .controller_manager, .scheduler      `Part`s: `.kill()` is `kill -9`, `.start()` starts it again
                                      with the same data, port and output file; `.output()`
    .until_ready()                    starts what does not run, and returns when everything answers

`cluster` (test): `Cluster`, a fresh namespace with the pod-security label `restricted`, all removed afterwards.
    .namespace                        its name
    .kubeconfig                       text; the service account `iacplatform` with the Role of deploy/kubernetes/rbac.yaml,
                                      and its server is the fault proxy
    .placement                        {"node_selector": {...}, "tolerations": [...]}: what a K8s config must say for its pods
                                      to land on our node (and nobody else's pods there)
    .api                              `Api` with every right, past the proxy
    .pods(**labels), .pod(name), .secrets(), .events(name)       objects of the namespace as the API's JSON (dicts)
    .create("pods", {...})            creates an object of the namespace; .delete("pods", name, grace=None)
    .until_pod(name, look, seconds=30)      waits until `look(pod)` is true, returns the pod; .until_gone(name)
    .quota(**hard)                    a ResourceQuota: quota(pods=1), quota(**{"requests.cpu": "1"}); .lift_quota()
    .forbid(), .allow()               takes the platform's RoleBinding away, gives it back
    .node                             `ProcessNode`, registered and Ready;  .another_node(**options) starts one more
    .proxy                            `FaultProxy`
    with Cluster(cluster.home) as second:      one more namespace, with a node and a proxy of its own

`ProcessNode` (tests/cluster/process_node.py) plays the kubelet with everything the API shows of one. A pod's command is an
OS process in a work folder of its own (`python` is this interpreter, with the repository on its path).
    .environment                      dict: what the image brings (PATH, PYTHONPATH, HOME), change it before pods start
    .processes(pod)                   ids of the running processes of a pod;  .output(pod): what it has printed
    .publish(image)                   the image exists from now on (see below)
    .kill(pod), .oom_kill(pod), .evict(pod)     the process dies; out of memory; evicted by the node: the pod is Failed
    .stall_deletions(), .resume_deletions()     pods stay Terminating
    .lose()                           the node falls silent, its processes go on: after 5 s the controllers call it Unknown
                                      (50 s in a user's cluster); 3 s later (300) its pods are deleted, where another node
                                      is well, and stay Terminating
    .crash()                          the same, and every process is dead
    .come_back()                      it is Ready again and reports what it has
    .remove()                         it is gone, its object too
    Images: a first part `missing/` gives ErrImagePull, then ImagePullBackOff; `slow/` is pulled until `publish`;
    `crash/` exits with 1 at once; `silent/` runs and never connects; any other image runs the pod's command.
    `Cluster.another_node(cpu="1", memory="1Gi", pods="10")`; ordinary nodes have 8 CPUs, 16Gi, 110 pods.

`FaultProxy` (tests/cluster/fault_proxy.py) stands between the platform and the API server; TLS on both sides.
    rule = proxy.fault(Answer(429, retry_after=2), method="POST", path=r"/pods$", nth=1, times=1)    times=None: until healed
    Faults: Answer(code, reason="", message="", retry_after=None), Hang(), CutOff(share=0.5), Delay(seconds), Reset(),
    DropAnswer() (the request was carried out, the client sees a reset), Rewrite(change: dict -> dict) of a JSON answer.
    rule.hits, rule.remove(); proxy.heal() removes all rules and lets go of hanging requests; proxy.sever() breaks all
    connections. They are in tests.cluster.faults. While the API server is away the client sees broken connections.
    proxy.requests                    list of Request(verb, resource, path, status, at); verb as in RBAC: get list create ...
    proxy.count("create", "pods")     how many; None for any
    proxy.url, proxy.forget()         forget() empties the list of requests
    proxy.witnesses                   functions that are told of each `Request` before anything happens to it

`make test-cluster KUBECONFIG=…` runs every test that uses `cluster` in a cluster that somebody else runs (see README.md
beside this file), except those that use `control_plane` or are marked `own_control_plane`: so the others must break
nothing but their own namespace.
"""
