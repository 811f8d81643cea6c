/*
 * The vfs server: start. The root file system is unpacked from the boot module "root.cpio" before the first request is
 * received.
 */
#include "vfs.h"
#include <portico/keep.h>
#include <root_client.h>

SERVER_KEEP_ROOT(struct vfs_state);
SERVER_KEEP_ENUM(file_system, kind, file_system_kind);
SERVER_KEEP_ENUM(waiter, kind, waiter_kind);
SERVER_KEEP_ENUM(lock_request, type, io_lock_type);

static void fill_root(void)
{
	port_name_t object = PORT_NULL;
	struct memory archive;
	uint64_t size = 0, where;
	int error = root_module(NAME_ROOT_SERVER, "root.cpio", &object, &size);

	if (error == 0)
		error = memory_attach(&archive, object, size);
	if (error != 0) {
		server_log("no root archive: error %d", error);
		return;
	}
	uint64_t begin = server_now();
	error = cpio_unpack(vfs->root.vnode, archive.address, size, &where);
	memory_destroy(&archive);
	if (error != 0)
		server_log("root archive is cut off or broken: error %d at byte %llu of %llu", error,
		           (unsigned long long)where, (unsigned long long)size);
	else
		server_log("root archive: %llu KiB in %llu ms", (unsigned long long)size / 1024,
		           (unsigned long long)(server_now() - begin) / 1000000);
}

int server_main(void)
{
	vfs = server_keep_root(sizeof(*vfs));
	if (server_cold()) {
		int error = vfs_start();
		if (error != 0)
			server_panic("start: error %d", error);
		fill_root();
		error = vfs_mount_standard();
		if (error != 0)
			server_panic("standard mounts: error %d", error);
	}
	vfs_register();
	server_run();
}
