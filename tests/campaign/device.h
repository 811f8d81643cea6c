/*
 * /dev/supervisor for a program that disturbs servers: a file that is opened once, before anything is wrong. All calls go to root directly.
 */
#ifndef CAMPAIGN_DEVICE_H
#define CAMPAIGN_DEVICE_H

#include <stdbool.h>
#include <stddef.h>

/* Opens the device; ends the program if that is refused. */
void device_open(void);
/* Writes a line; the answer as text, without its last newline; at most size - 1 bytes. False: input or output failed. */
bool device_ask(char *answer, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Sends a program after the line "update NAME SIZE MS". False: refused, the answer says why. */
bool device_update(const char *server, const unsigned char *program, size_t size, unsigned trial_ms, char *answer, size_t answer_size);
/* Asks "update NAME" until it says something else than that it waits, for five seconds. */
void device_await(const char *server, const char *waits, char *answer, size_t size);
/* The number of the last incident that is of interest is remembered: those after it, updates left out, as text for the record. */
void device_incidents_skip(void);
unsigned device_incidents(char *text, size_t size);

void sleep_ms(unsigned ms);
/* Milliseconds, monotonic. */
unsigned long now_ms(void);

#endif
