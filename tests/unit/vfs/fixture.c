/*
 * See fixture.h.
 */
#include "fixture.h"
#include <stdio.h>
#include <stdlib.h>

port_name_t control, top;

static struct credentials user(uint32_t uid, uint32_t gid)
{
	struct credentials cred = {
	        .uid = uid, .euid = uid, .suid = uid, .fsuid = uid, .gid = gid, .egid = gid, .sgid = gid, .fsgid = gid};
	if (uid == 0)
		cred.cap_effective = cred.cap_permitted = cred.cap_bounding = (UINT64_C(1) << 41) - 1;
	return cred;
}

void start(void)
{
	loopback_reset();
	host_reset();
	host_machine = host_available = UINT64_C(256) << 20;
	loopback_on_no_senders(host_no_senders);
	vfs = server_keep_root(sizeof(*vfs));
	memset(vfs, 0, sizeof(*vfs));
	cr_assert_eq(vfs_start(), 0);
	cr_assert_eq(vfs_mount_standard(), 0);
	vfs_register();
	control = loopback_connect(NAME_SERVICE, CONTROL_BADGE);
	become(0, 0);
	cr_assert_eq(vfs_root_directory(control, &top), 0);
}

void stop(void)
{
	closed(top);
	must(vfs->files_open == 1, "a file is still open");
	for (unsigned i = 0; i < WAIT_BUCKETS; i++)
		must(vfs->waiting[i] == NULL, "somebody still waits");
	for (unsigned i = 0; i < SESSION_BUCKETS; i++)
		while (vfs->session[i] != NULL)
			must(vfs_session_end(control, vfs->session[i]->principal) == 0, "a session does not end");
	must(vfs->locked == NULL, "a lock is left");
	must(vfs->pipes->inodes == 1, "a pipe is left");
	must(vfs->memory_files->inodes == 1, "a memory file is left");
}

void must(bool condition, const char *otherwise)
{
	if (condition)
		return;
	fprintf(stderr, "%s\n", otherwise);
	abort();
}

void become(uint32_t uid, uint32_t gid)
{
	uint64_t principal = uid == 0 ? TEST_PID : 1000 + uid;
	struct credentials cred = user(uid, gid);
	if (session_find(principal) == NULL)
		cr_assert_eq(vfs_session_begin(control, principal, 0, &cred), 0);
	else
		cr_assert_eq(vfs_session_credentials(control, principal, &cred), 0);
	loopback_set_principal(principal);
	struct server_call call = {.principal = principal};
	cr_assert_not_null(session_of(&call));
	vfs->server.principal = principal; /* whom myself() means */
}

struct session *myself(void)
{
	return session_find(vfs->server.principal);
}

port_name_t opened_at(port_name_t base, const char *path, uint32_t flags, uint32_t mode)
{
	port_name_t file = PORT_NULL;
	uint32_t kind;
	int error = vfs_open(base, path, flags, mode, &file, &kind);
	cr_assert_eq(error, 0, "open %s: %d", path, error);
	return file;
}

port_name_t opened(const char *path, uint32_t flags, uint32_t mode)
{
	return opened_at(top, path, flags, mode);
}

int try_open(const char *path, uint32_t flags, uint32_t mode)
{
	port_name_t file = PORT_NULL;
	uint32_t kind;
	int error = vfs_open(top, path, flags, mode, &file, &kind);
	if (error == 0)
		closed(file);
	return error;
}

void closed(port_name_t file)
{
	loopback_release(file);
}

void file_with(const char *path, const char *text)
{
	port_name_t file = opened(path, O_CREAT | O_TRUNC | O_WRONLY, 0644);
	cr_assert_eq(put_text(file, text), (int64_t)strlen(text));
	closed(file);
}

bool has_text(const char *path, const char *text)
{
	char bytes[512] = {0};
	port_name_t file = opened(path, O_RDONLY, 0);
	int64_t n = get(file, bytes, sizeof(bytes) - 1);
	closed(file);
	return n == (int64_t)strlen(text) && memcmp(bytes, text, strlen(text)) == 0;
}

bool exists(const char *path)
{
	struct attributes attr;
	return vfs_stat(top, path, VFS_LOOKUP_NO_FOLLOW, &attr) == 0;
}

static struct attributes look(const char *path, uint32_t flags)
{
	struct attributes attr;
	int error = vfs_stat(top, path, flags, &attr);
	cr_assert_eq(error, 0, "stat %s: %d", path, error);
	return attr;
}

struct attributes attributes_of(const char *path)
{
	return look(path, 0);
}

struct attributes attributes_of_link(const char *path)
{
	return look(path, VFS_LOOKUP_NO_FOLLOW);
}

int make_directory(const char *path)
{
	return vfs_make_directory(top, path, 0755);
}

int unlinked(const char *path)
{
	return vfs_remove(top, path, 0);
}

int removed_directory(const char *path)
{
	return vfs_remove(top, path, VFS_LOOKUP_REMOVE_DIRECTORY);
}

int renamed(const char *from, const char *to, uint32_t flags)
{
	return vfs_rename(top, from, top, to, flags);
}

int linked(const char *from, const char *to)
{
	return vfs_link(top, from, top, to, VFS_LOOKUP_NO_FOLLOW);
}

int symlinked(const char *target, const char *path)
{
	return vfs_make_symlink(top, target, path);
}

int64_t put(port_name_t file, const void *bytes, size_t size)
{
	uint64_t done = 0;
	int error = io_write(file, IO_OFFSET_CURRENT, 0, bytes, size, &done);
	return error ? -error : (int64_t)done;
}

int64_t get(port_name_t file, void *bytes, size_t size)
{
	uint64_t done = 0;
	int error = io_read(file, IO_OFFSET_CURRENT, 0, bytes, size, &done);
	return error ? -error : (int64_t)done;
}

int64_t put_text(port_name_t file, const char *text)
{
	return put(file, text, strlen(text));
}
