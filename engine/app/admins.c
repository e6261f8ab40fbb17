#include "app/admins.h"

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "telegram/api.h"
#include "vm/generation.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ERROR_MAX 1000 /* bytes; a message takes 4,096 characters */

struct admin {
    struct admins *all;
    int64_t id;
    struct api_call call;
    char *params; /* of the call in flight; NULL: none is */
    char *next;   /* the text behind it */
};

struct admins {
    struct loop *loop;
    struct api *api;
    char *told; /* the error that was told last; NULL: all is well */
    size_t count;
    struct admin list[];
};

struct admins *admins_new(struct loop *loop, struct api *api,
                          const int64_t *ids, size_t count)
{
    struct admins *a = mem_zero(1, sizeof *a + count * sizeof(struct admin));
    a->loop = loop;
    a->api = api;
    a->count = count;
    for (size_t i = 0; i < count; i++) {
        a->list[i].all = a;
        a->list[i].id = ids[i];
    }
    return a;
}

static void end_call(struct admin *admin)
{
    api_call_free(&admin->call);
    free(admin->params);
    admin->params = NULL;
}

void admins_free(struct admins *a)
{
    for (size_t i = 0; i < a->count; i++) {
        struct admin *admin = &a->list[i];
        if (admin->params) {
            api_cancel(&admin->call);
            end_call(admin);
        }
        free(admin->next);
    }
    free(a->told);
    free(a);
}

static void on_sent(struct api_call *call, const struct err *e);

static void send_text(struct admin *admin, const char *text)
{
    struct buf params = {0};
    buf_printf(&params, "{\"chat_id\":%" PRId64 ",\"text\":", admin->id);
    js_put_string(&params, text, strlen(text));
    buf_putc(&params, '}');
    admin->call = (struct api_call){
        .method = "sendMessage",
        .params_len = params.len,
        .class = LIMITER_JOB,
        .done = on_sent,
    };
    admin->call.params = admin->params = buf_steal(&params);
    api_start(admin->all->api, &admin->call);
}

static void on_sent(struct api_call *call, const struct err *e)
{
    struct admin *admin = LIST_ENTRY(call, struct admin, call);
    char *text = admin->next;
    if (e->code != ERR_OK)
        LOG_AT(loop_log(admin->all->loop), LOG_DEBUG, "admins.not_told",
               LOG_I("id", admin->id), LOG_S("reason", e->message));
    admin->next = NULL;
    end_call(admin);
    if (text)
        send_text(admin, text);
    free(text);
}

static void tell(struct admins *a, const char *text)
{
    for (size_t i = 0; i < a->count; i++) {
        struct admin *admin = &a->list[i];
        if (!admin->params) {
            send_text(admin, text);
            continue;
        }
        free(admin->next);
        admin->next = mem_strdup(text);
    }
}

static char *describe(const struct script_error *e)
{
    if (e->line > 0)
        return mem_printf("%s:%d: %.*s", e->script, e->line, ERROR_MAX,
                          e->message);
    return mem_printf("%.*s", ERROR_MAX, e->message);
}

void admins_not_loaded(struct admins *a, const struct script_error *error,
                       uint64_t generation)
{
    char *what = describe(error);
    if (a->told && strcmp(a->told, what) == 0) {
        free(what);
        return;
    }
    free(a->told);
    a->told = what;
    char *text = mem_printf("Not loaded: %s. Generation %" PRIu64 " goes on.",
                            what, generation);
    tell(a, text);
    free(text);
}

void admins_loaded(struct admins *a, uint64_t generation)
{
    if (!a->told)
        return;
    free(a->told);
    a->told = NULL;
    char *text = mem_printf("Loaded: generation %" PRIu64 ".", generation);
    tell(a, text);
    free(text);
}
