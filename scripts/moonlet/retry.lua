--- Trying again what may succeed later.
local core = require "moonlet.core"
local tasks = require "moonlet.core.task"

local MAX_WAIT = "90s"

local option_types = { tries = "number", base = "number" }

local function misuse(text, ...)
  core.misuse("retry: " .. text:format(...))
end

local function read_options(opts)
  if opts ~= nil and type(opts) ~= "table" then
    misuse("the options must be a table, got %s", type(opts))
  end
  local tries, base = core.retry_defaults()
  local read = { tries = tries, base = base, max_wait = MAX_WAIT }
  for name, value in pairs(opts or {}) do
    if name ~= "on" and read[name] == nil then
      misuse("there is no option %q", tostring(name))
    elseif option_types[name] and type(value) ~= option_types[name] then
      misuse("%s must be a number, got %s", name, type(value))
    end
    read[name] = value
  end
  if not math.tointeger(read.tries) or read.tries < 1 then
    misuse("tries must be a whole number from 1 on")
  elseif not (read.base >= 1 and read.base <= 100) then -- nor NaN
    misuse("base must be 1 to 100 seconds")
  end
  read.max_ms = math.max(1, core.duration(read.max_wait, "retry: max_wait"))
  return read
end

-- A function of the error: whether to go on.
local function reader_of(on)
  if on == nil then return function(err) return err.retryable end end
  if type(on) == "function" then return on end
  if type(on) ~= "table" then
    misuse("on must be a list of kinds or a function, got %s", type(on))
  end
  local kinds = {}
  for _, kind in ipairs(on) do kinds[kind] = true end
  return function(err) return kinds[err.kind] end
end

-- Milliseconds until the next try; nil if the peer asks for too many.
local function wait_after(err, failures, opts)
  local told = tonumber(err.retry_after)
  local ms = core.retry_wait(failures, opts.base, opts.max_ms, told)
  if ms <= opts.max_ms then return ms end
end

--- retry(fn [, opts]): runs fn until it does not raise, and returns what it
-- returns. opts: tries (how often at most; MAX_RETRIES + 1 unless it is
-- given), base (wait n takes base^(n-1) seconds, 20 % more or less, so that
-- many do not come back at once; RETRY_BACKOFF_BASE unless it is given),
-- max_wait (no wait is longer, 90 seconds unless it is given), on (a list of
-- kinds of errors, or a function of the error, that says what is tried again;
-- without it what has err.retryable). When the error has retry_after, that
-- time is waited instead; if it is longer than max_wait, the error is raised
-- at once. In the end raises the last error, as bot.catch gets it, with
-- err.tries. What fn has done before it raised, it does again.
return function(fn, opts)
  if type(fn) ~= "function" then
    misuse("the first argument must be a function, got %s", type(fn))
  end
  opts = read_options(opts)
  local again = reader_of(opts.on)
  for try = 1, opts.tries do
    local results = table.pack(xpcall(fn, core.error_of))
    if results[1] then return table.unpack(results, 2, results.n) end
    local err = results[2]
    -- Out of memory is a plain text.
    if type(err) ~= "table" then error(err, 0) end
    err.tries = try
    if try >= opts.tries or not again(err) then error(err, 0) end
    local ms = wait_after(err, try, opts)
    if not ms then error(err, 0) end
    tasks.sleep(("%dms"):format(ms))
  end
end
