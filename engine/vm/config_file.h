#ifndef MOONLET_VM_CONFIG_FILE_H
#define MOONLET_VM_CONFIG_FILE_H

/*
 * Reads config.lua: runs it in a bare state (no files, no require) and turns
 * the table it returns into rows with the line of each key.
 */

#include "base/err.h"

#include <stddef.h>

struct config_row {
    char *key;
    char *value;
    int line;
};

struct config_file {
    struct config_row *rows; /* without `app` */
    size_t count;
    char *app_json; /* the table `app`; NULL: none */
    char **asked;   /* the names that it asked env for, up to NULL; or NULL */
    size_t asked_count;
};

/* env "NAME" in it is what the environment says, else the file env_file (NULL:
 * there is none). 0, or ERR_CONFIG whose message begins with the file's name
 * and line. */
int config_file_read(struct config_file *f, const char *path,
                     const char *env_file, struct err *e);
void config_file_free(struct config_file *f);

#endif
