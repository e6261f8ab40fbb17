-- link.start
ctx:reply("Invite: " .. link.start("ref-7"))
-- link.group
ctx:reply("Add me: " .. link.group("team"))
-- link.encode
local payload = link.encode("any text, äöü")
assert(link.decode(payload) == "any text, äöü")
-- link.decode
assert(link.decode(link.encode("a b")) == "a b")
-- link.app
ctx:reply("The shop: " .. link.app("tea-7", "shop"))
