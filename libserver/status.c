/*
 * The one place where a kernel status becomes an errno. Guest and host.
 */
#include <portico/client.h>

int kern_errno(int64_t status)
{
	static const uint8_t table[] = {
	        [-KERN_INVALID_ARGUMENT] = EINVAL,
	        [-KERN_INVALID_NAME] = EBADF,
	        [-KERN_INVALID_RIGHT] = EBADF,
	        [-KERN_NAME_EXISTS] = EEXIST,
	        [-KERN_NO_ACCESS] = EACCES,
	        [-KERN_DEAD] = EIO,
	        [-KERN_NO_MEMORY] = ENOMEM,
	        [-KERN_TIMED_OUT] = ETIMEDOUT,
	        [-KERN_INTERRUPTED] = EINTR,
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
	if (status < KERN_GONE)
		return EIO;
	return table[-status];
}
