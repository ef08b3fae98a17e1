from workspaces.models.configuration import Configuration
from workspaces.models.kept_state import KeptState
from workspaces.models.state import StateLock, StateVersion
from workspaces.models.variable import Category, Variable
from workspaces.models.workspace import Engine, ExecutionMode, Workspace

__all__ = [
    "Category",
    "Configuration",
    "Engine",
    "ExecutionMode",
    "KeptState",
    "StateLock",
    "StateVersion",
    "Variable",
    "Workspace",
]
