--- A middleware against people who send too much.
local core = require "moonlet.core"
local log = require "moonlet.log"

local KEYS_MAX = 10000 -- whom it remembers; twice as many at most

local known = { per = true, limit = true, by = true, on_limit = true }

-- Those that ask for work. Payments and changes of a chat always pass.
local counted = { message = true, edited_message = true,
  callback_query = true, inline_query = true, guest_message = true,
  business_message = true }

local function check(options)
  if type(options) ~= "table" then
    core.misuse("throttle needs a table of options, got " .. type(options))
  end
  for name in pairs(options) do
    if not known[name] then
      core.misuse(("throttle has no option %q"):format(tostring(name)))
    end
  end
  if math.type(options.limit) ~= "integer" or options.limit < 1 then
    core.misuse("throttle: limit must be a whole number from 1 on")
  end
  if options.by ~= nil and options.by ~= "user" and options.by ~= "chat" then
    core.misuse(('throttle: by is "user" or "chat", got %q'):format(
      tostring(options.by)))
  end
  if options.on_limit ~= nil and type(options.on_limit) ~= "function" then
    core.misuse("throttle: on_limit must be a function, got "
      .. type(options.on_limit))
  end
end

-- Remembers by key, in bounded memory: who was asked for least recently is
-- forgotten, and stands for one who has sent nothing.
local function new_memory()
  local young, old, count = {}, {}, 0
  return function(key)
    local entry = young[key]
    if entry then return entry end
    if count >= KEYS_MAX then young, old, count = {}, young, 0 end
    entry = old[key] or {}
    young[key], count = entry, count + 1
    return entry
  end
end

-- Is there a token in the bucket? Takes it.
local function take(bucket, now, limit, refill)
  local tokens = bucket.tokens or limit
  tokens = math.min(limit, tokens + (now - (bucket.at or now)) / refill)
  bucket.at = now
  local allowed = tokens > 1 - 1e-9
  bucket.tokens = allowed and tokens - 1 or tokens
  return allowed
end

local function key_of(ctx, by)
  if not counted[ctx.kind] then return nil end
  if ctx.event.successful_payment then return nil end
  local whom = by == "chat" and ctx.chat or ctx.from
  return whom and whom.id
end

--- throttle(options): a function for bot.use that lets options.limit updates
-- of a person through at once, and then one each options.per / limit; the
-- rest go nowhere. options.per: a duration. options.by: "user", unless said,
-- or "chat". options.on_limit(ctx) runs for the first of a row that does not
-- pass. Counted are messages, presses of buttons and inline queries; other
-- updates pass, and so do successful payments and what comes from nobody. It
-- remembers the 10,000 to 20,000 who were last here.
return function(options)
  check(options)
  local per = core.seconds(options.per, "throttle: per")
  if per <= 0 then core.misuse("throttle: per must be longer than nothing") end
  local limit, by = options.limit, options.by or "user"
  local recall = new_memory()
  return function(ctx, next)
    local key = key_of(ctx, by)
    if not key then return next() end
    local bucket = recall(key)
    if take(bucket, core.uptime(), limit, per / limit) then
      bucket.told = nil
      return next()
    end
    if bucket.told then return end
    bucket.told = true
    log.info("throttle.limited", { by = by, id = key })
    if options.on_limit then options.on_limit(ctx) end
  end
end
