#ifndef MOONLET_SIM_FAULTS_H
#define MOONLET_SIM_FAULTS_H

/* Failures on demand: a list of rules, each for the next `count` calls (or
 * updates) that fit, oldest rule first. */

#include "base/list.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAULTS_MAX 1000
#define FAULT_DESCRIPTION_MAX 255 /* bytes */

struct sim;

enum fault_mode {
    FAULT_NONE,
    FAULT_429,
    FAULT_500,
    FAULT_502_HTML,
    FAULT_CUT_BEFORE,
    FAULT_CUT_AFTER,
    FAULT_SLOW,
    FAULT_DUPLICATE,
    FAULT_REFUSED, /* by an error of the test's own */
};

struct fault {
    struct list link;
    int64_t id;
    enum fault_mode mode;
    const char *method; /* a name of the tables; NULL: any */
    int64_t chat;       /* 0: any */
    int64_t count;
    int64_t retry_after;
    double seconds;
    int code; /* error_code of FAULT_REFUSED */
    char description[FAULT_DESCRIPTION_MAX + 1];
};

struct faults {
    struct list list;
    size_t count;
    int64_t last_id;
};

void faults_init(struct faults *f);
void faults_clear(struct faults *f, int64_t id); /* 0: all */
struct fault *faults_add(struct faults *f);      /* NULL: full */
const struct fault *faults_find(const struct faults *f, int64_t id);

/* The rule for this call, used up by one; FAULT_NONE in mode if there is
 * none. method NULL: an update to be delivered. */
struct fault faults_take(struct faults *f, const char *method, int64_t chat);

const char *fault_mode_name(enum fault_mode mode);
bool fault_mode_parse(const char *name, enum fault_mode *out);
json_t *fault_view(const struct fault *f); /* new */

#endif
