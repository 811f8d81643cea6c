/*
 * Open files of /dev/supervisor: inside of root, for supervisor.c and its tests.
 */
#ifndef ROOT_SUPERVISOR_H
#define ROOT_SUPERVISOR_H

#include "root.h"
#include <io_server.h>
#include <portico/devices.h>

#define SUPERVISOR_FILES 32u
#define IO_READ_INLINE_MAX 2048u
#define PIECE 4096u /* taken in one write */

struct supervisor_file {
	struct supervisor_file *next;
	uint64_t badge;
	uint32_t flags;  /* O_* */
	uint32_t length; /* of the line, as far as it has come */
	char line[512];
	struct answer answer;
	struct session session;
	size_t position; /* in the answer */
};

#endif
