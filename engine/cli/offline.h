#ifndef MOONLET_CLI_OFFLINE_H
#define MOONLET_CLI_OFFLINE_H

/*
 * Answers a question about dead letters from the files of a DATA_DIR on which
 * no engine lives: under its lock, by the same code as the engine's routes.
 */

#include "base/err.h"

struct question;

/* 0: q has a status and a body. Makes no folder and no inbox. */
int offline_ask(struct question *q, struct err *e);

#endif
