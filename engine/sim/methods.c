#include "sim/methods.h"

#include "base/buf.h"
#include "sim/account.h"
#include "sim/answer.h"
#include "sim/call.h"
#include "sim/topics.h"

#include <stdlib.h>
#include <string.h>

#define COMMAND_SCOPES_MAX 1000

static json_t *get_me(struct call *c)
{
    json_t *me = json_copy(c->bot->user);
    sim_set(me, "can_join_groups", json_true());
    sim_set(me, "can_read_all_group_messages", json_true());
    sim_set(me, "supports_inline_queries", json_false());
    sim_set(me, "can_connect_to_business", json_false());
    sim_set(me, "has_main_web_app", json_false());
    return me;
}

static json_t *get_updates(struct call *c)
{
    long_poll_call(&c->bot->poll, c);
    return NULL;
}

/* Commands are kept by scope and language. */
static void commands_key(const struct call *c, struct buf *key)
{
    json_t *scope = call_json(c, "scope");
    char *text = json_dumps(scope, JSON_COMPACT | JSON_SORT_KEYS);
    buf_puts(key, text != NULL ? text : "{\"type\":\"default\"}");
    buf_puts(key, "|");
    buf_puts(key, params_text(&c->params, "language_code"));
    free(text);
    json_decref(scope);
}

static void store_commands(struct call *c, json_t *commands)
{
    struct map *m = &c->bot->commands;
    struct buf key = {0};
    json_t *menu = json_object();
    json_t *scope = call_json(c, "scope");
    sim_set(menu, "scope",
            scope != NULL ? scope : json_pack("{s:s}", "type", "default"));
    sim_set(menu, "language_code",
            json_string(params_text(&c->params, "language_code")));
    json_object_set(menu, "commands", commands);
    events_emit(&c->sim->events, "commands", sim_text(json_incref(menu)));
    commands_key(c, &key);
    if (m->count < COMMAND_SCOPES_MAX || map_get(m, key.data, key.len) != NULL)
        json_decref(map_put(m, key.data, key.len, json_incref(menu)));
    json_decref(menu);
    buf_free(&key);
}

static json_t *set_my_commands(struct call *c)
{
    json_t *commands = call_json(c, "commands");
    if (!json_is_array(commands))
        call_refuse(c, 400, "Bad Request: expected an Array of BotCommand");
    else
        store_commands(c, commands);
    json_decref(commands);
    return c->status == 0 ? json_true() : NULL;
}

static json_t *delete_my_commands(struct call *c)
{
    json_t *none = json_array();
    store_commands(c, none);
    json_decref(none);
    return json_true();
}

static json_t *get_my_commands(struct call *c)
{
    struct buf key = {0};
    commands_key(c, &key);
    json_t *menu = map_get(&c->bot->commands, key.data, key.len);
    buf_free(&key);
    return menu != NULL ? json_incref(json_object_get(menu, "commands"))
                        : json_array();
}

/* By name, for bsearch. */
static const struct {
    const char *name;
    json_t *(*run)(struct call *c);
} modelled[] = {
    {"answerCallbackQuery", method_answer_callback},
    {"answerInlineQuery", method_answer_inline},
    {"approveChatJoinRequest", method_approve_request},
    {"banChatMember", method_ban_member},
    {"close", method_close},
    {"closeForumTopic", method_close_topic},
    {"copyMessage", method_copy_message},
    {"copyMessages", method_copy_messages},
    {"createChatInviteLink", method_invite_link},
    {"createChatSubscriptionInviteLink", method_invite_link},
    {"createForumTopic", method_create_topic},
    {"createInvoiceLink", method_create_invoice_link},
    {"declineChatJoinRequest", method_decline_request},
    {"deleteChatStickerSet", method_sticker_set},
    {"deleteForumTopic", method_delete_topic},
    {"deleteMessage", method_delete_message},
    {"deleteMessages", method_delete_messages},
    {"deleteMyCommands", delete_my_commands},
    {"deleteWebhook", method_delete_webhook},
    {"editChatInviteLink", method_invite_link},
    {"editChatSubscriptionInviteLink", method_invite_link},
    {"editMessageCaption", method_edit_caption},
    {"editMessageChecklist", method_edit_content},
    {"editMessageLiveLocation", method_edit_content},
    {"editMessageMedia", method_edit_content},
    {"editMessageReplyMarkup", method_edit_markup},
    {"editMessageText", method_edit_text},
    {"exportChatInviteLink", method_export_link},
    {"forwardMessage", method_forward_message},
    {"forwardMessages", method_forward_messages},
    {"getChat", method_get_chat},
    {"getChatAdministrators", method_get_chat_administrators},
    {"getChatMember", method_get_chat_member},
    {"getChatMemberCount", method_get_chat_member_count},
    {"getFile", method_get_file},
    {"getMe", get_me},
    {"getMyCommands", get_my_commands},
    {"getUpdates", get_updates},
    {"getWebhookInfo", method_get_webhook_info},
    {"leaveChat", method_leave_chat},
    {"logOut", method_log_out},
    {"pinChatMessage", method_pin},
    {"promoteChatMember", method_promote_member},
    {"reopenForumTopic", method_reopen_topic},
    {"restrictChatMember", method_restrict_member},
    {"revokeChatInviteLink", method_invite_link},
    {"sendChatAction", method_chat_action},
    {"sendMediaGroup", method_send_media_group},
    {"sendMessage", method_send_message},
    {"setChatStickerSet", method_sticker_set},
    {"setMessageReaction", method_react},
    {"setMyCommands", set_my_commands},
    {"setWebhook", method_set_webhook},
    {"stopPoll", method_stop_poll},
    {"unbanChatMember", method_unban_member},
    {"unpinChatMessage", method_unpin},
};

static int compare(const void *name, const void *row)
{
    return strcmp(name, *(const char *const *)row);
}

json_t *methods_run(struct call *c)
{
    const char *name = c->method->name;
    size_t count = sizeof(modelled) / sizeof(modelled[0]);
    const char *const *row =
        bsearch(name, modelled, count, sizeof(modelled[0]), compare);
    if (row != NULL) {
        size_t i = (size_t)((const char *)row - (const char *)modelled) /
                   sizeof(modelled[0]);
        return modelled[i].run(c);
    }
    if (strncmp(name, "send", 4) == 0 &&
        strcmp(c->method->returns, "Message") == 0)
        return method_send_content(c);
    return answer_any(c);
}
