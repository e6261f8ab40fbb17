-- A quiz with a score: each question may take 30 seconds.
local bot = require "moonlet.bot"
local keyboard = require "moonlet.keyboard"

-- The first option is the right one.
local questions = {
  { "What is the capital of Portugal?", "Lisbon", "Porto", "Faro" },
  { "How many legs has a spider?", "8", "6", "10" },
  { "Who wrote Hamlet?", "Shakespeare", "Marlowe", "Goethe" },
}

local answer = bot.callback_data("quiz", { "question:int", "option:int" })

local function ask(ctx)
  local at = ctx:fsm("quiz").data.at
  local question, buttons = questions[at], {}
  for i = 2, #question do
    -- Each question begins at another place of its options.
    local option = (i + at) % (#question - 1) + 2
    table.insert(buttons, { question[option],
      answer:pack { question = at, option = option } })
  end
  ctx:reply(("%d/%d %s"):format(at, #questions, question[1]), {
    reply_markup = keyboard.inline(keyboard.columns(1, buttons)) })
end

local function tell_score(ctx)
  ctx:reply(("You have %d of %d. /quiz begins anew."):format(
    ctx:fsm("quiz").data.score, #questions))
end

local function has_more(_, data) return data.at <= #questions end

bot.fsm("quiz", {
  initial = "idle",
  states = {
    idle = { on = { start = "asking" } },
    asking = {
      enter = ask,
      on = {
        start = "asking",
        answered = {
          { to = "asking", guard = has_more },
          { to = "over" },
        },
      },
      timeout = { after = "30s", to = "late" },
    },
    late = {
      enter = function(ctx)
        ctx:reply("Time is up.")
        tell_score(ctx)
      end,
      on = { start = "asking" },
    },
    over = { enter = tell_score, on = { start = "asking" } },
  },
})

bot.command({ "quiz", "start" }, function(ctx)
  local quiz = ctx:fsm("quiz")
  quiz.data = { at = 1, score = 0 }
  quiz:fire("start")
end, { description = "Begin" })

bot.callback(answer, function(ctx, pressed)
  local quiz = ctx:fsm("quiz")
  if quiz.state ~= "asking" or pressed.question ~= quiz.data.at then
    return ctx:answer_callback("That question is over.")
  end
  local question = questions[quiz.data.at]
  local right = pressed.option == 2
  if right then quiz.data.score = quiz.data.score + 1 end
  quiz.data.at = quiz.data.at + 1
  ctx:edit(("%s\n%s"):format(question[1], right and "Right!"
    or "No, it is " .. question[2] .. "."))
  quiz:fire("answered")
end)
