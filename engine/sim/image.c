#include "sim/image.h"

#include <string.h>

const unsigned char image_grey[] = {
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d,
    0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01,
    0x08, 0x00, 0x00, 0x00, 0x00, 0x3a, 0x7e, 0x9b, 0x55, 0x00, 0x00, 0x00,
    0x0a, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0x58, 0x00, 0x00, 0x00,
    0xa2, 0x00, 0xa1, 0x71, 0x05, 0xcb, 0x41, 0x00, 0x00, 0x00, 0x00, 0x49,
    0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
};
const size_t image_grey_len = sizeof(image_grey);

static int64_t big(const unsigned char *at, size_t count)
{
    int64_t value = 0;
    while (count-- > 0)
        value = value << 8 | *at++;
    return value;
}

static int64_t little(const unsigned char *at, size_t count)
{
    int64_t value = 0;
    while (count-- > 0)
        value = value << 8 | at[count];
    return value;
}

static struct image read_png(const unsigned char *at, size_t len)
{
    struct image found = {.type = "image/png"};
    if (len >= 24) {
        found.width = big(at + 16, 4);
        found.height = big(at + 20, 4);
    }
    return found;
}

static struct image read_gif(const unsigned char *at, size_t len)
{
    struct image found = {.type = "image/gif"};
    if (len >= 10) {
        found.width = little(at + 6, 2);
        found.height = little(at + 8, 2);
    }
    return found;
}

/* A frame's head, of any coding; C4, C8 and CC are other things. */
static int is_frame(unsigned char marker)
{
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 &&
           marker != 0xc8 && marker != 0xcc;
}

static struct image read_jpeg(const unsigned char *at, size_t len)
{
    struct image found = {.type = "image/jpeg"};
    size_t i = 2;
    while (i + 9 < len && at[i] == 0xff) {
        if (is_frame(at[i + 1])) {
            found.height = big(at + i + 5, 2);
            found.width = big(at + i + 7, 2);
            break;
        }
        i += 2 + (size_t)big(at + i + 2, 2);
    }
    return found;
}

/* Only the plain kind: the others say their size elsewhere. */
static struct image read_webp(const unsigned char *at, size_t len)
{
    struct image found = {.type = "image/webp"};
    if (len >= 30 && memcmp(at + 12, "VP8 ", 4) == 0) {
        found.width = little(at + 26, 2) & 0x3fff;
        found.height = little(at + 28, 2) & 0x3fff;
    }
    return found;
}

struct image image_read(const char *data, size_t len)
{
    const unsigned char *at = (const unsigned char *)data;
    if (len >= 8 && memcmp(data, "\x89PNG\r\n\x1a\n", 8) == 0)
        return read_png(at, len);
    if (len >= 6 && memcmp(data, "GIF8", 4) == 0)
        return read_gif(at, len);
    if (len >= 3 && memcmp(data, "\xff\xd8\xff", 3) == 0)
        return read_jpeg(at, len);
    if (len >= 12 && memcmp(data, "RIFF", 4) == 0 &&
        memcmp(data + 8, "WEBP", 4) == 0)
        return read_webp(at, len);
    return (struct image){0};
}
