#include "fixture.h"

#include <sys/stat.h>

/* Loads main.lua and returns what it told. */
static const char *told(struct site *s, const char *text)
{
    site_open(s);
    site_load(s, text);
    return site_notes(s);
}

static void dangerous_names_are_absent(void **state)
{
    static const char *const names[] = {
        "io",         "debug",        "package",     "dofile",    "loadfile",
        "os.execute", "os.getenv",    "os.exit",     "os.remove", "os.rename",
        "os.tmpname", "os.setlocale", "string.dump", "('').dump",
    };
    (void)state;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct site s;
        char *text = mem_printf("t.note(%s)", names[i]);
        if (strcmp(told(&s, text), "nil;") != 0)
            fail_msg("%s is there", names[i]);
        free(text);
        site_close(&s);
    }
}

static void nor_can_they_be_required(void **state)
{
    static const char *const names[] = {"io", "debug", "package", "posix"};
    struct site s;
    (void)state;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *text = mem_printf("local ok, e = pcall(require, '%s')\n"
                                "t.note(ok, e.kind)",
                                names[i]);
        assert_string_equal(told(&s, text), "false misuse;");
        free(text);
        site_close(&s);
    }
    assert_string_equal(told(&s, "local o = require 'os'\n"
                                 "t.note(o == os, o.execute, o.remove,\n"
                                 "  require('_G').io, require('string').dump)"),
                        "true nil nil nil nil;");
    site_close(&s);
}

static void the_rest_of_the_library_is_there(void **state)
{
    struct site s;
    (void)state;

    assert_string_equal(
        told(&s, "for _, name in ipairs { 'string.format', 'table.sort',\n"
                 "    'math.floor', 'utf8.char', 'coroutine.wrap',\n"
                 "    'coroutine.close', 'os.time', 'os.date', 'os.clock',\n"
                 "    'os.difftime', 'pcall', 'xpcall', 'select', 'next',\n"
                 "    'rawget', 'setmetatable', 'load', 'require', 'print' }\n"
                 "do\n"
                 "  local value = _G\n"
                 "  for part in name:gmatch('%w+') do value = value[part] end\n"
                 "  if type(value) ~= 'function' then t.note(name) end\n"
                 "end\n"
                 "local names = {}\n"
                 "for name in pairs(os) do table.insert(names, name) end\n"
                 "table.sort(names)\n"
                 "t.note(table.concat(names, ' '))"),
        "clock date difftime time;");
    site_close(&s);
}

static void load_takes_text_and_never_bytecode(void **state)
{
    struct site s;
    (void)state;

    assert_string_equal(
        told(&s,
             "t.note(load('return 1 + 1')())\n"
             "t.note(load('return x', 'name', 't', { x = 'env' })())\n"
             "t.note(pcall(load('return x', 'name', 't', nil)))\n"
             "local parts = { 'return ', '5' }\n"
             "t.note(load(function() return table.remove(parts, 1) end)())\n"
             "t.note(load('x ='))\n"
             "t.note(load('x =', '=mine', 'b'))\n"
             "t.note(load('\\27Lua'))\n"
             "t.note(load('\\27Lua', 'x', 'b'))\n"
             "t.note(load('\\27Lua', 'x', 'bt', {}))\n"
             "x = 'global' t.note(load('return x')())"),
        "2;env;"
        "false [string \"name\"]:1: attempt to index a nil value (upvalue "
        "'_ENV');5;"
        "nil (load):1: unexpected symbol near <eof>;"
        "nil mine:1: unexpected symbol near <eof>;"
        "nil attempt to load a binary chunk (mode is 't');"
        "nil attempt to load a binary chunk (mode is 't');"
        "nil attempt to load a binary chunk (mode is 't');global;");
    site_close(&s);
}

