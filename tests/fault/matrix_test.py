"""The matrix of tests/world/matrix_spec.lua on real sockets and in real time:
what becomes of each kind of call under each fault. One engine; each case has
a person of its own, so that all run at once, but for answers to buttons: a
fault of those knows no chat, so they come one after the other."""
import collections
import json

BOT = """
local bot = require "moonlet.bot"
local log = require "moonlet.log"

local actions = {
  reply = function(ctx) return ctx:reply("said") end,
  edit = function(ctx) return ctx:edit("edited") end,
  answer = function(ctx) return ctx:answer_callback("noted") end,
  upload = function(ctx)
    return ctx:upload_document("a.txt", { data = "some text" })
  end,
}

bot.command("start", function(ctx)
  local row = {}
  for name in pairs(actions) do
    row[#row + 1] = { text = name, callback_data = name }
  end
  ctx:reply("Choose", { reply_markup = { inline_keyboard = { row } } })
end)

bot.callback("^(%a+)$", function(ctx, name)
  local ok, result, err = pcall(actions[name], ctx)
  local saw = "success"
  if not ok then
    saw = result.kind .. (result.kind == "api" and " " .. result.code or "")
  elseif not result then
    saw = "harmless: " .. err.message
  end
  log.info("saw", { person = ctx.from.id, saw = saw })
end, { auto_answer = false })
"""

METHODS = {"reply": "sendMessage", "edit": "editMessageText",
           "answer": "answerCallbackQuery", "upload": "sendDocument"}

OK = (1, "success")
AGAIN = (2, "success")
LOST = (1, "unknown")
SAME = (2, "harmless: Bad Request: message is not modified: specified new "
           "message content and reply markup are exactly the same as a "
           "current content and reply markup of the message")
OLD = (2, "harmless: Bad Request: query is too old and response timeout "
          "expired or query ID is invalid")


def every(pair):
    return dict.fromkeys(METHODS, pair)


def differing(send, edit, answer):
    return {"reply": send, "upload": send, "edit": edit, "answer": answer}


# A fault, and for each action: calls at the server, what the script saw.
Row = collections.namedtuple("Row", "fault wanted done", defaults=[False])
ROWS = {
    "no fault": Row(None, every(OK)),
    "a 429": Row({"mode": "429", "retry_after": 1}, every(AGAIN)),
    "a 500": Row({"mode": "500"}, every(AGAIN)),
    "a 502 with a page": Row({"mode": "502html"}, every(AGAIN)),
    "a lasting 500": Row({"mode": "500", "count": 100},
                         every((4, "api 500"))),
    "a cut before it is done": Row({"mode": "cut_before"},
                                   differing(LOST, AGAIN, AGAIN)),
    "a cut after it is done": Row({"mode": "cut_after"},
                                  differing(LOST, SAME, OLD), done=True),
    "cuts for ever": Row({"mode": "cut_before", "count": 100},
                         differing(LOST, (4, "unknown"), (4, "unknown"))),
    "an answer that comes too late": Row({"mode": "slow", "seconds": 600},
                                         differing(LOST, SAME, OLD),
                                         done=True),
    # The last: answers of others would wait for as long.
    "a 429 for too long": Row({"mode": "429", "retry_after": 200},
                              every((1, "api 429"))),
}

# calls, saw: as above. shown: how often people see what the call was to show.
Outcome = collections.namedtuple("Outcome", "calls saw shown")


def wanted(row, action):
    calls, saw = row.wanted[action]
    return Outcome(calls, saw, int(saw == "success" or row.done))


class Case:
    """A person, who presses the button of an action under a fault."""

    def __init__(self, sim, row, action):
        self.sim, self.row, self.action = sim, row, action
        self.person = sim.user(action)["id"]
        sim.send(self.person, "/start")

    def press(self):
        self.sim.wait_call("sendMessage", lambda call: call["status"] == 200
                           and call["chat_id"] == self.person)
        self.before = len(self.sim.calls())
        if self.row.fault:
            chat = {} if self.action == "answer" else {"chat": self.person}
            self.fault = self.sim.sim("POST", "/sim/faults", {
                "count": 1, "method": METHODS[self.action],
                **chat, **self.row.fault})["id"]
        self.sim.sim("POST", "/sim/click", {
            "from": self.person, "chat": self.person, "data": self.action})

    def clear(self):
        """A fault that lasts ends with its case."""
        if self.row.fault and self.row.fault.get("count"):
            self.sim.sim("DELETE", f"/sim/faults/{self.fault}")

    def calls(self):
        return [call for call in self.sim.calls(METHODS[self.action])
                if call["n"] > self.before
                and (self.action == "answer"
                     or call["chat_id"] == self.person)]

    def shown(self):
        if self.action == "answer":
            # A toast is gone when it was seen: the first one that was done.
            return len([call for call in self.calls() if call["status"] == 200
                        or self.row.done][:1])
        messages = self.sim.sim("GET", f"/sim/chats/{self.person}/messages")
        return sum("document" in message
                   or message.get("text") in ("said", "edited")
                   for message in messages)

    def outcome(self, engine):
        saw = engine.wait_event("saw", person=self.person)["saw"]
        calls = self.calls()
        self.clear()
        asked = {json.dumps(call["params"], sort_keys=True) for call in calls}
        assert len(asked) == 1, f"repeats differ: {asked}"
        return Outcome(len(calls), saw, self.shown())


def test_the_matrix(sim, engine):
    bot = engine(BOT, RETRY_BACKOFF_BASE=1, REQUEST_TIMEOUT=2,
                 TRANSFER_STALL_TIMEOUT=2).start()
    cases = {(name, action): Case(sim, row, action)
             for name, row in ROWS.items() for action in METHODS}
    together = {at: case for at, case in cases.items() if at[1] != "answer"}
    for case in together.values():
        case.press()
    saw = {}
    for at, case in cases.items():
        if at not in together:
            case.press()
            saw[at] = case.outcome(bot)
    saw.update({at: case.outcome(bot) for at, case in together.items()})
    assert saw == {(name, action): wanted(row, action)
                   for name, row in ROWS.items() for action in METHODS}

    repeats = [json.loads(line)["method"] for line in bot.process.lines
               if '"event":"api.repeat"' in line]
    asked = collections.Counter()
    for (_, action), outcome in saw.items():
        asked[METHODS[action]] += outcome.calls - 1
    assert collections.Counter(repeats) == asked
