"""What an engine finds in its environment: nothing of the agent's own but what is listed here."""

from collections.abc import Mapping
from pathlib import Path

from agents.runner import server

_KEPT = (
    "PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip


def base(own: Mapping[str, str], cli_config: Path) -> dict[str, str]:
    """Return what every start of an engine gets. The pool token and the like stay with the agent."""
    kept = {name: own[name] for name in _KEPT if name in own}
    return (
        {"PATH": "/usr/local/bin:/usr/bin:/bin"}
        | kept
        | {
            "TF_CLI_CONFIG_FILE": str(cli_config),
            "CHECKPOINT_DISABLE": "1",
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
        }
    )


def private(cache: Path, home: Path) -> dict[str, str]:
    """Return where the engine keeps providers and its other files, for this task alone.

    It takes whatever it finds in the cache, also where no lock file names it yet: what the lock file refuses is not in
    there (`Providers.lend`).
    """
    return {
        "TF_PLUGIN_CACHE_DIR": str(cache),
        "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE": "true",
        "HOME": str(home),
    }


def state(address: str, token: str) -> dict[str, str]:
    """Return the settings of the `http` backend; given by environment they are not baked into a plan file.

    Its own retries bridge a restart of the server: about two minutes.
    """
    return {
        "TF_HTTP_ADDRESS": address,
        "TF_HTTP_LOCK_ADDRESS": address,
        "TF_HTTP_UNLOCK_ADDRESS": address,
        "TF_HTTP_LOCK_METHOD": "LOCK",
        "TF_HTTP_UNLOCK_METHOD": "UNLOCK",
        "TF_HTTP_USERNAME": server.USER,
        "TF_HTTP_PASSWORD": token,
        "TF_HTTP_RETRY_MAX": "12",
        "TF_HTTP_RETRY_WAIT_MIN": "1",
        "TF_HTTP_RETRY_WAIT_MAX": "12",
    }
