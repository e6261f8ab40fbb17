#ifndef MOONLET_TELEGRAM_DOWNLOAD_ANSWER_H
#define MOONLET_TELEGRAM_DOWNLOAD_ANSWER_H

/*
 * What the answer to a download's GET means, and its body on the way to the
 * writer: internal to telegram/download.
 */

#include "telegram/download.h"

enum download_verdict {
    DOWNLOAD_WHOLE,   /* all bytes are with the writer */
    DOWNLOAD_AGAIN,   /* it broke off; *e says why */
    DOWNLOAD_EXPIRED, /* the link: a new one is needed */
    DOWNLOAD_FAILED   /* for good; *e says why */
};

/* ERR_LIMIT if a file of that size (-1: not known) is over max_size. */
int download_check_max(const struct download *d, int64_t size, struct err *e);

/* Fills d->sink: its head is checked against what is known of the file. */
void download_sink_init(struct download *d);

/* After the call has ended with *e (code 0: an answer). */
enum download_verdict download_judge(struct download *d, struct err *e);

#endif
