#ifndef MOONLET_VM_RECORDER_H
#define MOONLET_VM_RECORDER_H

/*
 * The seam between await and a conversation's journal. A task without a
 * recorder (all of them, until conversations are built) pays one test.
 */

#include "vm/await.h"

struct recorder;

enum recorder_answer {
    RECORDER_LIVE,    /* start the operation, with *row (may be NULL) */
    RECORDER_REPLAY,  /* *result is filled: push it, nothing is started */
    RECORDER_DIVERGED /* *error says why: raised in the script */
};

struct recorder_ops {
    /* Before anything starts. The arguments of the call are on the stack. */
    enum recorder_answer (*step)(struct recorder *r, lua_State *L,
                                 const struct await_ops *ops,
                                 const struct journal_row **row,
                                 struct await_result *result,
                                 struct err *error);
    /* A live step has ended with this result, before push. */
    void (*result)(struct recorder *r, const struct await_ops *ops,
                   const struct await_result *result);
};

struct recorder {
    const struct recorder_ops *ops;
};

#endif
