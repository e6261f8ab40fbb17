-- moonlet.crypto: signatures that bots check, and secrets that they make.
local t = require "moonlet.test"
local crypto = require "moonlet.crypto"

local function bot(text)
  return { main = [[
local bot = require "moonlet.bot"
local crypto = require "moonlet.crypto"
]] .. text }
end

local function equal(have, want)
  assert(have == want, ("%s, not %s"):format(tostring(have), tostring(want)))
end

-- What the bot makes of the expressions, one message each.
local function says(expressions)
  local lines = {}
  for i, expression in ipairs(expressions) do
    lines[i] = ("function() return %s end,"):format(expression)
  end
  return bot("local all = {\n" .. table.concat(lines, "\n") .. [[
}
bot.command("start", function(ctx)
  for _, fn in ipairs(all) do
    local ok, result = pcall(fn)
    ctx:reply(ok and tostring(result) or result.kind .. ": "
      .. result.message)
  end
end)
]])
end

local function check(rows)
  local expressions = {}
  for i, row in ipairs(rows) do expressions[i] = row[1] end
  return says(expressions), function()
    local ann = t.user { first_name = "Ann" }
    ann:send("/start")
    for _, row in ipairs(rows) do
      local text = ann:expect(t.any, { within = "5m" }).text
      assert(text == row[2], ("%s is %s, not %s"):format(row[1], text, row[2]))
    end
  end
end

-- RFC 4231 case 2, RFC 2202 case 2, FIPS 180 and RFC 1321, RFC 4648.
local opts, fn = check {
  { 'crypto.hmac("sha256", "Jefe", "what do ya want for nothing?")',
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
  { 'crypto.hmac("sha1", "Jefe", "what do ya want for nothing?")',
    "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
  { 'crypto.hmac("md5", "Jefe", "what do ya want for nothing?")',
    "750c783e6ab0b503eaa86e310a5db738" },
  { 'crypto.hmac("sha512", "Jefe", "what do ya want for nothing?"):sub(1, 32)',
    "164b7a7bfcf819e2e395fbe73b56e0a3" },
  { 'crypto.hash("sha256", "abc")',
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
  { 'crypto.hash("md5", "abc")', "900150983cd24fb0d6963f7d28e17f72" },
  { 'crypto.hash("sha1", "abc", "base64")', "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=" },
  { '#crypto.hash("sha512", "", "bytes")', "64" },
  { 'crypto.encode("fooba", "base64")', "Zm9vYmE=" },
  { 'crypto.encode("\\251\\255\\254", "base64url")', "-__-" },
  { 'crypto.decode("Zm9vYg", "base64url")', "foob" },
  { 'crypto.decode("Zm9vYg==", "base64url")', "foob" },
  { 'crypto.decode("Zm9vYmE=", "base64")', "fooba" },
  { 'crypto.decode("Zm9vYmE", "base64")', "nil" },
  { 'crypto.decode("6", "hex")', "nil" },
  { 'crypto.decode("6x")', "nil" },
  { 'crypto.decode("A", "base64url")', "nil" },
  { '#crypto.decode("")', "0" },
  { 'crypto.equal("a", "a")', "true" },
  { 'crypto.equal("a", "b")', "false" },
  { 'crypto.equal("a", "aa")', "false" },
  { 'crypto.equal(nil, "a")', "false" },
  { 'crypto.equal(nil, nil)', "false" },
}
t.case("what the standards give as examples", opts, fn)

opts, fn = check {
  { 'crypto.hash("sha3", "x")', 'misuse: the algorithm of crypto.hash must be '
    .. 'one of "sha256", "sha512", "sha1", "md5", got sha3' },
  { 'crypto.hash("sha256", 7)',
    "misuse: crypto.hash needs a text, got number" },
  { 'crypto.hash("sha256", "x", "hexa")', 'misuse: what says how bytes are '
    .. 'written must be one of "hex", "base64", "base64url", "bytes", got '
    .. "hexa" },
  { 'crypto.hmac("sha256", nil, "x")',
    "misuse: the key of crypto.hmac needs a text, got nil" },
  { 'crypto.hash("sha256", ("x"):rep(16777217))',
    "misuse: crypto.hash takes at most 16777216 bytes, got 16777217" },
  { 'crypto.random(0)',
    "misuse: crypto.random needs how many bytes, 1 to 1024, got 0" },
  { 'crypto.random(1.5)',
    "misuse: crypto.random needs how many bytes, 1 to 1024, got 1.5" },
  { 'crypto.random(1025)',
    "misuse: crypto.random needs how many bytes, 1 to 1024, got 1025" },
  { 'crypto.sha256("x")', 'misuse: crypto has no function "sha256"' },
}
t.case("what is wrong is named", opts, fn)

t.case("a secret is as long as was asked, and never the same",
  bot [[bot.command("start", function(ctx)
    local seen = {}
    for _ = 1, 100 do
      local one = crypto.random(16, "bytes")
      assert(#one == 16 and not seen[one])
      seen[one] = true
    end
    ctx:reply(crypto.random(1024) .. crypto.random(1))
  end)]], function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/start")
  equal(#ann:expect(t.any).text, 2050)
end)

t.case("no secret is made while the scripts load",
  { main = 'require "moonlet.crypto".random(1)', start = false }, function()
  local ok, report = pcall(t.start)
  assert(not ok and tostring(report):find("not while the scripts load", 1,
    true), tostring(report))
end)

-- What every peer of bot.http needs.
t.case("a request is believed by its signature", bot [[
bot.http("POST /hook", function(request)
  local right = "sha256=" .. crypto.hmac("sha256", "key", request.body)
  if not crypto.equal(request.headers["x-signature"], right) then
    return { status = 401 }
  end
  return "believed"
end)]], function()
  local function ask(signature)
    return t.request { path = "/x/hook", body = '{"n":1}',
      headers = { ["X-Signature"] = signature } }
  end
  equal(ask(nil).status, 401)
  equal(ask("sha256=0").status, 401)
  equal(ask("sha256=" .. crypto.hmac("sha256", "guess", '{"n":1}')).status, 401)
  equal(ask("sha256=" .. crypto.hmac("sha256", "key", '{"n":1}')).body,
    "believed")
end)

t.case("a spec that calls it wrongly is told", function()
  local ok, report = pcall(crypto.hmac, "sha256", "key")
  assert(not ok and tostring(report):find("crypto.hmac needs a text", 1, true),
    tostring(report))
  ok, report = pcall(function() return crypto.random end)
  assert(not ok and tostring(report):find('no function "random"', 1, true),
    tostring(report))
end)
