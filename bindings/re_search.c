#include "bindings/re_search.h"

#include "bindings/support.h"
#include "vm/script_error.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#define ROOM "moonlet.re.room"
/* PCRE2's own match limit counts neither the characters that one item runs
 * over nor the cost of a look-ahead. So each item is preceded by a callout
 * that counts itself and the way from the one before: up to 20 ns a step.
 * Compiling to machine code made short matches 3 times faster, which is
 * 0.1 us, and needs memory that hardened systems refuse. */
#define STEPS 1000000u
#define STEPS_BYTE 8u
#define MATCH_LIMIT 5000000u
#define DEPTH_LIMIT 250000u
#define HEAP_KIB 8192u

/* What matching needs, once a state: only one match runs at a time. */
struct room {
    struct list all; /* struct re, by link */
    pcre2_match_context *context;
    pcre2_match_data *data; /* NULL once collected */
    uint64_t left;          /* steps */
    size_t at;              /* of the callout before */
    uint32_t weight;
    const char *source;
};

/* "\1", "\k{name}", "(?P=name)": compared without callouts, and may fail at
 * its last character. */
static bool is_back_reference(const char *item)
{
    return (item[0] == '\\' && item[1] && strchr("123456789kg", item[1])) ||
           strncmp(item, "(?P=", 4) == 0;
}

static int count_step(pcre2_callout_block *block, void *arg)
{
    struct room *room = arg;
    size_t at = block->current_position;
    uint64_t steps = room->weight;
    if (at > room->at)
        steps += (at - room->at) / 16;
    if (is_back_reference(room->source + block->pattern_position))
        steps += (block->subject_length - at) / 16;
    room->at = at;
    if (steps > room->left)
        return PCRE2_ERROR_MATCHLIMIT;
    room->left -= steps;
    return 0;
}

void re_free(struct re *re)
{
    list_remove(&re->link);
    pcre2_code_free(re->code);
    re->code = NULL;
}

/* It was made first, so it is finalized last. */
static int room_gc(lua_State *L)
{
    struct room *room = lua_touserdata(L, 1);
    while (!list_empty(&room->all))
        re_free(LIST_ENTRY(room->all.next, struct re, link));
    pcre2_match_data_free(room->data);
    pcre2_match_context_free(room->context);
    room->data = NULL;
    room->context = NULL;
    return 0;
}

/* Raises after the state's own finalizers have run: scripts' may come later.
 */
static struct room *get_room(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, ROOM);
    struct room *room = lua_touserdata(L, -1);
    lua_pop(L, 1);
    if (!room->data)
        script_error_misuse(L, "re: these scripts have ended");
    return room;
}

void re_keep(lua_State *L, struct re *re)
{
    list_push(&get_room(L)->all, &re->link);
}

struct re *re_check(lua_State *L, int index)
{
    struct re *re = luaL_checkudata(L, index, RE_META);
    if (!re->code)
        script_error_misuse(L, "re: it has been collected");
    return re;
}

void re_search_failed(lua_State *L, const struct re_search *s, int rc)
{
    char why[160], text[400];
    switch (rc) {
    case PCRE2_ERROR_MATCHLIMIT:
    case PCRE2_ERROR_DEPTHLIMIT:
    case PCRE2_ERROR_HEAPLIMIT:
    case PCRE2_ERROR_NOMEMORY:
        snprintf(text, sizeof text,
                 "the re \"%.100s\" takes too long on this text (%zu bytes): "
                 "repeat less within repeats, or test the text's length "
                 "first",
                 s->source, s->len);
        script_error_push(L, "limit", text);
        break;
    default:
        pcre2_get_error_message(rc, (PCRE2_UCHAR *)why, sizeof why);
        snprintf(text, sizeof text, "the re \"%.100s\": %s", s->source, why);
        script_error_push(L, "misuse", text);
        break;
    }
}

void re_search_begin(struct re_search *s, lua_State *L, int re, int text,
                     lua_Integer init)
{
    s->re = re_check(L, re);
    s->room = get_room(L);
    binding_want(L, text, LUA_TSTRING, "re: what is searched");
    s->text = lua_tolstring(L, text, &s->len);
    lua_getiuservalue(L, re, 1);
    s->source = lua_tostring(L, -1); /* the re keeps it */
    lua_pop(L, 1);
    s->last = SIZE_MAX;
    s->options = 0;
    s->left = STEPS + STEPS_BYTE * (uint64_t)s->len;
    if (init > 0)
        s->next = (size_t)init - 1;
    else if (init == 0 || init < -(lua_Integer)s->len)
        s->next = 0;
    else
        s->next = s->len - (size_t)-init;
    while (s->next < s->len && ((unsigned char)s->text[s->next] & 0xc0) == 0x80)
        s->next++; /* never from within a character */
}

int re_search_next(struct re_search *s)
{
    struct room *room = s->room;
    if (s->next > s->len)
        return 0;
    uint32_t options = s->options;
    if (s->next == s->last)
        options |= PCRE2_NOTEMPTY_ATSTART;
    room->left = s->left;
    room->at = s->next;
    room->weight = s->re->weight;
    room->source = s->source;
    int rc = pcre2_match(s->re->code, (PCRE2_SPTR)s->text, s->len, s->next,
                         options, room->data, room->context);
    s->left = room->left;
    if (rc == PCRE2_ERROR_NOMATCH)
        return 0;
    if (rc < 0)
        return rc;
    memcpy(s->span, pcre2_get_ovector_pointer(room->data),
           2 * (s->re->groups + 1) * sizeof s->span[0]);
    s->next = s->last = s->span[1];
    s->options = PCRE2_NO_UTF_CHECK; /* has been made, of the whole text */
    return 1;
}

void re_push_group(lua_State *L, const struct re_search *s, uint32_t group)
{
    size_t from = s->span[2 * group], to = s->span[2 * group + 1];
    if (from == PCRE2_UNSET)
        lua_pushboolean(L, 0);
    else
        lua_pushlstring(L, s->text + from, to - from);
}

int re_push_groups(lua_State *L, const struct re_search *s)
{
    luaL_checkstack(L, RE_GROUPS_MAX + 4, NULL);
    if (s->re->groups == 0) {
        re_push_group(L, s, 0);
        return 1;
    }
    for (uint32_t i = 1; i <= s->re->groups; i++)
        re_push_group(L, s, i);
    return (int)s->re->groups;
}

bool re_search_checked(lua_State *L, struct re_search *s)
{
    int rc = re_search_next(s);
    if (rc < 0) {
        re_search_failed(L, s, rc);
        lua_error(L);
    }
    return rc == 1;
}

void re_search_open(lua_State *L)
{
    struct room *room = lua_newuserdatauv(L, sizeof *room, 0);
    memset(room, 0, sizeof *room);
    list_init(&room->all);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, room_gc);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    room->context = pcre2_match_context_create(NULL);
    room->data = pcre2_match_data_create(RE_GROUPS_MAX + 1, NULL);
    if (!room->context || !room->data)
        luaL_error(L, "not enough memory");
    pcre2_set_match_limit(room->context, MATCH_LIMIT);
    pcre2_set_depth_limit(room->context, DEPTH_LIMIT);
    pcre2_set_heap_limit(room->context, HEAP_KIB);
    pcre2_set_callout(room->context, count_step, room);
    lua_setfield(L, LUA_REGISTRYINDEX, ROOM);
}
