"""The raw server and engines on it."""
import pytest

from fault import raw_api
from fault.calls import BOT


@pytest.fixture
def api():
    server = raw_api.RawApi()
    yield server
    server.close()


@pytest.fixture
def bot(api, engine):
    """Makes engines on the raw server, polling."""
    def make(wait=True, **settings):
        settings.setdefault("RETRY_BACKOFF_BASE", 1)
        instance = engine(BOT, **settings)
        instance.api_url = api.url
        instance.start(wait)
        return instance
    return make
