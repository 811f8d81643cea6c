/*
 * A kernel status as an errno, for programs.
 *
 * A call that was interrupted before a server took it has had no effect and waited for nothing that the program knows of: it
 * is begun again whatever the signal's handler says (ERESTARTNOINTR). EINTR is what a server answers for a wait that it gave up.
 */
#include "thread.h"

#include <portico/status_errno.h>

int kern_errno(int64_t status)
{
	return status_errno(status, ERESTARTNOINTR);
}