static void a_script_file_is_never_bytecode(void **state)
{
    struct script_error e;
    struct site s;
    (void)state;

    site_open(&s);
    site_write(&s, "a.lua", "\x1bLuaS");
    site_main(&s, "require 'a'");
    assert_null(generation_load(&s.host, 1, &e));
    assert_non_null(strstr(e.message, "attempt to load a binary chunk"));
    script_error_clear(&e);
    site_close(&s);
}

static void print_writes_to_the_log(void **state)
{
    struct site s;
    (void)state;

    told(&s, "print('one', 2, nil, setmetatable({}, {__tostring = function()\n"
             "  return ('long'):rep(500) end}))\n"
             "print()");
    assert_int_equal(site_logged(&s, "script.print"), 2);
    assert_int_equal(site_logged(&s, "one\\t2\\tnil\\tlonglong"), 1);
    site_close(&s);
}

static void warn_writes_to_the_log(void **state)
{
    struct site s;
    (void)state;

    assert_string_equal(
        told(&s, "warn('hot', ' plate') warn('@off') warn('still there')\n"
                 "t.note((pcall(warn)), (pcall(warn, {})))"),
        "false false;");
    assert_int_equal(site_logged(&s, "script.warning"), 2);
    assert_int_equal(site_logged(&s, "hot plate"), 1);
    assert_int_equal(site_logged(&s, "still there"), 1);
    site_close(&s);
}

static void the_collector_cannot_be_switched_off(void **state)
{
    struct site s;
    (void)state;

    assert_string_equal(
        told(&s, "t.note(math.type(collectgarbage('count')))\n"
                 "local weak = setmetatable({ {} }, { __mode = 'v' })\n"
                 "t.note(collectgarbage(), #weak, collectgarbage('collect'))\n"
                 "t.note(type(collectgarbage('step', 100)))\n"
                 "for _, name in ipairs { 'stop', 'restart', 'incremental',\n"
                 "  'generational', 'setpause', 'isrunning', 'x' } do\n"
                 "  local ok, e = pcall(collectgarbage, name)\n"
                 "  t.note(ok, e.kind)\n"
                 "end\n"
                 "local ok, e = pcall(collectgarbage, 'step', -1000000)\n"
                 "t.note(ok, e.kind)"),
        "float;0 0 0;boolean;"
        "false misuse;false misuse;false misuse;false misuse;false misuse;"
        "false misuse;false misuse;false misuse;");
    site_close(&s);
}

static const char shipped[] =
    "local m = setmetatable({ list = {} }, { __index = function(t, name)\n"
    "  if name == 'lazy' then rawset(t, name, 5) return 5 end\n"
    "  error('no ' .. name, 0)\n"
    "end })\n"
    "function m.get() return m.lazy end\n"
    "return m\n";

static void shipped_modules_are_read_only(void **state)
{
    struct site s;
    (void)state;

    site_open(&s);
    s.library[0] =
        (struct vm_source){"moonlet.box", shipped, sizeof shipped - 1};
    site_load(&s, "local box = require 'moonlet.box'\n"
                  "local function try()\n"
                  "  for _, f in ipairs {\n"
                  "    function() box.get = nil end,\n"
                  "    function() box.new = 1 end,\n"
                  "    function() rawset(box, 'get', 1) end,\n"
                  "    function() table.insert(box, 1) end,\n"
                  "    function() require('cjson').encode = 1 end,\n"
                  "    function() setmetatable(box, nil) end } do\n"
                  "    if pcall(f) then t.note('written') end\n"
                  "  end\n"
                  "  local _, e = pcall(function() box.get = 1 end)\n"
                  "  t.note(e.kind, e.message, getmetatable(box))\n"
                  "  t.note(box.get(), box.lazy, pcall(function()\n"
                  "    return box.nothing end))\n"
                  "end\n"
                  "try() t.on(try)");
    struct run r;
    run_all(&r, &s);
    assert_string_equal(site_notes(&s),
                        "misuse box.get: the library is read-only false;"
                        "5 5 false no nothing;"
                        "misuse box.get: the library is read-only false;"
                        "5 5 false no nothing;");
    site_close(&s);
}

