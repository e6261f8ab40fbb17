"""The judge of promise 1 of the design, shared by all tests that kill the
engine: what the folder held at each death, what the simulator was asked for,
and what must follow from the two.

Every handler answers with the number of its update, and "again" behind it if
the update was redelivered. Numbers are update_ids.
"""
import collections
import json
import shutil
import sqlite3
import struct
import tempfile
from pathlib import Path

import harness

# A few waits and errors, so that a death finds handlers at every stage. Each
# update counts once in the machine of its chat, which forgets none.
BOT = """
local bot = require "moonlet.bot"
local task = require "moonlet.task"
bot.fsm("count", { initial = "off", states = {
  off = { on = { seen = "on" } },
  on = { on = { seen = "on" }, timeout = { after = "10ms", to = "off" } } } })
bot.on("message:text", function(ctx)
  local id, what = ctx.update.update_id, ctx.message.text
  if what:find "wait" then task.sleep(id % 7 / 1000) end
  if what:find "count" then
    local count = ctx:fsm("count")
    count.data.n = (count.data.n or 0) + 1
    count:fire("seen")
  end
  ctx:reply(id .. (ctx.update.redelivered and " again" or ""))
  if what:find "fail" then error("failed " .. id) end
end)
"""

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
MARKS = struct.Struct("<8s48sq2048q")  # engine/store/marks.c


class Update:
    """One update: its number is known once its source has it."""

    def __init__(self, chat, text="", extra=""):
        self.id, self.chat, self.text, self.extra = None, chat, text, extra

    @property
    def fails(self):
        return "fail" in self.text

    def message(self):
        person = {"id": self.chat, "is_bot": False, "first_name": "Ann"}
        return {"message_id": 1, "date": 1700000000, "from": person,
                "chat": {"id": self.chat, "type": "private",
                         "first_name": "Ann"},
                "text": self.text or "plain", "extra": self.extra}


