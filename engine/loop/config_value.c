/* How the text of a setting becomes a field, by the type of its row. */

#include "loop/config_schema.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SHOWN_MAX 60 /* bytes of a bad value that an error shows */

struct unit {
    const char *name;
    int64_t factor;
};

/* Smallest first; a bound is printed in the largest one that fits. */
static const struct unit time_units[] = {
    {"ms", 1},      {"s", 1000},     {"", 1000}, {"m", 60000},
    {"h", 3600000}, {"d", 86400000}, {NULL, 0},
};
static const struct unit size_units[] = {
    {"", 1},
    {"K", INT64_C(1) << 10},
    {"M", INT64_C(1) << 20},
    {"G", INT64_C(1) << 30},
    {NULL, 0},
};

/* Digits with at most one point between or behind them. The end is where
 * they end; NULL: there is no number. */
static const char *read_number(const char *text, double *out)
{
    size_t whole = strspn(text, "0123456789");
    size_t len = whole;

    if (whole > 0 && text[len] == '.')
        len += 1 + strspn(text + len + 1, "0123456789");
    if (whole == 0 || len > 30)
        return NULL;
    char digits[32];

    memcpy(digits, text, len);
    digits[len] = '\0';
    *out = strtod(digits, NULL);
    return text + len;
}

static bool parse_units(const char *text, const struct unit *units,
                        int64_t *out)
{
    double number;
    const char *rest = read_number(text, &number);

    if (rest == NULL)
        return false;
    for (; units->name != NULL; units++) {
        if (strcasecmp(rest, units->name) != 0)
            continue;
        double scaled = round(number * (double)units->factor);
        if (scaled >= 0x1p62)
            return false;
        *out = (int64_t)scaled;
        return true;
    }
    return false;
}

bool config_duration(const char *text, int64_t *ms)
{
    return parse_units(text, time_units, ms);
}

/* Lua prints a number that came from a division as 8080.0. */
static bool parse_integer(const char *text, int64_t *out)
{
    size_t len = strcspn(text, ".");
    const char *fraction = text + len;
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || digits != len || digits > 18 ||
        (*fraction == '.' && fraction[1] == '\0') ||
        fraction[strspn(fraction, ".0")] != '\0')
        return false;
    *out = strtoll(text, NULL, 10);
    return true;
}

static bool within(const struct setting *row, int64_t value)
{
    return value >= row->min && value <= row->max;
}

static bool parse_text(const struct setting *row, const char *text,
                       char **field)
{
    if (!row->form->fits(text))
        return false;
    free(*field);
    *field = mem_strdup(text);
    return true;
}

static bool parse_int(const struct setting *row, const char *text, int *field)
{
    int64_t value;

    if (!parse_integer(text, &value) || !within(row, value))
        return false;
    *field = (int)value;
    return true;
}

static bool parse_real(const struct setting *row, const char *text,
                       double *field)
{
    double value;
    const char *rest = read_number(text, &value);

    if (rest == NULL || *rest != '\0' || value < (double)row->min ||
        value > (double)row->max)
        return false;
    *field = value;
    return true;
}

static bool parse_scaled(const struct setting *row, const char *text,
                         int64_t *field)
{
    int64_t value;
    const struct unit *units =
        row->type == SETTING_SIZE ? size_units : time_units;

    if (!parse_units(text, units, &value) || !within(row, value))
        return false;
    *field = value;
    return true;
}

static bool parse_bool(const char *text, bool *field)
{
    static const char *const words[] = {"false", "true", "0",   "1",
                                        "no",    "yes",  "off", "on"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasecmp(text, words[i]) == 0) {
            *field = i % 2 == 1;
            return true;
        }
    }
    return false;
}

static bool parse_word(const struct setting *row, const char *text, int *field)
{
    for (int i = 0; row->words[i] != NULL; i++) {
        if (strcasecmp(text, row->words[i]) == 0) {
            *field = (int)row->min + i;
            return true;
        }
    }
    return false;
}

