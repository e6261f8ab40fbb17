#include "vm/pattern.h"

#include "fixture.h"

#include <lualib.h>

/* The pattern of a text as long as Telegram allows that took 37 s. */
#define WILD "^(.-) (.-) (.-)$x"

static char *repeated(const char *piece, int n)
{
    struct buf b = {0};
    for (int i = 0; i < n; i++)
        buf_puts(&b, piece);
    return b.data;
}

static struct pattern_call call_of(enum pattern_use use, const char *text,
                                   const char *pattern)
{
    return (struct pattern_call){
        .use = use,
        .text = text,
        .len = strlen(text),
        .pattern = pattern,
        .pattern_len = strlen(pattern),
        .most = UINT64_MAX,
    };
}

/* --- the walk agrees with Lua's matcher */

static unsigned pick(struct rng *rng, unsigned n)
{
    return (unsigned)(rng_next(rng) % n);
}

static void make_pattern(struct rng *rng, char *out)
{
    static const char *const pieces[] = {
        "a",    "b",    "x",     ".",    "%a",   "%s",     " ",      "[ab]",
        "[^a]", "*",    "*",     "+",    "-",    "?",      "(",      ")",
        "()",   "%1",   "%2",    "%b()", "%bab", "%f[%a]", "%f[^a]", "^",
        "$",    "%",    "[",     "]",    "[^]",  "%(",     "1",      "%0",
        "%f",   "%z",   "[a-%]", "[^%]", "%A",   "[%W]",   "[x-a]",  "[-a]",
        "[a-]", "[]a]", "[a-c]", "[%a-]"};
    unsigned n = pick(rng, 9);
    out[0] = '\0';
    if (pick(rng, 3) == 0)
        strcat(out, "^");
    while (n-- > 0)
        strcat(out, pieces[pick(rng, sizeof pieces / sizeof pieces[0])]);
    if (pick(rng, 4) == 0)
        strcat(out, "$");
}

static size_t make_text(struct rng *rng, char *out)
{
    static const char letters[] = "ab x()1]-^";
    size_t len = pick(rng, 14);
    for (size_t i = 0; i < len; i++)
        out[i] = letters[pick(rng, sizeof letters - 1)];
    if (len && pick(rng, 20) == 0)
        out[pick(rng, (unsigned)len)] = '\0';
    return len;
}

/* Calls Lua's function with the call's arguments; true: no error. The first
 * two results, or the error, are on the stack. */
static bool ask_lua(lua_State *L, const struct pattern_call *c)
{
    lua_settop(L, 0);
    lua_getglobal(L, c->use == PATTERN_FIND   ? "find"
                     : c->use == PATTERN_GSUB ? "gsub"
                                              : "count");
    lua_pushlstring(L, c->text, c->len);
    lua_pushlstring(L, c->pattern, c->pattern_len);
    if (c->use == PATTERN_GSUB)
        lua_pushliteral(L, "");
    lua_pushinteger(L, c->use == PATTERN_GSUB ? (lua_Integer)c->most
                                              : (lua_Integer)c->start + 1);
    return lua_pcall(L, c->use == PATTERN_GSUB ? 4 : 3, 2, 0) == LUA_OK;
}

static void compare(lua_State *L, const struct pattern_call *c)
{
    struct pattern_walk walk;
    pattern_walk(c, &walk);
    if (!ask_lua(L, c)) {
        const char *why = lua_tostring(L, -1);
        if (!pattern_problem(c->pattern, c->pattern_len))
            fail_msg("\"%s\": no problem seen, but: %s", c->pattern, why);
        if (walk.verdict != PATTERN_RAISES && !strstr(why, "unfinished"))
            fail_msg("\"%s\" on \"%s\": %s", c->pattern, c->text, why);
        return;
    }
    if (c->use == PATTERN_FIND && !strpbrk(c->pattern, "^$*+?.([%-"))
        return; /* Lua searches it as a text */
    lua_Integer from = walk.verdict == PATTERN_MATCH ? walk.from + 1 : 0;
    lua_Integer to = walk.verdict == PATTERN_MATCH ? walk.to : 0;
    bool same = c->use == PATTERN_FIND
                    ? lua_tointeger(L, 1) == from && lua_tointeger(L, 2) == to
                : c->use == PATTERN_GSUB
                    ? lua_tointeger(L, 2) == (lua_Integer)walk.matches
                    : lua_tointeger(L, 1) == (lua_Integer)walk.matches;
    if (!same || walk.verdict > PATTERN_MATCH)
        fail_msg("use %d, \"%s\" on \"%s\" from %zu: verdict %d, %zu to %zu, "
                 "%zu matches",
                 c->use, c->pattern, c->text, c->start, walk.verdict, walk.from,
                 walk.to, (size_t)walk.matches);
}

