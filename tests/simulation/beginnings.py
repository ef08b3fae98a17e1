"""Where every schedule of a kind begins: in one world, in an otherwise empty database whose clock stands still."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests import emptying
from tests.simulation import clockwork, processes
from tests.simulation.life import Life
from tests.simulation.snapshot import Snapshot
from tests.simulation.world import World


@contextmanager
def begun(life: type[Life], world: type[World]) -> Iterator[None]:
    """Let lives of this kind begin in such a world; leave nothing of it in the end."""
    emptying.empty()
    with clockwork.standing():
        life.made = Snapshot(world.made())
        yield
        processes.close()
        emptying.empty()
