"""Storms of kill -9 on the built binary, at moments drawn from a printed
seed, polling and by webhook: promise 1 of the design."""
import os
import random
import signal
import threading

import harness
import pytest

from fault import oracle, sources

SOURCES = {"polling": sources.Polling, "webhook": sources.Webhook}
ROUNDS = 10  # of one storm, which has a folder of its own
UPDATES = 2000  # of a round
KILLS = 3  # of a round, at most
STARTING_MS = 60  # a kill by the clock comes within this
CHATS = range(601, 665)
BOT = 4242
# The same storm again: STORM_SEED=N.
SEED = int(os.environ.get("STORM_SEED", random.SystemRandom().getrandbits(32)))


class Storm:
    def __init__(self, sim, engine, source, chance):
        self.chance, self.updates = chance, []
        self.calls = oracle.Calls(sim)
        self.judge = oracle.Judge(self.calls, BOT, self.updates)
        self.source = source(sim, BOT)
        self.bot = engine(oracle.BOT, BOT_TOKEN=f"{BOT}:STORM-TOKEN",
                          LOG_LEVEL="info", RETRY_BACKOFF_BASE=1,
                          **self.source.settings)
        self.data = self.bot.folder / "data"
        self.start()

    def start(self):
        self.bot.start(wait=False)
        self.source.start(self.bot)

    def kill(self):
        self.bot.process.child.kill()
        assert self.bot.process.wait() == -signal.SIGKILL, \
            self.bot.process.text()
        self.judge.note_death(self.data, self.source.end())

    def wait_moment(self):
        """After so many more answers, or a short while after the start."""
        missing = len(self.updates) - len(self.judge.answered())
        if self.chance.random() < 0.25 or missing == 0:
            threading.Event().wait(
                self.chance.uniform(0, STARTING_MS) / 1000)
            return
        wanted = len(self.judge.answered()) + self.chance.randint(1, missing)
        self.calls.wait(lambda: len(self.judge.answered()) >= wanted)

    def fresh_updates(self):
        return [oracle.Update(self.chance.choice(CHATS), self.chance.choices(
            ["", "wait", "fail", "wait fail"], [60, 36, 2, 2])[0])
            for _ in range(UPDATES)]

    def round(self):
        fresh = self.fresh_updates()
        self.updates += fresh
        pushed = self.source.push_beside(fresh)
        for _ in range(self.chance.randint(1, KILLS)):
            self.wait_moment()
            self.kill()
            self.start()
        pushed()
        self.calls.wait(
            lambda: len(self.judge.answered()) == len(self.updates))

    def end(self):
        self.bot.wait_event("ready")
        self.bot.stop()
        self.source.close()
        self.judge.check(self.data)


def storm(sim, engine, source, number):
    print(f"STORM_SEED={SEED}")
    for chat in CHATS:
        sim.user("Ann", id=chat)
    chance = random.Random(f"{SEED} {source} {number}")
    one = Storm(sim, engine, SOURCES[source], chance)
    for _ in range(ROUNDS):
        one.round()
    one.end()
    deaths = len(one.judge.deaths)
    assert ROUNDS <= deaths <= ROUNDS * KILLS
    repeats = len(one.judge.answers()) - len(one.updates)
    print(f"{len(one.updates)} updates, {deaths} deaths, {repeats} repeats")


@pytest.mark.parametrize("source", SOURCES)
def test_a_storm_of_kills(sim, engine, source):
    storm(sim, engine, source, 0)


@pytest.mark.long
@pytest.mark.parametrize("number", range(1, 20))
@pytest.mark.parametrize("source", SOURCES)
def test_more_storms_of_kills(sim, engine, source, number):
    storm(sim, engine, source, number)


def test_changing_sides_loses_nothing(sim, engine):
    """Polling, webhook and polling again on one DATA_DIR, with a death at
    each change; what is not confirmed stays where it waits."""
    for chat in CHATS:
        sim.user("Ann", id=chat)
    updates, calls = [], oracle.Calls(sim)
    judge = oracle.Judge(calls, BOT, updates)
    bot = engine(oracle.BOT, BOT_TOKEN=f"{BOT}:STORM-TOKEN",
                 RETRY_BACKOFF_BASE=1)
    # Its numbers are beyond those of the simulator.
    sides = [(sources.Polling(sim, BOT), CHATS[:8]),
             (sources.Webhook(sim, BOT, first=1 << 40), CHATS[8:16])]
    plain = dict(bot.settings)
    for change in range(7):
        source, chats = sides[change % 2]
        bot.settings = {**plain, **source.settings}
        bot.start()
        source.start(bot)
        bot.wait_event("webhook.started" if change % 2 else "polling.started")
        assert len(sim.calls("deleteWebhook")) == change // 2
        fresh = [oracle.Update(chats[i % 8], "wait") for i in range(100)]
        updates += fresh
        some = len(judge.answered()) + 20
        source.push(fresh)
        own = {u.id for u in updates if u.chat in chats}
        calls.wait(lambda: len(judge.answered()) >= some if change < 5
                   else own <= judge.answered())
        if change < 6:
            bot.kill()
            judge.note_death(bot.folder / "data", source.end())
    calls.wait(lambda: len(judge.answered()) == len(updates))
    bot.stop()
    for source, _ in sides:
        source.close()
    judge.check(bot.folder / "data")


def test_an_end_is_stored_one_batch_later(sim, engine):
    bot = engine(oracle.BOT).start()
    users = [sim.user(f"U{i}")["id"] for i in range(10)]
    for i in range(100):
        sim.send(users[i % 10], "plain")
    calls = oracle.Calls(sim)
    done = calls.answered[4242]
    calls.wait(lambda: len(done) == 100)
    first = set(done)
    # They go through the same writer after all the others.
    for n in (101, 102):
        sim.send(users[0], "plain")
        calls.wait(lambda n=n: len(done) == n)
    bot.kill()
    assert first <= oracle.Snapshot(bot.folder / "data").ended()
