/*
 * The other part of an echo alone: updates go into the inbox, durably, begin,
 * and end, as dispatch ends them. A turn makes PUTS puts of SIZE updates each:
 * one large one as polling does, or many of one update, as a webhook does.
 *
 *   bench_store FOLDER COUNT PUTS SIZE
 */

#include "cost.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "loop/loop.h"
#include "store/datadir.h"
#include "store/inbox.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH_MAX 1000
#define BODY_BYTES 838
#define BOT 4242
#define FIRST_ID 913245600

struct store_loop {
    struct loop *loop;
    struct inbox *inbox;
    int64_t put, ended, count, puts, size;
    char body[BODY_BYTES + 1];
    bool failed;
};

static void on_stored(void *arg, const struct err *e)
{
    struct store_loop *s = arg;
    if (e->code == ERR_OK)
        return;
    fprintf(stderr, "bench_store: %s\n", e->message);
    s->failed = true;
    loop_stop(s->loop);
}

static void put_some(struct store_loop *s)
{
    struct inbox_item items[BATCH_MAX];
    char lanes[BATCH_MAX][32];
    size_t n = 0;
    for (; n < (size_t)s->size && s->put < s->count; n++, s->put++) {
        snprintf(lanes[n], sizeof lanes[n], "chat:%" PRId64,
                 INT64_C(7123400000) + 17 * (s->put % 200));
        items[n] = (struct inbox_item){
            .update_id = FIRST_ID + s->put,
            .source = INBOX_TELEGRAM,
            .lane = lanes[n],
            .body = s->body,
            .body_len = BODY_BYTES,
        };
    }
    if (n > 0)
        inbox_put(s->inbox, items, n, FIRST_ID + s->put, on_stored, s);
}

static void put_batch(struct store_loop *s)
{
    for (int64_t i = 0; i < s->puts; i++)
        put_some(s);
}

/* As polling does, the next batch is on its way while this one ends. */
static void on_ready(void *arg)
{
    struct store_loop *s = arg;
    struct inbox_entry *entry;
    put_batch(s);
    while ((entry = inbox_next(s->inbox)) && inbox_begin(s->inbox, entry)) {
        inbox_on_loop(s->inbox, entry);
        inbox_on_loop(s->inbox, NULL);
        inbox_finish(s->inbox, entry);
        s->ended++;
    }
    if (entry) {
        fprintf(stderr, "bench_store: a batch is over the marks' number\n");
        s->failed = true;
    }
    if (s->failed || s->ended == s->count)
        loop_stop(s->loop);
}

static void on_drained(void *arg)
{
    (void)arg;
}

static int measure(struct store_loop *s, const char *folder)
{
    struct datadir dir;
    struct err e;
    const struct inbox_options options = {
        .bot_id = BOT,
        .limit = 100000,
        .ready = on_ready,
        .drained = on_drained,
        .arg = s,
    };
    if (datadir_open(&dir, folder, &e) ||
        !(s->inbox = inbox_open(s->loop, &dir, &options, &e))) {
        fprintf(stderr, "bench_store: %s\n", e.message);
        return 1;
    }
    struct cost from = cost_now();
    put_batch(s);
    loop_run(s->loop);
    cost_print(from, s->count);
    inbox_close(s->inbox);
    datadir_close(&dir);
    return s->failed;
}

int main(int argc, char **argv)
{
    struct store_loop s = {0};
    struct clock clock;
    struct rng rng;
    s.count = argc == 5 ? atoll(argv[2]) : 0;
    s.puts = argc == 5 ? atoll(argv[3]) : 0;
    s.size = argc == 5 ? atoll(argv[4]) : 0;
    if (s.count <= 0 || s.puts <= 0 || s.size <= 0 ||
        s.puts > BATCH_MAX / s.size) {
        fprintf(stderr, "usage: bench_store FOLDER COUNT PUTS SIZE\n");
        return 2;
    }
    memset(s.body, 'x', BODY_BYTES);
    clock_init_real(&clock);
    rng_seed(&rng, 1);
    struct log *log = log_new(STDERR_FILENO, LOG_INFO, LOG_TEXT, &clock);
    s.loop = loop_new(&clock, log, &rng);
    int code = measure(&s, argv[1]);
    code |= loop_free(s.loop) != 0;
    log_free(log);
    return code;
}
