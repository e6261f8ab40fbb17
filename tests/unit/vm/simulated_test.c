#include "simulated_fixture.h"

/* probe2.box(n): a userdata with n user values. */
static int make_box(lua_State *L)
{
    lua_newuserdatauv(L, 8, (int)luaL_checkinteger(L, 1));
    return 1;
}

static int open_boxes(lua_State *L)
{
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, make_box);
    lua_setfield(L, -2, "box");
    return 1;
}

/* What a script notes while it loads. */
static void check_notes(const char *script, const char *notes)
{
    struct site s;
    open_simulated(&s, 1);
    s.modules[1] = (struct vm_module){"boxes", open_boxes};
    site_load(&s, script);
    const char *seen = site_notes(&s);
    if (strcmp(seen, notes) != 0)
        fail_msg("notes %s\nnot   %s\n%s", seen, notes, script);
    close_simulated(&s);
}

struct row {
    const char *script, *notes;
};

static void check_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check_notes(rows[i].script, rows[i].notes);
}

#define CHECK_ROWS(rows) check_rows((rows), sizeof(rows) / sizeof *(rows))

#define WALK "local function walk(x) for k in pairs(x) do t.note(k) end end "

static const struct row orders[] = {
    {WALK "walk { 10, 20, 30 }", "1;2;3;"},
    {WALK "walk { z = 1, [3] = 1, a = 1, [-2] = 1, [1] = 1, aa = 1, [''] = 1, "
          "[2.5] = 1, [true] = 1, [false] = 1, [1 << 62] = 1, [-1/0] = 1, "
          "[1e300] = 1, ['a\\0'] = 1 }",
     "-inf;-2;1;2.5;3;4611686018427387904;1e+300;;a;a;aa;z;false;true;"},
    {WALK "local x = {} for i = 1, 100 do x['k' .. i % 10 .. i] = i end "
          "for i = 1, 100 do if i > 3 then x['k' .. i % 10 .. i] = nil end end "
          "walk(x)",
     "k11;k22;k33;"},
    /* objects in the order in which they were made */
    {"local boxes = require 'boxes' local made, x = {}, {}\n"
     "local makers = { function() return {} end,\n"
     "  function() local up = {} return function() return up end end,\n"
     "  function() return coroutine.create(print) end,\n"
     "  function() return coroutine.wrap(print) end }\n"
     "for n = 0, 5 do makers[#makers + 1] = function()\n"
     "  return boxes.box(n) end end\n"
     "for i = 1, 60 do made[i] = makers[i % #makers + 1]() end\n"
     "for i = 60, 1, -1 do x[made[i]] = i end\n"
     "local last = 0\n"
     "for k, i in pairs(x) do assert(i == last + 1, i) last = i end\n"
     "t.note(last)",
     "60;"},
    {"for k in pairs(utf8) do t.note(k) end",
     "char;charpattern;codepoint;codes;len;offset;"},
    {"local n = {} for k in pairs(_G) do n[#n + 1] = k end "
     "t.note(n[1], n[2], n[3])",
     "_G _VERSION assert;"},
    {"local x, k = { b = 1, a = 2, [5] = 3 } "
     "repeat k = next(x, k) t.note(k) until k == nil",
     "5;a;b;nil;"},
    {"t.note(require 'cjson'.encode { z = 1, b = { y = 1, x = 2 }, a = 3 })",
     "{\"a\":3,\"b\":{\"x\":2,\"y\":1},\"z\":1};"},
    {"t.note(require 'cjson'.new().encode { z = 1, y = 2, [7] = 3, x = 4 })",
     "{\"7\":3,\"x\":4,\"y\":2,\"z\":1};"},
};

static void tables_are_walked_in_order(void **state)
{
    (void)state;
    CHECK_ROWS(orders);
}

