/*
 * The one place where a kernel status becomes an errno.
 *
 * A call that was interrupted before a server took it has had no effect and waited for nothing that the program knows of: it
 * is begun again whatever the signal's handler says (ERESTARTNOINTR). EINTR is what a server answers for a wait that it gave up.
 */
#include "thread.h"

int kern_errno(int64_t status)
{
	static const uint16_t table[] = {
		[-KERN_INVALID_ARGUMENT] = EINVAL,
		[-KERN_INVALID_NAME] = EBADF,
		[-KERN_INVALID_RIGHT] = EBADF,
		[-KERN_NAME_EXISTS] = EEXIST,
		[-KERN_NO_ACCESS] = EACCES,
		[-KERN_DEAD] = EIO,
		[-KERN_NO_MEMORY] = ENOMEM,
		[-KERN_TIMED_OUT] = ETIMEDOUT,
		[-KERN_INTERRUPTED] = ERESTARTNOINTR,
		[-KERN_FAULT] = EFAULT,
		[-KERN_QUEUE_FULL] = EAGAIN,
		[-KERN_TOO_LARGE] = EMSGSIZE,
		[-KERN_WOULD_BLOCK] = EAGAIN,
		[-KERN_BUSY] = EBUSY,
		[-KERN_NO_SPACE] = ENOMEM,
		[-KERN_NOT_SUPPORTED] = ENOSYS,
		[-KERN_NO_REPLY] = EIO,
		[-KERN_PEER_FAULT] = EFAULT,
		[-KERN_GONE] = EIO,
	};

	if (status >= 0)
		return 0;
	return status < KERN_GONE ? EIO : table[-status];
}
