--- Runs files of specs and tells how it went. Not for scripts of authors.
local chat = require "moonlet.test_chat"
local core = require "moonlet.test.core"
local expect = require "moonlet.test_expect"
local order = require "moonlet.test_order"
local state = require "moonlet.test_state"
local web = require "moonlet.test_http"

-- Under the name that authors know.
package.preload["moonlet.json"] = package.preload["moonlet.test_json"]
package.preload["moonlet.crypto"] = package.preload["moonlet.test_crypto"]

local options -- of the command line
local results = {} -- { file, name, failure, seconds }

local function begin_file()
  for _, name in ipairs { "cases", "before", "after", "defaults" } do
    state[name] = {}
  end
end

-- --- where the bot of a spec is

local function is_file(path)
  local file <close> = io.open(path)
  return file ~= nil
end

local function folder_of(path)
  return path:match("^(.*)/[^/]*$") or "."
end

local function find_bot(file)
  if options.bot then return options.bot end
  local folder = folder_of(file)
  while true do
    if is_file(folder .. "/main.lua") then return folder end
    if folder == "." or folder == "" or folder == "/" then break end
    folder = folder_of(folder)
  end
  if is_file(options.default_bot .. "/main.lua") then
    return options.default_bot
  end
  return nil, "no main.lua above " .. file .. ": say --bot DIR"
end

local function bot_of(file, opts)
  if not opts.bot then return find_bot(file) end
  if opts.bot:sub(1, 1) == "/" then return opts.bot end
  return folder_of(file) .. "/" .. opts.bot
end

-- --- one case

local function merged(opts)
  local all = {}
  for name, value in pairs(state.defaults) do all[name] = value end
  for name, value in pairs(opts) do all[name] = value end
  if all.webhook == nil then all.webhook = options.webhook end
  return all
end

local function settings_of(config)
  local rows = {}
  for name, value in pairs(config or {}) do
    if type(value) == "table" then value = table.concat(value, ",") end
    table.insert(rows, { name:upper(), tostring(value) })
  end
  table.sort(rows, function(a, b) return a[1] < b[1] end)
  return rows
end

local function open(file, opts)
  local bot, why = bot_of(file, opts)
  if not bot and not opts.main then expect.stop { why } end
  chat.reset()
  web.reset()
  math.randomseed(options.seed)
  local ok, refusal = core.open { bot = bot or "", main = opts.main,
    seed = options.seed,
    webhook = opts.webhook, copy = opts.copy,
    settings = settings_of(opts.config) }
  state.running = false
  if not ok then expect.stop { refusal } end
  if opts.start == false then return end
  ok, refusal = core.start()
  if not ok then expect.stop { "the bot does not start: " .. refusal } end
  state.running = true
end

-- Everything of the case; the first failure counts.
local function run_case(file, case)
  local opts = merged(case.opts)
  state.in_case = true
  local ok, failure = core.guard(function()
    open(file, opts)
    for _, fn in ipairs(state.before) do fn() end
    case.fn()
  end, expect.to_report)
  for _, fn in ipairs(state.after) do
    local fine, second = core.guard(fn, expect.to_report)
    if ok and not fine then ok, failure = false, second end
  end
  core.close()
  state.in_case = false
  return not ok and failure or nil
end

-- --- telling of it

local function colour(code, text)
  return options.colour and ("\27[%sm%s\27[0m"):format(code, text) or text
end

-- A word of a command line, as a shell reads it.
local function quoted(text)
  if text:find("^[%w_./:=+-]+$") then return text end
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- The arguments that run the case again as it ran.
local function again(file, case)
  local words = { "--seed", ("%d"):format(options.seed) }
  if options.webhook then table.insert(words, "--webhook") end
  for _, name in ipairs { "bot", "config" } do
    if options[name] then
      table.insert(words, "--" .. name)
      table.insert(words, quoted(options[name]))
    end
  end
  if case.fn then
    table.insert(words, "--filter")
    table.insert(words, quoted(case.name))
  end
  table.insert(words, quoted(file))
  return table.concat(words, " ")
end

local function print_failure(file, case, failure)
  print(("%s  %s: %s"):format(colour("31", "FAIL"), file, case.name))
  for _, line in ipairs(failure.report) do print("  " .. line) end
  if failure.traceback then
    for line in failure.traceback:gmatch("[^\n]+") do
      if line:find("_spec.lua", 1, true) then print("  " .. line) end
    end
  end
  print("  again: moonlet test " .. again(file, case))
