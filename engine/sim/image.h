#ifndef MOONLET_SIM_IMAGE_H
#define MOONLET_SIM_IMAGE_H

/* What the first bytes of a file say of a picture: PNG, GIF, JPEG, WebP. */

#include <stddef.h>
#include <stdint.h>

struct image {
    const char *type; /* MIME; NULL: none of these */
    int64_t width;    /* 0: unknown */
    int64_t height;
};

struct image image_read(const char *data, size_t len);

/* A picture of one grey point, for photos that nobody gave bytes for. */
extern const unsigned char image_grey[];
extern const size_t image_grey_len;

#endif
