/*
 * The name space as it is before anything is opened: file systems, mounts, the session of other servers, and what the
 * archive must have.
 */
#include "serve.h"

struct vfs_state *vfs;

#define PAGE 4096u

static int make_systems(void)
{
	uint64_t pages = memory_machine() / PAGE / 2;

	vfs->next_device = 4; /* the first is DEVFS_DEVICE */
	vfs->devices = file_system_new(FILE_SYSTEM_DEVTMPFS, pages, 0755);
	vfs->pipes = file_system_new(FILE_SYSTEM_PIPE, memory_machine() / PAGE, 0700);
	vfs->memory_files = file_system_new(FILE_SYSTEM_TMPFS, pages, 0700);
	if (vfs->devices == NULL || vfs->pipes == NULL || vfs->memory_files == NULL)
		return ENOMEM;
	return device_populate(vfs->devices->root);
}

static int make_root(void)
{
	struct file_system *system = file_system_new(FILE_SYSTEM_TMPFS, memory_machine() / PAGE / 2, 0755);
	struct open_file *base;
	struct mount *mount;

	if (system == NULL)
		return ENOMEM;
	int error = mount_add(system, system->root, (struct place){0}, "tmpfs", 0, &mount);
	if (error != 0)
		return error;
	vfs->root = (struct place){mount, mount->root};
	place_get(vfs->root);
	vfs->server.root = vfs->root;
	vfs->server.cred.cap_effective = vfs->server.cred.cap_permitted = ~UINT64_C(0);
	error = open_file_new(vfs->root, O_RDONLY | O_DIRECTORY, &base);
	if (error == 0)
		vfs->base_badge = base->badge;
	return error;
}

int vfs_start(void)
{
	int error = make_systems();

	return error != 0 ? error : make_root();
}

/* A directory of the root that must be there. */
static int need_directory(const char *name, uint32_t mode, struct vnode **vnode)
{
	struct vnode *root = vfs->root.vnode;
	struct entry *entry = operations(root)->find(root, name, strlen(name));

	if (entry == NULL)
		return operations(root)->create(root, name, strlen(name), &(struct new_vnode){.mode = S_IFDIR | mode},
		                                vnode);
	*vnode = entry->vnode;
	return is_directory(*vnode) ? 0 : ENOTDIR;
}

static int mount_on(const char *name, const char *type)
{
	struct vnode *vnode;
	int error = need_directory(name, 0755, &vnode);

	if (error != 0)
		return error;
	return mount_request(type, (struct place){0}, (struct place){vfs->root.mount, vnode}, type, 0, "");
}

int vfs_mount_standard(void)
{
	struct vnode *vnode;
	int error = mount_on("dev", "devtmpfs");

	if (error == 0)
		error = mount_on("proc", "proc");
	if (error == 0)
		error = need_directory("tmp", 01777, &vnode);
	return error;
}

static void no_senders(uint64_t badge, uint64_t make_send)
{
	struct open_file *file = open_file_find(badge);

	(void)make_send; /* one right is made of each badge, and no badge is used again */
	if (file != NULL && file->badge == badge)
		open_file_put(file);
}

static void go_on(void)
{
	pipes_go_on();
	file_systems_go_on();
}

void vfs_register(void)
{
	server_register(&vfs_interface);
	server_register(&io_interface);
	server_on_no_senders(no_senders);
	server_on_cancel(waiter_cancel);
	server_on_deferred(go_on);
}
