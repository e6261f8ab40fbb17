#ifndef MOONLET_BINDINGS_TEST_REQUEST_H
#define MOONLET_BINDINGS_TEST_REQUEST_H

/*
 * HTTP requests that a spec makes to the parts of its world. They turn the
 * loop until the answer is there, which takes no virtual time unless the
 * request itself waits.
 */

#include "bindings/test.h"

#include <lua.h>

/* Arguments from 1 on: to, method, path [, body]. JSON to the simulator (to
 * "sim") or the engine's control socket ("engine"). Returns the status and
 * the decoded answer, or nil and why there is none. */
int test_request_json(lua_State *L, struct test_world *w);

/* Argument 1: the path of what is asked of the simulator. Returns the status
 * and the bytes of the answer; or nil and why there is none. */
int test_request_bytes(lua_State *L, struct test_world *w);

/* Arguments from 1 on: method, path, headers (a flat list of names and
 * values), body (text or nil). Any request to the engine's port. Returns the
 * status, the head ("name: value\r\n" of each header but Content-Type), the
 * Content-Type, the body and, if that is JSON, its value; or nil and why there
 * is no answer. */
int test_request_http(lua_State *L, struct test_world *w);

#endif
