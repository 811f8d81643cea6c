/*
 * Bytes of regular files: positions, holes, sizes, allocation, limits, copies, mappings.
 */
#include "fixture.h"
#include <stdlib.h>

TestSuite(data, .init = start, .fini = stop);

static int64_t seek(port_name_t file, int64_t offset, uint32_t whence)
{
	int64_t position = 0;
	int error = io_seek(file, offset, whence, &position);
	return error ? -error : position;
}

static int64_t put_at(port_name_t file, int64_t at, const void *bytes, size_t size)
{
	uint64_t done = 0;
	int error = io_write(file, at, 0, bytes, size, &done);
	return error ? -error : (int64_t)done;
}

static int64_t get_at(port_name_t file, int64_t at, void *bytes, size_t size)
{
	uint64_t done = 0;
	int error = io_read(file, at, 0, bytes, size, &done);
	return error ? -error : (int64_t)done;
}

static struct attributes of(port_name_t file)
{
	struct attributes attr;
	cr_assert_eq(io_stat(file, &attr), 0);
	return attr;
}

Test(data, positions)
{
	char bytes[16] = {0};
	port_name_t file = opened("f", O_CREAT | O_RDWR, 0644);
	cr_expect_eq(put_text(file, "hello"), 5);
	cr_expect_eq(seek(file, 0, SEEK_FROM_CURRENT), 5);
	cr_expect_eq(seek(file, -4, SEEK_FROM_END), 1);
	cr_expect_eq(get(file, bytes, 16), 4);
	cr_expect_str_eq(bytes, "ello");
	cr_expect_eq(get(file, bytes, 16), 0);
	cr_expect_eq(seek(file, -1, SEEK_FROM_SET), -EINVAL);
	cr_expect_eq(seek(file, -6, SEEK_FROM_END), -EINVAL);
	cr_expect_eq(seek(file, INT64_MAX, SEEK_FROM_SET), INT64_MAX);
	cr_expect_eq(seek(file, 1, SEEK_FROM_CURRENT), -EOVERFLOW);
	cr_expect_eq(seek(file, 0, 9), -EINVAL);
	cr_expect_eq(get_at(file, 1, bytes, 3), 3);
	cr_expect_eq(memcmp(bytes, "ell", 3), 0);
	cr_expect_eq(seek(file, 0, SEEK_FROM_CURRENT), INT64_MAX);
	cr_expect_eq(get_at(file, -2, bytes, 3), -EINVAL);
	cr_expect_eq(put_at(file, -2, bytes, 3), -EINVAL);
	closed(file);
}

Test(data, inline_bytes)
{
	uint8_t bytes[2048];
	size_t got = 0;
	uint64_t done = 0;
	port_name_t file = opened("f", O_CREAT | O_RDWR, 0644);
	cr_expect_eq(io_write_inline(file, IO_OFFSET_CURRENT, 0, "inline", 6, &done), 0);
	cr_expect_eq(done, 6);
	cr_expect_eq(io_read_inline(file, 2, 0, 2048, bytes, sizeof(bytes), &got), 0);
	cr_expect_eq(got, 4);
	cr_expect_eq(memcmp(bytes, "line", 4), 0);
	cr_expect_eq(io_read_inline(file, 6, 0, 99999, bytes, sizeof(bytes), &got), 0);
	cr_expect_eq(got, 0);
	closed(file);
}

Test(data, append)
{
	port_name_t file = opened("f", O_CREAT | O_WRONLY | O_APPEND, 0644), other = opened("f", O_WRONLY, 0);
	uint64_t done;
	cr_expect_eq(put_text(file, "one"), 3);
	cr_expect_eq(put_text(other, "ONE+"), 4);
	cr_expect_eq(put_text(file, "two"), 3);
	cr_expect_eq(io_write(other, IO_OFFSET_CURRENT, 2, "!", 1, &done), 0);
	cr_expect(has_text("f", "ONE+two!"));
	closed(file);
	closed(other);
}

