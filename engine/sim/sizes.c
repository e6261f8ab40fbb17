#include "sim/sizes.h"

#include "sim/call.h"

#include <string.h>

#define ANSWER_MAX 200
#define COMMANDS_MAX 100
#define COMMAND_MAX 32
#define DESCRIPTION_MAX 256
#define PAYLOAD_BYTES_MAX 128
#define RESULT_ID_BYTES_MAX 64
#define OFFSET_BYTES_MAX 64

static bool check_callback(struct call *c)
{
    const char *text = params_text(&c->params, "text");
    return params_utf8_length(text, strlen(text)) <= ANSWER_MAX ||
           call_refuse_request(c, "MESSAGE_TOO_LONG");
}

static bool check_invoice(struct call *c)
{
    return strlen(params_text(&c->params, "payload")) <= PAYLOAD_BYTES_MAX ||
           call_refuse_request(c, "INVOICE_PAYLOAD_INVALID");
}

static bool is_command(const char *name)
{
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

/* A slash before the name is passed over. */
static bool check_command(struct call *c, const json_t *command)
{
    const json_t *about = json_object_get(command, "description");
    const char *name = json_string_value(json_object_get(command, "command"));
    name = name == NULL ? "" : name + (*name == '/');
    if (*name == '\0')
        return call_refuse_request(c, "command must be non-empty");
    if (params_utf8_length(name, strlen(name)) > COMMAND_MAX)
        return call_refuse_request(c, "command length must not exceed 32");
    if (params_json_length(about) == 0)
        return call_refuse_request(c, "command description must be non-empty");
    if (params_json_length(about) > DESCRIPTION_MAX)
        return call_refuse_request(
            c, "command description length must not exceed 256");
    return is_command(name) || call_refuse_request(c, "BOT_COMMAND_INVALID");
}

static bool check_commands(struct call *c)
{
    json_t *commands = call_json(c, "commands");
    bool fine = json_array_size(commands) <= COMMANDS_MAX ||
                call_refuse_request(c, "BOT_COMMANDS_TOO_MUCH");
    for (size_t i = 0; fine && i < json_array_size(commands); i++)
        fine = check_command(c, json_array_get(commands, i));
    json_decref(commands);
    return fine;
}

static bool check_results(struct call *c)
{
    json_t *results = call_json(c, "results");
    bool fine =
        strlen(params_text(&c->params, "next_offset")) <= OFFSET_BYTES_MAX ||
        call_refuse_request(c, "NEXT_OFFSET_INVALID");
    for (size_t i = 0; fine && i < json_array_size(results); i++) {
        const json_t *id = json_object_get(json_array_get(results, i), "id");
        size_t len = json_string_length(id);
        if (json_is_string(id) && (len == 0 || len > RESULT_ID_BYTES_MAX))
            fine = call_refuse_request(c, "RESULT_ID_INVALID");
    }
    json_decref(results);
    return fine;
}

bool sizes_check(struct call *c)
{
    static const struct {
        const char *method;
        bool (*check)(struct call *c);
    } checks[] = {
        {"answerCallbackQuery", check_callback},
        {"answerInlineQuery", check_results},
        {"createInvoiceLink", check_invoice},
        {"sendInvoice", check_invoice},
        {"setMyCommands", check_commands},
    };
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
        if (strcmp(checks[i].method, c->method->name) == 0)
            return checks[i].check(c);
    return true;
}