static void the_walk_agrees_with_lua(void **state)
{
    lua_State *L = luaL_newstate();
    struct rng rng;
    (void)state;

    luaL_openlibs(L);
    assert_int_equal(luaL_dostring(L, "find, gsub = string.find, string.gsub\n"
                                      "function count(s, p, i) local n = 0\n"
                                      "for _ in s:gmatch(p, i) do n = n + 1\n"
                                      "end return n end"),
                     0);
    rng_seed(&rng, 20240611);
    for (int i = 0; i < 60000; i++) {
        char pattern[128], text[16] = {0};
        make_pattern(&rng, pattern);
        size_t len = make_text(&rng, text);
        struct pattern_call c =
            call_of((enum pattern_use)pick(&rng, 3), text, pattern);
        c.len = len;
        c.start = c.use == PATTERN_GSUB ? 0 : pick(&rng, (unsigned)len + 1);
        c.most = pick(&rng, 4);
        compare(L, &c);
    }
    lua_close(L);
}

/* Lua nests 200 deep; a walk that gave up earlier would let patterns pass
 * that Lua still runs. */
static void the_walk_nests_as_deep_as_lua(void **state)
{
    lua_State *L = luaL_newstate();
    static const char *const pieces[] = {"a-", "a?", "a*", "b-", "b*"};
    (void)state;

    luaL_openlibs(L);
    lua_getglobal(L, "string");
    lua_getfield(L, -1, "find");
    lua_setglobal(L, "find");
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        for (int n = 195; n < 205; n++) {
            char *pattern = repeated(pieces[i], n);
            char *text = repeated("a", 3);
            struct pattern_call c = call_of(PATTERN_FIND, text, pattern);
            struct pattern_walk walk;
            pattern_walk(&c, &walk);
            bool ok = ask_lua(L, &c);
            assert_int_equal(walk.verdict == PATTERN_RAISES, !ok);
            free(pattern);
            free(text);
        }
    }
    lua_close(L);
}

/* --- what is refused */

static bool within(enum pattern_use use, const char *text, const char *pattern)
{
    struct pattern_call c = call_of(use, text, pattern);
    return pattern_within(&c);
}

static void wild_patterns_are_refused(void **state)
{
    char *ab = repeated("a b ", 1024);
    char *a = repeated("a", 4096);
    char *maybe = repeated("a?", 40);
    char *all = mem_printf("%s%.40s", maybe, a);
    (void)state;

    assert_false(within(PATTERN_FIND, ab, WILD));
    assert_false(within(PATTERN_GSUB, ab, WILD));
    assert_false(within(PATTERN_FIND, a, "a*a*a*a*b"));
    assert_false(within(PATTERN_FIND, a, ".-.-.-b"));
    assert_false(within(PATTERN_GMATCH, a, "a*b"));
    assert_false(within(PATTERN_FIND, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                        all)); /* short, but 2^40 ways */
    assert_false(within(PATTERN_FIND, a, "(a*)a*%1b"));
    free(ab);
    free(a);
    free(maybe);
    free(all);
}

static void useful_patterns_pass_on_long_texts(void **state)
{
    char *words = repeated("hello world ", 100000);
    char *page = repeated("order 12 of tea, please ", 170);
    (void)state;

    assert_true(within(PATTERN_GMATCH, words, "%S+"));
    assert_true(within(PATTERN_GSUB, words, "%s+"));
    assert_true(within(PATTERN_GSUB, words, "."));
    assert_true(within(PATTERN_GMATCH, words, "([^ ]*) ?"));
    assert_true(within(PATTERN_FIND, words, "^%s*(.-)%s*$"));
    assert_true(within(PATTERN_FIND, page, "order (%d+) of (%w+), now"));
    assert_true(within(PATTERN_FIND, page, "^(%S+)%s+(%S+)%s+(.*)$"));
    assert_true(within(PATTERN_FIND, page, "^/set (.-)=(.+)$"));
    assert_true(within(PATTERN_GMATCH, page, "(%w+) (%d+)"));
    free(words);
    free(page);
}

