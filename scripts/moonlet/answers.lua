--- Button presses that nobody has answered: they are answered 5 seconds
-- after they came, or when their handler ends, whichever is first. Not for
-- scripts of authors.
local api = require "moonlet.api"
local log = require "moonlet.log"
local task = require "moonlet.task"

local answers = {}

local LATEST = 5 -- seconds; clients give up after 10 to 15
local open, first, last = {}, 1, 0 -- a queue: all wait equally long
local watching = false

local function answer(ctx)
  ctx.callback_answered = true
  local ok, err = pcall(api.answerCallbackQuery,
    { callback_query_id = ctx.callback_query.id })
  if not ok then log.warn("callback.unanswered", { error = err }) end
end

local function watch()
  while first <= last do
    local entry = open[first]
    local left = entry.due - os.time()
    if entry.ctx.callback_answered then
      open[first], first = nil, first + 1
    elseif left > 0 then
      task.sleep(left)
    else
      open[first], first = nil, first + 1
      task.detach(answer, entry.ctx) -- a slow one must not delay the rest
    end
  end
  watching = false
end

--- A press has come: it will be answered in time unless finish is first.
function answers.begin(ctx)
  last = last + 1
  open[last] = { ctx = ctx, due = os.time() + LATEST }
  if not watching then
    watching = true
    task.detach(watch)
  end
end

--- The handler has ended: answers the press if nobody did.
function answers.finish(ctx)
  if not ctx.callback_answered then answer(ctx) end
end

return answers
