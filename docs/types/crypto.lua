---@meta moonlet.crypto
-- Made by docs/luacats.py; see there.

---signatures, hashes and secrets, as for requests that bot.http serves: is
---this one from whom it says? `as`, the last argument, is how bytes are
---written: "hex" (small letters) unless it is said, "base64", "base64url"
---(without "=") or "bytes" (as they are). Wrong arguments raise "misuse".
---@class moonlet.crypto
local crypto = {}

---The hash of a text. algorithm: "sha256", "sha512", "sha1" or "md5"; the last
---two are no protection any more, and are for servers that still want them.
---@param algorithm string
---@param text string
---@param as? any
---@return string
function crypto.hash(algorithm, text, as) end

---The signature of a text by a secret key (HMAC), with an algorithm of
---crypto.hash.
---@param algorithm string
---@param key string
---@param text string
---@param as? any
---@return string
function crypto.hmac(algorithm, key, text, as) end

---Whether two texts are the same. Unlike ==, the time that it takes does not
---tell a stranger how much of a guess is right; only the length shows. false
---if one is nil, as a header that is missing.
---@param a string?
---@param b string?
---@return boolean
function crypto.equal(a, b) end

---That many bytes (1 to 1024) that nobody can guess, for keys, tokens and
---codes. In specs they come from the seed. Not while scripts load.
---@param count integer
---@param as? any
---@return string
function crypto.random(count, as) end

---Bytes as a text.
---@param bytes string
---@param as? any
---@return string
function crypto.encode(bytes, as) end

---The bytes that a text stands for; nil if it is no such text.
---@param text string
---@param as? any
---@return string?
function crypto.decode(text, as) end

return crypto