static void a_walk_stops_at_its_budget(void **state)
{
    char *a = repeated("a", 200000);
    struct pattern_call c = call_of(PATTERN_FIND, a, "^a*a*a*b");
    struct pattern_walk walk;
    (void)state;

    pattern_walk(&c, &walk);
    assert_int_equal(walk.verdict, PATTERN_OVER);
    assert_true(walk.steps > PATTERN_STEPS);
    /* One item runs over the text once after the budget is spent. */
    assert_true(walk.steps <
                PATTERN_STEPS + (PATTERN_STEPS_BYTE + 2) * c.len + 10);
    c.pattern = "%b()", c.pattern_len = 4;
    memset(a, '(', c.len);
    pattern_walk(&c, &walk);
    assert_int_equal(walk.verdict, PATTERN_OVER);
    assert_true(walk.steps <
                PATTERN_STEPS + (PATTERN_STEPS_BYTE + 2) * c.len + 10);
    free(a);
}

static void long_searches_for_a_text_are_bounded(void **state)
{
    char *a = repeated("a", 400000);
    char *needle = mem_printf("%.*sb", 200000, a);
    struct pattern_call c = call_of(PATTERN_FIND, a, needle);
    (void)state;

    assert_false(pattern_plain_within(&c));
    c.pattern_len--; /* without the b it is found at once */
    assert_true(pattern_plain_within(&c));
    c = call_of(PATTERN_FIND, a, "xxxxxxxxxxxx");
    assert_true(pattern_plain_within(&c));
    free(needle);
    free(a);
}

/* --- what is said at load */

static void danger_is_seen_without_a_text(void **state)
{
    static const char *const dangerous[] = {
        WILD,
        "(.-) (.-) (.-) end",
        "^a*a*a*b",
        ".*x.*y.*z",
        "<(.-)>(.-)</(.-)>",
        "^(.-),(.-),(.-),(.-);$",
        "%s*%s*%s*x",
        "^(.*) (.*) [%w ]*!",
        "^(.-)%s*%s*x",
        "(%w+)%w*(%d+)!",
    };
    static const char *const harmless[] = {
        "",
        "^order (%d+)$",
        "^%s*(.-)%s*$",
        "order (%d+)",
        "^[Hh]ello",
        "(%w+)@(%w+)%.(%w+)",
        "^/set (.-) (.+)$",
        "^(%S+)%s+(%S+)%s+(.+)$",
        "(%a+)%s*=%s*(%d+)",
        "weather in (.+) on (.+)",
        "^%s*(%w+)%s*(.*)$",
        "(%d+)%.(%d+)%.(%d+)",
        "^.*(%d+).*$",
        "%s*(.-)%s*$",
        "a?b?c?d?",
        "^(%d+):(%d+):(%d+)$",
        "^(.-)%s*$",
        "%b()",
        "[*+-][*+-][*+-]",
        "^buy (%d+) (%a+) for (%d+)$",
        "(",
        "%",
    };
    (void)state;
    for (size_t i = 0; i < sizeof dangerous / sizeof dangerous[0]; i++)
        if (!pattern_is_dangerous(dangerous[i], strlen(dangerous[i])))
            fail_msg("not seen: %s", dangerous[i]);
    for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++)
        if (pattern_is_dangerous(harmless[i], strlen(harmless[i])))
            fail_msg("harmless: %s", harmless[i]);
}

static void problems_are_named(void **state)
{
    static const char *const rows[][2] = {
        {"x%", "ends with '%'"},           {"[a", "missing ']'"},
        {"%bx", "arguments to '%b'"},      {"%fx", "'[' after '%f'"},
        {"(a", "unfinished capture"},      {"a)", "invalid pattern capture"},
        {"(%1)", "invalid capture index"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *why = pattern_problem(rows[i][0], strlen(rows[i][0]));
        assert_non_null(why);
        assert_non_null(strstr(why, rows[i][1]));
    }
    assert_null(pattern_problem("^(a-)[^]%]]%1%b()%f[%w]$", 24));
}

/* --- in the sandbox */

static void run_text(struct run *r, struct site *s, const char *body)
{
    site_open(s);
    char *text = mem_printf("local long = ('a b '):rep(1024)\n"
                            "local wild = '" WILD "'\n"
                            "t.on(function()\n%s\nend)",
                            body);
    site_load(s, text);
    free(text);
    run_all(r, s);
}

static void each_function_raises_limit_with_the_line(void **state)
{
    static const char *const calls[] = {
        "string.find(long, wild)",
        "long:find(wild)",
        "string.match(long, wild)",
        "long:match(wild, 3)",
        "for _ in long:gmatch('.-.-x') do end",
        "long:gsub(wild, '')",
        "string.gsub(long, wild, print, 1)",
    };
    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        struct site s;
        struct run r;
        char *body = mem_printf("local x\n%s", calls[i]);
        run_text(&r, &s, body);
        assert_int_equal(r.outcome, TASK_ERROR);
        assert_string_equal(r.kind, "limit");
        assert_string_equal(r.script, "main.lua");
        assert_int_equal(r.line, 5);
        assert_non_null(strstr(r.message, "4096 bytes"));
        assert_non_null(strstr(r.message, "moonlet.re"));
        free(body);
        site_close(&s);
    }
}

