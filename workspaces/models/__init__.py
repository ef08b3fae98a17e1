from workspaces.models.configuration import Configuration, ConfigurationPart, Kind, Manifest
from workspaces.models.kept_state import KeptState
from workspaces.models.state import StateLock, StateVersion
from workspaces.models.variable import Category, Variable
from workspaces.models.workspace import Engine, ExecutionMode, Workspace

__all__ = [
    "Category",
    "Configuration",
    "ConfigurationPart",
    "Engine",
    "ExecutionMode",
    "KeptState",
    "Kind",
    "Manifest",
    "StateLock",
    "StateVersion",
    "Variable",
    "Workspace",
]
