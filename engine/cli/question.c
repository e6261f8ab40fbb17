#include "cli/question.h"

#include "base/mem.h"
#include "cli/commands.h"
#include "cli/offline.h"
#include "net/http_local.h"

#include <errno.h>
#include <stdlib.h>

#define ANSWER_MAX (64u * 1024 * 1024) /* holds the largest update */

static int no_answer(const struct question *q, const struct err *e)
{
    const char *folder = q->settings.config.data_dir;
    if (e->code != ERR_NOT_SENT)
        return command_fail(EXIT_FAILED, "the engine of DATA_DIR %s: %s",
                            folder, e->message);
    if (e->detail == ENAMETOOLONG)
        return command_fail(EXIT_FAILED,
                            "%s/moonlet.sock is too long a path for a "
                            "socket: choose a DATA_DIR with a shorter one",
                            folder);
    return command_fail(EXIT_FAILED,
                        "no engine is running on DATA_DIR %s "
                        "(moonlet.sock: %s)",
                        folder, e->message);
}

/* Asks the engine of a folder. The status of its answer, or as
 * http_local_request. */
static int ask_engine(struct question *q, const char *folder, struct err *e)
{
    char *path = mem_printf("%s/moonlet.sock", folder);
    const struct http_local request = {
        .socket = path,
        .method = q->method,
        .target = q->target,
        .timeout_ms = q->limit_ms,
        .response_max = ANSWER_MAX,
    };
    int status = http_local_request(&request, &q->body, e);
    free(path);
    return status;
}

/* No engine lives in the data folder; that of `moonlet play` may. If not, all
 * stays as it was. */
static void ask_play(struct question *q, struct err *e)
{
    struct err error;
    char *folder = mem_printf("%s/play", q->settings.config.data_dir);
    int status = ask_engine(q, folder, &error);
    free(folder);
    if (status < 0 && error.code == ERR_NOT_SENT)
        return;
    settings_use_play_folder(&q->settings);
    q->is_play = true;
    q->status = status;
    *e = error;
}

static int request(struct question *q, struct err *e)
{
    q->status = ask_engine(q, q->settings.config.data_dir, e);
    if (q->status < 0 && e->code == ERR_NOT_SENT && !q->is_play)
        ask_play(q, e);
    return q->status < 0 ? e->code : 0;
}

static int read_answer(struct question *q)
{
    buf_puts(&q->body, "");
    q->answer = js_check(q->body.data, q->body.len);
    if (js_type(q->answer) == JS_OBJECT)
        return -1;
    return command_fail(EXIT_FAILED, "the engine gave an answer of no sense");
}

int question_ask(struct question *q)
{
    struct err e;
    if (request(q, &e) != 0)
        return no_answer(q, &e);
    return read_answer(q);
}

/* An engine whose socket could not be made holds the lock on the files, which
 * are then refused. */
int question_ask_either(struct question *q)
{
    struct err e;
    if (request(q, &e) == 0)
        return read_answer(q);
    if (e.code != ERR_NOT_SENT)
        return no_answer(q, &e);
    if (offline_ask(q, &e) != 0)
        return command_fail(EXIT_FAILED, "%s", e.message);
    return read_answer(q);
}

void question_clear(struct question *q)
{
    buf_free(&q->body);
    settings_free(&q->settings);
}

int64_t question_number(struct jslice object, const char *path)
{
    int64_t n = 0;
    js_int(js_path(object, path), &n);
    return n;
}

char *question_text(struct jslice object, const char *path)
{
    struct buf b = {0};
    js_text(js_path(object, path), &b);
    for (size_t i = 0; i < b.len; i++)
        if ((unsigned char)b.data[i] < ' ' || b.data[i] == 0x7f)
            b.data[i] = ' ';
    return buf_steal(&b);
}

int question_refused(const struct question *q)
{
    char *why = question_text(q->answer, "error");
    int code = command_fail(EXIT_FAILED, "%s", why);
    free(why);
    return code;
}
