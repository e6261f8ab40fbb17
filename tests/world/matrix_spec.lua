-- What becomes of each kind of call under each fault: how often the server
-- was asked, what the script saw, and what people see in the end.
local t = require "moonlet.test"

local REPORTS = 99 -- the chat that hears how it went

t.use { main = [[
local api = require "moonlet.api"
local bot = require "moonlet.bot"

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
  api.sendMessage{ chat_id = 99, text = saw }
end, { auto_answer = false })
]] }

local methods = {
  reply = "sendMessage", edit = "editMessageText",
  answer = "answerCallbackQuery", upload = "sendDocument",
}

local SAME, OLD = "harmless: Bad Request: message is not modified",
  "harmless: Bad Request: query is too old"

-- A fault, then for each action: calls at the server and what the script saw.
local rows = {
  { name = "a 429", mode = "429", retry_after = 3,
    reply = { 2, "success" }, edit = { 2, "success" },
    answer = { 2, "success" }, upload = { 2, "success" } },
  { name = "a 429 for too long", mode = "429", retry_after = 200,
    reply = { 1, "api 429" }, edit = { 1, "api 429" },
    answer = { 1, "api 429" }, upload = { 1, "api 429" } },
  { name = "a 500", mode = "500",
    reply = { 2, "success" }, edit = { 2, "success" },
    answer = { 2, "success" }, upload = { 2, "success" } },
  { name = "a 502 with a page", mode = "502html",
    reply = { 2, "success" }, edit = { 2, "success" },
    answer = { 2, "success" }, upload = { 2, "success" } },
  { name = "a lasting 500", mode = "500", count = 100,
    reply = { 4, "api 500" }, edit = { 4, "api 500" },
    answer = { 4, "api 500" }, upload = { 4, "api 500" } },
  { name = "a cut before it is done", mode = "cut_before",
    reply = { 1, "unknown" }, edit = { 2, "success" },
    answer = { 2, "success" }, upload = { 1, "unknown" } },
  { name = "a cut after it is done", mode = "cut_after", done = true,
    reply = { 1, "unknown" }, edit = { 2, SAME }, answer = { 2, OLD },
    upload = { 1, "unknown" } },
  { name = "cuts for ever", mode = "cut_before", count = 100,
    reply = { 1, "unknown" }, edit = { 4, "unknown" },
    answer = { 4, "unknown" }, upload = { 1, "unknown" } },
  { name = "an answer that comes too late", mode = "slow", seconds = 40,
    done = true,
    reply = { 1, "unknown" }, edit = { 2, SAME }, answer = { 2, OLD },
    upload = { 1, "unknown" } },
  { name = "no fault", reply = { 1, "success" }, edit = { 1, "success" },
    answer = { 1, "success" }, upload = { 1, "success" } },
}

-- How often people see what the call was to show: once if it succeeded or
-- was done unseen, never else, and never twice.
local function shown(ann, action, row)
  local count = 0
  for _, message in ipairs(ann:messages()) do
    if message.text == "said" or message.text == "edited"
      or message.document then
      count = count + 1
    end
  end
  local toasts = action == "answer" and t.calls(methods.answer) or {}
  for _, toast in ipairs(toasts) do
    if toast.status == 200 or row.done then count = 1 end
  end
  return count
end

local cases = {}
for _, row in ipairs(rows) do
  for action in pairs(methods) do
    cases[#cases + 1] = { name = row.name .. " of " .. action, row = row,
      action = action }
  end
end
table.sort(cases, function(a, b) return a.name < b.name end)

t.each(cases, "%s", function(case)
  local row, action = case.row, case.action
  local calls, saw = table.unpack(row[action])
  local method = methods[action]
  local ann = t.user { first_name = "Ann" }
  local reports = t.user { first_name = "Reports", id = REPORTS }
  ann:send("/start")
  ann:expect("Choose")
  local before = #t.calls(method)
  if row.mode then
    t.fault { method = method, mode = row.mode, count = row.count,
      chat = action ~= "answer" and ann or nil,
      retry_after = row.retry_after, seconds = row.seconds }
  end
  ann:click(action)
  reports:expect(saw, { within = "5m" })
  -- The report itself is a sendMessage.
  local seen = #t.calls(method) - before - (action == "reply" and 1 or 0)
  assert(seen == calls, ("%d calls, expected %d"):format(seen, calls))
  local wanted = (saw == "success" or row.done) and 1 or 0
  local times = shown(ann, action, row)
  assert(times == wanted, ("shown %d times, expected %d"):format(times, wanted))
end)
