---@meta moonlet.menu
-- Made by docs/luacats.py; see there.

---Menus below a message, which a press changes in place. menu.new declares one
---by a function that lays it out anew each time, from what the bot knows then:
---build(m, ctx) calls m:text and adds buttons in rows. Nothing is kept in
---memory: a button carries where it stands, and a fingerprint of the buttons
---that it stood among. A press of one that stood among others does nothing but
---show the menu as it is and say so: after an edit of the script, a restart,
---or because somebody else was faster. After the function of a button the menu
---is shown anew, unless that returns false or has shown another.
---@class moonlet.menu
local menu = {}

---What the message says, a text or a piece (moonlet.format). opts:
---sendMessage's parameters.
---@param text string|moonlet.piece
---@param opts? table
---@return any ...
function menu:text(text, opts) end

---The next button begins a row.
---@return any ...
function menu:row() end

---A button that calls fn(ctx). id: what tells it from others in place of the
---label, for one that changes all the time.
---@param label any
---@param fn function
---@param id? any
---@return any ...
function menu:button(label, fn, id) end

---A switch that is on or off, which calls fn(ctx, wanted) with true or false.
---@param label any
---@param on any
---@param fn function
---@param id? any
---@return any ...
function menu:toggle(label, on, fn, id) end

---A number between buttons that take opts.step (1) from it and add it, as far
---as opts.min and opts.max (without one: no bound); they call
---opts.on_change(ctx, wanted). A row of its own. opts.id: what tells it from
---others in place of the label.
---@param label any
---@param value any
---@param opts table
---@return any ...
function menu:range(label, value, opts) end

---A link.
---@param label any
---@param url string
---@return any ...
function menu:url(label, url) end

---A button of another kind, a table of the Bot API's fields (Bot API
---InlineKeyboardButton), such as text and web_app. One with callback_data is
---answered by bot.callback.
---@param button any
---@return any ...
function menu:add(button) end

---Shows another menu, whose m.arg is arg, a text or an integer.
---@param label any
---@param menu any
---@param arg? any
---@return any ...
function menu:open(label, menu, arg) end

---Shows the menu from which this one was opened, by m:open or by ctx:show_menu
---in the function of a button. Without one there is no such button.
---@param label any
---@return any ...
function menu:back(label) end

---Deletes the message.
---@param label any
---@return any ...
function menu:close(label) end

---A button for each of opts.items, a list, in rows of their own:
---opts.label(item) is its label, opts.on_pick(ctx, item) is called, and
---opts.id(item) tells it from others. opts.per_page (8) stand there at once,
---opts.columns (1) in a row, with buttons that turn the pages. Once a menu.
---@param opts table
---@return any ...
function menu:pages(opts) end

---Declares a menu while scripts load. build(m, ctx) lays it out. opts:
---personal (true: only whom it was shown to may press), and what those who
---press are told, a text or a function of ctx: changed ("This menu has
---changed.") and not_yours.
---@param name string
---@param build any
---@param opts? table
---@return any ...
function menu.new(name, build, opts) end

return menu
