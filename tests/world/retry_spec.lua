local t = require "moonlet.test"

local function bot(body)
  return ([[
local bot = require "moonlet.bot"
local http = require "moonlet.http"
local retry = require "moonlet.retry"
local task = require "moonlet.task"
local tries = 0
local function fail_first(times, err)
  return function()
    tries = tries + 1
    if tries <= times then error(err, 0) end
    return "done", tries, nil
  end
end
bot.command("run", function(ctx)
  local began = os.time()
  local ok, said = pcall(function()
BODY
  end)
  if not ok then
    said = ("%s: %s, tries %s"):format(said.kind, said.message, said.tries)
  end
  ctx:reply(("%s after %d s"):format(said, os.time() - began))
end)
]]):gsub("BODY", function() return body end)
end

-- What the bot does, and what it replies, a pattern.
local function case(name, body, pattern, answers)
  local opts = { main = bot(body), config = { handler_timeout = "2d" } }
  t.case(name, opts, function()
    if answers then answers() end
    local ann = t.user { first_name = "Ann" }
    ann:send("/run")
    ann:expect({ pattern = pattern }, { within = "2d" })
  end)
end

case("returns all that the function returns", [[
  return table.concat({ retry(fail_first(0)), select("#",
    retry(fail_first(0))) }, " ")]],
  "^done 3 after 0 s")

case("waits 1, 2, 4 s, then raises the last error with its tries", [[
  return retry(function()
    return http.get("https://shop.example/", { check = true })
  end)]],
  "^http: shop.example answers 502, tries 4 after [5-9] s",
  function() t.http("https://shop.example/", { status = 502 }) end)

case("what is not retryable is raised at once", [[
  return retry(fail_first(1, "own"))]],
  "^script: own, tries 1 after 0 s")

case("a script's own error may be retryable", [[
  return retry(fail_first(2, { message = "busy", retryable = true }))]],
  "^done after [234] s")

case("on names kinds", [[
  return retry(fail_first(2, "own"), { on = { "script" } })]],
  "^done after [234] s")

case("on decides", [[
  return retry(fail_first(5, "own"), { tries = 9, base = 1,
    on = function(err) return err.tries < 3 end })]],
  "^script: own, tries 3 after [123] s")

case("retry_after is waited in full", [[
  return retry(fail_first(1, { message = "busy", retry_after = 33 }),
    { on = { "script" } })]],
  "^done after 3[34] s")

case("a longer one than max_wait is not waited for", [[
  return retry(fail_first(1, { message = "busy", retry_after = 33 }),
    { on = { "script" }, max_wait = "30s" })]],
  "^script: busy, tries 1 after 0 s")

case("no wait is longer than max_wait", [[
  return retry(fail_first(4, "own"), { on = { "script" }, tries = 5,
    base = 60, max_wait = "5s" })]],
  "^done after 1[5-7] s")

case("a wait is over when the handler is cancelled", [[
  local handle = task.spawn(retry, fail_first(99, "own"),
    { on = { "script" }, tries = 99, base = 60 })
  task.sleep(0.5)
  task.cancel(handle)
  task.sleep("1h")
  return tries]], "^1 after 3600 s")

for _, row in ipairs {
  { "retry(1)", "the first argument must be a function, got number" },
  { "retry(print, 1)", "the options must be a table, got number" },
  { "retry(print, { tires = 1 })", 'there is no option "tires"' },
  { "retry(print, { tries = 0 })", "tries must be a whole number from 1 on" },
  { "retry(print, { base = 0 })", "base must be 1 to 100 seconds" },
  { "retry(print, { base = 0/0 })", "base must be 1 to 100 seconds" },
  { "retry(print, { max_wait = 'x' })",
    "max_wait must be a number of seconds" },
  { "retry(print, { on = 1 })",
    "on must be a list of kinds or a function, got number" },
} do
  case("misuse: " .. row[1], row[1], "^misuse: retry: " .. row[2])
end
