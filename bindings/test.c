/*
 * moonlet.test.core: what the library for specs is made of. Not for scripts
 * of authors.
 */
#include "bindings/test.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/embedded.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "bindings/coverage.h"
#include "bindings/support.h"
#include "bindings/test_http.h"
#include "bindings/test_limit.h"
#include "bindings/test_request.h"
#include "loop/loop.h"
#include "net/http_client.h"
#include "sim/sim.h"
#include "vm/lua_json.h"

#include <lauxlib.h>
#include <lualib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S 1e9
#define SETTINGS_MAX 60
/* Turns without an event and without time: a bot that never rests. */
#define TURNS_MAX 1000000

/* Something that the simulator told, until the spec takes it. */
struct heard {
    struct list link;
    const char *type; /* static */
    size_t len;
    char json[];
};

struct test_run {
    const struct test_run_options *o;
    struct test_world *world; /* NULL: none is open */
    struct list heard;
    size_t heard_count;
    struct test_limit limit;
    struct test_http web;
    bool passed;
};

static struct test_run *run_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* To look at. */
static struct test_world *seen_world(lua_State *L)
{
    struct test_run *run = run_of(L);
    if (!run->world)
        luaL_error(L, "there is no world: call this within a case");
    return run->world;
}

/* To do something with. */
static struct test_world *world_of(lua_State *L)
{
    test_http_enter(L, &run_of(L)->web);
    return seen_world(L);
}

static uint64_t now_ns(const struct test_world *w)
{
    return clock_ns(loop_clock(w->loop));
}

/* nil and the text: the Lua side knows at whose line to raise. */
static int refuse(lua_State *L, const struct err *e)
{
    lua_pushnil(L);
    lua_pushstring(L, e->message);
    return 2;
}

/* --- what the simulator tells */

static const char *const wanted[] = {"message", "call",  "callback", "notice",
                                     "action",  "marks", "allowed"};

static void on_heard(void *arg, const char *kind, const char *json, size_t len)
{
    struct test_run *run = arg;
    size_t i = 0;
    struct heard *h = mem_zero(1, sizeof *h + len + 1);
    const char *text = memcpy(h->json, json, len);
    h->len = len;
    LOG_AT(loop_log(run->world->loop), LOG_DEBUG, "telegram.told",
           LOG_S("kind", kind), LOG_S("data", text));
    while (i < sizeof wanted / sizeof *wanted && strcmp(wanted[i], kind) != 0)
        i++;
    if (i == sizeof wanted / sizeof *wanted) {
        free(h);
        return;
    }
    h->type = wanted[i];
    list_push(&run->heard, &h->link);
    run->heard_count++;
}

static void forget_heard(struct test_run *run)
{
    struct list *link;
    while ((link = list_shift(&run->heard)))
        free(LIST_ENTRY(link, struct heard, link));
    run->heard_count = 0;
}

/* core.events(): a list of { type, data } of all that has happened since the
 * last call, in order. */
static int core_events(lua_State *L)
{
    struct test_run *run = run_of(L);
    lua_Integer n = 0;
    lua_newtable(L);
    for (const struct list *l = run->heard.next; l != &run->heard;
         l = l->next) {
        const struct heard *h = LIST_ENTRY(l, struct heard, link);
        lua_createtable(L, 2, 0);
        lua_pushstring(L, h->type);
        lua_rawseti(L, -2, 1);
        lua_json_decode(L, h->json, h->len);
        lua_rawseti(L, -2, 2);
        lua_rawseti(L, -2, ++n);
    }
    forget_heard(run);
    return 1;
}

/* --- worlds */

static void close_world(struct test_run *run)
{
    if (run->world)
        run->o->composer->close(run->world);
    run->world = NULL;
    forget_heard(run);
}

static const char *text_field(lua_State *L, int index, const char *name)
{
    lua_getfield(L, index, name);
    return lua_tostring(L, -1); /* its table holds it */
}

static bool flag_field(lua_State *L, int index, const char *name)
{
    lua_getfield(L, index, name);
    bool on = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return on;
}

