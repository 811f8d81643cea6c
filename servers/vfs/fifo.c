/*
 * open(2) of a FIFO: it waits for the other side. The open file exists while its caller waits, so that two who open
 * from both sides find one another; if the caller gives up it goes again. See man 7 fifo.
 */
#include "vfs.h"
#include <vfs_server.h>

int fifo_open(struct server_call *call, struct open_file *file)
{
	struct pipe *pipe = file->place.vnode->pipe;
	uint32_t mode = file->flags & O_ACCMODE;
	bool wait = (file->flags & O_NONBLOCK) == 0;

	fifo_pump(pipe);
	if (mode == O_RDWR || (mode == O_RDONLY ? pipe->writers : pipe->readers) != 0)
		return 0;
	if (!wait)
		return mode == O_RDONLY ? 0 : ENXIO;
	struct waiter *waiter = waiter_new(file, WAIT_FIFO_OPEN);
	if (waiter == NULL)
		return ENOMEM;
	waiter->size = mode == O_RDONLY ? pipe->writer_opens : pipe->reader_opens;
	return waiter_park(waiter, call, &pipe->opening);
}

/* The other side has come, and may have gone again. */
static bool is_met(const struct pipe *pipe, const struct waiter *waiter)
{
	return waiter->size !=
	       ((waiter->file->flags & O_ACCMODE) == O_RDONLY ? pipe->writer_opens : pipe->reader_opens);
}

void fifo_pump(struct pipe *pipe)
{
	struct waiter *next;

	for (struct waiter *waiter = pipe->opening.first; waiter != NULL; waiter = next) {
		next = waiter->next;
		if (!is_met(pipe, waiter))
			continue;
		struct server_port port;
		server_port_badge(&port, waiter->file->badge, 0);
		vfs_reply_open(&waiter->reply, 0, &port, open_file_kind(waiter->file->place.vnode));
		waiter_free(waiter);
	}
}