Test(data, modes_of_opening)
{
	char byte;
	file_with("f", "x");
	port_name_t reader = opened("f", O_RDONLY, 0), writer = opened("f", O_WRONLY, 0), path = opened("f", O_PATH, 0);
	uint64_t done;
	cr_expect_eq(put_text(reader, "x"), -EBADF);
	cr_expect_eq(get(writer, &byte, 1), -EBADF);
	cr_expect_eq(get(path, &byte, 1), -EBADF);
	cr_expect_eq(put(path, &byte, 1), -EBADF);
	cr_expect_eq(seek(path, 0, SEEK_FROM_SET), -EBADF);
	cr_expect_eq(io_truncate(reader, 0), EINVAL);
	cr_expect_eq(io_allocate(reader, 0, 0, 1), EBADF);
	cr_expect_eq(io_read(top, 0, 0, &byte, 1, &done), EBADF);
	closed(reader);
	closed(writer);
	closed(path);
	cr_expect_eq(try_open("f", 3, 0), EINVAL);
	cr_expect_eq(try_open("/tmp", O_WRONLY, 0), EISDIR);
	cr_expect_eq(try_open("/tmp", O_RDONLY | O_CREAT, 0), EISDIR);
	cr_expect_eq(try_open("f", O_RDONLY | O_DIRECTORY, 0), ENOTDIR);
	cr_expect_eq(try_open("f", O_CREAT | O_EXCL | O_RDONLY, 0), EEXIST);
}

Test(data, small_files_become_large)
{
	uint8_t bytes[10000], back[10000];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	port_name_t file = opened("f", O_CREAT | O_RDWR, 0644);
	for (size_t at = 0; at < sizeof(bytes); at += 100)
		cr_assert_eq(put(file, bytes + at, 100), 100);
	cr_expect_eq(get_at(file, 0, back, sizeof(back)), sizeof(back));
	cr_expect_eq(memcmp(bytes, back, sizeof(back)), 0);
	cr_expect_eq(host_objects, 1);
	cr_expect_eq(of(file).blocks, 24);
	closed(file);
	cr_expect_eq(unlinked("f"), 0);
	cr_expect_eq(host_objects, 0);
	cr_expect_eq(vfs->root.vnode->system->pages, 0);
}

Test(data, small_files_have_no_object)
{
	file_with("f", "x");
	cr_expect_eq(host_objects, 0);
	cr_expect_eq(attributes_of("f").blocks, 8);
}

Test(data, holes)
{
	uint8_t back[65536];
	port_name_t file = opened("f", O_CREAT | O_RDWR, 0644);
	cr_expect_eq(put_at(file, 1 << 20, "x", 1), 1);
	cr_expect_eq(of(file).size, (1 << 20) + 1);
	cr_expect_eq(of(file).blocks, 8);
	memset(back, 1, sizeof(back));
	cr_expect_eq(get_at(file, (1 << 20) - 65535, back, 65536), 65536);
	for (size_t i = 0; i < 65535; i++)
		cr_assert_eq(back[i], 0);
	cr_expect_eq(back[65535], 'x');
	cr_expect_eq(of(file).blocks, 8);
	cr_expect_eq(seek(file, 0, SEEK_TO_DATA), 1 << 20);
	cr_expect_eq(seek(file, 0, SEEK_TO_HOLE), 0);
	cr_expect_eq(seek(file, 1 << 20, SEEK_TO_HOLE), (1 << 20) + 1);
	cr_expect_eq(seek(file, (1 << 20) + 1, SEEK_TO_DATA), -ENXIO);
	cr_expect_eq(seek(file, -1, SEEK_TO_DATA), -ENXIO);
	closed(file);
}

Test(data, huge_sparse_file)
{
	char byte = 1;
	port_name_t file = opened("f", O_CREAT | O_RDWR, 0644);
	cr_expect_eq(io_truncate(file, UINT64_C(1) << 40), 0);
	cr_expect_eq(put_at(file, (INT64_C(1) << 40) - 1, "x", 1), 1);
	cr_expect_eq(get_at(file, INT64_C(1) << 39, &byte, 1), 1);
	cr_expect_eq(byte, 0);
	cr_expect_eq(of(file).blocks, 8);
	cr_expect_eq(put_at(file, INT64_C(1) << 45, "x", 1), -EFBIG);
	cr_expect_eq(io_truncate(file, UINT64_C(1) << 45), EFBIG);
	cr_expect_eq(io_truncate(file, UINT64_MAX), EINVAL);
	closed(file);
}

