/*
 * State that stands while operations come and go: what a server knew before it was disturbed, it must know afterwards.
 */
#ifndef CAMPAIGN_STANDING_H
#define CAMPAIGN_STANDING_H

#include <stdbool.h>

/* Makes it, from nothing or from what is left of an earlier one. False: operation_why says what failed. */
bool standing_make(void);
/* Is it as it was? False: operation_why. */
bool standing_check(void);
/* Ends the child that belongs to it. */
void standing_end(void);

#endif
