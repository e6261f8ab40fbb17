import pytest

from sim import hook


@pytest.fixture
def serve():
    """Makes webhooks that are closed at the end."""
    made = []

    def make(*plan, **options):
        made.append(hook.Hook(*plan, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def api(sim):
    """Calls a method of the Bot API; the result of a call that succeeds."""
    import json

    def call(method, status=200, **params):
        got, body = sim.request("POST", f"/bot77:TOKEN/{method}",
                                json.dumps(params))
        answer = json.loads(body)
        assert got == status, answer
        return answer["result"] if status == 200 else answer

    call("getMe")  # the bot that the control API acts for
    return call
