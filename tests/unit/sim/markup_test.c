/* parse_mode: what comes out of a marked text, and what is refused. */
#include "fixture.h"

#include "base/rng.h"
#include "sim/markup.h"
#include "sim/params.h"
#include "sim/world.h"

struct row {
    enum markup_mode mode;
    const char *text;
    const char *plain;
    const char *entities; /* NULL: plain is the reason of a refusal */
};

#define E(offset, length, type)                                                \
    "{\"offset\":" #offset ",\"length\":" #length ",\"type\":\"" type "\"}"
#define X(offset, length, type, more)                                          \
    "{\"offset\":" #offset ",\"length\":" #length ",\"type\":\"" type          \
    "\"," more "}"
#define MUST_ESCAPE(c)                                                         \
    "Character '" c "' is reserved and must be escaped with the preceding "    \
    "'\\'"

static const struct row rows[] = {
    {MARKUP_NONE, "<b>*x*", "<b>*x*", "[]"},
    {MARKUP_HTML, "a <b>b</b> c", "a b c", "[" E(2, 1, "bold") "]"},
    {MARKUP_HTML, "<B>x</b><i></i>", "x", "[" E(0, 1, "bold") "]"},
    {MARKUP_HTML, "<b>x<i>y</i></b>", "xy",
     "[" E(0, 2, "bold") "," E(1, 1, "italic") "]"},
    {MARKUP_HTML, "\xf0\x9f\x98\x80<u>\xc3\xa4</u>", "\xf0\x9f\x98\x80\xc3\xa4",
     "[" E(2, 1, "underline") "]"},
    {MARKUP_HTML, "1 &lt; 2 &amp;&amp; &#65;&#x42 &nbsp; &",
     "1 < 2 && AB &nbsp; &", "[]"},
    {MARKUP_HTML, "<a href=\"http://a.b/c?d&amp;e\">x</a>", "x",
     "[" X(0, 1, "text_link", "\"url\":\"http://a.b/c?d&e\"") "]"},
    {MARKUP_HTML, "<a href='a.b'>x</a> <a>c.d</a> <a href=\"no\">y</a>",
     "x c.d y",
     "[" X(0, 1, "text_link", "\"url\":\"http://a.b/\"") "," X(
         2, 3, "text_link", "\"url\":\"http://c.d/\"") "]"},
    {MARKUP_HTML, "<pre><code class=\"language-c\">int</code></pre>", "int",
     "[" X(0, 3, "pre", "\"language\":\"c\"") "]"},
    {MARKUP_HTML, "<code class=language-c><pre>i</pre></code>", "i",
     "[" X(0, 1, "pre", "\"language\":\"c\"") "]"},
    {MARKUP_HTML, "<code class=\"language-c\">i</code>", "i",
     "[" E(0, 1, "code") "]"},
    {MARKUP_HTML,
     "<span class=\"tg-spoiler\">a</span><tg-spoiler>b</tg-spoiler>", "ab",
     "[" E(0, 1, "spoiler") "," E(1, 1, "spoiler") "]"},
    {MARKUP_HTML, "<blockquote expandable>q</blockquote>", "q",
     "[" E(0, 1, "expandable_blockquote") "]"},
    {MARKUP_HTML, "<tg-emoji emoji-id=\"53\">!</tg-emoji>", "!",
     "[" X(0, 1, "custom_emoji", "\"custom_emoji_id\":\"53\"") "]"},
    {MARKUP_HTML, "<tg-time unix=\"99\" format=\"r\">then</tg-time>", "then",
     "[" X(0, 4, "date_time",
           "\"unix_time\":99,\"date_time_format\":\"r\"") "]"},
    {MARKUP_HTML, "<s>x</>", "x", "[" E(0, 1, "strikethrough") "]"},
    {MARKUP_HTML, "x<b>y",
     "Can't find end tag corresponding to start tag \"b\"", NULL},
    {MARKUP_HTML, "a </b>", "Unexpected end tag at byte offset 2", NULL},
    {MARKUP_HTML, "<br/>x", "Unsupported start tag \"br/\" at byte offset 0",
     NULL},
    {MARKUP_HTML, "1 <2", "Unclosed start tag at byte offset 2", NULL},
    {MARKUP_HTML, "1 < 2 > 0", "Unsupported start tag \"\" at byte offset 2",
     NULL},
    {MARKUP_HTML, "<b><i>x</b></i>",
     "Unmatched end tag at byte offset 7, expected \"</i>\", found \"</b>\"",
     NULL},
    {MARKUP_HTML, "<b>x</b", "Unclosed end tag at byte offset 4", NULL},
    {MARKUP_HTML, "<span>x</span>",
     "Tag \"span\" must have class \"tg-spoiler\" at byte offset 0", NULL},
    {MARKUP_HTML, "<a href=x_y>x</a>",
     "Unexpected end of name token at byte offset 8", NULL},
    {MARKUP_HTML, "<a =>x</a>",
     "Empty attribute name in the tag \"a\" at byte offset 0", NULL},
    {MARKUP_HTML, "<a href=\"x", "Unclosed start tag \"a\" at byte offset 0",
     NULL},
    {MARKUP_HTML, "<tg-emoji>x</tg-emoji>",
     "Invalid custom emoji identifier specified", NULL},
    {MARKUP_MARKDOWN, "a *b* _c_ `d` \\*e\\_", "a b c d *e_",
     "[" E(2, 1, "bold") "," E(4, 1, "italic") "," E(6, 1, "code") "]"},
    {MARKUP_MARKDOWN, "*a_b*", "a_b", "[" E(0, 3, "bold") "]"},
    {MARKUP_MARKDOWN, "[x](http://a.b) [c.d]", "x c.d",
     "[" X(0, 1, "text_link", "\"url\":\"http://a.b/\"") "," X(
         2, 3, "text_link", "\"url\":\"http://c.d/\"") "]"},
    {MARKUP_MARKDOWN, "```c\nint```", "int",
     "[" X(0, 3, "pre", "\"language\":\"c\"") "]"},
    {MARKUP_MARKDOWN, "```\nx\n```", "x\n", "[" E(0, 2, "pre") "]"},
    {MARKUP_MARKDOWN, "snake_case",
     "Can't find end of the entity starting at byte offset 5", NULL},
    {MARKUP_MARKDOWN_V2, "*b* _i_ __u__ ~s~ ||p||", "b i u s p",
     "[" E(0, 1, "bold") "," E(2, 1, "italic") "," E(4, 1, "underline") "," E(
         6, 1, "strikethrough") "," E(8, 1, "spoiler") "]"},
    {MARKUP_MARKDOWN_V2, "*a _b_*", "a b",
     "[" E(0, 3, "bold") "," E(2, 1, "italic") "]"},
    {MARKUP_MARKDOWN_V2, "1\\.5 \\- \\\\ `a.b-c`", "1.5 - \\ a.b-c",
     "[" E(8, 5, "code") "]"},
    {MARKUP_MARKDOWN_V2, "[a\\.b](http://c.d/e\\)f)", "a.b",
     "[" X(0, 3, "text_link", "\"url\":\"http://c.d/e)f\"") "]"},
    {MARKUP_MARKDOWN_V2, "![e](tg://emoji?id=53)", "e",
     "[" X(0, 1, "custom_emoji", "\"custom_emoji_id\":\"53\"") "]"},
    {MARKUP_MARKDOWN_V2, "```lua\nx = 1\n```", "x = 1\n",
     "[" X(0, 6, "pre", "\"language\":\"lua\"") "]"},
    {MARKUP_MARKDOWN_V2, ">a\n>b\nc", "a\nb\nc", "[" E(0, 4, "blockquote") "]"},
    {MARKUP_MARKDOWN_V2, ">a\n>b||", "a\nb",
     "[" E(0, 3, "expandable_blockquote") "]"},
    {MARKUP_MARKDOWN_V2, "Hi.", MUST_ESCAPE("."), NULL},
    {MARKUP_MARKDOWN_V2, "a > b", MUST_ESCAPE(">"), NULL},
    {MARKUP_MARKDOWN_V2, "a | b", MUST_ESCAPE("|"), NULL},
    {MARKUP_MARKDOWN_V2, "a!", MUST_ESCAPE("!"), NULL},
    {MARKUP_MARKDOWN_V2, "x *b",
     "Can't find end of Bold entity at byte offset "
     "2",
     NULL},
    {MARKUP_MARKDOWN_V2, "```c\nx",
     "Can't find end of PreCode entity at byte "
     "offset 0",
     NULL},
    {MARKUP_MARKDOWN_V2, "[a](b", "Can't find end of a URL at byte offset 4",
     NULL},
    {MARKUP_MARKDOWN_V2, "![a]",
     "The entity must contain a tg://emoji or tg://time URL", NULL},
    {MARKUP_MARKDOWN_V2, "![a](x)",
     "Invalid tg://emoji or tg://time URL specified", NULL},
    {MARKUP_MARKDOWN_V2, ">*a\n",
     "Can't find end of Bold entity at byte offset 1", NULL},
};