static void a_shipped_module_may_be_called_as_a_function(void **state)
{
    static const char text[] =
        "return setmetatable({}, { __call = function(self, a, b)\n"
        "  return self.x, a, b\n"
        "end, __index = function() return 'x' end })";
    struct site s;
    (void)state;

    site_open(&s);
    s.library[0] = (struct vm_source){"moonlet.box", text, sizeof text - 1};
    site_load(&s, "local box = require 'moonlet.box'\n"
                  "t.note(box(1, 2))\n"
                  "t.note(box { 3 } == 'x', getmetatable(box))");
    assert_string_equal(site_notes(&s), "x 1 2;true false;");
    site_close(&s);
}

/* After a call of it, Lua 5.4.4 reads and writes freed memory. */
static void a_metatable_with_concat_is_refused(void **state)
{
    struct site s;
    (void)state;

    assert_string_equal(
        told(&s, "local x = {}\n"
                 "local _, e = pcall(function()\n"
                 "  setmetatable(x, { __concat = function() end })\n"
                 "end)\n"
                 "t.note(e.kind, e.script, e.line, getmetatable(x))\n"
                 "t.note(e.message)\n"
                 "t.note((pcall(setmetatable, x, { __concat = false })))"),
        "misuse main.lua 3 nil;"
        "setmetatable: a metatable cannot have __concat, since Lua 5.4.4 reads "
        "freed memory after a call of it; use a method or a function, such as "
        "join(a, b);"
        "false;");
    site_close(&s);
}

static void in_all_else_setmetatable_is_that_of_lua(void **state)
{
    struct site s;
    (void)state;

    assert_string_equal(
        told(&s, "local x, m = {}, setmetatable({}, {\n"
                 "  __index = { __concat = print } })\n" /* not in m itself */
                 "t.note(setmetatable(x, m) == x, getmetatable(x) == m)\n"
                 "t.note(setmetatable(x, nil) == x, getmetatable(x))\n"
                 "local function try(...)\n"
                 "  local args = table.pack(...)\n"
                 "  local _, e = pcall(function()\n"
                 "    setmetatable(table.unpack(args, 1, args.n))\n"
                 "  end)\n"
                 "  t.note(e)\n"
                 "end\n"
                 "try(1, {})\n"
                 "try({})\n"
                 "try({}, 2)\n"
                 "try(setmetatable({}, { __metatable = 1 }), {})\n"
                 "t.note(select('#', setmetatable({}, {}, 3)))"),
        "true true;true nil;"
        "main.lua:8: bad argument #1 to 'setmetatable' (table expected, got "
        "number);"
        "main.lua:8: bad argument #2 to 'setmetatable' (nil or table "
        "expected, got no value);"
        "main.lua:8: bad argument #2 to 'setmetatable' (nil or table "
        "expected, got number);"
        "main.lua:8: cannot change a protected metatable;"
        "1;");
    site_close(&s);
}

static void internal_modules_are_for_the_library_alone(void **state)
{
    static const char core[] = "return 'core'";
    static const char face[] = "return require 'moonlet.core'";
    struct site s;
    (void)state;

    site_open(&s);
    s.library[0] = (struct vm_source){"moonlet.core", core, sizeof core - 1};
    s.library[1] = (struct vm_source){"moonlet.face", face, sizeof face - 1};
    site_load(&s, "t.note(require 'moonlet.face')\n"
                  "for _, name in ipairs { 'core', 'core.task', 'ctx',\n"
                  "  'answers', 'pieces' } do\n"
                  "  local ok, e = pcall(require, 'moonlet.' .. name)\n"
                  "  t.note(ok, e.message)\n"
                  "end\n"
                  "t.note((pcall(load, 'return require \"moonlet.core\"',\n"
                  "  '=[moonlet.face]')))\n"
                  "local _, e = pcall(function() require 'moonlet.core' end)\n"
                  "t.note(e.kind, e.line)");
    assert_string_equal(site_notes(&s),
                        "core;"
                        "false moonlet has no module \"moonlet.core\";"
                        "false moonlet has no module \"moonlet.core.task\";"
                        "false moonlet has no module \"moonlet.ctx\";"
                        "false moonlet has no module \"moonlet.answers\";"
                        "false moonlet has no module \"moonlet.pieces\";"
                        "false;misuse 9;");
    site_close(&s);
}

