/*
 * moonlet dead: the updates whose handlers failed, over the live engine's
 * socket or on the files of one that is stopped.
 */
#include "cli/commands.h"

#include "base/mem.h"
#include "cli/question.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LIMIT_MS 60000

static const char help[] =
    "moonlet dead list [--limit N] [--before ID] [options] [DIR]\n"
    "moonlet dead show|replay|drop ID [options] [DIR]\n\n"
    "An update whose handler ended by an error, a limit or a timeout, or "
    "which\n"
    "was at work when the process died three times, is kept as a dead letter.\n"
    "list names them, newest first; show prints one, with its update; replay\n"
    "lets its handler run again, marked redelivered; drop forgets it. Speaks\n"
    "to the running bot, else to a moonlet play that runs; if neither does,\n"
    "works on the files of DATA_DIR.\n\n"
    "  --limit N       at most so many (default 50, at most 500)\n"
    "  --before ID     only those with a lower ID\n"
    "  --play          those of moonlet play, also if the bot runs\n"
    "  --config FILE   settings from this file instead of DIR/config.lua\n";

static void print_time(const char *before, struct jslice letter,
                       const char *key)
{
    char text[32];
    double seconds = 0;
    struct tm tm;
    js_double(js_get(letter, key), &seconds);
    time_t at = (time_t)seconds;
    gmtime_r(&at, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    printf("%s%s", before, text);
}

/* "main.lua:3: message", or the message alone. */
static void print_error(const char *before, struct jslice letter)
{
    char *script = question_text(letter, "script");
    char *message = question_text(letter, "message");
    if (*script)
        printf("%s%s:%" PRId64 ": %s\n", before, script,
               question_number(letter, "line"), message);
    else
        printf("%s%s\n", before, message);
    free(script);
    free(message);
}

static void print_text(const char *before, struct jslice letter,
                       const char *key)
{
    char *value = question_text(letter, key);
    printf("%s%s", before, value);
    free(value);
}

static int64_t print_row(struct jslice letter)
{
    int64_t id = question_number(letter, "id");
    char *reason = question_text(letter, "reason");
    printf("%" PRId64, id);
    print_time("  ", letter, "died");
    printf("  %-7s  update %" PRId64, reason,
           question_number(letter, "update_id"));
    print_text("  ", letter, "lane");
    print_error("  ", letter);
    free(reason);
    return id;
}

static int show_list(const struct question *q)
{
    struct jslice letter;
    size_t cursor = 0;
    int64_t shown = 0;
    int64_t last = 0;
    while (js_each(js_get(q->answer, "dead"), &cursor, NULL, &letter)) {
        last = print_row(letter);
        shown++;
    }
    int64_t count = question_number(q->answer, "count");
    if (count == 0)
        printf("no dead letters%s\n", q->is_play ? " of moonlet play" : "");
    else if (shown == 0)
        puts("none that are older");
    else if (shown < count)
        printf("%" PRId64 " of %" PRId64 "; older ones: --before %" PRId64 "\n",
               shown, count, last);
    if (shown > 0 && q->is_play)
        puts("they are of moonlet play");
    return 0;
}

/* Its lines, but for what else a terminal would take for orders. */
static void print_traceback(struct jslice letter)
{
    struct buf b = {0};
    js_text(js_get(letter, "traceback"), &b);
    for (size_t i = 0; i < b.len; i++)
        if (((unsigned char)b.data[i] < ' ' && b.data[i] != '\n') ||
            b.data[i] == 0x7f)
            b.data[i] = ' ';
    if (b.len > 0)
        puts(b.data);
    buf_free(&b);
}

static int show_letter(const struct question *q)
{
    struct jslice l = q->answer;
    struct jslice update = js_get(l, "update");
    printf("id        %" PRId64, question_number(l, "id"));
    print_time("\ndied      ", l, "died");
    print_text("\nreason    ", l, "reason");
    print_text("\nkind      ", l, "kind");
    print_text("\nlane      ", l, "lane");
    printf("\nupdate    %" PRId64, question_number(l, "update_id"));
    print_text(", from ", l, "source");
    print_time(", received ", l, "received");
    print_error("\nerror     ", l);
    print_traceback(l);
    printf("%.*s\n", (int)update.len, update.at ? update.at : "");
    return 0;
}

static int show_replayed(const struct question *q)
{
    printf("the update is in the inbox%s again\n",
           q->is_play ? " of moonlet play" : "");
    return 0;
}

static int show_dropped(const struct question *q)
{
    puts(q->is_play ? "dropped from moonlet play" : "dropped");
    return 0;
}

struct verb {
    const char *name;
    const char *method;
    const char *tail; /* of the path behind the ID; NULL: there is no ID */
    int (*show)(const struct question *q);
};

static const struct verb verbs[] = {
    {"list", "GET", NULL, show_list},
    {"show", "GET", "", show_letter},
    {"replay", "POST", "/replay", show_replayed},
    {"drop", "DELETE", "", show_dropped},
};

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

/* The words of one call. */
struct words {
    const struct verb *verb;
    const char *id; /* NULL: not given */
    const char *limit;
    const char *before;
    const char *play;
    const char *config;
    const char *dir;
};

static bool is_id(const char *text)
{
    return *text >= '1' && *text <= '9' && strlen(text) <= 18 &&
           strspn(text, "0123456789") == strlen(text);
}

static int check_words(const struct words *w)
{
    if (w->verb->tail && !w->id)
        return command_fail(EXIT_USAGE,
                            "dead %s: which one? moonlet dead list "
                            "names their IDs",
                            w->verb->name);
    if (w->id && !is_id(w->id))
        return command_fail(EXIT_USAGE, "dead %s: no ID of a dead letter: %s",
                            w->verb->name, w->id);
    if (w->verb->tail && (w->limit || w->before))
        return command_fail(EXIT_USAGE,
                            "dead %s: --limit and --before are for "
                            "list",
                            w->verb->name);
    if (w->limit && (!is_id(w->limit) || atol(w->limit) > 500))
        return command_fail(EXIT_USAGE, "dead: --limit must be 1..500");
    if (w->before && !is_id(w->before))
        return command_fail(EXIT_USAGE, "dead: --before must be an ID");
    return -1;
}

/* -1: go on; else the exit code. */
static int read_words(struct words *w, int argc, char **argv)
{
    const struct command_option options[] = {
        {"--limit", &w->limit, true, NULL},
        {"--before", &w->before, true, NULL},
        {"--play", &w->play, false, NULL},
        {"--config", &w->config, true, NULL},
        {0},
    };
    int skip = 0;
    if (argc > 1 && argv[1][0] != '-') {
        w->verb = find_verb(argv[++skip]);
        if (!w->verb)
            return command_fail(EXIT_USAGE,
                                "dead: cannot %s (see moonlet dead "
                                "--help)",
                                argv[1]);
        if (w->verb->tail && argc > 2 && argv[2][0] != '-')
            w->id = argv[++skip];
    }
    argv[skip] = argv[0];
    int code = command_parse(argc - skip, argv + skip, options, &w->dir, help);
    if (code >= 0)
        return code;
    if (!w->verb)
        return command_fail(EXIT_USAGE, "dead: list, show, replay or drop? "
                                        "(see moonlet dead --help)");
    return check_words(w);
}

/* Owned. */
static char *target_of(const struct words *w)
{
    if (w->verb->tail)
        return mem_printf("/api/dead/%s%s", w->id, w->verb->tail);
    return mem_printf("/api/dead?limit=%s%s%s", w->limit ? w->limit : "50",
                      w->before ? "&before=" : "", w->before ? w->before : "");
}

static int ask(const struct words *w, struct question *q)
{
    int code = question_ask_either(q);
    if (code >= 0)
        return code;
    return q->status == 200 ? w->verb->show(q) : question_refused(q);
}

int command_dead(int argc, char **argv)
{
    struct words w = {0};
    struct err e;
    int code = read_words(&w, argc, argv);
    if (code >= 0)
        return code;
    struct question q = {.method = w.verb->method, .limit_ms = LIMIT_MS};
    if (settings_load(&q.settings, SETTINGS_LOCAL, w.config, w.dir, &e) != 0)
        return command_fail(EXIT_FAILED, "%s", e.message);
    q.is_play = w.play != NULL;
    if (q.is_play)
        settings_use_play_folder(&q.settings);
    char *target = target_of(&w);
    q.target = target;
    code = ask(&w, &q);
    question_clear(&q);
    free(target);
    return code;
}