/* The rows of options.settings, a list of { NAME, text }. */
static void read_settings(lua_State *L, int index, struct config_fixed *rows)
{
    size_t n = 0;
    lua_getfield(L, index, "settings");
    lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
    if (count > SETTINGS_MAX)
        luaL_error(L, "too many settings");
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, -1, i);
        lua_rawgeti(L, -1, 1);
        lua_rawgeti(L, -2, 2);
        rows[n++] =
            (struct config_fixed){lua_tostring(L, -2), lua_tostring(L, -1)};
        lua_pop(L, 3);
    }
    rows[n] = (struct config_fixed){NULL, NULL};
}

/* core.open{ bot =, main =, seed =, webhook =, copy =, settings = { { NAME,
 * text } } }: a new world in place of the one that was there; its bot does not
 * run yet. True, or nil and why not. */
static int core_open(lua_State *L)
{
    struct test_run *run = run_of(L);
    struct config_fixed settings[SETTINGS_MAX + 1];
    struct err e;
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    test_http_enter(L, &run->web);
    read_settings(L, 1, settings);
    lua_getfield(L, 1, "seed");
    struct test_world_options o = {
        .seed = (uint64_t)luaL_checkinteger(L, -1),
        .webhook = flag_field(L, 1, "webhook"),
        .copy = flag_field(L, 1, "copy"),
        .settings = settings,
        .teller = test_http_tell,
        .teller_arg = &run->web,
    };
    o.bot = text_field(L, 1, "bot");
    o.main = text_field(L, 1, "main");
    close_world(run);
    run->world = run->o->composer->open(run->o->composer->arg, &o, &e);
    if (!run->world)
        return refuse(L, &e);
    sim_listen(run->world->sim, on_heard, run);
    lua_pushboolean(L, 1);
    return 1;
}

/* core.close(): the world is gone. */
static int core_close(lua_State *L)
{
    test_http_enter(L, &run_of(L)->web);
    close_world(run_of(L));
    return 0;
}

/* core.start(): the bot's engine starts. True, or nil and why it does not. */
static int core_start(lua_State *L)
{
    struct test_world *w = world_of(L);
    struct err e;
    if (run_of(L)->o->composer->start(w, &e) != 0)
        return refuse(L, &e);
    lua_pushboolean(L, 1);
    return 1;
}

/* core.stop(): an orderly end, for which virtual time goes on. */
static int core_stop(lua_State *L)
{
    run_of(L)->o->composer->stop(world_of(L));
    test_http_settle(L);
    return 0;
}

/* core.kill(): the engine's death. */
static int core_kill(lua_State *L)
{
    run_of(L)->o->composer->kill(world_of(L));
    return 0;
}

/* core.log(): the newest of what the engine has logged, as text. */
static int core_log(lua_State *L)
{
    size_t len;
    const char *text = run_of(L)->o->composer->log(seen_world(L), &len);
    lua_pushlstring(L, text, len);
    return 1;
}

/* core.write(name, text): a file of the copied bot. True, or nil and why
 * not. */
static int core_write(lua_State *L)
{
    size_t len;
    struct err e;
    const char *name = luaL_checkstring(L, 1);
    const char *text = luaL_checklstring(L, 2, &len);
    if (run_of(L)->o->composer->write(world_of(L), name, text, len, &e) != 0)
        return refuse(L, &e);
    lua_pushboolean(L, 1);
    return 1;
}

/* --- time */

/* core.now(): virtual Unix time in seconds. */
static int core_now(lua_State *L)
{
    const struct clock *clock = loop_clock(seen_world(L)->loop);
    lua_pushnumber(L, (lua_Number)clock_unix_ms(clock) / 1000);
    return 1;
}

/* core.uptime(): seconds since the world began. */
static int core_uptime(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)now_ns(seen_world(L)) / NS_PER_S);
    return 1;
}

static uint64_t deadline_at(lua_State *L, int index)
{
    return (uint64_t)llround(luaL_checknumber(L, index) * NS_PER_S);
}

/* False at the deadline. */
static bool turn(lua_State *L, struct test_world *w, uint64_t until,
                 unsigned *turns)
{
    test_limit_check(L, &run_of(L)->limit);
    uint64_t before = now_ns(w);
    bool more = loop_step(w->loop, until);
    test_http_settle(L);
    if (!more)
        return false;
    *turns = now_ns(w) == before ? *turns + 1 : 0;
    if (*turns > TURNS_MAX)
        luaL_error(L,
                   "the bot never comes to rest: %d turns of the loop "
                   "without time going on",
                   TURNS_MAX);
    return true;
}

