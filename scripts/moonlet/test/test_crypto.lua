--- What specs get as moonlet.crypto: the functions that scripts have, to sign
-- what strangers send. Not for scripts of authors.
local core = require "moonlet.test.core"
local expect = require "moonlet.test_expect"

local crypto = {}

for _, name in ipairs { "hash", "hmac", "equal", "encode", "decode" } do
  crypto[name] = function(...)
    local ok, result = pcall(core.crypto[name], ...)
    if ok then return result end
    expect.misuse(type(result) == "table" and result.message
      or tostring(result))
  end
end

return setmetatable(crypto, {
  __index = function(_, name)
    expect.misuse(("moonlet.crypto has no function %q in specs"):format(
      tostring(name)))
  end,
})