static const struct row semantics[] = {
    /* what is removed does not come, what is assigned comes */
    {"local x = { a = 1, b = 2, c = 3, d = 4 } for k, v in pairs(x) do "
     "t.note(k, v) x[k] = nil x.c = nil if x.d then x.d = 5 end end "
     "t.note(next(x))",
     "a 1;b 2;d 5;nil;"},
    {"local x = { 1, 2, 3 } for i in next, x do x[i] = nil t.note(i) end "
     "t.note(next(x))",
     "1;2;3;nil;"},
    {"local x, n = {}, 0 for i = 1, 50 do x[i] = i x['k' .. i] = i end "
     "while next(x) do x[next(x)] = nil n = n + 1 end t.note(n)",
     "100;"},
    {"local x = setmetatable({}, { __pairs = function(me) "
     "return function(_, k) if not k then return 1, me end end, me, nil end }) "
     "for k, v in pairs(x) do t.note(k, v == x) end",
     "1 true;"},
    {"local x = { a = 1, b = 2 } for i in pairs(x) do for j in pairs(x) do "
     "t.note(i .. j) end end",
     "aa;ab;ba;bb;"},
    {"local x = { a = 1, b = 2 } local f, s, c = pairs(x) "
     "t.note(f(s, c)) t.note(f(s, 'a')) t.note(f(s, 'b')) "
     "x.c = 3 t.note(f(s)) t.note(c)",
     "a 1;b 2;nil;a 1;nil;"},
    {"t.note(next({}), #{ 1, 2 }, select('#', next({ 7 })))", "nil 2 2;"},
};

static void walking_means_what_it_means_in_lua(void **state)
{
    (void)state;
    CHECK_ROWS(semantics);
}

/* Errors, and whatever shows no order and no address. */
static const char *const alike[] = {
    "for _ in pairs(5) do end",
    "for _ in pairs() do end",
    "for _ in pairs(nil) do end",
    "for _ in next, 'x' do end",
    "next()",
    "pairs(setmetatable({}, { __pairs = function() error 'mine' end }))",
    "return pairs(setmetatable({}, { __pairs = function() return 1 end }))",
    "tostring()",
    "tostring(setmetatable({}, { __tostring = function() end }))",
    "return ('%s'):format(setmetatable({}, { __tostring = function() "
    "return 'me' end }))",
    "return ('%s'):format(setmetatable({}, { __tostring = function() "
    "return 1 end }))",
    "return string.format('%s %d', 'x')",
    "return string.format('%y', {})",
    "return string.format('%')",
    "return string.format('%5')",
    "return string.format('%s', nil, {}), string.format('%p', nil)",
    "return string.format('%123s', {})",
    "return string.format({})",
    "return string.format('%d', {})",
    "return string.format(5), string.format('%d%%', 3), ('%c'):format(65)",
    "return string.format('a\\0%s%q', 'b', 'c')",
    "math.randomseed('x')",
    "math.randomseed(1.5)",
    "return math.randomseed(3, 4), math.random(1 << 40)",
    "return math.random(2, 1)",
    "return os.date('!%F', 0), os.date(nil, 0), os.date('%Ez', 0)",
    "return os.time { year = 2024 }",
    "return os.time { year = 2024, month = 2, day = 30 }",
    "return os.date('%d', {})",
    "collectgarbage 'stop'",
    "return collectgarbage 'collect', collectgarbage 'step' ~= nil",
};

static char *note_in(const char *code, bool simulated)
{
    struct site s;
    open_simulated(&s, 1);
    s.host.simulated = simulated;
    char *main = mem_printf("t.note(pcall(function() %s end))", code);
    site_load(&s, main);
    free(main);
    char *notes = mem_strdup(site_notes(&s));
    close_simulated(&s);
    return notes;
}

static void the_rest_is_as_without_simulation(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof alike / sizeof *alike; i++) {
        char *real = note_in(alike[i], false);
        char *simulated = note_in(alike[i], true);
        if (strcmp(real, simulated) != 0)
            fail_msg("%s\n%s\n%s", alike[i], real, simulated);
        free(real);
        free(simulated);
    }
}

/* Of many sizes, with equal elements, with and without a function, and in the
 * forms in which quicksort divides badly. */