static size_t logged(const struct test_run *run, struct test_world *w)
{
    size_t len;
    run->o->composer->log(w, &len);
    return len;
}

/* core.step(uptime [, log]): goes on until something happens, at most to that
 * second of the world; with log = true, until a line is logged, too. False: it
 * is reached and nothing has happened. */
static int core_step(lua_State *L)
{
    struct test_run *run = run_of(L);
    struct test_world *w = world_of(L);
    uint64_t until = deadline_at(L, 1);
    bool with_log = lua_toboolean(L, 2);
    size_t before = logged(run, w);
    unsigned turns = 0;
    bool more = true;
    while (run->heard_count == 0 && more &&
           !(with_log && logged(run, w) != before))
        more = turn(L, w, until, &turns);
    lua_pushboolean(L, run->heard_count > 0 || more);
    return 1;
}

/* core.advance(uptime): goes on to that second of the world. */
static int core_advance(lua_State *L)
{
    struct test_world *w = world_of(L);
    uint64_t until = deadline_at(L, 1);
    unsigned turns = 0;
    while (turn(L, w, until, &turns))
        ;
    return 0;
}

/* --- requests */

/* core.request(to, method, path [, body]): an HTTP request with JSON to the
 * simulator (to "sim") or the engine's control socket ("engine"). Returns the
 * status and the decoded answer, or nil and why there is none. */
static int core_request(lua_State *L)
{
    int n = test_request_json(L, world_of(L));
    test_http_settle(L);
    return n;
}

/* core.bytes(path): what the simulator has there, as it is; see
 * test_request_bytes. */
static int core_bytes(lua_State *L)
{
    int n = test_request_bytes(L, world_of(L));
    test_http_settle(L);
    return n;
}

/* core.http(method, path, headers, body): any request to the engine's port;
 * see test_request_http. */
static int core_http(lua_State *L)
{
    int n = test_request_http(L, world_of(L));
    test_http_settle(L);
    return n;
}

/* core.on_web(fn): fn answers for all servers but Telegram's; see
 * test_http_set. */
static int core_on_web(lua_State *L)
{
    return test_http_set(L);
}

/* --- the run */

/* core.guard(fn, to_report): calls fn, whose real time is limited. True, or
 * false and to_report(what it raised). */
static int core_guard(lua_State *L)
{
    return test_limit_guard(L, &run_of(L)->limit);
}

/* core.duration(value, what): a duration in seconds. */
static int core_duration(lua_State *L)
{
    int64_t ms;
    const char *text = lua_tostring(L, 1);
    if (!text || !config_duration(text, &ms)) {
        lua_pushfstring(L,
                        "%s must be a number of seconds or a text such "
                        "as \"500ms\", \"30s\", \"5m\", got %s",
                        luaL_checkstring(L, 2),
                        text ? text : luaL_typename(L, 1));
        return lua_error(L); /* without a place: the caller's is the spec's */
    }
    lua_pushnumber(L, (lua_Number)ms / 1000);
    return 1;
}

/* core.encode(value): JSON text. */
static int core_encode(lua_State *L)
{
    const char *why = lua_json_push(L, 1);
    return why ? luaL_error(L, "%s", why) : 1;
}

/* core.decode(text): the value of JSON text. */
static int core_decode(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    lua_json_decode(L, text, len);
    return 1;
}

/* core.array(table): returns it, an array for JSON even if it is empty. */
static int core_array(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_json_mark_array(L, 1);
    return 1;
}