static void an_absent_script_stays_absent(void **state)
{
    struct site s;
    (void)state;

    assert_string_equal(told(&s, "for _ = 1, 2 do\n"
                                 "  local ok, e = pcall(require, 'gone')\n"
                                 "  t.note(ok, e.message)\n"
                                 "end"),
                        "false there is no script \"gone\" in SCRIPTS_DIR;"
                        "false there is no script \"gone\" in SCRIPTS_DIR;");
    site_close(&s);
}

static void require_does_not_leave_the_folder(void **state)
{
    static const char *const names[] = {
        "../x",  "..x",    "..",       ".x",     "x.", "a/../../x",
        "a..x",  "/tmp/x", "a/x",      "a\\\\x", "",   "x.lua ",
        "x\\0y", "x%2e",   "\xc3\xa9", "~x",
    };
    (void)state;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct site s;
        char *text = mem_printf("local ok, e = pcall(require, '%s')\n"
                                "t.note(ok, e.kind)",
                                names[i]);
        site_open(&s);
        site_write(&s, "x.lua", "local t = require 'probe' t.note('ran')");
        site_write(&s, "a/x.lua", "local t = require 'probe' t.note('ran')");
        site_write(&s, "a/init.lua", "");
        site_write(&s, "x/init.lua", "local t = require 'probe' t.note('ran')");
        site_load(&s, text);
        if (strcmp(site_notes(&s), "false misuse;") != 0)
            fail_msg("require '%s' was not refused", names[i]);
        free(text);
        site_close(&s);
    }
}

static void a_long_name_is_refused(void **state)
{
    struct site s;
    (void)state;

    assert_string_equal(told(&s, "local ok, e = pcall(require, "
                                 "('a.'):rep(5000) .. 'b')\n"
                                 "t.note(ok, e.kind, #e.message < 600)"),
                        "false misuse true;");
    site_close(&s);
}

static void a_link_is_the_operators_business(void **state)
{
    char link[200], target[200];
    struct site s;
    (void)state;

    site_open(&s);
    site_write(&s, "real/x.txt", "return 'through the link'");
    snprintf(target, sizeof target, "%s/real/x.txt", s.dir);
    snprintf(link, sizeof link, "%s/linked.lua", s.dir);
    assert_int_equal(symlink(target, link), 0);
    site_load(&s, "t.note(require 'linked')");
    assert_string_equal(site_notes(&s), "through the link;");
    site_close(&s);
}

static void files_are_read_only_while_scripts_load(void **state)
{
    struct site s;
    struct run r;
    (void)state;

    site_open(&s);
    site_write(&s, "early.lua", "return 'early'");
    site_write(&s, "late.lua", "return 'late'");
    site_load(&s, "require 'early'\n"
                  "t.on(function()\n"
                  "  t.note(require 'early', require 'cjson' ~= nil)\n"
                  "  require 'late'\n"
                  "end)");
    run_all(&r, &s);
    assert_string_equal(site_notes(&s), "early true;");
    assert_string_equal(r.kind, "misuse");
    assert_string_equal(r.message,
                        "require \"late\" at the top of a script: files are "
                        "read only while scripts load");
    assert_int_equal(r.line, 4);
    site_close(&s);
}

