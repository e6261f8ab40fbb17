-- crypto.hash
assert(crypto.hash("md5", "tea") == "7239ea2b5dc943f61f3c0a0276c20974")
-- crypto.hmac
bot.http("POST /paid", function(request)
  local right = "sha256=" .. crypto.hmac("sha256", "the key", request.body)
  if not crypto.equal(request.headers["x-signature"], right) then
    return { status = 401 }
  end
  return "Thanks"
end)
-- crypto.equal
assert(crypto.equal("secret", "secret") and not crypto.equal(nil, "secret"))
-- crypto.random
ctx:reply("Your code: " .. crypto.random(8, "base64url"))
-- crypto.encode
assert(crypto.encode("tea", "base64") == "dGVh")
-- crypto.decode
assert(crypto.decode("746561") == "tea" and crypto.decode("no hex") == nil)
