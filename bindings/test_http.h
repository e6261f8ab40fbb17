#ifndef MOONLET_BINDINGS_TEST_HTTP_H
#define MOONLET_BINDINGS_TEST_HTTP_H

/*
 * Specs stand for the servers that a bot asks: the loop, turned by a call of
 * the spec, calls a function of the spec. An error in it waits until that
 * call is back, and ends the case there.
 */

#include "net/http_scripted.h"

#include <lua.h>
#include <stdbool.h>

/* Embedded; for the life of its state. */
struct test_http {
    lua_State *at; /* where the spec stands; NULL: nowhere yet */
    bool asking;   /* the spec's function runs */
};

/* The spec calls from L something that turns the loop or changes the world.
 * Raises a text within the spec's own answers. */
void test_http_enter(lua_State *L, struct test_http *w);
/* Raises what a function of the spec has raised since. */
void test_http_settle(lua_State *L);

/* Makes the function at 1 the one that answers: it gets method, URL, headers
 * and body, and returns status, head, body, seconds, whether the request
 * arrived, and the reason if the status is 0; or nil and an error. */
int test_http_set(lua_State *L);

/* An http_teller; arg is a struct test_http. */
void test_http_tell(void *arg, const struct http_asked *asked,
                    struct http_told *out);

#endif
