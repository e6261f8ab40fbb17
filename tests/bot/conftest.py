import harness
import pytest


@pytest.fixture(params=["polling", "webhook"])
def engine(request, engine):
    """Every bot runs twice: it fetches its updates, or the simulator posts
    them to it."""
    if request.param == "polling":
        return engine

    def make(*args, **settings):
        port = harness.free_port()
        hook = {"HTTP_PORT": port, "WEBHOOK_SECRET": "s3cret-of_the-hook",
                "WEBHOOK_URL": f"http://127.0.0.1:{port}/webhook"}
        return engine(*args, **{**hook, **settings})

    return make
