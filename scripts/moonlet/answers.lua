--- Button presses that nobody has answered: they are answered 5 seconds
-- after they came, or when their handler ends, whichever is first. Not for
-- scripts of authors.
local api = require "moonlet.api"
local log = require "moonlet.log"
local task = require "moonlet.task"

local answers = {}

local LATEST = 5 -- seconds; clients give up after 10 to 15

-- A queue, because all wait equally long: contexts, false once their handlers
-- have ended, and when they are due.
local open, due = {}, {}
local first, last = 1, 0
local watching = false
local now = os.time

-- Those that were answered before their handler began, by their ids.
local early, early_count = {}, 0
local EARLY_MAX = 10000 -- beyond it they are forgotten: a second answer fails

local function answer(ctx)
  ctx.callback_answered = true
  local ok, err = pcall(api.answerCallbackQuery,
    { callback_query_id = ctx.callback_query.id })
  if not ok then log.warn("callback.unanswered", { error = err }) end
end

local function watch()
  while first <= last do
    local ctx = open[first]
    local left = ctx and not ctx.callback_answered and due[first] - now() or 0
    if left > 0 then
      task.sleep(left)
    else
      open[first], due[first], first = nil, nil, first + 1
      if ctx and not ctx.callback_answered then
        task.detach(answer, ctx) -- a slow one must not delay the rest
      end
    end
  end
  watching = false
end

--- A press has come: it will be answered in time unless finish is first.
-- Returns what finish is told.
function answers.begin(ctx)
  local id = ctx.callback_query.id
  if early[id] then
    early[id], early_count = nil, early_count - 1
    ctx.callback_answered = true
    return nil
  end
  last = last + 1
  open[last], due[last] = ctx, now() + LATEST
  if not watching then
    watching = true
    task.detach(watch)
  end
  return last
end

--- The handler has ended: answers the press if nobody did. place: what begin
-- has returned, nil if it was not called in this task.
function answers.finish(ctx, place)
  if place and open[place] == ctx then open[place] = false end
  while last >= first and not open[last] do last = last - 1 end
  if not ctx.callback_answered then answer(ctx) end
end

--- The press waits behind other updates for too long: answers it.
function answers.late(ctx)
  if early_count >= EARLY_MAX then early, early_count = {}, 0 end
  early[ctx.callback_query.id], early_count = true, early_count + 1
  answer(ctx)
end

return answers
