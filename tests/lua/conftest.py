import pytest


@pytest.fixture(params=["calm", "stress"])
def engine(request, engine):
    """Every spec of scripts runs twice, the second time with a collector that
    never rests."""
    if request.param == "calm":
        return engine

    def make(*args, **settings):
        return engine(*args, **settings, MOONLET_GC_STRESS="1")

    return make
