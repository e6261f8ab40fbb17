#include "base/botapi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

static void methods_are_found_in_any_case(void **state)
{
    (void)state;
    const struct botapi_method *m = botapi_method("SENDmessage");
    assert_non_null(m);
    assert_string_equal(m->name, "sendMessage");
    assert_string_equal(m->returns, "Message");
    assert_true(botapi_param(m, "chat_id")->required);
    assert_string_equal(botapi_param(m, "chat_id")->types, "Integer|String");
    assert_false(botapi_param(m, "reply_markup")->required);
    assert_null(botapi_param(m, "chat"));
    assert_null(botapi_method("sendMessages"));
    assert_null(botapi_method(""));
}

static void every_row_finds_itself(void **state)
{
    (void)state;
    for (size_t i = 0; i < botapi_methods_count; i++)
        assert_ptr_equal(botapi_method(botapi_methods[i].name),
                         &botapi_methods[i]);
    for (size_t i = 0; i < botapi_types_count; i++)
        assert_ptr_equal(botapi_type(botapi_types[i].name), &botapi_types[i]);
    assert_int_equal(botapi_methods_count, 185);
    assert_int_equal(botapi_types_count, 400);
}

static bool is_base_type(const char *name)
{
    return botapi_has_type("Integer|Float|String|Boolean|True", name);
}

/* Every name that a row uses is a base type or a row itself. */
static void check_types(const char *types)
{
    char name[BOTAPI_NAME_MAX];
    while (botapi_each_type(&types, name)) {
        const char *type = name;
        while (botapi_element(type) != NULL)
            type = botapi_element(type);
        if (!is_base_type(type) && botapi_type(type) == NULL)
            fail_msg("%s is no type", type);
    }
}

static void all_types_are_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < botapi_methods_count; i++) {
        check_types(botapi_methods[i].returns);
        for (size_t k = 0; k < botapi_methods[i].params_count; k++)
            check_types(botapi_methods[i].params[k].types);
    }
    for (size_t i = 0; i < botapi_types_count; i++) {
        const struct botapi_type *t = &botapi_types[i];
        for (size_t k = 0; k < t->fields_count; k++)
            check_types(t->fields[k].types);
        if (t->one_of != NULL)
            check_types(t->one_of);
    }
}

static void types_have_fields_constants_and_members(void **state)
{
    (void)state;
    const struct botapi_type *owner = botapi_type("ChatMemberOwner");
    assert_string_equal(botapi_type_field(owner, "status")->value, "creator");
    assert_null(botapi_type_field(owner, "stat"));
    assert_true(
        botapi_has_type(botapi_type("ChatMember")->one_of, "ChatMemberBanned"));
    assert_null(botapi_type("Message")->one_of);
    assert_null(botapi_type("message"));
}

static void kinds_are_those_of_update(void **state)
{
    (void)state;
    assert_int_equal(botapi_kinds_count, 27);
    assert_int_equal(botapi_kind("message"), 0);
    assert_true(botapi_kind("Callback_Query") > 0);
    assert_int_equal(botapi_kind("update_id"), -1);
}

static void alternatives_are_walked(void **state)
{
    (void)state;
    char name[BOTAPI_NAME_MAX];
    const char *at = "Integer|Array of Array of PhotoSize";
    assert_true(botapi_each_type(&at, name));
    assert_string_equal(name, "Integer");
    assert_true(botapi_each_type(&at, name));
    assert_string_equal(botapi_element(botapi_element(name)), "PhotoSize");
    assert_false(botapi_each_type(&at, name));
    assert_false(botapi_has_type("InputFile", "Input"));
}

static void errors_have_code_and_text(void **state)
{
    (void)state;
    for (int i = BOTAPI_BLOCKED; i <= BOTAPI_ALBUM_EMPTY; i++) {
        assert_in_range(botapi_errors[i].code, 400, 599);
        assert_non_null(botapi_errors[i].description);
    }
    assert_string_equal(botapi_errors[BOTAPI_UNAUTHORIZED].description,
                        "Unauthorized");
    assert_int_equal(botapi_errors[BOTAPI_CONFLICT_POLL].code, 409);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods_are_found_in_any_case),
        cmocka_unit_test(every_row_finds_itself),
        cmocka_unit_test(all_types_are_known),
        cmocka_unit_test(types_have_fields_constants_and_members),
        cmocka_unit_test(kinds_are_those_of_update),
        cmocka_unit_test(alternatives_are_walked),
        cmocka_unit_test(errors_have_code_and_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
