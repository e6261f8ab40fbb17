#include "telegram/file_body.h"

int file_body_write(struct file_body *b, const char *data, size_t len)
{
    ssize_t n = file_writer_take(b->writer, data + b->taken, len - b->taken);
    if (n < 0)
        return HTTP_BROKEN;
    b->taken += (size_t)n;
    if (b->taken < len)
        return HTTP_WAIT;
    b->taken = 0;
    return 0;
}