static void texts_lose_their_marks(void **state)
{
    struct world w = {0};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *r = &rows[i];
        struct buf out = {0};
        json_t *entities = NULL;
        bool fine = markup_parse(&w, r->mode, r->text, strlen(r->text), &out,
                                 &entities);
        if (fine != (r->entities != NULL))
            fail_msg("%s: %s", r->text, out.data);
        assert_string_equal(out.data, r->plain);
        if (fine)
            same_json(entities, r->entities);
        json_decref(entities);
        buf_free(&out);
    }
}

static void people_are_linked(void **state)
{
    struct fixture *f = *state;
    json_t *m = result(api(f, "sendMessage",
                           "{\"chat_id\":1001,\"parse_mode\":\"HTML\",\"text\":"
                           "\"<a href='tg://user?id=1001'>Ann</a> <a href="
                           "'tg://user?id=5'>no</a> /go <code>/no</code>\"}"));
    assert_string_equal(text_at(m, "text"), "Ann no /go /no");
    assert_int_equal(json_array_size(at(m, "entities")), 3);
    assert_int_equal(int_at(m, "entities.0.user.id"), 1001);
    assert_string_equal(text_at(m, "entities.1.type"), "bot_command");
    assert_int_equal(int_at(m, "entities.1.offset"), 7);
    assert_string_equal(text_at(m, "entities.2.type"), "code");
}