static void what_is_not_built_says_so(void **state)
{
    static const char *const names[] = {
        "broadcast",
        "queue",
        "redis",
    };
    (void)state;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct script_error e;
        struct site s;
        char *text = mem_printf("\nlocal x = require 'moonlet.%s'", names[i]);
        char *expected = mem_printf("not built yet: moonlet.%s", names[i]);
        site_open(&s);
        site_main(&s, text);
        assert_null(generation_load(&s.host, 1, &e));
        assert_string_equal(e.kind, "misuse");
        assert_string_equal(e.message, expected);
        assert_string_equal(e.script, "main.lua");
        assert_int_equal(e.line, 2);
        script_error_clear(&e);
        site_close(&s);
        free(expected);
        free(text);
    }
}

static void an_unknown_moonlet_module_is_never_a_file(void **state)
{
    struct site s;
    (void)state;

    site_open(&s);
    site_write(&s, "moonlet/own.lua", "return 1");
    site_load(&s, "local ok, e = pcall(require, 'moonlet.own')\n"
                  "t.note(ok, e.message)");
    assert_string_equal(site_notes(&s),
                        "false moonlet has no module \"moonlet.own\";");
    site_close(&s);
}

static void a_broken_library_file_is_named(void **state)
{
    struct script_error e;
    struct site s;
    (void)state;

    site_open(&s);
    s.library[0] = (struct vm_source){"moonlet.broken", "x = = 1", 7};
    site_main(&s, "\nrequire 'moonlet.broken'");
    assert_null(generation_load(&s.host, 1, &e));
    assert_string_equal(e.message, "[moonlet.broken]:1: unexpected symbol "
                                   "near '='");
    assert_string_equal(e.script, "main.lua");
    assert_int_equal(e.line, 2);
    script_error_clear(&e);
    site_close(&s);
}

static void cjson_keeps_integers(void **state)
{
    struct site s;
    (void)state;

    assert_string_equal(
        told(&s, "local cjson = require 'cjson'\n"
                 "local v = cjson.decode '{\"id\":-1001234567890123}'\n"
                 "t.note(v.id, cjson.encode(v), cjson.encode({ cjson.null }))\n"
                 "t.note(pcall(cjson.encode, print))\n"
                 "t.note((pcall(cjson.decode, '{')))"),
        "-1001234567890123 {\"id\":-1001234567890123} [null];"
        "false a function cannot be written as JSON;false;");
    site_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dangerous_names_are_absent),
        cmocka_unit_test(nor_can_they_be_required),
        cmocka_unit_test(the_rest_of_the_library_is_there),
        cmocka_unit_test(load_takes_text_and_never_bytecode),
        cmocka_unit_test(a_script_file_is_never_bytecode),
        cmocka_unit_test(print_writes_to_the_log),
        cmocka_unit_test(warn_writes_to_the_log),
        cmocka_unit_test(the_collector_cannot_be_switched_off),
        cmocka_unit_test(shipped_modules_are_read_only),
        cmocka_unit_test(a_shipped_module_may_be_called_as_a_function),
        cmocka_unit_test(a_metatable_with_concat_is_refused),
        cmocka_unit_test(in_all_else_setmetatable_is_that_of_lua),
        cmocka_unit_test(internal_modules_are_for_the_library_alone),
        cmocka_unit_test(an_absent_script_stays_absent),
        cmocka_unit_test(require_does_not_leave_the_folder),
        cmocka_unit_test(a_long_name_is_refused),
        cmocka_unit_test(a_link_is_the_operators_business),
        cmocka_unit_test(files_are_read_only_while_scripts_load),
        cmocka_unit_test(what_is_not_built_says_so),
        cmocka_unit_test(an_unknown_moonlet_module_is_never_a_file),
        cmocka_unit_test(a_broken_library_file_is_named),
        cmocka_unit_test(cjson_keeps_integers),
    };
    return FIXTURE_RUN(tests);
}