static const char sorts[] =
    "local function check(x, less)\n"
    "  local count = {} for _, v in ipairs(x) do\n"
    "    count[v] = (count[v] or 0) + 1 end\n"
    "  table.sort(x, less)\n"
    "  for i, v in ipairs(x) do count[v] = count[v] - 1\n"
    "    if i > 1 then assert(not (less or function(a, b) return a < b end)\n"
    "      (v, x[i - 1])) end end\n"
    "  for _, n in pairs(count) do assert(n == 0) end end\n"
    "local function up(a, b) return a < b end\n"
    "local function down(a, b) return a > b end\n"
    "for _, n in ipairs { 0, 1, 2, 3, 127, 128, 129, 400 } do\n"
    "  for _, less in ipairs { false, up, down } do\n"
    "    for _, form in ipairs {\n"
    "        function(i) return i end, function(i) return -i end,\n"
    "        function() return math.random(1000) end,\n"
    "        function() return math.random(5) end,\n"
    "        function(i) return math.min(i, n - i) end } do\n"
    "      local x = {} for i = 1, n do x[i] = form(i) end\n"
    "      check(x, less or nil) end end end\n"
    "t.note(pcall(function() local x = {} for i = 1, 300 do x[i] = {} end\n"
    "  table.sort(x) end))\n"
    "t.note(pcall(function() local x = {} for i = 1, 300 do x[i] = i end\n"
    "  table.sort(x, 5) end))\n"
    "t.note(pcall(function() local x = {} for i = 1, 300 do x[i] = i end\n"
    "  table.sort(x, function() error 'mine' end) end))";

static void large_tables_are_sorted(void **state)
{
    (void)state;
    check_notes(
        sorts,
        "false attempt to compare two table values;"
        "false main.lua:23: bad argument #2 to 'sort' (function expected, got "
        "number);false main.lua:25: mine;");
}

/* Lets a quicksort divide as badly as it can: what is compared is decided
 * only then, and the pivot always becomes small. */
static const char adversary[] =
    "local value, solid, candidate, steps = {}, 0, 0, 0\n"
    "local x = {} for i = 1, 2000 do x[i] = i end\n"
    "local function settle(i) value[i], solid = solid, solid + 1 end\n"
    "local function less(a, b)\n"
    "  steps = (steps * 31 + a * 7 + b) & 0xffffffff\n"
    "  if not value[a] and not value[b] then\n"
    "    settle(a == candidate and a or b) end\n"
    "  if not value[a] then candidate = a\n"
    "  elseif not value[b] then candidate = b end\n"
    "  return (value[a] or 1e9) < (value[b] or 1e9)\n"
    "end\n"
    "t.note(pcall(table.sort, x, less)) t.note(steps)";

static char *note_sorting(void)
{
    struct site s;
    open_simulated(&s, 1);
    site_load(&s, adversary);
    char *notes = mem_strdup(site_notes(&s));
    close_simulated(&s);
    return notes;
}

static void sorting_takes_the_same_steps(void **state)
{
    char *first = note_sorting();
    (void)state;
    for (int i = 0; i < 5; i++) {
        char *again = note_sorting();
        assert_string_equal(first, again);
        free(again);
    }
    free(first);
}

static void an_iterator_of_scripts_may_wait(void **state)
{
    struct run r;
    struct site s;
    (void)state;
    open_simulated(&s, 1);
    site_load(&s, "t.on(function() local x = setmetatable({}, { __pairs = "
                  "function() t.sleep(5) return next, { b = 1, a = 2 } end }) "
                  "for k, v in pairs(x) do t.note(k, v) end end)");
    run_all(&r, &s);
    assert_string_equal(site_notes(&s), "a 2;b 1;");
    close_simulated(&s);
}

