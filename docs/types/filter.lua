---@meta moonlet.filter
-- Made by docs/luacats.py; see there.

---Filters say which updates a registration or a group is for. A filter is a
---text such as "message:photo"; a function fn(ctx) that returns true for what
---fits; a list of filters, of which one has to fit; or what the functions of
---this module make. A text has up to three parts with colons: an update kind,
---a field of that kind's object, and a part of that field. "message:text",
---"edited_message:photo", "callback_query:data". A part is a type of
---"entities" or "caption_entities" ("message:entities:url"), a field of the
---field that is there and not false ("message:from:is_premium"), what kind of
---object it is ("chat_member:new_chat_member:left"), or "me", this bot
---("message:new_chat_members:me"). Of a list one element has to fit. Without a
---kind, ":photo", it is any new message: "message", "channel_post",
---"business_message", "guest_message". "::url" is a type of entity in text or
---caption; ":media" is a photo or video, ":file" whatever has a file. What the
---Bot API does not know raises "misuse" with the nearest name, while scripts
---load. A function may wait, but where the order of an update is looked for:
---there it cannot, and the update waits for those of its chat.
---@class moonlet.filter
---updates of the people of ADMIN_IDS.
---@field admin any
local filter = {}

---What fits all of the filters.
---@param ... any
---@return any ...
function filter.all(...) end

---What fits at least one of the filters.
---@param ... any
---@return any ...
function filter.any(...) end

---What fits none of the filters.
---@param ... any
---@return any ...
function filter.no(...) end

---Updates of chats of these types: "private", "group", "supergroup",
---"channel".
---@param ... any
---@return any ...
function filter.chat_type(...) end

return filter
