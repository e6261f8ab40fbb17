#include "cli/scripts_trial.h"

#include "base/log.h"
#include "cli/library.h"
#include "cli/settings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int scripts_trial_open(struct scripts_trial *t, const struct settings *s,
                       struct err *e)
{
    struct script_error why;
    memset(t, 0, sizeof *t);
    t->services.app_json = s->file.app_json;
    t->services.admin_ids = s->config.admin_ids;
    t->services.admins_count = s->config.admin_count;
    t->library = library_with_check();
    clock_init_real(&t->clock);
    t->host = (struct vm_host){
        .log = log_new(STDERR_FILENO, LOG_WARN, LOG_TEXT, &t->clock),
        .clock = &t->clock,
        .memory_limit = (size_t)s->config.lua_memory_limit,
        .modules = bindings_modules,
        .library = t->library,
        .scripts_dir = s->config.scripts_dir,
        .services = &t->services,
    };
    err_set(e, ERR_OK, 0, "%s", "");
    t->generation = generation_load(&t->host, 1, &why);
    if (!t->generation) {
        library_describe(&why, t->host.scripts_dir, e);
        script_error_clear(&why);
    }
    return e->code;
}

void scripts_trial_close(struct scripts_trial *t)
{
    if (t->generation)
        generation_close(t->generation);
    log_free(t->host.log);
    free(t->library);
}

char *scripts_trial_ask(struct scripts_trial *t, const char *request,
                        struct err *e)
{
    struct script_error why;
    if (!generation_has(t->generation, VM_ON_DESCRIBE)) {
        err_set(e, ERR_SCRIPT, 0, "the scripts do not require moonlet.bot");
        return NULL;
    }
    char *text = generation_ask(t->generation, VM_ON_DESCRIBE, request,
                                strlen(request), &why);
    if (!text)
        library_describe(&why, t->host.scripts_dir, e);
    script_error_clear(&why);
    return text;
}