static const struct row texts[] = {
    {"local a, b = {}, {} t.note(tostring(b), tostring(a), tostring(b))",
     "table: 1 table: 2 table: 1;"},
    {"t.note(tostring(print), tostring(function() end))",
     "function: 1 function: 2;"},
    {"t.note(tostring(coroutine.create(print)))", "thread: 1;"},
    {"t.note(tostring(require 'boxes'.box(1)))", "userdata: 1;"},
    {"t.note(tostring(require 'cjson'.null))", "userdata: (nil);"},
    {"t.note(tostring(setmetatable({}, { __name = 'Thing' })))", "Thing: 1;"},
    {"t.note(tostring(setmetatable({}, { __name = {} })))", "table: 1;"},
    {"t.note(tostring(setmetatable({}, { __tostring = function() "
     "return 'me' end })))",
     "me;"},
    {"t.note(tostring(nil), tostring(1), tostring(1.0), tostring 'x', "
     "tostring(true))",
     "nil 1 1.0 x true;"},
    {"local a = {} t.note(('%s %5d %-12s|%%s %q'):format({}, 7, a, 'x'))",
     "table: 1     7 table: 2    |%s \"x\";"},
    {"local a = {} t.note(('%p %-6p| %s %p %p'):format({}, a, a, 5, 'x'))",
     "0x1 0x2   | table: 2 (null) 0x3;"},
    {"t.note(string.format('100%%'), string.format('%5.1f%%', 3))",
     "100%   3.0%;"},
    {"t.note(pcall(function() string[{}] = nil end))", "true;"},
    {"t.note(collectgarbage 'count', collectgarbage 'step', "
     "collectgarbage())",
     "0.0 true 0;"},
};

/* t.note itself uses Lua's own tostring: the scripts make the texts. */
static void no_text_shows_an_address(void **state)
{
    (void)state;
    CHECK_ROWS(texts);
}

static void the_log_shows_no_address(void **state)
{
    struct site s;
    (void)state;
    open_simulated(&s, 1);
    site_load(&s, "print({}, print)\n"
                  "t.on(function() string[{}] = 1 end)");
    assert_int_equal(site_logged(&s, "table: 1\\tfunction: 2"), 1);
    struct run r;
    run_all(&r, &s);
    assert_non_null(strstr(r.message, "string.table: 3: the library is"));
    close_simulated(&s);
}

#define TELL                                                                   \
    "t.note(os.time(), os.date('!%Y-%m-%d %H:%M:%S'), os.clock(), "            \
    "os.date('!*t').sec, os.time{year = 2024, month = 1, day = 2} > 0, "       \
    "os.date('!%H', 0))"

static void time_is_the_clocks(void **state)
{
    struct run r;
    struct site s;
    (void)state;
    open_simulated(&s, 1);
    site_load(&s, TELL " t.on(function() t.sleep(90500) " TELL " end)");
    assert_string_equal(site_notes(&s),
                        "1700000000 2023-11-14 22:13:20 0.0 20 true 00;");
    run_all(&r, &s);
    assert_string_equal(site_notes(&s),
                        "1700000090 2023-11-14 22:14:50 90.5 50 true 00;");
    close_simulated(&s);
}

/* A real clock that was put forward counts as well. */
static void time_follows_a_clock_that_was_put_forward(void **state)
{
    struct site s;
    (void)state;
    site_open_on(&s, false);
    clock_advance_to(&s.clock, clock_ns(&s.clock) + 86400000000000u);
    int64_t before = clock_unix_ms(&s.clock) / 1000;
    site_load(&s, "t.note(os.time())");
    int64_t told = atoll(site_notes(&s));
    assert_in_range(told, before, clock_unix_ms(&s.clock) / 1000);
    site_close(&s);
}

#define DICE                                                                   \
    "for i = 1, 3 do t.note(math.random(1000000), math.random()) end "         \
    "math.randomseed() t.note(math.random(1000000)) "                          \
    "t.note(math.randomseed()) math.randomseed(5) "                            \
    "t.note(math.random(1000000))"

