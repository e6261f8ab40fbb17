--- What the cases of the library share.
local json = require "moonlet.json"

local check = {}

function check.equal(got, wanted)
  if got ~= wanted then
    error(("got %q, not %q"):format(tostring(got), tostring(wanted)), 2)
  end
end

-- The same as JSON, whose keys are in order.
function check.same(got, wanted)
  check.equal(json.encode(got), json.encode(wanted))
end

-- fn(...) raises an error table whose text holds `words`.
function check.raises(words, fn, ...)
  local ok, err = pcall(fn, ...)
  if ok then error("nothing was raised", 2) end
  if type(err) ~= "table" or not err.message:find(words, 1, true) then
    error(("raised %q, not %q"):format(tostring(err), words), 2)
  end
  return err
end

return check