end

local function wanted(case)
  return not options.filter or case.name:find(options.filter, 1, true)
end

local function load_file(file)
  local env = setmetatable({}, { __index = _G })
  package.path = folder_of(file) .. "/?.lua"
  return loadfile(file, "t", env)
end

local function run_file(file)
  begin_file()
  math.randomseed(options.seed)
  local loaded = {}
  for name in pairs(package.loaded) do loaded[name] = true end
  local chunk, why = load_file(file)
  local ok = chunk ~= nil
  if chunk then ok, why = core.guard(chunk, expect.to_report) end
  if not ok then
    local case = { name = "(loading)" }
    local failure = type(why) == "table" and why or { report = { why } }
    print_failure(file, case, failure)
    table.insert(results, { file = file, name = case.name, failure = failure,
      seconds = 0 })
  end
  for _, case in ipairs(ok and state.cases or {}) do
    if wanted(case) then
      local began = os.clock()
      local failure = run_case(file, case)
      table.insert(results, { file = file, name = case.name,
        failure = failure, seconds = os.clock() - began })
      if failure then print_failure(file, case, failure) end
    end
  end
  for name in pairs(package.loaded) do
    if not loaded[name] then package.loaded[name] = nil end
  end
end

local function print_coverage()
  local rows, ran, never = core.coverage(), 0, {}
  for _, row in ipairs(rows) do
    if row.runs > 0 then
      ran = ran + 1
    else
      table.insert(never, ("  %s:%d  %s"):format(row.script, row.line,
        row.what))
    end
  end
  if #rows == 0 then return end
  print(("%d of %d handlers ran%s"):format(ran, #rows,
    #never > 0 and "; never:" or ""))
  for _, line in ipairs(never) do print(line) end
end

-- Bytes that are no UTF-8 become question marks: XML may not have them.
local function readable(text)
  local good, from = {}, 1
  while true do
    local _, bad = utf8.len(text, from)
    if not bad then break end
    table.insert(good, text:sub(from, bad - 1) .. "?")
    from = bad + 1
  end
  return table.concat(good) .. text:sub(from)
end

local function xml(text)
  text = readable(text):gsub("[%c]", function(c)
    return c == "\n" and c or c == "\t" and c or ""
  end)
  return (text:gsub("[&<>\"]", { ["&"] = "&amp;", ["<"] = "&lt;",
    [">"] = "&gt;", ['"'] = "&quot;" }))
end

local function junit(failed)
  local lines = {}
  local function add(...) table.insert(lines, table.concat { ... }) end
  add('<?xml version="1.0" encoding="UTF-8"?>\n', ("<testsuite "
    .. 'name="moonlet" tests="%d" failures="%d">\n'):format(#results, failed))
  for _, each in ipairs(results) do
    add((' <testcase classname="%s" name="%s" time="%.3f"'):format(
      xml(each.file), xml(each.name), each.seconds))
    if each.failure then
      add(('>\n  <failure message="%s">%s</failure>\n </testcase>\n')
        :format(xml(each.failure.report[1]),
          xml(table.concat(each.failure.report, "\n"))))
    else
      add("/>\n")
    end
  end
  add("</testsuite>\n")
  return table.concat(lines)
end

local function write_junit(failed)
  local file, why = io.open(options.junit, "w")
  local ok = file and true
  if file then
    ok, why = file:write(junit(failed))
    local closed, full = file:close()
    if not closed then ok, why = false, full end
  end
  if ok then return true end
  if not why:find(options.junit, 1, true) then
    why = options.junit .. ": " .. why
  end
  io.stderr:write("moonlet: --junit: " .. why .. "\n")
  return false
end

--- Runs all and prints the totals. True if all is well.
return function(given)
  options = given
  order.open()
  io.stdout:setvbuf("line") -- what is known is seen, however the run ends
  for _, file in ipairs(options.files) do run_file(file) end
  local failed = 0
  for _, each in ipairs(results) do
    if each.failure then failed = failed + 1 end
  end
  if not options.filter then print_coverage() end
  local written = not options.junit or write_junit(failed)
  if #results == 0 then
    print("no case was found" .. (options.filter and " that fits --filter"
      or ""))
  end
  print(("%d passed, %d failed"):format(#results - failed, failed))
  return written and failed == 0 and #results > 0
end
