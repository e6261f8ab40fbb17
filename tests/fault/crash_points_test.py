"""The engine dies at every CRASH_POINT of its sources, at the first and at
the seventh pass, polling and by webhook, and is started again: promise 1 of
the design holds."""
import collections
import concurrent.futures
import http.client
import itertools
import re
import signal
import threading

import harness
import pytest
from laws import tree

from fault import oracle, sources

POINT = re.compile(r'CRASH_POINT\("([\w.]+)"\)')
SOURCES = {"polling": sources.Polling, "webhook": sources.Webhook}
NTH = (1, 7)
CHATS = range(601, 606)
AT_ONCE = 4  # engines

# What each engine goes through; every one ends with SIGTERM, and `replay` is
# of all dead letters before that. `deaths` go before. At those of "poison" the
# first update is on the loop; "restart" finds several that have begun.
Scenario = collections.namedtuple(
    "Scenario", "updates portion extra deaths replay")
SCENARIOS = {
    "fresh": Scenario(42, 3, 0, (), True),
    "restart": Scenario(12, 3, 0, ("dispatch.off_loop:6",), False),
    "poison": Scenario(12, 3, 0, 3 * ("dispatch.on_loop:1",), False),
    "large": Scenario(80, 8, 500000, (), False),  # for checkpoints
}

# Passed once in a process, so that there is no seventh pass.
SELDOM = {
    "datadir.made", "datadir.locked", "datadir.closing",
    "engine.ready", "engine.stopping", "engine.idle",
    "inbox.death_counted", "inbox.before_recover_commit",
    "inbox.after_recover_commit", "inbox.marks_reset", "inbox.closing",
    "marks.mapped", "marks.emptied", "webhook.set",
    "sqlite.file_made", "sqlite.before_schema", "sqlite.after_schema",
    "sqlite.finished", "sqlite.truncated",
}


def all_points(root):
    found = []
    for path in tree.files(root, ".c", below=("engine", "bindings")):
        found += POINT.findall(path.read_text("utf-8"))
    return sorted(found)


POINTS = all_points(tree.ROOT)


class World:
    """One simulator for all of them."""

    def __init__(self, folder):
        self.folder = folder
        self.sim = harness.Sim()
        for chat in CHATS:
            self.sim.user("Ann", id=chat)
        self.calls = oracle.Calls(self.sim)
        self.bots = itertools.count(5001)


class Run:
    """A bot with a folder of its own, through its deaths to a clean end."""

    def __init__(self, world, source, scenario):
        self.bot = next(world.bots)
        self.calls, self.scenario = world.calls, SCENARIOS[scenario]
        self.updates = [self._update(i) for i in range(self.scenario.updates)]
        self.waiting = self._portions()
        self.pushed, self.poison, self.replayed = [], [], False
        self.source = SOURCES[source](world.sim, self.bot)
        self.engine = harness.Engine(
            world.folder / str(self.bot), world.sim.url, oracle.BOT,
            BOT_TOKEN=f"{self.bot}:TEST-TOKEN-FOR-THE-SIMULATOR",
            LOG_LEVEL="info", RETRY_BACKOFF_BASE=1, **self.source.settings)
        self.data = self.engine.folder / "data"
        self.judge = oracle.Judge(world.calls, self.bot, self.updates)

    def _update(self, i):
        words = [word for word, yes in (("wait", i % 3 == 1),
                                        ("fail", i % 6 == 2),
                                        ("count", i % 6 in (0, 4))) if yes]
        return oracle.Update(CHATS[i % len(CHATS)], " ".join(words),
                             "x" * self.scenario.extra)

    def _portions(self):
        """The first one alone, so that it is known which is on the loop."""
        size = self.scenario.portion
        rest = self.updates[1:]
        return collections.deque([self.updates[:1]] + [
            rest[i:i + size] for i in range(0, len(rest), size)])

    def dead(self):
        return self.engine.process.child.poll() is not None

    def _watch_end(self):
        self.engine.process.child.wait()
        with self.calls.changed:
            self.calls.changed.notify_all()

    def _feed(self):
        """A portion at a time, so that nothing passes everything at once."""
        while True:
            wanted = {u.id for u in self.pushed} - set(self.poison)
            self.calls.wait(lambda: self.dead() or
                            wanted <= self.judge.answered())
            if self.dead() or not self.waiting:
                return
            portion = self.waiting.popleft()
            self.source.push(portion)
            self.pushed += portion

    def _ask(self, method, path):
        peer = harness.LocalPeer(self.data / "moonlet.sock")
        return peer.sim(method, path)

    def _drain(self):
        while self._ask("GET", "/api/status")["inbox_depth"] > 0:
            threading.Event().wait(sources.PAUSE)

    def _replay_all(self):
        self.replayed = True
        for letter in reversed(self._ask("GET", "/api/dead")["dead"]):
            self.judge.replays.add(letter["update_id"])
            self._ask("POST", f"/api/dead/{letter['id']}/replay")
        self._drain()

    def _end(self):
        self.engine.process.wait_line('"event":"ready"')
        try:
            self.engine.process.wait_line(
                r'"event":"(polling|webhook)\.started"')
        except AssertionError:
            if self.engine.process.reader.is_alive():
                raise
            return  # it died before
        try:
            self._drain()
            if self.scenario.replay and not self.replayed:
                self._replay_all()
        except (OSError, http.client.HTTPException):
            self.engine.process.wait()  # or else it had to answer
            return
        self.engine.process.child.terminate()

    def live(self, **settings):
        """One process; returns its exit code."""
        kept = dict(self.engine.settings)
        self.engine.settings.update(settings)
        self.engine.start(wait=False)
        self.engine.settings = kept
        watch = threading.Thread(target=self._watch_end, daemon=True)
        watch.start()
        self.source.start(self.engine)
        self._feed()
        if not self.dead():
            self._end()
        code = self.engine.process.wait()
        watch.join(harness.LIMIT)
        confirmed = self.source.end()
        if code == -signal.SIGKILL:
            self.judge.note_death(self.data, confirmed)
        return code

    def die_before(self):
        """The deaths that the scenario has before its own process."""
        for point in self.scenario.deaths:
            code = self.live(MOONLET_CRASH_AT=point)
            assert code == -signal.SIGKILL, self.engine.process.text()
        if len(self.scenario.deaths) == 3:
            self.poison = [self.updates[0].id]

    def finish(self):
        code = self.live()
        assert code == 0, self.engine.process.text()
        self.judge.check(self.data, self.poison)

    def close(self):
        if self.engine.process and not self.dead():
            self.engine.kill()
        self.source.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = World(tmp_path_factory.mktemp("crash"))
    yield made
    made.sim.close()


