/*
 * What any program costs that links to our libraries: each is made ready and
 * nothing is done with it.
 *
 *   bench_empty FILE [wait]    FILE: an SQLite file; wait: for the end of stdin
 */

#include <curl/curl.h>
#include <jansson.h>
#include <lauxlib.h>
#include <lua-cjson.h>
#include <lualib.h>
#include <microhttpd.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

static void wait_for_end(void)
{
    char byte;
    puts("waiting");
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
}

int main(int argc, char **argv)
{
    uv_loop_t loop;
    sqlite3 *db;
    if (argc < 2 || argc > 3 || (argc == 3 && strcmp(argv[2], "wait") != 0)) {
        fprintf(stderr, "usage: bench_empty FILE [wait]\n");
        return 2;
    }
    if (curl_global_init(CURL_GLOBAL_DEFAULT) || uv_loop_init(&loop) ||
        sqlite3_open(argv[1], &db) != SQLITE_OK ||
        sqlite3_exec(db, "PRAGMA user_version", NULL, NULL, NULL) != SQLITE_OK)
        return 1;
    CURLM *multi = curl_multi_init();
    lua_State *L = luaL_newstate();
    json_t *object = json_object();
    if (!multi || !L || !object || !MHD_get_version())
        return 1;
    luaL_openlibs(L);
    luaL_requiref(L, "cjson", luaopen_cjson, 0);
    if (argc == 3)
        wait_for_end();
    json_decref(object);
    lua_close(L);
    curl_multi_cleanup(multi);
    sqlite3_close(db);
    uv_loop_close(&loop);
    curl_global_cleanup();
    return 0;
}
