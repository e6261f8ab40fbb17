#include "sim/media.h"

#include "base/mem.h"
#include "sim/archive.h"
#include "sim/call.h"
#include "sim/content.h"
#include "sim/image.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PHOTO_MAX (INT64_C(10) * 1024 * 1024)
#define PHOTO_SIDES_MAX 10000
#define PHOTO_RATIO_MAX 20
#define ADDRESS_FILE_BYTES 20000
#define MADE_BYTES 1000

static const char ATTACH[] = "attach://";

bool media_is_file_id(const char *text)
{
    return *text != '\0' && text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                              "abcdefghijklmnopqrstuvwxyz"
                                              "0123456789-_")] == '\0';
}

static const struct param *attached(const struct call *c, const char *text)
{
    size_t len = sizeof(ATTACH) - 1;
    if (text == NULL || strncmp(text, ATTACH, len) != 0)
        return NULL;
    const struct param *part = params_find(&c->params, text + len);
    return part != NULL && part->file_name != NULL ? part : NULL;
}

const struct param *media_upload(const struct call *c, const char *name)
{
    const struct param *own = params_find(&c->params, name);
    if (own == NULL || own->file_name != NULL)
        return own;
    return attached(c, own->value);
}

/* A photo is all its sizes, other files are one object. */
static void put(const struct archive *f, const struct file *file, int64_t bot,
                json_t *given)
{
    if (strcmp(file->kind->key, "photo") != 0) {
        json_object_del(given, file->kind->key);
        archive_describe(f, file, bot, given);
        return;
    }
    json_t *sizes = json_array();
    for (int64_t n = file->first; n <= file->last; n++) {
        const struct file *size = archive_number(f, n);
        json_t *one = json_object();
        if (size != NULL)
            archive_describe(f, size, bot, one);
        json_array_append_new(sizes, one);
    }
    sim_set(given, "photo", sizes);
}

static bool is_photo(const struct file_kind *kind)
{
    return strcmp(kind->key, "photo") == 0;
}

static bool fits_as_photo(const struct content *content)
{
    size_t len = 0;
    const char *head = content_head(content, &len);
    struct image image = image_read(head, len);
    int64_t less = image.width < image.height ? image.width : image.height;
    int64_t more = image.width + image.height - less;
    return image.width + image.height <= PHOTO_SIDES_MAX &&
           more <= less * PHOTO_RATIO_MAX;
}

static bool check_upload(struct call *c, const struct file_kind *kind,
                         const struct content *content)
{
    if (content->size == 0)
        call_refuse(c, 400, "Bad Request: file must be non-empty");
    else if (is_photo(kind) && content->size > PHOTO_MAX)
        call_refuse(c, 400,
                    "Bad Request: file of size %llu bytes is too big for a "
                    "photo; the maximum size is %lld bytes",
                    (unsigned long long)content->size, (long long)PHOTO_MAX);
    else if (is_photo(kind) && !fits_as_photo(content))
        call_refuse(c, 400, "Bad Request: PHOTO_INVALID_DIMENSIONS");
    return c->error == NULL;
}

static void add(struct sim *sim, int64_t bot, const struct file_kind *kind,
                const char *name, struct content *content, json_t *given)
{
    const struct file_facts facts = {
        .kind = kind,
        .name = name,
        .content = content,
        .width = sim_int(given, "width"),
        .height = sim_int(given, "height"),
    };
    put(&sim->archive, archive_add(&sim->archive, &facts), bot, given);
}

static bool take_upload(struct call *c, const struct file_kind *kind,
                        const struct param *part, json_t *given)
{
    if (!check_upload(c, kind, part->content))
        return false;
    add(c->sim, c->bot->number, kind, part->file_name, part->content, given);
    return true;
}

/* A photo stays one, and nothing else becomes one. */
static bool take_file_id(struct call *c, const struct file_kind *kind,
                         const char *file_id, json_t *given)
{
    bool ours = false;
    const struct file *file =
        archive_find(&c->sim->archive, file_id, c->bot->number, &ours);
    if (file == NULL && ours) {
        call_fail(c, BOTAPI_BAD_FILE);
        return false;
    }
    if (file == NULL) {
        sim_set(given, "file_id", json_string(file_id));
        return true;
    }
    if (file->kind != kind && (is_photo(file->kind) || is_photo(kind))) {
        call_refuse(c, 400, "Bad Request: can't use file of type %s as %s",
                    file->kind->title, kind->title);
        return false;
    }
    json_object_del(given, kind->key);
    put(&c->sim->archive, file, c->bot->number, given);
    return true;
}

/* The size of a photo whose picture is only one point. */
static void as_photo(json_t *given)
{
    sim_set(given, "width", json_integer(800));
    sim_set(given, "height", json_integer(600));
}

static bool ends(const char *text, size_t len, const char *with)
{
    size_t tail = strlen(with);
    return len >= tail && strncasecmp(text + len - tail, with, tail) == 0;
}

/* Nothing is fetched. Hosts below .invalid, which there cannot be, do not
 * answer, and a page is no picture; every other address has a file. */