static void pcall_sees_the_limit_and_goes_on(void **state)
{
    struct site s;
    struct run r;
    (void)state;
    run_text(&r, &s,
             "local ok, e = pcall(long.find, long, wild)\n"
             "t.note(ok, e.kind, e.line)");
    assert_int_equal(r.outcome, TASK_DONE);
    assert_string_equal(site_notes(&s), "false limit 4;");
    site_close(&s);
}

static void results_and_errors_are_those_of_lua(void **state)
{
    static const char *const rows[][2] = {
        {"('hello'):find('l+')", "3 4"},
        {"('hello'):find('(l)(l)', -4)", "3 4 l l"},
        {"('a.b'):find('.', 2, true)", "2 2"},
        {"('x'):find('x', 9)", "nil"},
        {"('k=v'):match('(%w)=(%w)')", "k v"},
        {"(' abc'):match('^%s*()')", "2"},
        {"('abc'):gsub('%w', '%0%0', 2)", "aabbc 2"},
        {"('abc'):gsub('%w', { a = 1 })", "1bc 3"},
        {"('abc'):gsub('b', function(c) return c:upper() end)", "aBc 1"},
        {"string.gsub(12, 1, 2)", "22 1"},
        {"('a,b'):gmatch('%w', 2)()", "b"},
        {"(long .. 'x'):find('.-x')", "1 4097"},
        {"pcall(function() return string.find() end)",
         "false main.lua:4: bad argument #1 to 'find' (string expected, got "
         "no value)"},
        {"pcall(function() return ('x'):gsub('x') end)",
         "false main.lua:4: bad argument #2 to 'gsub' (string/function/table "
         "expected, got no value)"},
        {"pcall(function() return ('x'):find('%') end)",
         "false main.lua:4: malformed pattern (ends with '%')"},
        {"pcall(function() return ('x'):match({}) end)",
         "false main.lua:4: bad argument #1 to 'match' (string expected, got "
         "table)"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct site s;
        struct run r;
        char *body = mem_printf("t.note(%s)", rows[i][0]);
        char *expected = mem_printf("%s;", rows[i][1]);
        run_text(&r, &s, body);
        assert_string_equal(site_notes(&s), expected);
        free(body);
        free(expected);
        site_close(&s);
    }
}

static void waiting_in_a_gsub_callback_is_refused_as_before(void **state)
{
    struct site s;
    struct run r;
    (void)state;
    run_text(&r, &s, "('x'):gsub('x', function() t.wait('a') end)");
    assert_string_equal(r.kind, "misuse");
    assert_non_null(strstr(r.message, "callback of gsub"));
    site_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_walk_agrees_with_lua),
        cmocka_unit_test(the_walk_nests_as_deep_as_lua),
        cmocka_unit_test(wild_patterns_are_refused),
        cmocka_unit_test(useful_patterns_pass_on_long_texts),
        cmocka_unit_test(a_walk_stops_at_its_budget),
        cmocka_unit_test(long_searches_for_a_text_are_bounded),
        cmocka_unit_test(danger_is_seen_without_a_text),
        cmocka_unit_test(problems_are_named),
        cmocka_unit_test(each_function_raises_limit_with_the_line),
        cmocka_unit_test(pcall_sees_the_limit_and_goes_on),
        cmocka_unit_test(results_and_errors_are_those_of_lua),
        cmocka_unit_test(waiting_in_a_gsub_callback_is_refused_as_before),
    };
    return FIXTURE_RUN(tests);
}
