#ifndef MOONLET_BASE_EMBEDDED_H
#define MOONLET_BASE_EMBEDDED_H

/* Files compiled into the binary: tables made by engine/embed.cmake. */

#include <stddef.h>

struct embedded_file {
    const char *name;          /* within its folder; NULL ends the table */
    const char *hash;          /* 12 hex digits of the content */
    const unsigned char *data; /* a NUL follows the last byte */
    size_t size;
};

extern const struct embedded_file test_files[];    /* scripts/moonlet/test */
extern const struct embedded_file check_files[];   /* scripts/moonlet/check */
extern const struct embedded_file library_files[]; /* scripts/moonlet */
extern const struct embedded_file new_files[];     /* scripts/new */
extern const struct embedded_file new_locale_files[]; /* its locales */
extern const struct embedded_file types_files[];      /* docs/types */
extern const struct embedded_file sim_page_files[];   /* engine/sim/page */

#endif
