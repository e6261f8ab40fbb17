#include "cli/offline.h"

#include "app/dead.h"
#include "base/mem.h"
#include "base/rng.h"
#include "cli/question.h"
#include "loop/loop.h"
#include "net/http_client.h"
#include "net/routes.h"
#include "store/datadir.h"
#include "store/inbox.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct offline {
    struct clock clock;
    struct rng rng;
    struct loop *loop;
    struct question *question;
    struct http_call call;
    struct err *error;
};

static void ignore(void *arg)
{
    (void)arg;
}

static void on_answer(struct http_call *call, const struct err *e)
{
    struct offline *o = LIST_ENTRY(call, struct offline, call);
    *o->error = *e;
    if (e->code == ERR_OK) {
        o->question->status = call->response.status;
        buf_append(&o->question->body, call->response.body.data,
                   call->response.body.len);
    }
    loop_stop(o->loop);
}

static void ask_routes(struct offline *o, struct inbox *inbox)
{
    struct dead dead = {.inbox = inbox};
    struct routes *routes = routes_new();
    struct http_client *client = http_client_new_direct(o->loop, routes);
    char *url = mem_printf("http://engine%s", o->question->target);
    dead_serve(&dead, routes);
    o->call = (struct http_call){
        .method = o->question->method,
        .url = url,
        .response_max = SIZE_MAX,
        .timeout_ms = o->question->limit_ms,
        .done = on_answer,
    };
    http_start(client, &o->call);
    loop_run(o->loop);
    http_call_free(&o->call);
    inbox_close(inbox); /* the routes' last answer is given by now */
    http_client_free(client);
    routes_free(routes);
    free(url);
}

static void ask_inbox(struct offline *o, const struct datadir *dir)
{
    const struct inbox_options options = {
        .limit = SIZE_MAX,
        .ready = ignore,
        .drained = ignore,
    };
    struct inbox *inbox = inbox_open(o->loop, dir, &options, o->error);
    if (inbox)
        ask_routes(o, inbox);
}

static int check_inbox(const char *data_dir, struct err *e)
{
    char *file = mem_printf("%s/inbox.db", data_dir);
    int code = access(file, F_OK) == 0
                   ? 0
                   : err_set(e, ERR_IO, errno,
                             "no engine is running on DATA_DIR %s, and it "
                             "holds no inbox",
                             data_dir);
    free(file);
    return code;
}

int offline_ask(struct question *q, struct err *e)
{
    struct offline o = {.question = q, .error = e};
    struct datadir dir;
    if (check_inbox(q->settings.config.data_dir, e) != 0 ||
        datadir_open(&dir, q->settings.config.data_dir, e) != 0)
        return e->code;
    clock_init_real(&o.clock);
    rng_seed(&o.rng, 1);
    o.loop = loop_new(&o.clock, NULL, &o.rng);
    ask_inbox(&o, &dir);
    loop_free(o.loop);
    datadir_close(&dir);
    return e->code;
}
