"""Real programs for tests, built once for a machine from pinned Go modules: a control plane, OpenTofu, a provider.

`python -m tests.cluster.binaries` (what `make control-plane` calls) builds what is missing. The programs lie in
`$XDG_CACHE_HOME/iacplatform-tests` (`~/.cache/iacplatform-tests`), outside of every clone, in a folder named after all
that they are made from; a second clone builds nothing. Programs in the folder that KUBEBUILDER_ASSETS names come first.
"""