/* core.coverage(): a list of { script, line, what, runs }. */
static int core_coverage(lua_State *L)
{
    const struct coverage *c = run_of(L)->o->coverage;
    lua_newtable(L);
    for (size_t i = 0; i < coverage_count(c); i++) {
        const struct coverage_row *row = coverage_get(c, i);
        lua_createtable(L, 0, 4);
        lua_pushstring(L, row->script);
        lua_setfield(L, -2, "script");
        lua_pushinteger(L, row->line);
        lua_setfield(L, -2, "line");
        lua_pushstring(L, row->what);
        lua_setfield(L, -2, "what");
        lua_pushinteger(L, (lua_Integer)row->runs);
        lua_setfield(L, -2, "runs");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static const luaL_Reg functions[] = {
    {"open", core_open},
    {"close", core_close},
    {"start", core_start},
    {"stop", core_stop},
    {"kill", core_kill},
    {"log", core_log},
    {"write", core_write},
    {"now", core_now},
    {"uptime", core_uptime},
    {"step", core_step},
    {"advance", core_advance},
    {"events", core_events},
    {"request", core_request},
    {"bytes", core_bytes},
    {"http", core_http},
    {"on_web", core_on_web},
    {"decode", core_decode},
    {"duration", core_duration},
    {"encode", core_encode},
    {"guard", core_guard},
    {"array", core_array},
    {"coverage", core_coverage},
    /* core.webapp_sign(token, text): see user:init_data. */
    {"webapp_sign", binding_webapp_sign},
    {NULL, NULL},
};

static int open_core(lua_State *L)
{
    luaL_newlibtable(L, functions);
    lua_pushvalue(L, lua_upvalueindex(1));
    luaL_setfuncs(L, functions, 1);
    lua_json_push_null(L);
    lua_setfield(L, -2, "null");
    binding_crypto(L);
    lua_setfield(L, -2, "crypto");
    return 1;
}

/* package.preload of each file of the library for specs. */
static void preload(lua_State *L, struct test_run *run)
{
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "preload");
    lua_pushlightuserdata(L, run);
    lua_pushcclosure(L, open_core, 1);
    lua_setfield(L, -2, "moonlet.test.core");
    for (const struct embedded_file *f = test_files; f->name; f++) {
        const char *data = (const char *)f->data;
        char *chunk = mem_printf("=moonlet/%s", f->name);
        int status = luaL_loadbuffer(L, data, f->size, chunk);
        free(chunk);
        if (status != LUA_OK)
            lua_error(L);
        lua_pushfstring(L, "moonlet.%s", f->name);
        /* "moonlet.test.lua" without its ending. */
        lua_pushlstring(L, lua_tostring(L, -1), lua_rawlen(L, -1) - 4);
        lua_remove(L, -2);
        lua_insert(L, -2);
        lua_settable(L, -3);
    }
    lua_pop(L, 2);
}

static void set_text(lua_State *L, const char *name, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

static void push_options(lua_State *L, const struct test_run_options *o)
{
    lua_newtable(L);
    set_text(L, "filter", o->filter);
    set_text(L, "junit", o->junit);
    set_text(L, "config", o->config);
    set_text(L, "bot", o->bot);
    set_text(L, "default_bot", o->default_bot);
    lua_pushinteger(L, (lua_Integer)o->seed);
    lua_setfield(L, -2, "seed");
    lua_pushboolean(L, o->webhook);
    lua_setfield(L, -2, "webhook");
    lua_pushboolean(L, o->colour);
    lua_setfield(L, -2, "colour");
    lua_newtable(L);
    for (lua_Integer i = 0; o->files[i]; i++) {
        lua_pushstring(L, o->files[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "files");
}

static int run_specs(lua_State *L)
{
    struct test_run *run = lua_touserdata(L, 1);
    luaL_openlibs(L);
    lua_json_open(L);
    preload(L, run);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "moonlet.test_run");
    lua_call(L, 1, 1);
    push_options(L, run->o);
    lua_call(L, 1, 1);
    run->passed = lua_toboolean(L, -1);
    return 0;
}

static int with_traceback(lua_State *L)
{
    luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
    return 1;
}

bool test_run(const struct test_run_options *o)
{
    struct test_run run = {.o = o};
    lua_State *L = luaL_newstate();
    if (!L)
        abort();
    list_init(&run.heard);
    test_limit_open(L, &run.limit, o->timeout_s);
    lua_pushcfunction(L, with_traceback);
    lua_pushcfunction(L, run_specs);
    lua_pushlightuserdata(L, &run);
    if (lua_pcall(L, 1, 0, 1) != LUA_OK) {
        fprintf(stderr, "moonlet: %s\n", lua_tostring(L, -1));
        run.passed = false;
    }
    close_world(&run);
    lua_close(L);
    return run.passed;
}
