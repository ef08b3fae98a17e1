"""A description that is stricter than the served one, which leaves room for members to come."""

from copy import deepcopy
from typing import Any

Schema = dict[str, Any]


def closed(description: Schema) -> Schema:
    """Return the description in which objects have the members that it names and no others; problems may have more."""
    made = deepcopy(description)
    for name, shape in made["components"]["schemas"].items():
        if "properties" in shape and name not in {"Problem", "WordShape", "WordShapeRequest"}:
            shape.setdefault("additionalProperties", False)
    return made