static char *dice(uint64_t seed, uint64_t id)
{
    struct script_error e;
    struct site s;
    open_simulated(&s, seed);
    site_main(&s, DICE);
    s.g = generation_load(&s.host, id, &e);
    assert_non_null(s.g);
    char *text = mem_strdup(site_notes(&s));
    close_simulated(&s);
    return text;
}

static void chance_comes_from_the_seed(void **state)
{
    char *first = dice(1, 1), *again = dice(1, 1);
    char *other = dice(2, 1), *next = dice(1, 2);
    (void)state;
    assert_string_equal(first, again);
    assert_string_not_equal(first, other);
    assert_string_not_equal(first, next);
    free(first);
    free(again);
    free(other);
    free(next);
}

static const char world[] =
    "local function say(...) print(...) end\n"
    "local seen = setmetatable({}, { __mode = 'k' })\n"
    "local function thing(i) local x = { i }\n"
    "  seen[x] = i\n"
    "  return setmetatable(x, { __gc = function() say('gone', i) end }) end\n"
    "local turn = 0\n"
    "t.on(function()\n"
    "  turn = turn + 1 local turn, set, by_name = turn, {}, {}\n"
    "  for i = 1, 40 do\n"
    "    local x = thing(i) set[x] = math.random(100)\n"
    "    by_name['n' .. math.random(30)] = x\n"
    "    if i % 3 == 0 then by_name['n' .. math.random(30)] = nil end\n"
    "  end\n"
    "  for x, n in pairs(set) do say(x[1], n, x) end\n"
    "  for k, x in pairs(by_name) do say(k, x) t.sleep(math.random(9)) end\n"
    "  for j = 1, 300 * turn do local x = {} for i = 1, 9 do x['k' .. i] = i "
    "end\n"
    "    t.sleep(1) end\n"
    "  local n = 0 for _ in pairs(seen) do n = n + 1 end say('alive', n)\n"
    "  say(os.time(), os.clock(), ('%s'):format(t.note))\n"
    "end)";

static char *log_of_world(uint64_t seed)
{
    static char text[1 << 18];
    struct run runs[3];
    struct site s;
    open_simulated(&s, seed);
    site_load(&s, world);
    for (int i = 0; i < 3; i++)
        run_start(&runs[i], &s);
    loop_run(s.loop);
    for (int i = 0; i < 3; i++)
        if (runs[i].outcome != TASK_DONE)
            fail_msg("%d: %s", runs[i].line, runs[i].message);
    generation_close(s.g); /* the rest of the finalizers */
    s.g = NULL;
    ssize_t n = pread(s.log_fd, text, sizeof text - 1, 0);
    assert_true(n > 10000 && n < (ssize_t)sizeof text - 1);
    text[n] = '\0';
    limits_free(s.host.limits);
    site_close(&s);
    return mem_strdup(text);
}

static void one_seed_gives_one_log(void **state)
{
    char *first = log_of_world(7), *again = log_of_world(7);
    char *other = log_of_world(8);
    (void)state;
    assert_string_equal(first, again);
    assert_string_not_equal(first, other);
    const char *gone = strstr(first, "gone");
    assert_non_null(gone); /* and not only at the end */
    assert_non_null(strstr(gone, "alive"));
    assert_null(strstr(first, "0x"));
    free(first);
    free(again);
    free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_walked_in_order),
        cmocka_unit_test(walking_means_what_it_means_in_lua),
        cmocka_unit_test(the_rest_is_as_without_simulation),
        cmocka_unit_test(large_tables_are_sorted),
        cmocka_unit_test(sorting_takes_the_same_steps),
        cmocka_unit_test(an_iterator_of_scripts_may_wait),
        cmocka_unit_test(no_text_shows_an_address),
        cmocka_unit_test(the_log_shows_no_address),
        cmocka_unit_test(time_is_the_clocks),
        cmocka_unit_test(time_follows_a_clock_that_was_put_forward),
        cmocka_unit_test(chance_comes_from_the_seed),
        cmocka_unit_test(one_seed_gives_one_log),
    };
    return FIXTURE_RUN(tests);
}
