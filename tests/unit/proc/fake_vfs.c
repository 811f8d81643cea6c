/*
 * vfs and root for proc's tests. See fake_vfs.h.
 */
#include "fake_vfs.h"
#include "fake_kernel.h"

#include <io_types.h>
#include <loopback.h>
#include <portico/server.h>
#include <portico/wire.h>
#include <root_fake.h>
#include <stdlib.h>
#include <string.h>
#include <vfs_types.h>

struct fake_vfs fake_vfs;
struct fake_root fake_root;

void fake_add_file(const char *path, const void *bytes, size_t size, uint32_t mode, uint32_t uid, uint32_t gid)
{
	fake_vfs.file[fake_vfs.files++] =
	        (struct fake_file){.path = path, .bytes = bytes, .size = size, .mode = mode, .uid = uid, .gid = gid};
}

struct fake_file *fake_find_file(const char *path)
{
	for (unsigned i = 0; i < fake_vfs.files; i++) {
		if (strcmp(fake_vfs.file[i].path, path) == 0)
			return &fake_vfs.file[i];
	}
	return NULL;
}

struct fake_session *fake_session(uint64_t principal)
{
	for (unsigned i = 0; i < fake_vfs.sessions; i++) {
		if (fake_vfs.session[i].principal == principal && fake_vfs.session[i].live)
			return &fake_vfs.session[i];
	}
	return NULL;
}

unsigned fake_sessions_live(void)
{
	unsigned count = 0;
	for (unsigned i = 0; i < fake_vfs.sessions; i++)
		count += fake_vfs.session[i].live;
	return count;
}

/* ---- vfs ---- */

static int64_t session_begin(const struct vfs_session_begin_request *request)
{
	if (fake_vfs.session_error)
		return fake_vfs.session_error;
	if (fake_session(request->principal))
		return EEXIST;
	fake_vfs.session[fake_vfs.sessions++] = (struct fake_session){
	        .principal = request->principal, .parent = request->parent, .cred = request->cred, .live = true};
	return 0;
}

static int64_t session_credentials(const struct vfs_session_credentials_request *request)
{
	struct fake_session *s = fake_session(request->principal);
	if (!s)
		return ESRCH;
	s->cred = request->cred;
	return 0;
}

static int64_t session_end(const struct vfs_session_end_request *request)
{
	struct fake_session *s = fake_session(request->principal);
	if (!s)
		return ESRCH;
	s->live = false;
	const struct fake_task *task = fake_task(request->principal);
	fake_vfs.ended_while_running += task && task->alive && task->started && !task->frozen;
	return 0;
}

static void put_file_right(struct msg_descriptor *d, uint64_t badge)
{
	*d = (struct msg_descriptor){
	        .type = MSG_DESC_PORT, .disposition = MSG_MAKE_SEND, .name = fake_vfs.port, .badge = badge};
}

static int64_t open_program(struct server_call *call)
{
	const struct vfs_open_program_request *request = (const void *)call->in->data;
	const char *path = (const char *)call->in->data + request->path.offset;
	struct fake_file *file = fake_find_file(path);
	if (fake_vfs.opens < 8)
		strncpy(fake_vfs.opened[fake_vfs.opens++], path, 255);
	server_release_right(call->in->descriptor[0].name);
	if (!fake_session(request->principal))
		return EACCES;
	if (!file)
		return strncmp(path, "/proc/", 6) == 0 ? EREMOTE : ENOENT;
	if (file->error)
		return file->error;
	if (!file->object)
		file->object = fake_object(file->bytes, file->size);
	struct vfs_open_program_reply *reply = (void *)call->out->data;
	memset(reply, 0, sizeof(*reply));
	reply->size = file->size;
	reply->attr.mode = file->mode;
	reply->attr.uid = file->uid;
	reply->attr.gid = file->gid;
	call->out->descriptor[0] =
	        (struct msg_descriptor){.type = MSG_DESC_PORT, .disposition = MSG_COPY_SEND, .name = file->object};
	put_file_right(&call->out->descriptor[1], 100 + (uint64_t)(file - fake_vfs.file));
	call->reply_length = sizeof(*reply);
	call->reply_descriptors = 2;
	return 0;
}

