"""Which variables are taken: names, sizes, and values that are expressions."""

import re

from workspaces import hcl

ENV = "env"
MOST_VARIABLES = 512
MOST_BYTES = 64 * 1024

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,127}")
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
# Names of terraform's own arguments of a module block: it refuses input variables that are called so.
_RESERVED = frozenset({"source", "version", "providers", "count", "for_each", "lifecycle", "depends_on", "locals"})

# What would change how the engine or the agent itself runs, not what the configuration sees
# (docs/security.md; Atlantis and tfc-agent document the same class).
_OURS = re.compile(
    r"PATH|HOME|SHELL|USER|LOGNAME|IFS|ENV|BASH_ENV|PWD|TMPDIR"
    r"|LD_.*|DYLD_.*|GCONV_PATH|PYTHON.*|NODE_OPTIONS|GODEBUG"
    r"|TF_CLI_.*|TF_REATTACH_.*|TF_LOG.*|TF_HTTP_.*|TF_DATA_DIR|TF_INPUT|TF_IN_AUTOMATION|TF_WORKSPACE"
    r"|TF_PLUGIN_CACHE_.*|TF_TEMP_LOG_PATH|TF_STATE_PERSIST_INTERVAL|TOFU_.*|TF_ENCRYPTION"
    r"|GIT_.*|SSH_.*|IAC_.*|IACPLATFORM_.*",
    re.IGNORECASE,
)


def key_fault(key: str, category: str) -> str:
    """Return why a variable cannot be called so, or an empty text."""
    if category == ENV:
        return _env_fault(key)
    if not _IDENTIFIER.fullmatch(key):
        return "A terraform variable has a name of letters, digits, _ and -, and begins with a letter or _."
    return f"{key} is a word of terraform's own; it takes no variable of this name." if key in _RESERVED else ""


def _env_fault(key: str) -> str:
    if not _ENV_NAME.fullmatch(key):
        return "An environment variable has a name of letters, digits and _, and begins with a letter or _."
    if key.upper().startswith("TF_VAR_"):
        return f"Use category terraform with the key {key[7:] or 'name'} instead of an environment variable {key}."
    return f"{key} steers the engine or the agent itself, so it cannot be set here." if _OURS.fullmatch(key) else ""


def value_fault(value: str, *, hcl_value: bool, category: str) -> str:
    """Return why the value is refused, or an empty text. The answer quotes nothing of it."""
    if len(value.encode(errors="surrogatepass")) > MOST_BYTES:
        return f"A value has at most {MOST_BYTES:,} bytes."
    if "\0" in value:
        return "A value holds no NUL character."
    if not hcl_value:
        return ""
    return "Only terraform variables are expressions." if category == ENV else hcl.expression_fault(value)
