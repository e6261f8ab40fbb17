local check = require "check"
local format = require "moonlet.format"
local keyboard = require "moonlet.keyboard"

local case = {}

local function b(text, name, value)
  return { text = text, [name or "style"] = value }
end

function case.inline_rows_are_lists_of_buttons()
  check.same(keyboard.inline { { { "Yes", "yes:1" }, { "No", 0 } },
    { { "Site", url = "https://e.org" } },
    { { text = "Tea", callback_data = "tea", style = "primary" } } }, {
    inline_keyboard = {
      { b("Yes", "callback_data", "yes:1"), b("No", "callback_data", "0") },
      { b("Site", "url", "https://e.org") },
      { { text = "Tea", callback_data = "tea", style = "primary" } } } })
end

function case.inline_methods_add_buttons()
  local made = keyboard.inline():text("Yes", "yes"):url("Site", "https://e.org")
    :row():web_app("App", "https://e.org/app")
    :login("In", "https://e.org/in"):row()
    :switch_inline("Share"):switch_inline_here("Here", "q")
    :switch_inline_chosen("To", { allow_user_chats = true }):row()
    :copy_text("Copy", "code"):text(format.bold("B"), "b", { style = "danger" })
  check.same(made.inline_keyboard, {
    { b("Yes", "callback_data", "yes"), b("Site", "url", "https://e.org") },
    { b("App", "web_app", { url = "https://e.org/app" }),
      b("In", "login_url", { url = "https://e.org/in" }) },
    { b("Share", "switch_inline_query", ""),
      b("Here", "switch_inline_query_current_chat", "q"),
      b("To", "switch_inline_query_chosen_chat",
        { allow_user_chats = true }) },
    { b("Copy", "copy_text", { text = "code" }),
      { text = "B", callback_data = "b", style = "danger" } },
  })
  check.same(keyboard.inline():pay("Pay"):rows { { { "No", "no" } } }
    .inline_keyboard, { { b("Pay", "pay", true) },
    { b("No", "callback_data", "no") } })
  check.same(keyboard.inline():game("Play").inline_keyboard,
    { { b("Play", "callback_game", {}) } })
end

function case.columns_lay_out()
  check.same(keyboard.columns(2, { 1, 2, 3, 4, 5 }),
    { { 1, 2 }, { 3, 4 }, { 5 } })
  local made = keyboard.inline(keyboard.columns(3, { { "a", "a" },
    { "b", "b" }, { "c", "c" }, { "d", "d" } }))
  check.equal(#made.inline_keyboard, 2)
  check.equal(#made:columns(2).inline_keyboard[2], 2)
  check.equal(#keyboard.reply { { "a", "b", "c" } }:columns(1).keyboard, 3)
  check.raises("from 1 on", keyboard.columns, 0, {})
end

function case.an_empty_keyboard_is_an_array()
  check.same(keyboard.inline(), { inline_keyboard =
    require "moonlet.json".array() })
  check.equal(require "moonlet.json".encode(keyboard.inline {}:row()),
    '{"inline_keyboard":[]}')
end

function case.reply_keyboards()
  local made = keyboard.reply { { "Yes", 2 }, { { "Share",
    request_contact = true } } }:resize():once():persistent():selective()
    :placeholder("Choose")
  check.same(made, {
    keyboard = { { { text = "Yes" }, { text = "2" } },
      { b("Share", "request_contact", true) } },
    resize_keyboard = true, one_time_keyboard = true, is_persistent = true,
    selective = true, input_field_placeholder = "Choose",
  })
  made = keyboard.reply():text("A"):contact("Phone"):row():location("Place")
    :users("Who", 1, { max_quantity = 2 }):chat("Where", 2):row()
    :poll("Any"):poll("Quiz", "quiz"):web_app("App", "https://e.org")
    :rows { { "Z" } }
  check.same(made.keyboard, {
    { b("A"), b("Phone", "request_contact", true) },
    { b("Place", "request_location", true),
      b("Who", "request_users", { request_id = 1, max_quantity = 2 }),
      b("Where", "request_chat", { request_id = 2,
        chat_is_channel = false }) },
    { b("Any", "request_poll", {}),
      b("Quiz", "request_poll", { type = "quiz" }),
      b("App", "web_app", { url = "https://e.org" }) },
    { b("Z") },
  })
end

function case.other_markups()
  check.same(keyboard.remove(), { remove_keyboard = true })
  check.same(keyboard.remove { selective = true },
    { remove_keyboard = true, selective = true })
  check.same(keyboard.force_reply("Age?", { selective = true }),
    { force_reply = true, selective = true, input_field_placeholder = "Age?" })
end

-- Wish 20: 64 bytes of callback data, not 64 letters.
function case.callback_data_is_counted_in_bytes()
  local inline = keyboard.inline()
  inline:text("Ok", ("x"):rep(64)):text("Да", ("ж"):rep(33))
  local row = inline.inline_keyboard[1]
  check.equal(row[1].callback_data, ("x"):rep(64))
  assert(row[2].callback_data:find("^~%x+$"))
  local err = check.raises('the data of the button "Да" has 8194 bytes',
    inline.text, inline, "Да", ("ж"):rep(4097))
  check.equal(err.kind, "misuse")
  check.raises('data of the button "A" must be a text, got nil', inline.text,
    inline, "A")
  check.raises("an empty one", inline.text, inline, "A", "")
end

function case.limits_name_the_button()
  local inline = keyboard.inline()
  for i = 1, 8 do inline:text("b" .. i, "x") end
  check.raises('row 1 has more than 8 buttons, the last is "b9"', inline.text,
    inline, "b9", "x")
  local rows = {}
  for i = 1, 101 do rows[i] = { { "b", "x" } } end
  check.raises("more than 100 buttons", keyboard.inline, rows)
  local row = {}
  for i = 1, 13 do row[i] = "b" .. i end
  check.raises('the last is "b13"', keyboard.reply, { row })
end

function case.mistakes_name_the_button()
  local inline = keyboard.inline()
  check.raises('"A" must do one thing', keyboard.inline, { { { "A" } } })
  check.raises("it has 2 of them", keyboard.inline,
    { { { "A", "a", url = "https://e.org" } } })
  check.raises('"Pay" must be the first', function()
    keyboard.inline():text("A", "a"):pay("Pay")
  end)
  check.raises("row 1 must be a list", keyboard.inline, { { "A", "a" } })
  check.raises("row 1 must be a list", keyboard.reply, { "A" })
  check.raises("an inline button is a table", keyboard.inline,
    { { { "A", "a" }, "B" } })
  check.raises("needs a text, got nil", keyboard.inline, { { {} } })
  check.raises("needs a text, got an empty one", inline.text, inline, "", "x")
  check.raises("needs a text, got an empty one", keyboard.reply, { { " " } })
  check.raises("has no callback data", keyboard.reply, { { { "A", "a" } } })
  check.raises("copies 1 to 256", inline.copy_text, inline, "C",
    ("x"):rep(257))
  check.raises("a placeholder has", keyboard.force_reply, ("x"):rep(65))
  check.raises("an integer as id", function()
    keyboard.reply():users("Who")
  end)
  check.raises("options of the button \"A\"", inline.text, inline, "A", "a", 1)
  check.raises('no function "inlin"', function() return keyboard.inlin end)
end

return case