def enumerate_points(world, source, scenario):
    """How often a process that is let live passes each point."""
    run = Run(world, source, scenario)
    try:
        run.die_before()
        listed = run.engine.folder / "points"
        assert run.live(MOONLET_CRASH_LIST=listed) == 0
        run.judge.check(run.data, run.poison)
        return collections.Counter(listed.read_text().split())
    finally:
        run.close()


@pytest.fixture(scope="module")
def passes(world):
    """By source and scenario."""
    pairs = list(itertools.product(SOURCES, SCENARIOS))
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(lambda pair: enumerate_points(world, *pair), pairs)
        return dict(zip(pairs, found))


def scenarios_for(passes, source, point, n):
    """Those that pass a point so often. One is enough for what is passed all
    the time; the others see what a death before has left."""
    found = [name for name in SCENARIOS
             if passes[source, name][point] >= n]
    several = [name for name in found if name != "large"]
    return several if point in SELDOM else found[:1]


def test_names_are_given_once():
    assert len(POINTS) == len(set(POINTS)) and len(POINTS) > 40


def test_every_point_is_reached(passes):
    for count in passes.values():
        assert set(count) <= set(POINTS)
    missed = [p for p in POINTS
              if not any(count[p] for count in passes.values())]
    assert missed == []


def test_points_without_a_seventh_pass_are_known(passes):
    for source in SOURCES:
        reached = {p for p in POINTS if scenarios_for(passes, source, p, 1)}
        seldom = {p for p in reached
                  if not scenarios_for(passes, source, p, NTH[-1])}
        assert seldom == SELDOM & reached, source


def die_at(world, point, source, scenario, n):
    run = Run(world, source, scenario)
    try:
        run.die_before()
        code = run.live(MOONLET_CRASH_AT=f"{point}:{n}")
        assert code == -signal.SIGKILL, "it did not die there"
        run.finish()
    except AssertionError as why:
        raise AssertionError(
            f"{point}:{n}, {source}, {scenario}: {why}\n" +
            run.engine.process.text()) from why
    finally:
        run.close()


@pytest.mark.parametrize("point", POINTS)
def test_a_death_at(world, passes, point):
    ways = [(source, scenario, n) for source in SOURCES for n in NTH
            for scenario in scenarios_for(passes, source, point, n)]
    assert ways
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(die_at, world, point, *way)
                     for way in ways]:
            done.result()


def test_what_is_armed_wrongly_does_not_start(tmp_path):
    for name, value in (("MOONLET_CRASH_AT", "inbox.after_commit"),
                        ("MOONLET_CRASH_AT", "inbox.after_commit:0"),
                        ("MOONLET_CRASH_AT", ":1"),
                        ("MOONLET_CRASH_LIST", "/nowhere/list")):
        bot = harness.Engine(tmp_path, "http://127.0.0.1:9", oracle.BOT,
                             **{name: value})
        bot.start(wait=False)
        assert bot.process.wait() == 1
        assert name in bot.process.text()
