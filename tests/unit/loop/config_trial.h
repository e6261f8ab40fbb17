#ifndef MOONLET_TESTS_LOOP_CONFIG_TRIAL_H
#define MOONLET_TESTS_LOOP_CONFIG_TRIAL_H

/* Loads a config from sources given as C values; for the tests of config. */

#include "loop/config.h"

#include "base/buf.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TOKEN "123456:ABC-def_1"

/* One load: what the sources say, and what came of it. */
struct trial {
    struct config_entry entries[8]; /* up to the first without a key */
    const char *env;                /* text of .env; NULL: no such file */
    const char *environ[8];
    const struct config_fixed *fixed;
};

struct outcome {
    struct config config;
    struct err err;
    int rc;
    struct buf warnings; /* a line each */
};

static inline void keep_warning(void *arg, const char *line)
{
    struct outcome *o = arg;

    buf_printf(&o->warnings, "%s\n", line);
}

static inline char *write_env(const char *text, char *folder)
{
    assert_non_null(mkdtemp(folder));
    char *path = mem_printf("%s/.env", folder);

    if (text != NULL) {
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fputs(text, f);
        assert_int_equal(fclose(f), 0);
    }
    return path;
}

static inline void load(struct outcome *o, const struct trial *t)
{
    char folder[] = "/tmp/moonlet-config-XXXXXX";
    char *path = write_env(t->env, folder);
    size_t count = 0;

    while (count < 8 && t->entries[count].key != NULL)
        count++;
    *o = (struct outcome){0};
    o->rc = config_load(&o->config,
                        &(struct config_sources){
                            .file = "config.lua",
                            .entries = t->entries,
                            .entry_count = count,
                            .env_file = path,
                            .environ = (char *const *)t->environ,
                            .root = "/srv/bot",
                            .fixed = t->fixed,
                        },
                        keep_warning, o, &o->err);
    unlink(path);
    rmdir(folder);
    free(path);
}

static inline void load_good(struct outcome *o, const struct trial *t)
{
    load(o, t);
    if (o->rc != 0)
        fail_msg("%s", o->err.message);
}

static inline void end(struct outcome *o)
{
    config_free(&o->config);
    buf_free(&o->warnings);
}

static inline const char *warnings(const struct outcome *o)
{
    return o->warnings.data != NULL ? o->warnings.data : "";
}

static inline void expect_error(const struct trial *t, const char *text)
{
    struct outcome o;

    load(&o, t);
    assert_int_equal(o.rc, ERR_CONFIG);
    assert_int_equal(o.err.code, ERR_CONFIG);
    assert_string_equal(o.err.message, text);
    end(&o);
}

#endif
