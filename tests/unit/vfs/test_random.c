/*
 * Random sequences of operations on a small tree: whatever happens, counts and pointers agree, and in the end nothing
 * is left.
 */
#include "fixture.h"
#include <stdlib.h>

TestSuite(random, .init = start, .fini = stop, .timeout = 60);

#define OPEN_MAX 12u
static port_name_t open_files[OPEN_MAX];

/* A path of one to three components out of few names. */
static const char *path(void)
{
	static char texts[4][64];
	static unsigned turn;
	char *text = texts[turn++ % 4];
	size_t used = 0;

	text[used++] = '/';
	for (unsigned depth = (unsigned)rand() % 3 + 1; depth > 0; depth--) {
		unsigned kind = (unsigned)rand() % 24;
		if (kind == 0)
			used += (size_t)snprintf(text + used, 4, "..");
		else if (kind == 1)
			used += (size_t)snprintf(text + used, 4, ".");
		else
			text[used++] = "abcde"[rand() % 5];
		if (depth > 1 || rand() % 16 == 0)
			text[used++] = '/';
	}
	text[used] = 0;
	return text;
}

static void open_or_close(void)
{
	static const uint32_t flags[] = {O_RDONLY, O_CREAT | O_RDWR,       O_CREAT | O_EXCL | O_RDWR, O_RDWR | O_TRUNC,
	                                 O_PATH,   O_RDONLY | O_DIRECTORY, O_RDWR | O_NONBLOCK};
	port_name_t *file = &open_files[(unsigned)rand() % OPEN_MAX];
	uint32_t kind;

	if (*file != PORT_NULL) {
		closed(*file);
		*file = PORT_NULL;
	} else {
		/* Nobody would answer an open of a FIFO that waits. */
		vfs_open(top, path(), flags[rand() % 7] | O_NONBLOCK, 0644, file, &kind);
	}
}

static void use_open_file(void)
{
	static uint8_t bytes[20000];
	port_name_t file = open_files[(unsigned)rand() % OPEN_MAX];
	uint64_t done;

	if (file == PORT_NULL)
		return;
	switch (rand() % 4) {
	case 0:
		io_write(file, (int64_t)(rand() % 30000), 1, bytes, (size_t)rand() % sizeof(bytes), &done);
		break;
	case 1:
		io_truncate(file, (uint64_t)rand() % 30000);
		break;
	case 2:
		io_allocate(file, (uint32_t)rand() % 4, (uint64_t)rand() % 30000, (uint64_t)rand() % 30000);
		break;
	default:
		io_read_directory(file, bytes, sizeof(bytes), &done);
	}
}

static void step(void)
{
	switch (rand() % 14) {
	case 0:
	case 1:
		make_directory(path());
		break;
	case 2:
		unlinked(path());
		break;
	case 3:
		removed_directory(path());
		break;
	case 4:
	case 5:
		renamed(path(), path(), (uint32_t)rand() % 3);
		break;
	case 6:
		linked(path(), path());
		break;
	case 7:
		symlinked(path() + rand() % 2, path());
		break;
	case 8:
		vfs_make_node(top, path(), S_IFIFO | 0600, 0);
		break;
	case 9:
		if (rand() % 4 == 0)
			vfs_mount(top, path(), path(), "tmpfs", rand() % 2 ? MOUNT_BIND : 0, "size=256k");
		else if (rand() % 8 == 0)
			vfs_mount(top, path(), path(), "", MOUNT_MOVE, "");
		else
			vfs_unmount(top, path(), (uint32_t)rand() % 4);
		break;
	case 10:
	case 11:
		open_or_close();
		break;
	default:
		use_open_file();
	}
}

/* ---- what must be true ---- */

struct count {
	uint64_t inodes, pages;
};

static uint64_t names_of(const struct vnode *vnode)
{
	uint64_t names = 0;
	for (const struct entry *e = vnode->names; e != NULL; e = e->next_name)
		names++;
	return names;
}