Test(data, truncated_bytes_never_come_back)
{
	uint8_t bytes[9000], back[9000];
	memset(bytes, 0xaa, sizeof(bytes));
	static const uint64_t size[] = {5000, 4096, 3000, 1, 0};
	for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		port_name_t file = opened("f", O_CREAT | O_TRUNC | O_RDWR, 0644);
		cr_expect_eq(put(file, bytes, sizeof(bytes)), sizeof(bytes));
		cr_expect_eq(io_truncate(file, size[i]), 0);
		cr_expect_eq(of(file).size, size[i]);
		cr_expect_eq(io_truncate(file, sizeof(back)), 0);
		cr_expect_eq(get_at(file, 0, back, sizeof(back)), sizeof(back));
		for (size_t at = 0; at < sizeof(back); at++)
			cr_assert_eq(back[at], at < size[i] ? 0xaa : 0, "size %llu byte %zu",
			             (unsigned long long)size[i], at);
		closed(file);
	}
}

Test(data, truncate_by_path)
{
	file_with("f", "hello");
	cr_expect_eq(vfs_truncate(top, "f", 2), 0);
	cr_expect(has_text("f", "he"));
	cr_expect_eq(vfs_truncate(top, "/tmp", 0), EISDIR);
	cr_expect_eq(vfs_truncate(top, "/dev/null", 0), EINVAL);
	cr_expect_eq(vfs_set_mode(top, "f", 0444, 0), 0);
	become(5, 5);
	cr_expect_eq(vfs_truncate(top, "f", 0), EACCES);
	become(0, 0);
}

Test(data, allocate)
{
	port_name_t file = opened("f", O_CREAT | O_RDWR, 0644);
	uint8_t back[16384];
	cr_expect_eq(io_allocate(file, 0, 0, 10000), 0);
	cr_expect_eq(of(file).size, 10000);
	cr_expect_eq(of(file).blocks, 24);
	cr_expect_eq(io_allocate(file, ALLOCATE_KEEP_SIZE, 0, 20000), 0);
	cr_expect_eq(of(file).size, 10000);
	cr_expect_eq(of(file).blocks, 40);
	memset(back, 0x55, sizeof(back));
	cr_expect_eq(put_at(file, 0, back, sizeof(back)), sizeof(back));
	cr_expect_eq(io_allocate(file, ALLOCATE_PUNCH_HOLE, 0, 1), EOPNOTSUPP);
	cr_expect_eq(io_allocate(file, ALLOCATE_PUNCH_HOLE | ALLOCATE_KEEP_SIZE, 100, 12188), 0);
	cr_expect_eq(get_at(file, 0, back, sizeof(back)), sizeof(back));
	for (size_t i = 0; i < sizeof(back); i++)
		cr_assert_eq(back[i], i >= 100 && i < 12288 ? 0 : 0x55, "byte %zu", i);
	cr_expect_eq(seek(file, 0, SEEK_TO_HOLE), 4096);
	cr_expect_eq(seek(file, 4096, SEEK_TO_DATA), 12288);
	cr_expect_eq(io_allocate(file, ALLOCATE_ZERO_RANGE, 12000, 8000), 0);
	cr_expect_eq(of(file).size, 20000);
	cr_expect_eq(get_at(file, 12000, back, 8000), 8000);
	for (size_t i = 0; i < 8000; i++)
		cr_assert_eq(back[i], 0);
	cr_expect_eq(io_allocate(file, 0x80, 0, 1), EOPNOTSUPP);
	cr_expect_eq(io_allocate(file, 0, 0, 0), EINVAL);
	closed(file);
}

