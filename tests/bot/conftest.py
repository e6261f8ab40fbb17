"""Every bot is tested twice: polling, and with the simulator posting to its
webhook. What is about one of the two says so: @pytest.mark.polling."""
import harness
import pytest


def pytest_generate_tests(metafunc):
    if "engine" not in metafunc.fixturenames:
        return
    ways = ["polling", "webhook"]
    if metafunc.definition.get_closest_marker("polling"):
        ways = ["polling"]
    metafunc.parametrize("way", ways)


@pytest.fixture
def way():
    return "polling"


@pytest.fixture
def engine(engine, way):
    if way == "polling":
        return engine

    def make(*args, **settings):
        port = harness.free_port()
        hook = {"HTTP_PORT": port, "WEBHOOK_SECRET": "s3cret-of_the-hook",
                "WEBHOOK_URL": f"http://127.0.0.1:{port}/webhook"}
        return engine(*args, **{**hook, **settings})

    return make
