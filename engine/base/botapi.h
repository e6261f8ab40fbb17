#ifndef MOONLET_BASE_BOTAPI_H
#define MOONLET_BASE_BOTAPI_H

/*
 * The Bot API as data: methods, types, update kinds, and the error answers
 * that code refers to. The tables are constant and generated
 * (vendor/botapi/generate.py); any thread may read them.
 *
 * Alternatives are joined by "|": "Integer|String", "Array of PhotoSize".
 * Base types: Integer, Float, String, Boolean, True. InputFile is an upload.
 */

#include <stdbool.h>
#include <stddef.h>

#define BOTAPI_NAME_MAX 96

struct botapi_field {
    const char *name;
    const char *types;
    const char *value; /* constant of a discriminator; NULL: none */
    bool required;
};

struct botapi_method {
    const char *name;
    const char *returns;
    const struct botapi_field *params;
    size_t params_count;
};

struct botapi_type {
    const char *name;
    const char *one_of; /* members of a union; NULL: none */
    const struct botapi_field *fields;
    size_t fields_count;
};

/* The rows of errors.json that code names (see generate.py). */
enum botapi_error {
    BOTAPI_BLOCKED,
    BOTAPI_NOT_STARTED,
    BOTAPI_CHAT_NOT_FOUND,
    BOTAPI_USER_NOT_FOUND,
    BOTAPI_CONFLICT_POLL,
    BOTAPI_UNAUTHORIZED,
    BOTAPI_TOKEN_INVALID,
    BOTAPI_TOKEN_UNALLOWED,
    BOTAPI_NOT_FOUND,
    BOTAPI_METHOD_NOT_FOUND,
    BOTAPI_RESTART,
    BOTAPI_NOT_MODIFIED,
    BOTAPI_EDIT_NOT_FOUND,
    BOTAPI_DELETE_NOT_FOUND,
    BOTAPI_FORWARD_NOT_FOUND,
    BOTAPI_COPY_NOT_FOUND,
    BOTAPI_REPLY_NOT_FOUND,
    BOTAPI_CANNOT_EDIT,
    BOTAPI_NO_TEXT_TO_EDIT,
    BOTAPI_NO_CAPTION_TO_EDIT,
    BOTAPI_QUERY_TOO_OLD,
    BOTAPI_TEXT_EMPTY,
    BOTAPI_MESSAGE_TOO_LONG,
    BOTAPI_TEXT_TOO_LONG,
    BOTAPI_CAPTION_TOO_LONG,
    BOTAPI_BUTTON_DATA_INVALID,
    BOTAPI_PARSE_MODE,
    BOTAPI_CHAT_ID_EMPTY,
    BOTAPI_NO_MESSAGE_ID,
    BOTAPI_NO_MESSAGE_IDS,
    BOTAPI_TOO_MANY_IDS,
    BOTAPI_BAD_KEYBOARD,
    BOTAPI_OBJECT_EXPECTED,
    BOTAPI_INLINE_EXPECTED,
    BOTAPI_TEXT_BUTTONS,
    BOTAPI_WRONG_ACTION,
    BOTAPI_NO_FILE_ID,
    BOTAPI_MEDIA_EXPECTED,
    BOTAPI_ALBUM_TOO_BIG,
    BOTAPI_ALBUM_EMPTY,
    BOTAPI_DEACTIVATED,
    BOTAPI_TO_BOT,
    BOTAPI_GROUP_DELETED,
    BOTAPI_KICKED_GROUP,
    BOTAPI_KICKED_SUPERGROUP,
    BOTAPI_KICKED_CHANNEL,
    BOTAPI_LEFT_GROUP,
    BOTAPI_LEFT_SUPERGROUP,
    BOTAPI_LEFT_CHANNEL,
    BOTAPI_MIGRATED,
    BOTAPI_LOGGED_OUT,
    BOTAPI_ALREADY_CLOSED,
    BOTAPI_REACT_NOT_FOUND,
    BOTAPI_PIN_NOT_FOUND,
    BOTAPI_UNPIN_NOT_FOUND,
    BOTAPI_THREAD_NOT_FOUND,
    BOTAPI_TOPIC_CLOSED,
    BOTAPI_CANNOT_DELETE,
    BOTAPI_CANNOT_REVOKE,
    BOTAPI_PROTECTED,
    BOTAPI_TEXT_BLANK,
    BOTAPI_MARKUP_TOO_LONG,
    BOTAPI_CANNOT_PARSE,
    BOTAPI_NO_CHAT_ID,
    BOTAPI_TOO_MANY_RESULTS,
    BOTAPI_BAD_FILE,
    BOTAPI_BAD_FILE_ID,
    BOTAPI_CANNOT_RESTRICT,
    BOTAPI_IS_ADMIN,
    BOTAPI_ONLY_SUPERGROUPS,
    BOTAPI_NO_ADMINS,
};

struct botapi_error_row {
    int code;
    const char *description;
};

extern const struct botapi_method botapi_methods[]; /* sorted by name */
extern const size_t botapi_methods_count;
extern const struct botapi_type botapi_types[]; /* sorted by name */
extern const size_t botapi_types_count;
extern const char *const botapi_kinds[]; /* update kinds, as in Update */
extern const size_t botapi_kinds_count;
extern const struct botapi_error_row botapi_errors[]; /* by botapi_error */

/* In any letter case, as the server takes it. NULL: no such method. */
const struct botapi_method *botapi_method(const char *name);
const struct botapi_type *botapi_type(const char *name);
/* Does it make or change messages, which Telegram counts? */
bool botapi_is_message(const struct botapi_method *m);
/* The parameter whose elements are a message each; NULL: it makes one. */
const char *botapi_message_list(const struct botapi_method *m);
/* NULL: no such parameter or field. */
const struct botapi_field *botapi_param(const struct botapi_method *m,
                                        const char *name);
const struct botapi_field *botapi_type_field(const struct botapi_type *t,
                                             const char *name);
/* Index in botapi_kinds, in any letter case; -1: no such kind. */
int botapi_kind(const char *name);

/* Walks alternatives: start with *cursor = the joined text; false at the
 * end. */
bool botapi_each_type(const char **cursor, char name[BOTAPI_NAME_MAX]);
bool botapi_has_type(const char *types, const char *name);
/* The text behind "Array of ", or NULL if `type` is no array. */
const char *botapi_element(const char *type);

#endif