Test(data, no_space_left)
{
	static uint8_t bytes[200 * 1024];
	cr_assert_eq(vfs_mount(top, "t", "/tmp", "tmpfs", 0, "size=64k,nr_inodes=4"), 0);
	port_name_t file = opened("/tmp/f", O_CREAT | O_RDWR, 0644);
	cr_expect_eq(put(file, bytes, sizeof(bytes)), 65536);
	cr_expect_eq(put(file, bytes, 1), -ENOSPC);
	cr_expect_eq(put_at(file, 0, bytes, 4096), 4096);
	cr_expect_eq(io_allocate(file, 0, 0, 70000), ENOSPC);
	struct io_file_system status;
	cr_expect_eq(vfs_stat_file_system(top, "/tmp", &status), 0);
	cr_expect_eq(status.blocks, 16);
	cr_expect_eq(status.blocks_free, 0);
	cr_expect_eq(status.type, 0x01021994);
	cr_expect_eq(io_truncate(file, 0), 0);
	cr_expect_eq(vfs_stat_file_system(top, "/tmp", &status), 0);
	cr_expect_eq(status.blocks_free, 16);
	cr_expect_eq(vfs_make_directory(top, "/tmp/1", 0700), 0);
	cr_expect_eq(vfs_make_directory(top, "/tmp/2", 0700), 0);
	cr_expect_eq(vfs_make_directory(top, "/tmp/3", 0700), ENOSPC);
	closed(file);
}

Test(data, no_memory_left)
{
	uint8_t bytes[8192] = {1};
	port_name_t file = opened("f", O_CREAT | O_RDWR, 0644);
	host_available = 4096;
	cr_expect_eq(put(file, bytes, sizeof(bytes)), 4096);
	host_available = 0;
	cr_expect_eq(put(file, bytes, sizeof(bytes)), -ENOSPC);
	closed(file);
}

Test(data, restarted_requests)
{
	static uint8_t bytes[600000], back[600000];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 31);
	port_name_t file = opened("f", O_CREAT | O_RDWR, 0644);
	for (unsigned nth = 1; nth <= 3; nth++) {
		loopback_fault_window(nth);
		cr_expect_eq(put_at(file, 3, bytes, sizeof(bytes)), sizeof(bytes));
		loopback_fault_window(nth);
		cr_expect_eq(get_at(file, 3, back, sizeof(back)), sizeof(back));
		cr_expect_eq(memcmp(bytes, back, sizeof(back)), 0);
	}
	int64_t position = 0;
	loopback_fault_window(1);
	cr_expect_eq(put(file, bytes, 100), 100);
	cr_expect_eq(io_seek(file, 0, SEEK_FROM_CURRENT, &position), 0);
	cr_expect_eq(position, 100);
	closed(file);
}

Test(data, copy_range)
{
	static uint8_t bytes[150000], back[150000];
	uint64_t done = 0;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 13);
	port_name_t from = opened("f", O_CREAT | O_RDWR, 0644), to = opened("g", O_CREAT | O_RDWR, 0644);
	cr_expect_eq(put(from, bytes, sizeof(bytes)), sizeof(bytes));
	cr_expect_eq(io_copy_range(from, 0, to, IO_OFFSET_CURRENT, 1 << 20, &done), 0);
	cr_expect_eq(done, sizeof(bytes));
	cr_expect_eq(seek(to, 0, SEEK_FROM_CURRENT), sizeof(bytes));
	cr_expect_eq(get_at(to, 0, back, sizeof(back)), sizeof(back));
	cr_expect_eq(memcmp(bytes, back, sizeof(back)), 0);
	cr_expect_eq(io_copy_range(from, 0, from, 10, 100, &done), EINVAL);
	cr_expect_eq(io_copy_range(from, 0, from, 200000, 100, &done), 0);
	cr_expect_eq(io_copy_range(from, 0, top, 0, 100, &done), EBADF);
	closed(from);
	closed(to);
}

Test(data, map)
{
	uint64_t size = 0;
	port_name_t object = PORT_NULL, file = opened("f", O_CREAT | O_RDWR, 0644), reader = opened("f", O_RDONLY, 0);
	cr_expect_eq(put_text(file, "mapped"), 6);
	cr_expect_eq(io_map(file, 0, &object, &size), 0);
	cr_expect_eq(size, 6);
	cr_expect_eq(host_objects, 1);
	closed(object);
	cr_expect_eq(io_map(reader, 1, &object, &size), EACCES);
	cr_expect_eq(io_map(reader, 0, &object, &size), 0);
	closed(object);
	cr_expect_eq(io_map(file, 1, &object, &size), 0);
	closed(object);
	/* What is written through the mapping is there for read, holes included. */
	cr_expect_eq(io_truncate(file, 20000), 0);
	struct vnode *vnode = open_file_find(loopback_badge(file))->place.vnode;
	memcpy(vnode->data.memory.address + 8192, "store", 5);
	char back[6] = {0};
	cr_expect_eq(get_at(file, 8192, back, 5), 5);
	cr_expect_str_eq(back, "store");
	cr_expect_eq(io_map(top, 0, &object, &size), EBADF);
	port_name_t null = opened("/dev/null", O_RDWR, 0);
	cr_expect_eq(io_map(null, 0, &object, &size), ENODEV);
	closed(null);
	closed(file);
	closed(reader);
}

