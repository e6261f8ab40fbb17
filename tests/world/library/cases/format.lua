local check = require "check"
local format = require "moonlet.format"

local case = {}

-- Written as HTML, which is short to read.
local function is(piece, html, text)
  check.equal(format.to_html(piece), html)
  if text then check.equal(tostring(piece), text) end
end

function case.builders_make_entities()
  is(format { format.bold("a"), " & ", format.italic("<b>") },
    "<b>a</b> &amp; <i>&lt;b&gt;</i>", "a & <b>")
  is(format.underline(format.strike(format.spoiler("x"))),
    "<u><s><tg-spoiler>x</tg-spoiler></s></u>")
  is(format { format.code("f()"), format.pre("x = 1", "lua") },
    "<code>f()</code><pre><code class=\"language-lua\">x = 1</code></pre>")
  is(format.pre(7), "<pre>7</pre>")
  is(format.link("here", "https://e.org/?a=1&b=2"),
    '<a href="https://e.org/?a=1&amp;b=2">here</a>')
  is(format { format.quote("q"), format.quote("long", true) },
    "<blockquote>q</blockquote><blockquote expandable>long</blockquote>")
  is(format.emoji("123", "👍"), '<tg-emoji emoji-id="123">👍</tg-emoji>')
  is(format { format.text("a"), 1, "b" }, "a1b")
end

function case.mentions_name_a_person(ctx)
  local text, entities = format.entities(format.mention(ctx.from))
  check.equal(text, "Ann")
  check.same(entities, { { type = "text_mention", offset = 0, length = 3,
    user = { id = ctx.from.id, is_bot = false, first_name = "Ann" } } })
  is(format.mention(42, "you"), '<a href="tg://user?id=42">you</a>')
end

