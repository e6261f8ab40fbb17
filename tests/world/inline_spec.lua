-- Inline queries.
local t = require "moonlet.test"

local BOT = [[
local bot = require "moonlet.bot"
local inline = require "moonlet.inline"
bot.inline_query("^find (%d+)$", function(ctx, count)
  local all = {}
  for i = 1, count do
    all[i] = inline.article { id = i, title = "Number " .. i, text = "n" .. i }
  end
  ctx:answer_inline(all, { per_page = 20, cache_time = 5 })
end)
bot.inline_query("^photo$", function(ctx)
  ctx:answer_inline { inline.photo { id = "p", url = "https://a/b.jpg" },
    inline.photo { id = "q", photo_file_id = "F" } }
end)
bot.inline_query("^wrong (.*)$", function(ctx, code)
  local ok, err = pcall(load(code, "x", "t", { inline = inline, ctx = ctx }))
  ctx.api.sendMessage { chat_id = ctx.from.id,
    text = ok and "fine" or err.kind .. " " .. err.message }
end)
bot.on("chosen_inline_result", function(ctx)
  ctx.api.sendMessage { chat_id = ctx.from.id,
    text = "chosen " .. ctx.event.result_id }
end)
bot.command("answer", function(ctx) ctx:answer_inline {} end)
bot.catch(function(ctx, err) if ctx.chat then ctx:reply(err.message) end end)
]]

local function ask(person, query, offset)
  t.update { inline_query = { id = "1", query = query, offset = offset or "",
    from = { id = person.id, is_bot = false, first_name = "Ann" } } }
  return t.expect_call("answerInlineQuery")
end

t.case("results come in pages", { main = BOT }, function()
  local ann = t.user { first_name = "Ann" }
  local function page(offset)
    ask(ann, "find 50", offset)
    local calls = t.calls("answerInlineQuery")
    return calls[#calls].params
  end
  local first = page("")
  assert(#first.results == 20 and first.next_offset == "20")
  assert(first.results[1].id == "1" and first.cache_time == 5)
  assert(first.results[1].input_message_content.message_text == "n1")
  local last = page("40")
  assert(#last.results == 10 and last.next_offset == nil)
  assert(last.results[10].title == "Number 50")
  assert(#page("60").results == 0)
end)

t.case("photos, and what was chosen", { main = BOT }, function()
  local ann = t.user { first_name = "Ann" }
  ask(ann, "photo")
  local sent = t.calls("answerInlineQuery")[1].params.results
  assert(sent[1].photo_url == "https://a/b.jpg" and sent[1].url == nil)
  assert(sent[1].thumbnail_url == "https://a/b.jpg")
  assert(sent[2].photo_file_id == "F")
  t.update { chosen_inline_result = { result_id = "p", query = "photo",
    from = { id = ann.id, is_bot = false, first_name = "Ann" } } }
  ann:expect("chosen p")
end)

t.case("mistakes in results are told", { main = BOT }, function()
  local ann = t.user { first_name = "Ann" }
  local function wrong(code, part)
    t.update { inline_query = { id = "1", query = "wrong " .. code,
      offset = "", from = { id = ann.id, is_bot = false,
        first_name = "Ann" } } }
    local said = ann:expect(t.any).text
    assert(said:find(part, 1, true), said)
  end
  wrong("inline.article{ id = 1, title = 'x' }", "needs a text")
  wrong("inline.article{ title = 'x' }", "needs the field id")
  wrong("inline.article(5)", "needs a table")
  wrong("inline.photo{ id = 1 }", "needs an url")
  wrong("inline.photo{ id = '' }", "1 to 64 bytes")
  wrong("inline.video{}", 'no function "video"')
  wrong("ctx:answer_inline(5)", "needs a list")
  wrong("ctx:answer_inline({}, { per_page = 51 })", "1 to 50")
  wrong("local l = {} for i = 1, 51 do l[i] = 1 end ctx:answer_inline(l)",
    "51 results, at most 50")
  ann:send("/answer")
  ann:expect("this is a message")
end)

t.case("a result's text and caption may be pieces", { main = [[
local bot = require "moonlet.bot"
local format = require "moonlet.format"
local inline = require "moonlet.inline"
bot.inline_query("", function(ctx)
  ctx:answer_inline { inline.article { id = 1, title = "Tea",
    text = format { "Green ", format.bold("tea") } },
    inline.photo { id = 2, url = "https://a/b.jpg",
      caption = format.italic("a cup") } }
end)]] }, function()
  local ann = t.user { first_name = "Ann" }
  local results = ann:inline("tea")
  local content = results[1].input_message_content
  assert(content.message_text == "Green tea" and results[1].text == nil)
  assert(content.entities[1].type == "bold" and content.entities[1].offset == 6)
  assert(results[2].caption == "a cup")
  assert(results[2].caption_entities[1].type == "italic")
end)
