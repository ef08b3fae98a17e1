"""An agent whose token does not let it in ends with a sentence, and does not try for ever."""

from tests.e2e.crew import Crew

NOT_WELCOME = 3


def test_an_agent_with_a_wrong_token_ends_with_a_sentence(crew: Crew) -> None:
    agent = crew.platform.agent("stranger", "iacp_not-a-token-of-this-platform", connected=False)
    assert agent.ended() == NOT_WELCOME
    assert "token is wrong, revoked or expired" in agent.output()
    assert "Traceback" not in agent.output()


def test_an_agent_whose_token_is_revoked_ends_too(crew: Crew) -> None:
    issued = crew.client.token_of(crew.pool_id)
    agent = crew.platform.agent("dismissed", issued["token"])
    crew.client.delete(f"/pools/{crew.pool_id}/tokens/{issued['id']}")
    assert agent.ended() == NOT_WELCOME
    assert "revoked" in agent.output()
    assert issued["token"] not in agent.output()
