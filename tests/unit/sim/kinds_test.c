/* Lifetimes and lanes of the documented samples of every kind. */
#include "sim/kinds.h"

#include "base/botapi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LANE(id, family) ((int64_t)(id) + ((int64_t)(family) << 33))

static int64_t lane_of(const char *kind, const char *json)
{
    json_t *payload = json_loads(json, 0, NULL);
    assert_non_null(payload);
    int64_t lane = kind_lane(kind, payload);
    json_decref(payload);
    return lane;
}

static void every_kind_has_a_lane(void **state)
{
    (void)state;
    for (size_t i = 0; i < botapi_kinds_count; i++) {
        char path[300];
        snprintf(path, sizeof(path), "%s/vendor/botapi/updates/%s.json",
                 SOURCE_DIR, botapi_kinds[i]);
        json_t *sample = json_load_file(path, 0, NULL);
        json_t *payload = json_object_get(sample, botapi_kinds[i]);
        if (kind_lane(botapi_kinds[i], payload) == 0)
            fail_msg("%s has no lane", botapi_kinds[i]);
        json_decref(sample);
    }
}

static void lanes_are_those_of_the_server(void **state)
{
    static const struct {
        const char *kind;
        const char *json;
        int64_t lane;
    } rows[] = {
        {"message", "{\"chat\":{\"id\":-5},\"from\":{\"id\":7}}", -5},
        {"edited_message", "{\"chat\":{\"id\":-5}}", -5},
        {"edited_channel_post", "{\"chat\":{\"id\":-5}}", -5},
        {"inline_query", "{\"from\":{\"id\":7}}", LANE(7, 1)},
        {"chosen_inline_result", "{\"from\":{\"id\":7}}", LANE(7, 2)},
        {"callback_query",
         "{\"from\":{\"id\":7},\"message\":{\"chat\":{\"id\":-5}}}",
         LANE(7, 3)},
        {"shipping_query", "{\"from\":{\"id\":7}}", LANE(7, 4)},
        {"pre_checkout_query", "{\"from\":{\"id\":7}}", LANE(7, 4)},
        {"my_chat_member", "{\"chat\":{\"id\":7},\"from\":{\"id\":9}}",
         LANE(7, 5)},
        {"chat_member",
         "{\"chat\":{\"id\":7},\"from\":{\"id\":9},"
         "\"old_chat_member\":{\"user\":{\"id\":8}}}",
         LANE(8, 6)},
        {"chat_join_request", "{\"chat\":{\"id\":7},\"from\":{\"id\":8}}",
         LANE(8, 6)},
        {"removed_chat_boost", "{\"chat\":{\"id\":-5}}", LANE(-5, 7)},
        {"message_reaction", "{\"chat\":{\"id\":-5}}", LANE(-5, 8)},
        {"message_reaction_count", "{\"chat\":{\"id\":-5}}", LANE(-5, 9)},
        {"business_connection", "{\"user\":{\"id\":7}}", LANE(7, 10)},
        {"deleted_business_messages", "{\"chat\":{\"id\":7}}", LANE(7, 11)},
        {"guest_message", "{\"chat\":{\"id\":7}}", LANE(7, 12)},
        {"purchased_paid_media", "{\"from\":{\"id\":7}}", LANE(7, 12)},
        {"managed_bot", "{\"user\":{\"id\":7}}", LANE(7, 13)},
        {"poll", "{\"id\":\"5001\"}", 5001},
        {"poll_answer", "{\"poll_id\":\"5001\",\"user\":{\"id\":7}}", 5001},
        {"message", "{}", 0},
        {"message", "{\"chat\":7}", 0},
        {"unknown", "{\"chat\":{\"id\":7}}", 0},
        {"message_reaction", "{\"chat\":{\"id\":9223372036854775807}}",
         (int64_t)(UINT64_C(9223372036854775807) + (UINT64_C(8) << 33))},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (lane_of(rows[i].kind, rows[i].json) != rows[i].lane)
            fail_msg("%s %s", rows[i].kind, rows[i].json);
    assert_int_equal(lane_of("poll", "{\"id\":\"a-1\"}"),
                     lane_of("poll_answer", "{\"poll_id\":\"a-1\"}"));
    assert_int_not_equal(lane_of("poll", "{\"id\":\"a-1\"}"),
                         lane_of("poll", "{\"id\":\"a-2\"}"));
}

static void lifetimes_are_those_of_the_server(void **state)
{
    (void)state;
    for (size_t i = 0; i < botapi_kinds_count; i++) {
        const char *kind = botapi_kinds[i];
        int64_t expected = strcmp(kind, "inline_query") == 0           ? 30
                           : strcmp(kind, "chosen_inline_result") == 0 ? 600
                           : strcmp(kind, "callback_query") == 0 ||
                                   strcmp(kind, "shipping_query") == 0 ||
                                   strcmp(kind, "pre_checkout_query") == 0
                               ? 150
                               : 86400;
        assert_int_equal(kind_lifetime(kind), expected);
    }
    assert_int_equal(kind_lifetime("unknown"), 86400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_has_a_lane),
        cmocka_unit_test(lanes_are_those_of_the_server),
        cmocka_unit_test(lifetimes_are_those_of_the_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
