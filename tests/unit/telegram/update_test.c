/* The lane of every sample in vendor/botapi/updates (DESIGN section 8), and
 * what an order makes of it. */

#include "telegram/update.h"

#include "base/buf.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SAMPLES SOURCE_DIR "/vendor/botapi/updates"

static const struct sample {
    const char *name;
    const char *lane;
    const char *by_user; /* NULL: the same */
} samples[] = {
    {"business_connection", "user:5987654321", NULL},
    {"business_message", "business:AbCdEf0123456789-_xyz:412345678",
     "user:412345678"},
    {"callback_query.inaccessible_message", "chat:-1001234567890",
     "user:412345678"},
    {"callback_query.inline_message", "user:412345678", NULL},
    {"callback_query", "chat:7123456789", "user:7123456789"},
    {"channel_post", "chat:-1009876543210", NULL},
    {"chat_boost", "chat:-1009876543210", NULL},
    {"chat_join_request", "chat:-1001234567890", "user:5987654321"},
    {"chat_member", "chat:-1001234567890", "user:412345678"},
    {"chosen_inline_result", "user:5987654321", NULL},
    {"deleted_business_messages", "business:AbCdEf0123456789-_xyz:412345678",
     NULL},
    {"edited_business_message", "business:AbCdEf0123456789-_xyz:412345678",
     "user:412345678"},
    {"edited_channel_post", "chat:-1009876543210", NULL},
    {"edited_message", "chat:-1001234567890", "user:412345678"},
    {"guest_message", "chat:-1002223334445", "user:5987654321"},
    {"inline_query", "user:5987654321", NULL},
    {"managed_bot", "user:5987654321", NULL},
    {"message.contact", "chat:412345678", "user:412345678"},
    {"message.document", "chat:412345678", "user:412345678"},
    {"message.forward_channel", "chat:7123456789", "user:7123456789"},
    {"message", "chat:7123456789", "user:7123456789"},
    {"message.location", "chat:5987654321", "user:5987654321"},
    {"message.long_text", "chat:7123456789", "user:7123456789"},
    {"message.migrate_from_chat_id", "chat:-1003334445556", "user:1087968824"},
    {"message.migrate_to_chat_id", "chat:-4123456789", "user:412345678"},
    {"message.new_chat_members", "chat:-4123456789", "user:412345678"},
    {"message.photo_album", "chat:7123456789", "user:7123456789"},
    {"message.reply_quote", "chat:-1001234567890", "user:5987654321"},
    {"message.start_deep_link", "chat:5987654321", "user:5987654321"},
    {"message.successful_payment", "chat:412345678", "user:412345678"},
    {"message.voice", "chat:7123456789", "user:7123456789"},
    {"message.web_app_data", "chat:5987654321", "user:5987654321"},
    {"message_reaction", "chat:-1001234567890", "user:7123456789"},
    {"message_reaction_count", "chat:-1009876543210", NULL},
    {"my_chat_member.blocked", "chat:7123456789", "user:7123456789"},
    {"my_chat_member", "chat:-1001234567890", "user:412345678"},
    {"my_chat_member.unblocked", "chat:7123456789", "user:7123456789"},
    {"poll", "poll:5269876543210123456", NULL},
    {"poll_answer", "user:7123456789", NULL},
    {"pre_checkout_query", "user:412345678", NULL},
    {"purchased_paid_media", "user:412345678", NULL},
    {"removed_chat_boost", "chat:-1009876543210", NULL},
    {"shipping_query", "user:412345678", NULL},
    {"stopped_message_generation", "chat:7123456789", NULL},
    {"subscription", "user:7123456789", NULL},
};

static const struct sample *find_sample(const char *name)
{
    size_t len = strlen(name) - strlen(".json");
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        if (strlen(samples[i].name) == len &&
            strncmp(samples[i].name, name, len) == 0)
            return &samples[i];
    fail_msg("no lane is known for %s", name);
    return NULL;
}

static struct jslice read_sample(const char *name, struct buf *text)
{
    char path[512], part[4096];
    size_t n;
    snprintf(path, sizeof path, "%s/%s", SAMPLES, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while ((n = fread(part, 1, sizeof part, file)) > 0)
        buf_append(text, part, n);
    fclose(file);
    return js_check(text->data, text->len);
}

static void check_sample(const char *name)
{
    const struct sample *sample = find_sample(name);
    const char *by_user = sample->by_user ? sample->by_user : sample->lane;
    char alone[UPDATE_LANE_MAX];
    struct buf text = {0};
    struct update_head h;
    struct jslice update = read_sample(name, &text);

    assert_int_equal(update_head_read(&h, update), 0);
    assert_string_equal(h.lane, sample->lane);
    assert_int_equal(strncmp(name, h.kind, strlen(h.kind)), 0);
    update_head_by_user(&h, update);
    assert_string_equal(h.lane, by_user);
    update_head_alone(&h);
    snprintf(alone, sizeof alone, "update:%lld", (long long)h.update_id);
    assert_string_equal(h.lane, alone);
    buf_free(&text);
}

static void every_sample_has_its_lane(void **state)
{
    size_t count = 0;
    struct dirent *entry;
    DIR *folder = opendir(SAMPLES);
    (void)state;
    assert_non_null(folder);
    while ((entry = readdir(folder)))
        if (strstr(entry->d_name, ".json")) {
            check_sample(entry->d_name);
            count++;
        }
    closedir(folder);
    assert_int_equal(count, sizeof samples / sizeof *samples);
}

static void expect_lane(const char *text, const char *lane)
{
    struct update_head h;
    struct jslice update = js_check(text, strlen(text));
    assert_non_null(update.at);
    assert_int_equal(update_head_read(&h, update), 0);
    assert_string_equal(h.lane, lane);
}

static void unknown_kinds_and_odd_events_have_lanes(void **state)
{
    char text[400], poll[200];
    (void)state;
    expect_lane("{\"update_id\":1,\"new_kind\":{\"chat\":{\"id\":-7},"
                "\"from\":{\"id\":8}}}",
                "chat:-7");
    expect_lane("{\"update_id\":1,\"new_kind\":{\"user\":{\"id\":8}}}",
                "user:8");
    expect_lane("{\"new_kind\":{},\"update_id\":1}", "kind:new_kind");
    expect_lane("{\"update_id\":1,\"message\":{\"chat\":{\"id\":\"x\"}}}",
                "kind:message");
    expect_lane("{\"update_id\":1,\"added\":{\"chat\":{\"id\":1}},"
                "\"message\":{\"chat\":{\"id\":-7}},\"more\":{}}",
                "chat:-7");
    memset(poll, 'p', 150);
    poll[150] = '\0';
    snprintf(text, sizeof text, "{\"update_id\":1,\"poll\":{\"id\":\"%s\"}}",
             poll);
    expect_lane(text, "kind:poll");
}

static void what_has_no_head_is_refused(void **state)
{
    static const char *const texts[] = {"{}",
                                        "{\"update_id\":1}",
                                        "{\"message\":{}}",
                                        "{\"update_id\":\"1\",\"message\":{}}",
                                        "{\"update_id\":1,\"message\":5}",
                                        NULL};
    (void)state;
    for (const char *const *text = texts; *text; text++) {
        struct update_head h;
        assert_int_equal(update_head_read(&h, js_check(*text, strlen(*text))),
                         -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sample_has_its_lane),
        cmocka_unit_test(unknown_kinds_and_odd_events_have_lanes),
        cmocka_unit_test(what_has_no_head_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
