#include "telegram/file_name.h"

#include "telegram/multipart.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define ID_MAX 64
#define EXTENSION_MAX 10

struct row {
    const char *mime;
    const char *extension;
};

static const struct row rows[] = {
    {"application/json", "json"},
    {"application/pdf", "pdf"},
    {"application/x-tgsticker", "tgs"},
    {"application/zip", "zip"},
    {"audio/mp4", "m4a"},
    {"audio/mpeg", "mp3"},
    {"audio/ogg", "oga"},
    {"image/gif", "gif"},
    {"image/jpeg", "jpg"},
    {"image/png", "png"},
    {"image/webp", "webp"},
    {"text/csv", "csv"},
    {"text/plain", "txt"},
    {"video/mp4", "mp4"},
    {"video/webm", "webm"},
    {NULL, NULL},
};

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9');
}

/* What is behind the last "." of the last name, if that is letters and
 * digits; "" else. */
static const char *extension_of(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    const char *name = slash ? slash + 1 : path ? path : "";
    const char *dot = strrchr(name, '.');
    if (!dot)
        return "";
    size_t len = strlen(dot + 1);
    for (size_t i = 0; i < len; i++)
        if (!is_plain(dot[1 + i]))
            return "";
    return len <= EXTENSION_MAX ? dot + 1 : "";
}

static const char *extension_of_mime(const char *mime)
{
    for (const struct row *r = rows; mime && r->mime; r++)
        if (strcasecmp(mime, r->mime) == 0)
            return r->extension;
    return "";
}

void file_name_safe(struct buf *out, const char *unique_id,
                    const char *file_path, const char *name, const char *mime)
{
    const char *extension = extension_of(file_path);
    size_t before = out->len;
    for (size_t i = 0; i < ID_MAX && unique_id[i]; i++)
        if (is_plain(unique_id[i]) || unique_id[i] == '_' ||
            unique_id[i] == '-')
            buf_putc(out, unique_id[i]);
    if (out->len == before)
        buf_puts(out, "file");
    if (!*extension)
        extension = extension_of(name);
    if (!*extension)
        extension = extension_of_mime(mime);
    if (*extension)
        buf_putc(out, '.');
    for (; *extension; extension++)
        buf_putc(out, (char)tolower((unsigned char)*extension));
}

void file_name_shown(struct buf *out, const char *name)
{
    const char *last = name;
    for (const char *p = name; *p; p++)
        if (*p == '/' || *p == '\\')
            last = p + 1;
    size_t len = strlen(last);
    if (len > FILE_NAME_SHOWN_MAX)
        len = FILE_NAME_SHOWN_MAX;
    while (len > 0 && ((unsigned char)last[len] & 0xC0) == 0x80)
        len--;
    if (strspn(last, ".") < len)
        multipart_put_name(out, last, len);
}

bool file_name_url(struct buf *out, const char *path)
{
    if (strstr(path, ".."))
        return false;
    for (; *path; path++)
        if (is_plain(*path) || strchr("/-._~", *path))
            buf_putc(out, *path);
        else
            buf_printf(out, "%%%02X", (unsigned char)*path);
    return true;
}
