local t = require "moonlet.test"

local MODEL = "POST http://127.0.0.1:11434/v1/chat/completions"

-- A model that says how many messages it was given and repeats the last one.
local function stub(request)
  local messages = request.json.messages
  return { json = { choices = { { message = { role = "assistant",
    content = #messages .. ": " .. messages[#messages].content } } } } }
end

local ann
t.before(function()
  t.http(MODEL, stub)
  ann = t.user { first_name = "Ann" }
  ann:send("/start")
  ann:expect("What is on your mind?")
end)

t.case("remembers what was said, over a death too", function()
  ann:send("tea")
  ann:expect("1: tea")
  ann:send("or coffee?")
  ann:expect("3: or coffee?")
  t.crash()
  ann:send("both")
  ann:expect("5: both")
  assert(t.http_calls()[3].json.messages[2].content == "1: tea")
  ann:send("/new")
  ann:send("again")
  ann:expect("1: again")
end)

t.case("remembers the last ten only", function()
  for i = 1, 8 do
    ann:send("n" .. i)
    ann:expect("n" .. i)
  end
  assert(#t.http_calls()[8].json.messages == 10)
end)

t.case("types while it thinks", function()
  t.http(MODEL, function(request)
    local answer = stub(request)
    answer.delay = "12s"
    return answer
  end)
  ann:send("slowly")
  ann:expect { action = "typing" }
  ann:expect { action = "typing" }
  ann:expect("1: slowly")
end)

t.case("says politely that it failed, and forgets the question", function()
  for _, fault in ipairs { { status = 500 }, { body = "no json" },
    { json = {} }, { fail = "refused" } } do
    t.http(MODEL, fault)
    ann:send("hello?")
    ann:expect("I cannot think right now.")
  end
  t.http(MODEL, { delay = "2m", json = {} })
  ann:send("hello?")
  ann:expect("That takes me too long.", { within = "2m" })
  assert(#t.errors() == 5)
  t.http(MODEL, stub)
  ann:send("hello")
  ann:expect("1: hello")
end)