class Snapshot:
    """What a folder holds while no engine has it. The files themselves are
    not opened: that would already be a recovery."""

    def __init__(self, folder):
        self.seen, self.inbox, self.dead = set(), {}, []
        self.next_offset = 0
        with tempfile.TemporaryDirectory() as scratch:
            for name in ("inbox.db", "inbox.db-wal"):
                if (folder / name).exists():
                    shutil.copy(folder / name, scratch)
            if (Path(scratch) / "inbox.db").exists():
                self._read(sqlite3.connect(Path(scratch) / "inbox.db"))
        self.marks = read_marks(folder / "running.map")

    def _read(self, db):
        tables = {name for name, in db.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "dead" in tables:
            self.seen = {i for i, in db.execute("SELECT update_id FROM seen")}
            self.inbox = {i: (seq, begun) for seq, i, begun in db.execute(
                "SELECT seq, update_id, begun FROM inbox "
                "WHERE source <> 1")}  # a timer's
            self.dead = [i for i, in db.execute(
                "SELECT update_id FROM dead WHERE source <> 1 "
                "ORDER BY id")]
            self.next_offset = dict(db.execute(
                "SELECT key, value FROM meta")).get("next_offset", 0)
        db.close()

    def ended(self):
        return self.seen - set(self.inbox)

    def running(self):
        """Those whose handler had begun in the process that died."""
        return {i for i, (seq, _) in self.inbox.items()
                if self.marks is None or seq in self.marks}

    def begun(self):
        """Those whose handler may have begun in any process."""
        return self.running() | {
            i for i, (_, begun) in self.inbox.items() if begun}


def read_counts(folder):
    """{chat: n} of the machines; the engine has ended well."""
    db = sqlite3.connect(folder / "bot.db")
    found = {int(key.split(":")[0]): json.loads(value)["data"]["n"]
             for key, value in db.execute(
                 "SELECT key, value FROM moonlet_state "
                 "WHERE kind = 'fsm.count'")}
    db.close()
    return found


def read_marks(path):
    """The marked seqs; None: the file proves nothing."""
    if not path.exists() or path.stat().st_size != MARKS.size:
        return None
    magic, boot_id, _, *begun = MARKS.unpack(path.read_bytes())
    if magic != b"MONMARK1" or \
            boot_id.rstrip(b"\0") != BOOT_ID.read_bytes()[:47].rstrip(b"\0"):
        return None
    return set(begun) - {0}


class Calls:
    """The simulator's record of calls, by bot, to be waited on."""

    def __init__(self, sim):
        self.sim, self.changed = sim, sim.events.changed
        self.offsets = collections.defaultdict(int)  # the highest asked for
        self.answers = collections.defaultdict(list)  # (number, again, chat)
        self.answered = collections.defaultdict(set)  # numbers
        self.at = self.last = 0

    def _add(self, rows):
        for row in rows:
            if row["n"] > self.last:
                self.last = row["n"]
                self._add_one(row["bot"], row["method"], row)

    def _add_one(self, bot, method, row):
        if method == "getUpdates":
            self.offsets[bot] = max(self.offsets[bot],
                                    int(row["params"].get("offset", 0)))
        elif method == "sendMessage":
            number, *again = row["params"]["text"].split()
            self.answers[bot].append(
                (int(number), bool(again), row["chat_id"]))
            self.answered[bot].add(int(number))

    def _take(self):
        """What the stream has brought; a gap in it is filled by asking."""
        seen = self.sim.events.seen
        for kind, data in seen[self.at:]:
            if kind == "call":
                self._add([data])
            elif kind == "gap":
                self._add(self.sim.calls(since=self.last))
        self.at = len(seen)

    def wait(self, test):
        """Until `test` holds, tried when a call or an end has come."""
        def look():
            self._take()
            return test()

        with self.changed:
            assert self.changed.wait_for(look, harness.LIMIT), "no such call"

    def settle(self):
        """Everything that a dead engine still had on its way is recorded: the
        second request is read in a later turn than those bytes."""
        self.sim.calls(since=self.last)
        rows = self.sim.calls(since=self.last)
        with self.changed:
            self._add(rows)


class Death:
    def __init__(self, snapshot, sends):
        self.snapshot = snapshot
        self.sends = sends  # calls of sendMessage before it


class Judge:
    """Follows one bot through its deaths. `updates` is in order of arrival
    and may grow; `replays` are dead letters that were replayed by hand."""

    def __init__(self, calls, bot, updates):
        self.calls, self.bot, self.updates = calls, bot, updates
        self.deaths, self.replays = [], set()

    def answers(self):
        return self.calls.answers[self.bot]

    def answered(self):
        return self.calls.answered[self.bot]

    def _ids(self):
        return [u.id for u in self.updates if u.id is not None]

    def note_death(self, folder, confirmed=()):
        """To be called when the engine is dead and not started again yet.
        `confirmed`: numbers of posts that were answered 200."""
        self.calls.settle()
        snapshot = Snapshot(folder)
        beyond = max(self.calls.offsets[self.bot], snapshot.next_offset)
        promised = {i for i in self._ids() if i < beyond}
        assert promised <= snapshot.seen, "the offset is beyond the store"
        assert set(confirmed) <= snapshot.seen, "200 without its update"
        self.deaths.append(Death(snapshot, len(self.answers())))
        return snapshot

    def _check_repeats(self, answers):
        rows = collections.defaultdict(list)
        for number, again, _ in answers:
            rows[number].append(again)
        allowed = collections.Counter(self.replays)
        for death in self.deaths:
            allowed.update(death.snapshot.running())
        for number, marks in rows.items():
            assert marks.count(False) <= 1, f"{number}: a repeat unmarked"
            assert False not in marks[1:], f"{number}: first time as a repeat"
            # What had ended, or had not begun, at a death is not in it.
            assert len(marks) <= 1 + allowed[number], \
                f"{number}: {len(marks)} runs, {allowed[number]} may repeat"

    def _check_marks(self, answers):
        """Marked is what may have begun before, and nothing else."""
        for death in self.deaths:
            begun = death.snapshot.begun()
            ended = death.snapshot.ended() - self.replays
            told = set()
            for number, again, _ in answers[death.sends:]:
                assert number not in ended, f"{number}: ended, and repeated"
                if number not in told and number not in self.replays:
                    assert again == (number in begun) or again and any(
                        number in d.snapshot.begun() for d in self.deaths), \
                        f"{number}: marked {again}"
                told.add(number)

    def _check_order(self, answers):
        lanes, arrived = (collections.defaultdict(list) for _ in range(2))
        for update in self.updates:
            if update.id in self.answered():
                arrived[update.chat].append(update.id)
        for number, _, chat in answers:
            lanes[chat].append(number)
        for chat, rows in lanes.items():
            wanted = arrived[chat]
            assert list(dict.fromkeys(rows)) == wanted, f"chat {chat}: order"
            place = {number: at for at, number in enumerate(wanted)}
            back = sum(place[a] > place[b] for a, b in zip(rows, rows[1:])
                       if b not in self.replays)
            assert back <= len(self.deaths), f"chat {chat}: turned around"

    def _check_counts(self, folder):
        counted = collections.Counter(
            update.chat for update in self.updates
            if "count" in update.text and update.id in self.answered())
        assert read_counts(folder) == counted, "counted twice, or not at all"

    def check(self, folder, poison=()):
        """The last engine has stopped clean. `poison`: updates that were on
        the loop at three deaths, of which one may have gone uncounted."""
        self.calls.settle()
        answers, end = self.answers(), Snapshot(folder)
        numbers = self._ids()
        lost = set(numbers) - self.answered() - set(poison)
        assert not lost, f"lost: {sorted(lost)}"
        assert end.inbox == {} and end.marks == set()
        assert set(numbers) <= end.seen
        letters = [u.id for u in self.updates if u.fails]
        crashed = set(poison) & set(end.dead)
        assert not crashed & self.answered(), "a dead letter that ran"
        assert set(poison) - crashed <= self.answered(), "poison is lost"
        assert sorted(end.dead) == sorted([*letters, *crashed]), \
            "each error is one dead letter"
        self._check_repeats(answers)
        self._check_marks(answers)
        self._check_order(answers)
        self._check_counts(folder)
        return end