/* Any sequence of operations leaves what the same sequence leaves in a plain array. */
#define MODEL_SIZE 100000u
struct model {
	uint8_t bytes[MODEL_SIZE];
	uint64_t size;
};

static void model_step(struct model *model, port_name_t file, unsigned step)
{
	static uint8_t bytes[MODEL_SIZE];
	uint64_t at = (uint64_t)rand() % (MODEL_SIZE - 20000), size = (uint64_t)rand() % (rand() % 3 ? 300 : 20000) + 1;
	switch (rand() % 6) {
	case 0:
	case 1:
		memset(bytes, (int)step | 1, size);
		if (rand() % 4 == 0)
			loopback_fault_window(1);
		cr_assert_eq(put_at(file, (int64_t)at, bytes, size), (int64_t)size);
		memcpy(model->bytes + at, bytes, size);
		model->size = model->size > at + size ? model->size : at + size;
		break;
	case 2:
		cr_assert_eq(io_truncate(file, at), 0);
		if (at < model->size)
			memset(model->bytes + at, 0, MODEL_SIZE - at);
		model->size = at;
		break;
	case 3:
		cr_assert_eq(io_allocate(file, ALLOCATE_PUNCH_HOLE | ALLOCATE_KEEP_SIZE, at, size), 0);
		memset(model->bytes + at, 0, size);
		break;
	case 4:
		cr_assert_eq(io_allocate(file, rand() % 2 ? 0 : ALLOCATE_KEEP_SIZE, at, size), 0);
		if (of(file).size > model->size)
			model->size = at + size;
		break;
	default:
		cr_assert_eq(io_allocate(file, ALLOCATE_ZERO_RANGE, at, size), 0);
		memset(model->bytes + at, 0, size);
		model->size = model->size > at + size ? model->size : at + size;
	}
}

static void check_model(const struct model *model, port_name_t file, unsigned step)
{
	static uint8_t back[MODEL_SIZE];
	struct vnode *vnode = open_file_find(loopback_badge(file))->place.vnode;
	cr_assert_eq(of(file).size, model->size, "step %u", step);
	cr_assert_eq(get_at(file, 0, back, sizeof(back)), (int64_t)model->size);
	cr_assert_eq(memcmp(back, model->bytes, model->size), 0, "step %u", step);
	uint64_t pages = 0;
	for (uint32_t i = 0; i < vnode->data.extents; i++) {
		cr_assert_lt(vnode->data.extent[i].first, vnode->data.extent[i].end);
		cr_assert(i == 0 || vnode->data.extent[i - 1].end < vnode->data.extent[i].first);
		pages += vnode->data.extent[i].end - vnode->data.extent[i].first;
	}
	cr_assert(vnode->data.memory.object == PORT_NULL || pages == vnode->data.pages, "step %u", step);
	cr_assert_eq(vnode->system->pages, vnode->data.pages);
}

Test(data, random_operations)
{
	for (unsigned seed = 1; seed <= 20; seed++) {
		static struct model model;
		memset(&model, 0, sizeof(model));
		srand(seed);
		port_name_t file = opened("f", O_CREAT | O_TRUNC | O_RDWR, 0644);
		for (unsigned step = 0; step < 200; step++) {
			model_step(&model, file, step);
			check_model(&model, file, step);
		}
		closed(file);
		cr_assert_eq(unlinked("f"), 0);
		cr_assert_eq(vfs->root.vnode->system->pages, 0);
	}
}

