#include "sim/entities.h"

#include "sim/core.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_LEN 32

static bool word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static size_t word_length(const char *text, const char *end)
{
    const char *at = text;
    while (at < end && (word(*at) || ((unsigned char)*at & 0x80) != 0))
        at++;
    return (size_t)(at - text);
}

static size_t name_length(const char *text, const char *end)
{
    const char *at = text;
    while (at < end && word(*at))
        at++;
    return (size_t)(at - text);
}

static size_t command_length(const char *text, const char *end)
{
    size_t len = name_length(text + 1, end);
    if (len == 0 || len > NAME_MAX_LEN * 2)
        return 0;
    const char *at = text + 1 + len;
    if (at < end && *at == '/')
        return 0;
    size_t bot = at < end && *at == '@' ? name_length(at + 1, end) : 0;
    return 1 + len + (bot >= 3 ? bot + 1 : 0);
}

static size_t mention_length(const char *text, const char *end)
{
    size_t len = name_length(text + 1, end);
    return len >= 4 && len <= NAME_MAX_LEN ? len + 1 : 0;
}

static size_t link_length(const char *text, const char *end)
{
    size_t left = (size_t)(end - text);
    size_t head = left > 8 && strncasecmp(text, "https://", 8) == 0  ? 8
                  : left > 7 && strncasecmp(text, "http://", 7) == 0 ? 7
                                                                     : 0;
    if (head == 0)
        return 0;
    const char *at = text + head;
    while (at < end && !isspace((unsigned char)*at) && *at != '<' &&
           *at != '>' && *at != '"')
        at++;
    while (at > text + head && strchr(".,!?;:')", at[-1]) != NULL)
        at--;
    return at > text + head ? (size_t)(at - text) : 0;
}

/* What begins at `text`, with its length in bytes; NULL: nothing. */
static const char *begins(const char *text, const char *end, size_t *len)
{
    switch (*text) {
    case '/':
        *len = command_length(text, end);
        return *len > 0 ? "bot_command" : NULL;
    case '@':
        *len = mention_length(text, end);
        return *len > 0 ? "mention" : NULL;
    case '#':
        *len = word_length(text + 1, end);
        *len += *len > 0;
        return *len > 0 ? "hashtag" : NULL;
    case 'h':
    case 'H':
        *len = link_length(text, end);
        return *len > 0 ? "url" : NULL;
    default:
        return NULL;
    }
}

size_t entities_units(const char *text, size_t len)
{
    size_t units = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        units += (c & 0xc0) != 0x80;
        units += c >= 0xf0;
    }
    return units;
}

json_t *entities_find(const char *text, size_t len)
{
    const char *end = text + len;
    const char *counted = text;
    size_t units = 0;
    json_t *list = NULL;
    for (const char *at = text; at < end; at++) {
        size_t bytes = 0;
        bool starts = at == text || (!word(at[-1]) && at[-1] != '/' &&
                                     ((unsigned char)at[-1] & 0x80) == 0);
        const char *type = starts ? begins(at, end, &bytes) : NULL;
        if (type == NULL)
            continue;
        units += entities_units(counted, (size_t)(at - counted));
        counted = at;
        if (list == NULL)
            list = json_array();
        json_array_append_new(
            list,
            json_pack("{s:I, s:I, s:s}", "offset", (json_int_t)units, "length",
                      (json_int_t)entities_units(at, bytes), "type", type));
        at += bytes - 1;
    }
    return list;
}