static void check_directory(const struct vnode *directory, struct count *count)
{
	uint64_t children = 0, found = 0, cookie = 0;

	count->inodes++;
	for (const struct entry *e = directory->directory.first; e != NULL; e = e->next, found++) {
		const struct vnode *v = e->vnode;
		must(e->cookie > cookie, "cookies are not in order");
		cookie = e->cookie;
		must(e->directory == directory && v->system == directory->system, "an entry is in the wrong place");
		must(directory_find((struct vnode *)directory, e->name, e->length) == e, "an entry cannot be found");
		if (is_directory(v)) {
			must(v->directory.parent == directory && v->names == e && e->next_name == NULL,
			     "a directory's parent is wrong");
			children++;
			check_directory(v, count);
			continue;
		}
		must(v->links == names_of(v), "a link count is wrong");
		if (v->names == e) { /* once a file */
			count->inodes++;
			count->pages += is_regular(v) ? v->data.pages : 0;
		}
	}
	must(found == directory->directory.count, "a directory's count is wrong");
	must(directory->links == 2 + children, "a directory's link count is wrong");
}

/* Files that are open and have no name, and removed directories, count in their systems, too. */
static void check_all(bool exact)
{
	for (const struct file_system *system = vfs->systems; system != NULL; system = system->next) {
		struct count count = {0};
		if (system->root == NULL)
			continue;
		check_directory(system->root, &count);
		must(exact ? count.inodes == system->inodes : count.inodes <= system->inodes, "inodes are lost");
		must(exact ? count.pages == system->pages : count.pages <= system->pages, "pages are lost");
	}
	for (const struct mount *m = vfs->mounts; m != NULL; m = m->next)
		must(m->attached && (m->covered.vnode == NULL || m->covered.vnode->mounts != 0), "a mount is wrong");
}

static void close_all(void)
{
	for (unsigned i = 0; i < OPEN_MAX; i++) {
		if (open_files[i] != PORT_NULL)
			closed(open_files[i]);
		open_files[i] = PORT_NULL;
	}
}

/* Mounts beyond the standard three, the newest first, until none is left that can go. */
static void unmount_all(void)
{
	while (vfs->mounts->next->next->next != NULL)
		must(mount_remove(vfs->mounts, true) == 0, "a mount does not go");
}

static void empty(const char *directory)
{
	static const char names[] = "abcde";
	char name[256];

	for (unsigned i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "%s/%c", directory, names[i]);
		if (unlinked(name) == EISDIR) {
			empty(name);
			must(removed_directory(name) == 0, "a directory does not go");
		}
	}
}

Test(random, trees)
{
	for (unsigned seed = 1; seed <= 60; seed++) {
		uint64_t inodes = vfs->root.vnode->system->inodes;
		srand(seed);
		for (unsigned i = 0; i < 400; i++) {
			step();
			if (i % 20 == 0)
				check_all(false);
		}
		close_all();
		check_all(false); /* a mount may show a directory that has been removed */
		unmount_all();
		check_all(true);
		empty("");
		cr_assert_eq(vfs->root.vnode->system->inodes, inodes, "seed %u", seed);
		cr_assert_eq(vfs->root.vnode->system->pages, 0, "seed %u", seed);
		cr_assert_eq(host_objects, 0, "seed %u", seed);
		cr_assert_eq(vfs->files_open, 2);
	}
}

Test(random, the_keep_does_not_grow)
{
	size_t used[3];
	for (unsigned round = 0; round < 3; round++) {
		srand(99);
		for (unsigned i = 0; i < 2000; i++)
			step();
		close_all();
		unmount_all();
		empty("");
		used[round] = keep_used();
	}
	cr_expect_eq(used[1], used[2]);
}

/* Every routine gets bytes that no stub would send. */
Test(random, malformed_requests)
{
	static struct msg_page page;
	srand(11);
	for (unsigned round = 0; round < 60000; round++) {
		const struct server_interface *interface = rand() % 2 ? &vfs_interface : &io_interface;
		memset(&page, 0, sizeof(page));
		page.header.length = (uint32_t)rand() % 256;
		page.header.descriptors = (uint16_t)(rand() % 3);
		page.header.ordinal = MSG_ORDINAL(interface->number, rand() % 48);
		page.header.principal = rand() % 4 ? TEST_PID : (uint64_t)rand();
		page.header.badge = rand() % 8 ? loopback_badge(top) : (uint64_t)rand() << (rand() % 50);
		for (uint32_t i = 0; i < page.header.length; i++)
			page.data[i] = (uint8_t)(rand() % 3 ? 0 : rand());
		loopback_deliver(interface, &page);
	}
}
