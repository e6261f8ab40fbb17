#ifndef MOONLET_VM_PATTERN_H
#define MOONLET_VM_PATTERN_H

/*
 * Judges Lua patterns before Lua runs them: its matcher backtracks inside
 * one C call that no hook can stop. The judge walks the same ways and only
 * counts steps; a step is one character compared or one item entered, and a
 * set costs more the longer it is written. Plain C on borrowed bytes: it
 * runs nothing of Lua and keeps nothing.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one call may cost: PATTERN_STEPS, and PATTERN_STEPS_BYTE more for
 * each byte of the text, so that long texts can still be read in one go. */
#define PATTERN_STEPS 5000000u
#define PATTERN_STEPS_BYTE 8u

enum pattern_use {
    PATTERN_FIND,  /* find, match: the first match */
    PATTERN_GSUB,  /* up to `most` matches */
    PATTERN_GMATCH /* all matches; "^" is no anchor */
};

struct pattern_call {
    enum pattern_use use;
    const char *text;
    size_t len;
    const char *pattern;
    size_t pattern_len;
    size_t start;  /* offset of the first character to look at, <= len */
    uint64_t most; /* PATTERN_GSUB */
};

/* False: Lua would need more steps than it may. A malformed pattern is
 * judged up to the place where Lua raises its error. */
bool pattern_within(const struct pattern_call *call);

/* Without special characters: string.find searches it as a text, even ":)". */
bool pattern_is_plain(const char *pattern, size_t len);

/* As pattern_within, for a search for the text `pattern` itself. */
bool pattern_plain_within(const struct pattern_call *call);

enum pattern_verdict {
    PATTERN_NO_MATCH,
    PATTERN_MATCH,
    PATTERN_RAISES, /* Lua would raise an error on the way */
    PATTERN_OVER    /* the budget is spent */
};

struct pattern_walk {
    enum pattern_verdict verdict;
    size_t from, to; /* of the first match: offsets, to is behind it */
    uint64_t matches;
    uint64_t steps;
};

/* Walks without asking first whether it is needed. */
void pattern_walk(const struct pattern_call *call, struct pattern_walk *out);

/* What is wrong with a pattern, NULL if it is well formed. Static text. */
const char *pattern_problem(const char *pattern, size_t len);

/* Three or more parts that can share out the same characters in many ways,
 * where what follows may still fail: time grows with the third power of the
 * text's length or worse. */
bool pattern_is_dangerous(const char *pattern, size_t len);

#endif
