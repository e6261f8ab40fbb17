#ifndef MOONLET_BINDINGS_RE_SEARCH_H
#define MOONLET_BINDINGS_RE_SEARCH_H

/*
 * Searches of moonlet.re: PCRE2 with a bound on every one. Between re.c and
 * re_search.c.
 */

#define PCRE2_CODE_UNIT_WIDTH 8

#include "base/list.h"

#include <lua.h>
#include <pcre2.h>
#include <stdbool.h>
#include <stdint.h>

#define RE_META "moonlet.re"
#define RE_GROUPS_MAX 32

/* Compiled with PCRE2_AUTO_CALLOUT; its source is the first user value. */
struct re {
    struct list link; /* among all of the state */
    pcre2_code *code; /* NULL once collected */
    uint32_t groups;
    uint32_t weight; /* steps of an item: "a{4000}" fails late and silently */
};

struct room;

/* A search through one text, match after match. */
struct re_search {
    const struct re *re;
    struct room *room;
    const char *source; /* of the re */
    const char *text;
    size_t len;
    size_t next;   /* where to go on */
    size_t last;   /* end of the match before, SIZE_MAX: none */
    uint64_t left; /* steps for all of them */
    uint32_t options;
    size_t span[2 * (RE_GROUPS_MAX + 1)];
};

/* Makes what searches need; once a state. */
void re_search_open(lua_State *L);

/* Keeps track of a re that has no code yet: one that is made while the state
 * closes gets no __gc. Raises once that is over. */
void re_keep(lua_State *L, struct re *re);
void re_free(struct re *re);

/* The re at the index; raises if there is none. */
struct re *re_check(lua_State *L, int index);

/* Begins at byte `init`, which may count from the end. Borrows the re and
 * the text at these indexes. */
void re_search_begin(struct re_search *s, lua_State *L, int re, int text,
                     lua_Integer init);

/* 1: found, and s->span is set; 0: there is no further match; else a failure
 * for re_search_failed. */
int re_search_next(struct re_search *s);

/* Pushes the error table of a failure. */
void re_search_failed(lua_State *L, const struct re_search *s, int failure);

/* re_search_next, but failures are raised. */
bool re_search_checked(lua_State *L, struct re_search *s);

/* Pushes a group of the match; false if it took no part. */
void re_push_group(lua_State *L, const struct re_search *s, uint32_t group);

/* Pushes the groups, or the whole match if there are none; their number. */
int re_push_groups(lua_State *L, const struct re_search *s);

#endif
