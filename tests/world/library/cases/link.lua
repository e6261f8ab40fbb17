local check = require "check"
local link = require "moonlet.link"

local case = {}

function case.links_open_the_bot(ctx)
  local name = ctx.api.getMe {}.username
  check.equal(link.start(), "https://t.me/" .. name)
  check.equal(link.start("ref_7"), "https://t.me/" .. name .. "?start=ref_7")
  check.equal(link.start(42), "https://t.me/" .. name .. "?start=42")
  check.equal(link.group("a-b"),
    "https://t.me/" .. name .. "?startgroup=a-b")
  check.equal(link.app("x"), "https://t.me/" .. name .. "?startapp=x")
  check.equal(link.app("x", "shop"),
    "https://t.me/" .. name .. "/shop?startapp=x")
end

function case.payloads_are_checked()
  for _, payload in ipairs { "", "a b", "ä", ("x"):rep(65), {} } do
    check.raises("a payload is 1 to 64", link.start, payload)
  end
  assert(link.start(("x"):rep(64)))
  check.raises("the name of an app", link.app, "x", "a/b")
end

function case.any_text_is_encoded()
  check.equal(link.encode("tea:1"), "dGVhOjE")
  check.equal(link.encode("\255\254"), "__4")
  check.equal(link.encode(""), "")
  check.equal(#link.encode(("x"):rep(48)), 64)
  for length = 0, 48 do
    local bytes = {}
    for i = 1, length do bytes[i] = string.char(math.random(0, 255)) end
    local text = table.concat(bytes)
    check.equal(link.decode(link.encode(text)), text)
  end
end

function case.what_was_not_encoded_is_nil()
  for _, payload in ipairs { "a", "ab!", "dGVhOjF", "a b" } do
    check.equal(link.decode(payload), nil)
  end
  check.raises("needs a text, got nil", link.decode)
  check.raises("needs a text, got nil", link.encode)
  check.raises('no function "make"', function() return link.make end)
end

return case
