return {
  commands = {
    start = "Begin",
    add = "Add a file",
    invite = "Invite a friend",
    language = "Choose your language",
    settings = "Change the settings",
    help = "What I can do",
  },
  back = "« Back",
  start = {
    hello = "Hello, <b>{name}</b>. I keep files with a title and tags. "
      .. "Send me one, or press a button.",
    invited = "Hello, <b>{name}</b>. A friend has sent you here. I keep "
      .. "files with a title and tags. Send me one, or press a button.",
    yourself = "Hello, <b>{name}</b>. That is your own link: send it to "
      .. "somebody else.",
    odd_link = "Hello, <b>{name}</b>. I do not know what that link means, "
      .. "but you are welcome. Send me a file, or press a button.",
    no_file = "I have no file behind this link.",
    add = "Add a file",
    settings = "Settings",
    help = "Help",
  },
  help = "<b>What I can do</b>\n{commands}\n\n"
    .. "A document or a photo begins a new entry at once.",
  invite = {
    text = "Send this to a friend: {link}",
    copy = "Copy the link",
  },
  language = {
    name = "English",
    app = "As in my app",
    title = "Which language shall I speak?",
    done = "I speak English.",
  },
  settings = {
    title = "<b>Settings</b>\nI speak {language}.",
    preview = "Show the file before it is saved",
    plain = "No buttons when I do not understand",
    language = "Language …",
    on = "Switched on",
    off = "Switched off",
  },
  add = {
    title = "What is it called? A file may come now, too.",
    title_of_file = "What shall this file be called?",
    title_hint = "Its title",
    tags = "Which tags does it get?",
    tags_hint = "tea, receipts",
    no_tags = "No tags",
    none = "none",
    file_kept = "I keep the file with it. Go on with my question.",
    too_long = "That is too long: at most {count} characters.",
    card = "<b>{title}</b>\nTags: <i>{tags}</i>",
    save = "Save",
    again = "Once more",
    cancel = "Cancel",
    saved = "Saved.",
    saved_file = "Saved. Your link to it: {link}",
    cancelled = "Cancelled. Nothing was saved.",
    expired = "You were away for half an hour, so I put the form aside. "
      .. "/add begins anew.",
    nothing = "There is nothing to cancel.",
    outdated = "This button belongs to an earlier form.",
  },
  unknown = {
    command = "I know no command {name}. /help lists them.",
    text = "I did not understand that. Shall I keep something for you?",
    plain = "I did not understand that. /help says what I can do.",
  },
  admin = {
    stats = "Since the last load, {minutes} min ago:\n{updates}",
    say_what = "Usage: /say TEXT, or /say CHAT_ID TEXT",
    said = "Said.",
    refused = "Not said: {why}",
  },
}