Test(data, memory_files)
{
	port_name_t file = PORT_NULL;
	uint32_t kind;
	char path[2049];
	cr_expect_eq(vfs_memory_file(top, "mine", 0, &file, &kind), 0);
	cr_expect(kind & IO_FILE_KIND_MAPPABLE);
	cr_expect_eq(put_text(file, "x"), 1);
	cr_expect_eq(of(file).links, 0);
	cr_expect_eq(io_path(file, path, sizeof(path)), 0);
	cr_expect_str_eq(path, "/memfd:mine (deleted)");
	port_name_t again = PORT_NULL;
	cr_expect_eq(io_reopen(file, O_RDONLY, &again, &kind), 0);
	char byte;
	cr_expect_eq(get(again, &byte, 1), 1);
	closed(again);
	closed(file);
	cr_expect_eq(vfs_memory_file(top, "mine", 0x100, &file, &kind), EINVAL);
	cr_expect_eq(vfs->memory_files->pages, 0);
}

Test(data, paths_of_open_files)
{
	char path[2049];
	cr_expect_eq(make_directory("d"), 0);
	file_with("d/f", "x");
	port_name_t file = opened("d/f", O_RDONLY, 0);
	cr_expect_eq(io_path(file, path, sizeof(path)), 0);
	cr_expect_str_eq(path, "/d/f");
	cr_expect_eq(renamed("d/f", "d/g", 0), 0);
	cr_expect_eq(io_path(file, path, sizeof(path)), 0);
	cr_expect_str_eq(path, "/d/g");
	cr_expect_eq(unlinked("d/g"), 0);
	cr_expect_eq(io_path(file, path, sizeof(path)), 0);
	cr_expect_str_eq(path, "/d/f (deleted)");
	closed(file);
	cr_expect_eq(io_path(top, path, sizeof(path)), 0);
	cr_expect_str_eq(path, "/");
}

Test(data, flags)
{
	uint32_t flags = 0;
	port_name_t file = opened("f", O_CREAT | O_RDWR | O_NONBLOCK | O_TRUNC | O_CLOEXEC, 0644);
	cr_expect_eq(io_get_flags(file, &flags), 0);
	cr_expect_eq(flags, O_RDWR | O_NONBLOCK | O_LARGEFILE);
	cr_expect_eq(io_set_flags(file, O_APPEND | O_WRONLY), 0);
	cr_expect_eq(io_get_flags(file, &flags), 0);
	cr_expect_eq(flags, O_RDWR | O_APPEND | O_LARGEFILE);
	closed(file);
}

Test(data, programs)
{
	port_name_t object = PORT_NULL, file = PORT_NULL;
	struct attributes attr;
	uint64_t size;
	file_with("/tmp/program", "#!");
	cr_expect_eq(vfs_open_program(control, TEST_PID, top, "/tmp/program", 0, &object, &size, &attr, &file), EACCES);
	cr_expect_eq(vfs_set_mode(top, "/tmp/program", 04755, 0), 0);
	port_name_t writer = opened("/tmp/program", O_WRONLY, 0);
	cr_expect_eq(vfs_open_program(control, TEST_PID, top, "/tmp/program", 0, &object, &size, &attr, &file),
	             ETXTBSY);
	closed(writer);
	cr_expect_eq(vfs_open_program(control, TEST_PID, top, "/tmp/program", 0, &object, &size, &attr, &file), 0);
	cr_expect_eq(size, 2);
	cr_expect_eq(attr.mode, S_IFREG | 04755);
	cr_expect_eq(try_open("/tmp/program", O_WRONLY, 0), ETXTBSY);
	cr_expect_eq(vfs_truncate(top, "/tmp/program", 0), ETXTBSY);
	cr_expect_eq(try_open("/tmp/program", O_RDONLY, 0), 0);
	closed(object);
	closed(file);
	cr_expect_eq(try_open("/tmp/program", O_WRONLY, 0), 0);
	cr_expect_eq(vfs_open_program(control, TEST_PID, top, "/tmp", 0, &object, &size, &attr, &file), EACCES);
	cr_expect_eq(vfs_open_program(control, 31337, top, "/tmp/program", 0, &object, &size, &attr, &file), EACCES);
}
