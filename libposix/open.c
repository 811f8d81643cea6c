/*
 * Opening: open, openat, creat, and what makes descriptors from nothing (memfd_create, pipe, mknod is in directories.c).
 */
#include "linux.h"
#include "paths.h"
#include "string.h"
#include "thread.h"
#include "usercopy.h"

#include <io_client.h>
#include <vfs_client.h>

#define MEMFD_CLOEXEC 1u
#define MEMFD_NAME_MAX 249u
#define MODE_MASK 07777u

static int open_operation(struct path_call *call, port_name_t base, const char *path)
{
	return vfs_open(base, path, call->open_flags, call->mode, &call->file, &call->kind);
}

/* /proc/self/fd and below: a new description of the same object, or the list itself. */
static int open_self(struct path_call *call, enum self_kind kind, int fd)
{
	struct description *description;
	int error;

	if (kind == SELF_EXE)
		return -1;
	call->placed = true;
	bool close_on_exec = call->open_flags & L_O_CLOEXEC;
	if (kind == SELF_LIST) {
		description = fd_describe(PORT_NULL, IO_FILE_KIND_DIRECTORY | IO_FILE_KIND_ALWAYS_READY, VFS_SERVER_ID_PROC);
		if (description == NULL)
			return ENFILE;
		description->type = DESCRIPTION_FD_LIST;
		call->result = fd_install(description, 0, close_on_exec);
		return 0;
	}
	description = fd_get(fd);
	if (description == NULL)
		return ENOENT;
	call->result = -ENXIO;
	if (description->type != DESCRIPTION_REMOTE) {
		fd_put(description);
		return 0;
	}
	error = io_reopen(description->name, call->open_flags, &call->file, &call->kind);
	call->server = description->server;
	call->placed = false;
	fd_put(description);
	return error;
}

/* tty sees a description with its first request: only then does the open take effect there, or fail (/dev/tty without a terminal). */
static int open_terminal(port_name_t file)
{
	uint32_t slot;

	return io_ready_slot(file, &slot);
}

/* What the server says of a file, and how it is open, where that is all there is to know. */
static uint32_t kind_of(uint32_t told, uint32_t flags)
{
	uint32_t kind = told & ~(KIND_READS | KIND_WRITES), access = flags & L_O_ACCMODE;

	if (!(kind & (IO_FILE_KIND_NULL_DEVICE | IO_FILE_KIND_ZERO_DEVICE)) || (flags & L_O_PATH) || access == L_O_ACCMODE)
		return kind;
	return kind | (access != L_O_WRONLY ? KIND_READS : 0) | (access != L_O_RDONLY ? KIND_WRITES : 0);
}

static int64_t open_at(int directory, const char *path, uint32_t flags, uint32_t mode)
{
	struct path_call call = { .operation = open_operation, .on_self = open_self, .open_flags = flags | L_O_LARGEFILE };

	if (flags & (L_O_CREAT | 020000000))
		call.mode = mode & MODE_MASK & ~process.umask;
	if ((flags & L_O_NOFOLLOW) || ((flags & L_O_CREAT) && (flags & L_O_EXCL)))
		call.lookup |= VFS_LOOKUP_NO_FOLLOW;
	int64_t result = path_run(&call, directory, path);
	if (result)
		return result;
	if (call.placed)
		return call.result;
	int error = call.server == VFS_SERVER_ID_TTY ? open_terminal(call.file) : 0;
	if (error) {
		trap1(TRAP_right_release, call.file);
		return result_of(error);
	}
	trap2(TRAP_right_inherit, call.file, 1);
	return fd_open(call.file, kind_of(call.kind, flags), (uint8_t)call.server, flags & L_O_CLOEXEC);
}

int64_t sys_open(const char *path, uint32_t flags, uint32_t mode)
{
	return open_at(L_AT_FDCWD, path, flags, mode);
}

int64_t sys_openat(int directory, const char *path, uint32_t flags, uint32_t mode)
{
	return open_at(directory, path, flags, mode);
}

int64_t sys_creat(const char *path, uint32_t mode)
{
	return open_at(L_AT_FDCWD, path, L_O_CREAT | L_O_WRONLY | L_O_TRUNC, mode);
}

int64_t sys_memfd_create(const char *user_name, uint32_t flags)
{
	char name[MEMFD_NAME_MAX + 1];
	port_name_t file;
	uint32_t kind;

	int64_t length = user_string(name, user_name, sizeof(name));
	if (length < 0)
		return length == -ENAMETOOLONG ? -EINVAL : length;
	int error = vfs_memory_file(NAME_ROOT_DIR, name, flags, &file, &kind);
	if (error)
		return result_of(error);
	trap2(TRAP_right_inherit, file, 1);
	return fd_open(file, kind, VFS_SERVER_ID_VFS, flags & MEMFD_CLOEXEC);
}

static int64_t pipe_open(int32_t ends[2], uint32_t flags)
{
	port_name_t reader, writer;
	uint32_t kind = IO_FILE_KIND_PIPE;
	bool close_on_exec = flags & L_O_CLOEXEC;

	if (flags & ~(uint32_t)(L_O_CLOEXEC | L_O_NONBLOCK | L_O_DIRECT))
		return -EINVAL;
	int error = vfs_pipe(NAME_ROOT_DIR, flags & ~(uint32_t)L_O_CLOEXEC, &reader, &writer);
	if (error)
		return result_of(error);
	trap2(TRAP_right_inherit, reader, 1);
	trap2(TRAP_right_inherit, writer, 1);
	ends[0] = fd_open(reader, kind, VFS_SERVER_ID_VFS, close_on_exec);
	ends[1] = fd_open(writer, kind, VFS_SERVER_ID_VFS, close_on_exec);
	if (ends[0] >= 0 && ends[1] >= 0)
		return 0;
	int64_t result = ends[0] < 0 ? ends[0] : ends[1];
	if (ends[0] >= 0)
		fd_close(ends[0]);
	if (ends[1] >= 0)
		fd_close(ends[1]);
	return result;
}

int64_t sys_pipe2(int32_t *user_ends, uint32_t flags)
{
	int32_t ends[2];
	int64_t result = pipe_open(ends, flags);

	if (result)
		return result;
	if (user_copy(user_ends, ends, sizeof(ends)) == 0)
		return 0;
	fd_close(ends[0]);
	fd_close(ends[1]);
	return -EFAULT;
}

int64_t sys_pipe(int32_t *user_ends)
{
	return sys_pipe2(user_ends, 0);
}
