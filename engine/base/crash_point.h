#ifndef MOONLET_BASE_CRASH_POINT_H
#define MOONLET_BASE_CRASH_POINT_H

/*
 * Named places at which a test lets the process die, so that every step
 * between two durable states is tried. They exist only if MOONLET_TESTS is
 * on; elsewhere CRASH_POINT is nothing. The environment arms them:
 *
 *   MOONLET_CRASH_LIST=FILE    each pass appends the point's name, one a line
 *   MOONLET_CRASH_AT=NAME:N    the N-th pass of NAME is SIGKILL
 *
 * Any thread may pass one.
 */

#ifdef MOONLET_CRASH_POINTS
void crash_point_pass(const char *name);
#define CRASH_POINT(name) crash_point_pass(name)
#else
#define CRASH_POINT(name) ((void)0)
#endif

#endif
