#include "base/botapi.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ARRAY_OF "Array of "

static int compare_method(const void *key, const void *row)
{
    return strcasecmp(key, ((const struct botapi_method *)row)->name);
}

static int compare_type(const void *key, const void *row)
{
    return strcmp(key, ((const struct botapi_type *)row)->name);
}

const struct botapi_method *botapi_method(const char *name)
{
    return bsearch(name, botapi_methods, botapi_methods_count,
                   sizeof(botapi_methods[0]), compare_method);
}

const struct botapi_type *botapi_type(const char *name)
{
    return bsearch(name, botapi_types, botapi_types_count,
                   sizeof(botapi_types[0]), compare_type);
}

/* By the documented result; edits count as sends, drafts and actions do
 * not. */
bool botapi_is_message(const struct botapi_method *m)
{
    static const char *const results[] = {"Message",   "Array of Message",
                                          "MessageId", "Array of MessageId",
                                          "Poll",      "ForumTopic"};
    if (botapi_param(m, "chat_id") == NULL)
        return false;
    if (strncmp(m->name, "editEphemeral", 13) == 0)
        return true;
    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
        if (botapi_has_type(m->returns, results[i]))
            return true;
    return false;
}

/* Each message of an album is one, and so is each of many copies. */
const char *botapi_message_list(const struct botapi_method *m)
{
    if (strcmp(m->name, "sendMediaGroup") == 0)
        return "media";
    return botapi_element(m->returns) != NULL ? "message_ids" : NULL;
}

static const struct botapi_field *find(const struct botapi_field *fields,
                                       size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

const struct botapi_field *botapi_param(const struct botapi_method *m,
                                        const char *name)
{
    return find(m->params, m->params_count, name);
}

const struct botapi_field *botapi_type_field(const struct botapi_type *t,
                                             const char *name)
{
    return find(t->fields, t->fields_count, name);
}

int botapi_kind(const char *name)
{
    for (size_t i = 0; i < botapi_kinds_count; i++)
        if (strcasecmp(botapi_kinds[i], name) == 0)
            return (int)i;
    return -1;
}

bool botapi_each_type(const char **cursor, char name[BOTAPI_NAME_MAX])
{
    if (*cursor == NULL || **cursor == '\0')
        return false;
    size_t len = strcspn(*cursor, "|");
    size_t kept = len < BOTAPI_NAME_MAX ? len : BOTAPI_NAME_MAX - 1;
    memcpy(name, *cursor, kept);
    name[kept] = '\0';
    *cursor += len + ((*cursor)[len] == '|');
    return true;
}

bool botapi_has_type(const char *types, const char *name)
{
    char one[BOTAPI_NAME_MAX];
    while (botapi_each_type(&types, one))
        if (strcmp(one, name) == 0)
            return true;
    return false;
}

const char *botapi_element(const char *type)
{
    size_t len = sizeof(ARRAY_OF) - 1;
    return strncmp(type, ARRAY_OF, len) == 0 ? type + len : NULL;
}