/* A reply that is one string. */
static int64_t reply_string(struct server_call *call, const char *text)
{
	struct vfs_directory_path_reply *reply = (void *)call->out->data;
	uint32_t at = sizeof(*reply);
	memset(reply, 0, sizeof(*reply));
	reply->path = wire_put(call->out, &at, text, strlen(text), 1, 1);
	call->reply_length = at;
	call->reply_descriptors = 0;
	return 0;
}

static int64_t mount_entry(struct server_call *call)
{
	const struct vfs_mount_entry_request *request = (const void *)call->in->data;
	static const char *const lines[] = {"root / tmpfs rw 0 0", "proc /proc proc rw 0 0"};
	return request->index < 2 ? reply_string(call, lines[request->index]) : ENOENT;
}

static int64_t vfs_dispatch_fake(struct server_call *call)
{
	const void *data = call->in->data;
	call->reply_length = call->reply_descriptors = 0;
	switch (call->ordinal) {
	case MSG_ORDINAL(VFS_INTERFACE, VFS_ORDINAL_SESSION_BEGIN):
		return session_begin(data);
	case MSG_ORDINAL(VFS_INTERFACE, VFS_ORDINAL_SESSION_CREDENTIALS):
		return session_credentials(data);
	case MSG_ORDINAL(VFS_INTERFACE, VFS_ORDINAL_SESSION_END):
		return session_end(data);
	case MSG_ORDINAL(VFS_INTERFACE, VFS_ORDINAL_ROOT_DIRECTORY):
		put_file_right(&call->out->descriptor[0], 1);
		call->reply_descriptors = 1;
		return 0;
	case MSG_ORDINAL(VFS_INTERFACE, VFS_ORDINAL_OPEN_PROGRAM):
		return open_program(call);
	case MSG_ORDINAL(VFS_INTERFACE, VFS_ORDINAL_MOUNT_ENTRY):
		return mount_entry(call);
	case MSG_ORDINAL(IO_INTERFACE, IO_ORDINAL_PATH):
		if (call->badge == NAME_CWD || call->badge == NAME_ROOT_DIR)
			return reply_string(call, call->badge == NAME_CWD ? "/home/user" : "/");
		return reply_string(call, fake_vfs.file[call->badge - 100].path);
	default:
		abort();
	}
}

static const struct server_interface vfs_fake_interface = {
        .number = VFS_INTERFACE, .name = "vfs", .dispatch = vfs_dispatch_fake};

/* ---- root ---- */

static int option(struct server_call *call, struct root_client *client, const char *name, char *value)
{
	(void)call;
	(void)client;
	const char *text = strcmp(name, "run") == 0 ? fake_root.run : strcmp(name, "init") == 0 ? fake_root.init : NULL;
	if (!text)
		return ENOENT;
	strcpy(value, text);
	return 0;
}

static int module(struct server_call *call, struct root_client *client, const char *name, struct server_port *object,
                  uint64_t *size)
{
	(void)call;
	(void)client;
	if (strcmp(name, "libposix") != 0)
		return ENOENT;
	object->name = fake_object(fake_root.libposix, fake_root.libposix_size);
	*size = fake_root.libposix_size;
	return 0;
}

static int power(struct server_call *call, struct root_client *client, uint32_t action, int32_t status)
{
	(void)call;
	(void)client;
	fake_root.powers++;
	fake_root.action = action;
	fake_root.status = status;
	return 0;
}

static int set_clock(struct server_call *call, struct root_client *client, int64_t offset)
{
	(void)call;
	(void)client;
	fake_root.clock = offset;
	return 0;
}

void fake_servers_reset(void)
{
	memset(&fake_vfs, 0, sizeof(fake_vfs));
	memset(&fake_root, 0, sizeof(fake_root));
	fake_vfs.port = loopback_service(&vfs_fake_interface);
	root_fake_reset();
	fake_root.port = loopback_service(&root_interface);
	root_fake.option = option;
	root_fake.module = module;
	root_fake.power = power;
	root_fake.set_clock = set_clock;
}