static bool parse_ids(struct config *c, const struct setting *row,
                      const char *text)
{
    int64_t *ids = NULL;
    size_t count = 0;
    char *copy = mem_strdup(text);
    char *rest = copy;
    char *item;
    bool good = true;

    while (good && (item = strsep(&rest, ",")) != NULL) {
        item += strspn(item, " \t");
        item[strcspn(item, " \t")] = '\0';
        ids = mem_grow(ids, count + 1, sizeof(*ids));
        good = parse_integer(item, &ids[count]) && within(row, ids[count]);
        count++;
    }
    free(copy);
    if (!good) {
        free(ids);
        return false;
    }
    free(c->admin_ids);
    c->admin_ids = ids;
    c->admin_count = count;
    return true;
}

bool config__parse(struct config *c, const struct setting *row,
                   const char *text)
{
    void *field = (char *)c + row->offset;

    switch (row->type) {
    case SETTING_TEXT:
    case SETTING_PATH:
        return parse_text(row, text, field);
    case SETTING_INT:
        return parse_int(row, text, field);
    case SETTING_REAL:
        return parse_real(row, text, field);
    case SETTING_DURATION:
    case SETTING_SIZE:
        return parse_scaled(row, text, field);
    case SETTING_BOOL:
        return parse_bool(text, field);
    case SETTING_WORD:
        return parse_word(row, text, field);
    case SETTING_IDS:
        return parse_ids(c, row, text);
    }
    return false;
}

static void put_scaled(struct buf *b, int64_t value, const struct unit *units)
{
    const struct unit *best = units;

    if (value == 0) {
        buf_putc(b, '0');
        return;
    }
    for (; units->name != NULL; units++)
        if (value % units->factor == 0 && value >= units->factor &&
            (units->name[0] != '\0' || units->factor == 1))
            best = units;
    buf_printf(b, "%" PRId64 "%s", value / best->factor, best->name);
}

static void put_words(struct buf *b, const char *const *words)
{
    for (; *words != NULL; words++) {
        buf_puts(b, *words);
        if (words[1] != NULL)
            buf_puts(b, words[2] != NULL ? ", " : " or ");
    }
}

static void put_range(struct buf *b, const char *before,
                      const struct setting *row, const struct unit *units,
                      const char *behind)
{
    buf_puts(b, before);
    put_scaled(b, row->min, units);
    buf_puts(b, "..");
    put_scaled(b, row->max, units);
    buf_puts(b, behind);
}

void config__put_allowed(struct buf *b, const struct setting *row)
{
    switch (row->type) {
    case SETTING_TEXT:
    case SETTING_PATH:
        buf_puts(b, row->form->allowed);
        break;
    case SETTING_INT:
    case SETTING_REAL:
        buf_printf(b, "%" PRId64 "..%" PRId64, row->min, row->max);
        break;
    case SETTING_DURATION:
        put_range(b, "a duration of ", row, time_units,
                  " (30, 500ms, 30s, 5m, 2h, 7d)");
        break;
    case SETTING_SIZE:
        put_range(b, "a size of ", row, size_units, " (64M, 1G)");
        break;
    case SETTING_BOOL:
        buf_puts(b, "true or false");
        break;
    case SETTING_WORD:
        put_words(b, row->words);
        break;
    case SETTING_IDS:
        buf_puts(b, "user ids (up to 52 bits) with commas between them");
        break;
    }
}

void config__put_found(struct buf *b, const char *text)
{
    size_t len = strnlen(text, SHOWN_MAX + 1);

    if (len > SHOWN_MAX) {
        len = SHOWN_MAX;
        while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80)
            len--;
    }
    buf_puts(b, ", got ");
    js_put_string(b, text, len);
    if (text[len] != '\0')
        buf_puts(b, "…");
}