static bool take_address(struct call *c, const struct file_kind *kind,
                         const char *url, json_t *given)
{
    const char *host = strstr(url, "://") + 3;
    size_t host_len = strcspn(host, "/:?#");
    size_t len = host_len + strcspn(host + host_len, "?#");
    const char *slash = memrchr(host, '/', len);
    if (host_len == 0) {
        call_refuse(c, 400, "Bad Request: wrong HTTP URL specified");
        return false;
    }
    if (ends(host, host_len, ".invalid")) {
        call_refuse(c, 400, "Bad Request: failed to get HTTP URL content");
        return false;
    }
    if (is_photo(kind) && (ends(host, len, ".html") || ends(host, len, "/"))) {
        call_refuse(c, 400, "Bad Request: wrong type of the web page content");
        return false;
    }
    char *name = slash != NULL
                     ? mem_dup(slash + 1, len - (size_t)(slash - host) - 1)
                     : mem_strdup("");
    struct content *content =
        content_made(c->sim->archive.spool, ADDRESS_FILE_BYTES, image_grey,
                     is_photo(kind) ? image_grey_len : 0);
    if (is_photo(kind))
        as_photo(given);
    add(c->sim, c->bot->number, kind, name, content, given);
    content_unref(content);
    free(name);
    return true;
}

/* A thumbnail can only come with the call. */
static void put_thumbnail(struct call *c, json_t *given)
{
    const char *text = json_string_value(json_object_get(given, "thumbnail"));
    const struct param *part =
        text != NULL ? attached(c, text) : media_upload(c, "thumbnail");
    json_object_del(given, "thumbnail");
    if (part == NULL || part->content->size == 0)
        return;
    json_t *one = json_object();
    add(c->sim, c->bot->number, archive_kind("thumbnail"), part->file_name,
        part->content, one);
    sim_set(given, "thumbnail", one);
}

bool media_describe(struct call *c, const char *key, const char *text,
                    const struct param *part, json_t *given)
{
    const struct file_kind *kind = archive_kind(key);
    if (part == NULL)
        part = attached(c, text);
    if (part == NULL && (text == NULL || *text == '\0'))
        return true;
    if (kind == NULL)
        kind = archive_kind("document");
    put_thumbnail(c, given);
    if (part != NULL)
        return take_upload(c, kind, part, given);
    if (media_is_file_id(text))
        return take_file_id(c, kind, text, given);
    if (strncasecmp(text, "http://", 7) == 0 ||
        strncasecmp(text, "https://", 8) == 0)
        return take_address(c, kind, text, given);
    call_fail(c, BOTAPI_BAD_FILE);
    return false;
}

static int digit64(char c)
{
    static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "abcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c != '\0' ? strchr(all, c) : NULL;
    return at != NULL ? (int)(at - all) : -1;
}

/* False: it is no base64. */
static bool decode64(const char *text, struct buf *out)
{
    uint32_t bits = 0;
    size_t count = 0;
    for (; *text != '\0' && *text != '='; text++) {
        int digit = digit64(*text);
        if (digit < 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
        if (++count % 4 != 1)
            buf_putc(out, (char)(bits >> (6 - 2 * ((count - 1) % 4))));
    }
    return text[strspn(text, "=")] == '\0' && count % 4 != 1;
}

/* The bytes that were given, or as many as were asked for. NULL: *why. */
static struct content *content_of(struct sim *sim, const struct file_kind *kind,
                                  const json_t *given, const char **why)
{
    const char *text = json_string_value(json_object_get(given, "text"));
    const char *base64 = json_string_value(json_object_get(given, "base64"));
    json_t *size = json_object_get(given, "file_size");
    int64_t bytes = size != NULL ? json_integer_value(size) : MADE_BYTES;
    struct buf decoded = {0};
    struct content *content = NULL;
    if (text != NULL) {
        content = content_in_memory(text, strlen(text));
    } else if (base64 != NULL) {
        if (decode64(base64, &decoded))
            content = content_in_memory(decoded.data, decoded.len);
        else
            *why = "base64: is none";
    } else if (bytes < 0 || bytes > ARCHIVE_UPLOAD_MAX) {
        *why = "size: must be 0 to 4194304000 bytes";
    } else {
        content = content_made(sim->archive.spool, (uint64_t)bytes, image_grey,
                               is_photo(kind) ? image_grey_len : 0);
        if (content == NULL)
            *why = "size: there is no room for so large a file in $TMPDIR";
    }
    buf_free(&decoded);
    return content;
}

const char *media_make(struct sim *sim, int64_t bot, const char *key,
                       json_t *given)
{
    const struct file_kind *kind = archive_kind(key);
    const char *why = NULL;
    json_t *id = json_object_get(given, "file_id");
    if (kind == NULL || id != NULL)
        return NULL;
    struct content *content = content_of(sim, kind, given, &why);
    if (content == NULL)
        return why;
    if (is_photo(kind) && sim_int(given, "width") == 0 &&
        json_object_get(given, "text") == NULL &&
        json_object_get(given, "base64") == NULL)
        as_photo(given);
    add(sim, bot, kind, json_string_value(json_object_get(given, "file_name")),
        content, given);
    content_unref(content);
    return NULL;
}
