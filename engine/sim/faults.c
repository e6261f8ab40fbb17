#include "sim/faults.h"

#include "base/mem.h"
#include "sim/core.h"

#include <stdlib.h>
#include <string.h>

static const char *const mode_names[] = {"none",    "429",        "500",
                                         "502html", "cut_before", "cut_after",
                                         "slow",    "duplicate",  "refused"};

const char *fault_mode_name(enum fault_mode mode)
{
    return mode_names[mode];
}

bool fault_mode_parse(const char *name, enum fault_mode *out)
{
    for (int i = FAULT_429; i <= FAULT_REFUSED; i++) {
        if (strcmp(name, mode_names[i]) == 0) {
            *out = (enum fault_mode)i;
            return true;
        }
    }
    return false;
}

void faults_init(struct faults *f)
{
    list_init(&f->list);
}

static void drop(struct faults *f, struct fault *fault)
{
    list_remove(&fault->link);
    f->count--;
    free(fault);
}

static struct fault *entry(struct list *link)
{
    return LIST_ENTRY(link, struct fault, link);
}

void faults_clear(struct faults *f, int64_t id)
{
    for (struct list *l = f->list.next, *next; l != &f->list; l = next) {
        next = l->next;
        if (id == 0 || entry(l)->id == id)
            drop(f, entry(l));
    }
}

struct fault *faults_add(struct faults *f)
{
    if (f->count >= FAULTS_MAX)
        return NULL;
    struct fault *fault = MEM_NEW(struct fault);
    fault->id = ++f->last_id;
    list_push(&f->list, &fault->link);
    f->count++;
    return fault;
}

const struct fault *faults_find(const struct faults *f, int64_t id)
{
    for (struct list *l = f->list.next; l != &f->list; l = l->next)
        if (entry(l)->id == id)
            return entry(l);
    return NULL;
}

static bool fits(const struct fault *f, const char *method, int64_t chat)
{
    bool of_update = f->mode == FAULT_DUPLICATE;
    if (of_update != (method == NULL) || (f->chat != 0 && f->chat != chat))
        return false;
    return of_update || f->method == NULL || strcmp(f->method, method) == 0;
}

struct fault faults_take(struct faults *f, const char *method, int64_t chat)
{
    for (struct list *l = f->list.next; l != &f->list; l = l->next) {
        struct fault *fault = entry(l);
        if (!fits(fault, method, chat))
            continue;
        struct fault taken = *fault;
        if (--fault->count == 0)
            drop(f, fault);
        return taken;
    }
    return (struct fault){.mode = FAULT_NONE};
}

json_t *fault_view(const struct fault *f)
{
    json_t *view = json_object();
    sim_set(view, "id", json_integer(f->id));
    sim_set(view, "mode", json_string(mode_names[f->mode]));
    sim_set(view, "count", json_integer(f->count));
    if (f->method != NULL)
        sim_set(view, "method", json_string(f->method));
    if (f->chat != 0)
        sim_set(view, "chat", json_integer(f->chat));
    if (f->mode == FAULT_429)
        sim_set(view, "retry_after", json_integer(f->retry_after));
    if (f->mode == FAULT_SLOW)
        sim_set(view, "seconds", json_real(f->seconds));
    if (f->mode == FAULT_REFUSED) {
        sim_set(view, "code", json_integer(f->code));
        sim_set(view, "description", json_string(f->description));
    }
    return view;
}
