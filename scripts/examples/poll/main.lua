-- Asks a group, and tells who chose what.
--   /poll Tea or coffee? | Tea | Coffee
--   /results, as an answer to the poll
local bot = require "moonlet.bot"
local fs = require "moonlet.fs"
local json = require "moonlet.json"
local retry = require "moonlet.retry"

-- A vote comes without its chat, so each poll has a file; and a folder with
-- one file for each vote, so that nobody's vote is in the way of another's.
local function poll_file(id) return ("polls/%s.json"):format(id) end
local function votes(id) return "polls/" .. id end

-- Somebody may vote before the file is written.
local function load_poll(id)
  return json.decode(retry(function() return fs.read(poll_file(id)) end,
    { on = { "fs" } }))
end

local USAGE = "Write it as: /poll Tea or coffee? | Tea | Coffee"

bot.command("start", function(ctx) ctx:reply(USAGE) end)

bot.command("poll", function(ctx)
  local question, options = nil, {}
  for part in ctx.rest:gmatch("[^|]+") do
    part = part:match("^%s*(.-)%s*$")
    if question then table.insert(options, { text = part }) end
    question = question or part
  end
  if #options < 2 then return ctx:reply(USAGE) end
  local sent = ctx.api.sendPoll { chat_id = ctx.chat.id, question = question,
    options = options, is_anonymous = false }
  fs.mkdir(votes(sent.poll.id))
  fs.write(poll_file(sent.poll.id), json.encode { chat = ctx.chat.id,
    options = options })
end, { description = "Ask everybody" })

bot.on("poll_answer", function(ctx)
  local vote = ctx.event
  local poll = load_poll(vote.poll_id)
  local who, chosen = ctx.from or vote.voter_chat, vote.option_ids[1]
  local name = who.first_name or who.title
  local file = votes(vote.poll_id) .. "/" .. who.id
  if chosen then
    fs.write(file, tostring(chosen))
  elseif fs.stat(file) then
    fs.remove(file)
  end
  ctx.api.sendMessage { chat_id = poll.chat, text = chosen
    and name .. " is for " .. poll.options[chosen + 1].text
    or name .. " is undecided again" }
end)

bot.command("results", function(ctx)
  local asked = ctx.message.reply_to_message
  if not asked or not asked.poll or not fs.stat(poll_file(asked.poll.id)) then
    return ctx:reply("Answer to one of my polls with it.")
  end
  local poll, counts, lines = load_poll(asked.poll.id), {}, {}
  for _, file in ipairs(fs.list(votes(asked.poll.id))) do
    local chosen = tonumber(fs.read(votes(asked.poll.id) .. "/" .. file.name))
    counts[chosen] = (counts[chosen] or 0) + 1
  end
  for i, option in ipairs(poll.options) do
    lines[i] = ("%s: %d"):format(option.text, counts[i - 1] or 0)
  end
  ctx:reply(table.concat(lines, "\n"))
end, { description = "Count the votes" })
