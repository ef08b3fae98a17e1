"""How the agents' work goes on: offers are taken, processes get further, results are told."""

from tests.simulation.agent import Agent
from tests.simulation.runs import Run
from tests.simulation.world import World

MOST_ROUNDS = 40


class Crew:
    """All agents of the world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def connected(self) -> list[Agent]:
        """Return the agents with a link."""
        return [agent for agent in self.world.agents if agent.session is not None]

    def gone(self) -> list[Agent]:
        """Return those without."""
        return [agent for agent in self.world.agents if agent.session is None]

    def busiest(self) -> list[Agent]:
        """Return the agents with a link that apply something, else those that do anything, else all of them."""
        at_work = [agent for agent in self.connected() if agent.runs]
        applying = [agent for agent in at_work if any(run.started for run in agent.work)]
        return applying or at_work or self.connected()

    def runs(self) -> list[tuple[Agent, Run]]:
        """Return the processes that run, each with its agent."""
        found = [(agent, run) for agent in self.world.agents for run in agent.work]
        return [(agent, run) for agent, run in found if run.outcome is None]

    def take_offers(self) -> None:
        """Let the agents that were woken accept what they are offered."""
        for agent in self.connected():
            agent.accept_all()  # what it heard of long ago
            agent.listen(self.world.woken)
            agent.accept_all()

    def start_applies(self) -> None:
        """Let agents ask for the permit of each apply."""
        self.take_offers()
        for agent, run in self.runs():
            if run.phase == "apply" and not run.started and not run.cancelled:
                agent.ask_permit(run)

    def plan(self) -> None:
        """Let agents make every plan that they can."""
        self.take_offers()
        for agent, run in self.runs():
            if run.phase == "plan":
                self.advance(agent, run, "well")

    def advance(self, agent: Agent, run: Run, how: str) -> None:
        """Bring a process one step further, in a way that a real one could go."""
        if how in {"failed", "killed"}:
            agent.end(run, how)  # type: ignore[arg-type] # one of the two
        elif run.cancelled:
            agent.end(run, "cancelled")
        elif run.phase == "plan":
            agent.end(run, "planned", has_changes=how != "unchanged")
        elif not run.started:
            agent.ask_permit(run)
        elif how == "stale":
            agent.end(run, "stale")
        else:
            agent.end(run, "applied" if run.write_state(self.world.ledger) else "failed")

    def work_once(self, agent: Agent) -> bool:
        """Do one round of an agent's work; return whether there was any."""
        agent.listen(self.world.woken)
        agent.accept_all()
        runs = [run for run in agent.work if run.outcome is None]
        for run in runs:
            self.advance(agent, run, "well")
        return bool(runs)

    def work_unheard(self, agent: Agent) -> None:
        """Let an agent work while all that it says stays on the way."""
        agent.listen(self.world.woken)
        agent.is_slow = agent.session is not None
        self.work_once(agent)

    def work_off(self) -> None:
        """Let agents do all that they can, until nothing more is offered."""
        for _ in range(MOST_ROUNDS):
            at_work = [self.work_once(agent) for agent in self.world.agents]
            if not any(at_work):
                return

    def come_back(self) -> None:
        """Let words of old arrive, and all agents connect."""
        for agent in self.world.agents:
            while agent.mail:
                agent.deliver_late(-1, twice=True)
            if agent.session is None or agent.is_slow:
                agent.connect()

    def follow_those_who_left(self) -> None:
        """Let another run of the program come where one has left: it has nothing to do any more."""
        for agent in self.world.agents:
            if agent.leaving and not agent.runs:
                agent.connect()