static void it_counts_where_texts_go(void **state)
{
    struct fixture *f = *state;
    json_t *m = result(api(f, "sendPhoto",
                           "{\"chat_id\":1001,\"photo\":\"F\",\"caption\":"
                           "\"*c*\",\"parse_mode\":\"MarkdownV2\"}"));
    assert_string_equal(text_at(m, "caption"), "c");
    assert_string_equal(text_at(m, "caption_entities.0.type"), "bold");
    m = result(api(f, "editMessageCaption",
                   "{\"chat_id\":1001,\"message_id\":1,\"caption\":"
                   "\"<i>d</i>\",\"parse_mode\":\"html\"}"));
    assert_string_equal(text_at(m, "caption"), "d");
    m = result(api(f, "editMessageMedia",
                   "{\"chat_id\":1001,\"message_id\":1,\"media\":{\"type\":"
                   "\"photo\",\"media\":\"G\",\"caption\":\"_e_\","
                   "\"parse_mode\":\"Markdown\"}}"));
    assert_string_equal(text_at(m, "caption_entities.0.type"), "italic");
    m = result(
        api(f, "sendMediaGroup",
            "{\"chat_id\":1001,\"media\":[{\"type\":\"photo\",\"media\":"
            "\"P\",\"caption\":\"<b>f</b>\",\"parse_mode\":\"HTML\"}]}"));
    assert_string_equal(text_at(m, "0.caption"), "f");
    result(api(f, "copyMessage",
               "{\"chat_id\":1001,\"from_chat_id\":1001,\"message_id\":1,"
               "\"caption\":\"<u>g</u>\",\"parse_mode\":\"HTML\"}"));
    json_t *seen = fine(get(f, "/sim/chats/1001/messages"));
    assert_string_equal(text_at(seen, "2.caption"), "g");
    fails(api(f, "sendMessage",
              "{\"chat_id\":1001,\"text\":\"a.b\",\"parse_mode\":"
              "\"MarkdownV2\"}"),
          400, "Bad Request: can't parse entities: " MUST_ESCAPE("."));
    fails(api(f, "sendMessage",
              "{\"chat_id\":1001,\"text\":\"<b> </b>\",\"parse_mode\":"
              "\"HTML\"}"),
          400, "Bad Request: text must be non-empty");
}

/* The length counts after the marks are gone. */
static void marks_do_not_count(void **state)
{
    struct fixture *f = *state;
    struct buf b = {0};
    buf_puts(&b, "{\"chat_id\":1001,\"parse_mode\":\"HTML\",\"text\":\"<b>");
    for (int i = 0; i < 4096; i++)
        buf_puts(&b, "&lt;");
    buf_puts(&b, "</b>\"}");
    json_t *m = result(api(f, "sendMessage", b.data));
    assert_int_equal(strlen(text_at(m, "text")), 4096);
    buf_free(&b);
}

/* Whatever is sent: the parsers end, and what they let pass is UTF-8 with
 * entities inside of it. */
static void nonsense_ends(void **state)
{
    static const char *const pieces[] = {
        "*",        "_",  "__", "~",   "||",  "|",       "`",
        "```",      "[",  "](", ")",   ">",   "\n",      "\\",
        "!",        "![", "<",  "</",  "b>",  "a href=", "'",
        "\"",       "/>", "&",  "#x",  "lt;", " ",       "x",
        "\xc3\xa4", "=",  "i>", "pre", ".b",  "\r",      "tg://emoji?id=5",
        "<code>"};
    struct world w = {0};
    struct rng rng;
    (void)state;
    rng_seed(&rng, 11);
    for (int i = 0; i < 60000; i++) {
        char text[256] = "";
        int count = (int)rng_below(&rng, 12);
        for (int k = 0; k < count; k++)
            strcat(text,
                   pieces[rng_below(&rng, sizeof(pieces) / sizeof(pieces[0]))]);
        struct buf out = {0};
        json_t *entities = NULL;
        size_t at;
        json_t *one;
        if (markup_parse(&w, (enum markup_mode)(1 + i % 3), text, strlen(text),
                         &out, &entities))
            assert_true(params_utf8_length(out.data, out.len) >= 0);
        json_array_foreach(entities, at, one)
        {
            assert_true(int_at(one, "length") > 0);
            assert_true(int_at(one, "offset") + int_at(one, "length") <=
                        (json_int_t)out.len);
        }
        json_decref(entities);
        buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_lose_their_marks), SIM_TEST(people_are_linked),
        SIM_TEST(it_counts_where_texts_go),       SIM_TEST(marks_do_not_count),
        cmocka_unit_test(nonsense_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
