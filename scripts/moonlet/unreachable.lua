--- Chats that the bot cannot write to any more: a person has blocked it, or a
-- group has thrown it out. Not for scripts of authors.
local log = require "moonlet.log"

local unreachable = {}

local TOLD_MAX = 1000 -- chats; further ones have level debug

local told, told_count, count = {}, 0, 0

--- True if the error of a handler is only that its update's own chat is closed
-- to the bot: nobody is there to be told, and a replay would end the same.
-- That is said once for each chat.
function unreachable.is(ctx, err)
  if err.kind ~= "api" or err.code ~= 403 or not ctx.chat
    or err.chat ~= tostring(ctx.chat.id) then
    return false
  end
  count = count + 1
  local is_new = not told[err.chat] and told_count < TOLD_MAX
  if is_new then told[err.chat], told_count = true, told_count + 1 end
  log[is_new and "info" or "debug"]("chat.unreachable", { chat = err.chat,
    reason = err.message, count = count })
  return true
end

return unreachable