function case.offsets_count_utf16_units()
  local piece = format { "😀é", format.bold("x😀"), format.italic("y") }
  local text, entities = format.entities(piece)
  check.equal(text, "😀éx😀y")
  check.same(entities, { { type = "bold", offset = 3, length = 3 },
    { type = "italic", offset = 6, length = 1 } })
  check.equal(format.utf16_length(piece), 7)
  check.equal(format.length(piece), 5)
  check.equal(#piece, 5)
  check.equal(select(2, format.entities("plain")), nil)
end

function case.bytes_that_are_no_utf8_are_replaced_before_counting()
  local text, entities = format.entities(
    format { "\xff\xfe", format.bold("x") })
  check.equal(text, "\u{FFFD}\u{FFFD}x")
  check.equal(entities[1].offset, 2)
  check.equal(format.length("a\x80b"), 3)
end

function case.a_piece_is_not_changed_by_what_is_made_of_it()
  local part = format.bold("x")
  local whole = format { "ab", part }
  check.equal(part.entities[1].offset, 0)
  check.equal(whole.entities[1].offset, 2)
  check.equal(part == format.bold("x"), true)
  check.equal(part == format.italic("x"), false)
end

function case.join_is_for_lists()
  is(format.join({ "a", format.bold("b"), 3 }, ", "), "a, <b>b</b>, 3")
  is(format({ "a", format.bold("b"), 3 }, ", "), "a, <b>b</b>, 3")
  is(format.join({}), "")
  is(format {}, "")
  check.raises("format.join needs a list, got string", format.join, "a")
  check.raises("format needs a list, got a piece", format, format.bold("a"))
end

function case.a_nil_within_a_list_is_no_end_of_it()
  local user = { first_name = "Ann" }
  local err = check.raises("format: value 2 of the list is nil", function()
    return format { "Hi ", user.last_name, "!" }
  end)
  check.equal(err.kind, "misuse")
  check.raises("format needs a text or a piece of moonlet.format, got boolean",
    format, { "Hi ", false })
end

-- Lua's own words, and its variable's name.
function case.two_dots_join_no_pieces()
  local piece = format.bold("x")
  local words = "attempt to concatenate a piece of moonlet.format (use "
    .. "format.join) value"
  for _, fn in ipairs {
    function() return piece .. "a" end, function() return "a" .. piece end,
    function() return 1 .. piece end, function() return piece .. piece end,
    function() return piece .. {} end,
  } do
    local ok, err = pcall(fn)
    assert(not ok and err:find(words, 1, true), err)
    assert(err:find("^cases/format.lua:%d+: "), err)
  end
end

function case.nothing_stands_within_code_and_no_quote_in_a_quote()
  is(format.code(format.bold("x")), "<code>x</code>")
  check.raises("within another", format.quote,
    format { "a", format.quote("b") })
  is(format.bold(""), "")
end

function case.templates_keep_arguments_as_text()
  is(format.html("Hi <b>%s</b> &amp; <i>%s</i>", "<i>&amp;", 5),
    "Hi <b>&lt;i&gt;&amp;amp;</b> &amp; <i>5</i>")
  is(format.html("100%% of %d, %.2f", 7, 1.5), "100% of 7, 1.50")
  is(format.html("%s", format { format.bold("x"), "y" }), "<b>x</b>y")
  is(format.html("<i>%s</i>", format.bold("x")), "<i><b>x</b></i>")
  is(format.html('<a href="https://e.org/%s">%s</a>', "a?b&c", "t"),
    '<a href="https://e.org/a?b&amp;c">t</a>')
end

function case.templates_know_every_tag()
  for _, text in ipairs {
    "<b>a</b>", "<i>a</i>", "<u>a</u>", "<s>a</s>", "<code>a</code>",
    "<pre>a</pre>", "<blockquote>a</blockquote>",
    "<blockquote expandable>a</blockquote>",
    '<pre><code class="language-c">a &lt; b</code></pre>',
    '<a href="tg://user?id=7">a</a>', '<a href="https://e.org/">a</a>',
    '<tg-emoji emoji-id="5">👍</tg-emoji>',
    '<tg-time unix="1700000000" format="wDT">then</tg-time>',
    "<b>a<i>b</i></b><i>c</i>",
  } do is(format.html(text), text) end
  is(format.html("<STRONG>a</strong><em>b</em><ins>c</ins><del>d</del>"),
    "<b>a</b><i>b</i><u>c</u><s>d</s>")
  is(format.html('<span class="tg-spoiler">a</span>'),
    "<tg-spoiler>a</tg-spoiler>")
  is(format.html("<a>https://e.org</a>"),
    '<a href="https://e.org">https://e.org</a>')
  is(format.html("&#65;&#x42;&quot; &nbsp; & <b></b>"),
    'AB&quot; &amp;nbsp; &amp; ')
end

function case.entity_errors_name_the_offset_and_the_line_of_lua()
  local err = check.raises("byte 4 of the template: <b> is not closed",
    function() format.html("Hi <b>%s", "x") end)
  check.equal(err.kind, "misuse")
  check.equal(err.script, "cases/format.lua")
  assert(err.line > 0)
  for words, template in pairs {
    ["byte 1 of the template: </b> closes nothing"] = "</b>",
    ["byte 7 of the template: </b> stands where </i> should"] = "<b><i></b>",
    ["Telegram knows no tag <div>"] = "<div>",
    ['byte 3 of the template: a "<"'] = "1 < 2",
    ['is written "%%"'] = "100 % sure",
    ["a quote is not closed"] = '<a href="x>y</a>',
    ["is not closed by \">\""] = "<b",
    ["must have the class"] = "<span>x</span>",
    ["numeric emoji-id"] = "<tg-emoji>x</tg-emoji>",
    ["there is no argument 1"] = "%s",
    ["within another"] =
      "<blockquote>a<blockquote>b</blockquote></blockquote>",
  } do check.raises(words, format.html, template) end
  check.raises("has 0 places, got 1", format.html, "x", 1)
  check.raises("argument 1 must be a number", format.html, "%d", "x")
  check.raises("argument 2 must be a text", format.html, "%s%s", 1, nil)
  check.raises("needs a template, got nil", format.html)
end

function case.markdown_templates()
  local function md(text, html, ...)
    is(format.markdown(text, ...), html)
  end
  md("*b* _i_ __u__ ~s~ ||p|| `c`", "<b>b</b> <i>i</i> <u>u</u> <s>s</s> "
    .. "<tg-spoiler>p</tg-spoiler> <code>c</code>")
  md("*b _i_ %s*", "<b>b <i>i</i> *x*</b>", "*x*")
  md("__u _i_ __", "<u>u <i>i</i> </u>")
  md("1\\.5 \\*no\\* 100%%", "1.5 *no* 100%")
  md("[t %s](https://e.org/%s?a\\)b)",
    '<a href="https://e.org/7?a)b">t x</a>', "x", 7)
  md("[you](tg://user?id=7)", '<a href="tg://user?id=7">you</a>')
  md("![👍](tg://emoji?id=5)", '<tg-emoji emoji-id="5">👍</tg-emoji>')
  md("```lua\nx = *1*\n```", '<pre><code class="language-lua">x = *1*\n'
    .. "</code></pre>")
  md("`a\\`b`", "<code>a`b</code>")
  md("`%s`", "<code>f*g</code>", "f*g")
  for words, template in pairs {
    ["byte 3 of the template: the sign \".\" is written \"\\.\""] = "a .",
    ["byte 1 of the template: * is not closed"] = "*a",
    ["byte 4 of the template: * stands where _ should"] = "*_a*_",
    ["``` is not closed"] = "```a``",
    ["byte 2 of the template: a \"]\" that closes nothing"] = "a]",
    ["an address needs"] = "[a](b",
    ["needs (tg://emoji"] = "![a](b)",
    ["format.quote"] = ">a",
  } do check.raises(words, format.markdown, template) end
  check.raises("needs a template, got nil", format.markdown)
end

-- Whatever is marked how, its HTML and its escaped texts give the same back.
function case.what_is_written_is_read()
  local signs = { "a", "<", ">", "&", "%", "*", "_", "\\", "`", "]", "|", "é",
    "😀", '"', "\n", " ", "amp;", "." }
  local marks = { format.bold, format.italic, format.underline, format.strike,
    format.spoiler, format.code, format.text }
  for _ = 1, 100 do
    local list = {}
    for i = 1, math.random(12) do
      local text = signs[math.random(#signs)] .. signs[math.random(#signs)]
      list[i] = marks[math.random(#marks)](text)
      check.equal(tostring(format.markdown(
        (format.escape_markdown(text):gsub("%%", "%%%%")))), text)
      check.equal(tostring(format.html(
        (format.escape_html(text):gsub("%%", "%%%%")))), text)
    end
    local piece = format.bold(format.join(list, " "))
    local again = format.html((format.to_html(piece):gsub("%%", "%%%%")))
    check.equal(format.to_html(again), format.to_html(piece))
    assert(again == piece)
  end
end

function case.wrong_values_are_misuse()
  check.raises("format.bold needs a text or a piece", format.bold, {})
  check.raises("format.link needs a text, got nil", format.link, "x")
  check.raises("needs a User", format.mention, "ann")
  check.raises("no function \"bald\"", function() return format.bald end)
  check.raises('got "title"', format.escape_markdown, "x", "title")
end

function case.texts_for_templates_of_ones_own_are_escaped()
  check.equal(format.escape_html('<a & "b">'), "&lt;a &amp; &quot;b&quot;&gt;")
  check.equal(format.escape_markdown("1.5*x_[a](b)!\\"),
    "1\\.5\\*x\\_\\[a\\]\\(b\\)\\!\\\\")
  check.equal(format.escape_markdown("a*`b\\", "code"), "a*\\`b\\\\")
  check.equal(format.escape_markdown("x(y)", "url"), "x(y\\)")
end

function case.a_message_is_a_piece()
  local piece = format.message { text = "ab cd", entities = {
    { type = "bold", offset = 0, length = 2 },
    { type = "italic", offset = 1, length = 3 } } }
  is(piece, "<b>a<i>b</i></b><i> c</i>d")
  is(format.message { caption = "x" }, "x")
  check.equal(format.message {}, nil)
end

-- --- splitting

local function parts_of(x, limit)
  return table.concat(format.split(x, limit), "|")
end

function case.texts_are_split_where_a_reader_expects_it()
  check.equal(parts_of("short", 10), "short")
  check.equal(parts_of("one two three", 8), "one two|three")
  check.equal(parts_of("one two. three four", 14), "one two.|three four")
  check.equal(parts_of("aaaaaa\nbb cccc", 10), "aaaaaa|bb cccc")
  check.equal(parts_of("aaa bb\n\ncc\ndd ee", 11), "aaa bb|cc\ndd ee")
  check.equal(parts_of("abcdefgh", 3), "abc|def|gh")
  check.equal(parts_of("a verylongword", 8), "a|verylong|word")
  check.equal(parts_of("   ", 2), "")
  check.equal(parts_of("", 2), "")
  check.equal(parts_of("äöü äöü", 4), "äöü|äöü")
  check.raises("whole number", format.split, "x", 0)
end

function case.signs_of_several_code_points_stay_whole()
  check.equal(parts_of("ab👍🏽cd", 3), "ab|👍🏽c|d")
  check.equal(parts_of("a👩\u{200D}👧b", 3), "a|👩\u{200D}👧|b")
end

function case.parts_have_entities_of_their_own()
  local parts = format.split(format { format.bold("one two three"), " x" }, 8)
  is(parts[1], "<b>one two</b>")
  is(parts[2], "<b>three</b> x")
  parts = format.split(
    format { "see ", format.link("the page", "https://e.org") }, 10)
  check.equal(#parts, 2)
  is(parts[1], "see")
  is(parts[2], '<a href="https://e.org">the page</a>')
  parts = format.split(format.code("aa bb cc"), 4)
  is(parts[1], "<code>aa b</code>")
end

-- Whatever the text, nothing but white space is lost, and no part is longer.
function case.splitting_loses_nothing()
  local words = { "a", "word", "😀", "é", "ünïcode", "\n", "\n\n", ". ",
    "loooooooooooooooooong" }
  for round = 1, 60 do
    local list = {}
    for i = 1, math.random(80) do
      local word = words[math.random(#words)]
      list[i] = i % 3 == 0 and format.bold(word) or i % 7 == 0
        and format.link(word, "https://e.org") or word
    end
    local whole = format.join(list, round % 2 == 0 and " " or "")
    local limit, got = math.random(1, 30), {}
    for i, part in ipairs(format.split(whole, limit)) do
      assert(#part <= limit)
      got[i] = tostring(part)
      for _, entity in ipairs(part.entities) do
        assert(entity.offset + entity.length <= part.units)
      end
    end
    check.equal((table.concat(got):gsub("%s", "")),
      (tostring(whole):gsub("%s", "")))
  end
end

return case
