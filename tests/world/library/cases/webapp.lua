local check = require "check"
local webapp = require "moonlet.webapp"

local case = {}

-- Signed by other means than ours for the token of the simulated bot.
local SIGNED = "auth_date=1767603600&user=%7B%22id%22%3A42%2C%22first_name%22"
  .. "%3A%22%C3%84nn+%2B%26%22%7D&query_id=AAF+x&start_param=ref_7"
  .. "&signature=abc&hash=d7068eda960b9a1da06a6943b93907e8099917847f87b805ae5"
  .. "acf08df3550f2"

local function refused(why, ...)
  local values, reason = webapp.check(...)
  check.equal(values, nil)
  check.equal(reason, why)
end

function case.what_telegram_has_signed_is_decoded()
  local values = assert(webapp.check(SIGNED))
  check.same(values.user, { id = 42, first_name = "Änn +&" })
  check.equal(math.type(values.user.id), "integer")
  check.equal(values.auth_date, 1767603600)
  check.equal(values.query_id, "AAF x")
  check.equal(values.start_param, "ref_7")
end

function case.the_order_of_fields_does_not_matter()
  local hash = SIGNED:match("&(hash=.*)$")
  assert(webapp.check(hash .. "&" .. SIGNED:gsub("&hash=.*$", "")))
end

function case.every_change_is_noticed()
  refused("wrong hash", (SIGNED:gsub("42", "43")))
  refused("wrong hash", SIGNED .. "&more=1")
  refused("wrong hash", (SIGNED:gsub("&signature=abc", "")))
  refused("wrong hash", (SIGNED:gsub("f2$", "f3")))
  refused("wrong hash", (SIGNED:gsub("f2$", "")))
  refused("wrong hash", (SIGNED:gsub("f2$", "g2")))
  refused("wrong hash", (SIGNED:gsub("f2$", "f2f2")))
  refused("no hash", (SIGNED:gsub("&hash=.*$", "")))
  refused("no hash", "")
  refused("malformed", SIGNED .. "&query_id=2")
  refused("malformed", "=1&hash=2")
  refused("malformed", "a&hash=2")
  refused("malformed", ("a=1&"):rep(5000))
end

function case.wrong_calls_are_misuse()
  check.raises("needs the text of initData, got table", webapp.check, {})
  check.raises("max_age must be a number of seconds", webapp.check, SIGNED,
    { max_age = "old" })
  check.raises('no function "verify"', function() return webapp.verify end)
end

return case
