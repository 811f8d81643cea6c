/*
 * The bytes of regular files in memory: small ones in the keep, others in a memory object mapped here, so that a
 * window's copy is the only one. Above: the operations table of tmpfs. Below: memory.h, extent.c, buffer.c.
 *
 * Pages are charged to the file system when they are first written. Holes have no pages: they are read from a zero
 * array, unless somebody may have written them through a shared mapping.
 */
#include "vnode.h"
#include <portico/strings.h>

#define PAGE 4096u
#define CHUNK (256u * 1024u) /* copied between looks at the status: what a fault makes to be copied again */
#define SIZE_LIMIT (UINT64_C(1) << 42)

static uint64_t page_up(uint64_t bytes)
{
	return (bytes + PAGE - 1) / PAGE;
}

static bool in_object(const struct data *data)
{
	return data->memory.object != PORT_NULL;
}

uint64_t data_pages(const struct vnode *vnode)
{
	return vnode->data.shared ? memory_resident(&vnode->data.memory) : vnode->data.pages;
}

/* ---- storage ---- */

static void credit(struct vnode *vnode, uint64_t pages)
{
	file_system_credit(vnode->system, pages);
	vnode->data.pages -= pages;
}

static bool charge(struct vnode *vnode, uint64_t pages)
{
	if (!file_system_charge(vnode->system, pages))
		return false;
	vnode->data.pages += pages;
	return true;
}

/* Room for `size` bytes in the keep. */
static int small_reserve(struct vnode *vnode, uint64_t size)
{
	struct data *data = &vnode->data;

	if (size <= data->small_room)
		return 0;
	uint32_t room = 64;
	while (room < size)
		room *= 2;
	bool first = data->pages == 0;
	if (first && !charge(vnode, 1))
		return ENOSPC;
	uint8_t *bytes = keep_resize(data->small, room);
	if (bytes == NULL) {
		if (first)
			credit(vnode, 1);
		return ENOSPC;
	}
	memset(bytes + data->small_room, 0, room - data->small_room);
	data->small = bytes;
	data->small_room = room;
	return 0;
}

/* Moves the file into a memory object of at least `size` bytes. */
static int make_object(struct vnode *vnode, uint64_t size)
{
	struct data *data = &vnode->data;
	int error;

	if (in_object(data))
		return 0;
	error = memory_create(&data->memory, size > PAGE ? size : PAGE);
	if (error != 0)
		return error;
	if (data->small != NULL) {
		error = extent_add(data, 0, 1);
		if (error != 0) {
			memory_destroy(&data->memory);
			return error;
		}
		memcpy(data->memory.address, data->small, data->small_room);
		keep_free(data->small);
		data->small = NULL;
		data->small_room = 0;
	}
	return 0;
}

/* How many pages from `first` on can be had, of those up to `end`: what is there, and what the file system has left. */
static uint64_t affordable(struct vnode *vnode, uint64_t first, uint64_t end)
{
	uint64_t low = first, high = end;

	while (low < high) { /* the most whose missing pages can be charged */
		uint64_t middle = low + (high - low + 1) / 2, missing = extent_missing(&vnode->data, first, middle);
		if (file_system_charge(vnode->system, missing)) {
			file_system_credit(vnode->system, missing);
			low = middle;
		} else {
			high = middle - 1;
		}
	}
	return low;
}

/* Pages [first, end) become part of the file. */
static int reserve_pages(struct vnode *vnode, uint64_t first, uint64_t end)
{
	struct data *data = &vnode->data;
	uint64_t missing;
	int error = make_object(vnode, end * PAGE);

	if (error == 0 && data->memory.size < end * PAGE)
		error = memory_resize(&data->memory, end * PAGE);
	if (error != 0)
		return error;
	missing = extent_missing(data, first, end);
	if (missing == 0)
		return 0;
	if (!charge(vnode, missing))
		return ENOSPC;
	if (extent_add(data, first, end) == 0)
		return 0;
	credit(vnode, missing);
	return ENOSPC;
}

/* Zeroes what is allocated of bytes [from, to). */
static void clear(struct vnode *vnode, uint64_t from, uint64_t to)
{
	struct data *data = &vnode->data;

	if (!in_object(data)) {
		if (to > data->small_room)
			to = data->small_room;
		if (from < to)
			memset(data->small + from, 0, to - from);
		return;
	}
	for (uint32_t i = extent_at(data, from / PAGE); i < data->extents && data->extent[i].first * PAGE < to; i++) {
		uint64_t low = data->extent[i].first * PAGE, high = data->extent[i].end * PAGE;

		low = low > from ? low : from;
		high = high < to ? high : to;
		if (low < high)
			memset(data->memory.address + low, 0, high - low);
	}
}

void data_destroy(struct vnode *vnode)
{
	struct data *data = &vnode->data;

	memory_destroy(&data->memory);
	keep_free(data->small);
	keep_free(data->extent);
	credit(vnode, data->pages);
}

/* ---- reading ---- */

/* Bytes from `offset` to `end`, up to the next border between data and hole. *hole tells which. */
static uint64_t run(const struct data *data, uint64_t offset, uint64_t end, bool *hole)
{
	uint64_t border = end;

	*hole = false;
	if (data->shared)
		return end - offset;
	uint32_t i = extent_at(data, offset / PAGE);
	if (i == data->extents) {
		*hole = true;
	} else if (data->extent[i].first > offset / PAGE) {
		*hole = true;
		border = data->extent[i].first * PAGE;
	} else {
		border = data->extent[i].end * PAGE;
	}
	return (border < end ? border : end) - offset;
}

static int64_t read_object(const struct data *data, struct buffer *to, uint64_t offset, uint64_t size)
{
	uint64_t done = 0;

	while (done < size) {
		bool hole;
		uint64_t part = run(data, offset + done, offset + size, &hole);
		int64_t n = hole ? buffer_clear(to, done, part)
		                 : buffer_put(to, done, data->memory.address + offset + done, part);

		if (n < 0)
			return n;
		done += (uint64_t)n;
		if ((uint64_t)n < part)
			break;
	}
	return (int64_t)done;
}

int data_read(struct vnode *vnode, struct buffer *to, uint64_t offset, uint64_t size, uint64_t *done)
{
	struct data *data = &vnode->data;
	int64_t n;

	*done = 0;
	if (offset >= vnode->size || size == 0)
		return 0;
	if (size > vnode->size - offset)
		size = vnode->size - offset;
	if (in_object(data)) {
		n = read_object(data, to, offset, size);
	} else {
		uint64_t present = data->small_room > offset ? data->small_room - offset : 0;

		present = present < size ? present : size;
		n = present != 0 ? buffer_put(to, 0, data->small + offset, present) : 0;
		if (n >= 0 && (uint64_t)n == present && present < size) {
			int64_t rest = buffer_clear(to, present, size - present);
			n = rest < 0 ? rest : n + rest;
		}
	}
	if (n < 0)
		return buffer_error(n);
	*done = (uint64_t)n;
	return 0;
}

/* ---- writing ---- */

/* Room for [offset, offset + *size); *size shrinks to what can be had, at least one byte, or it is an error. */
static int reserve(struct vnode *vnode, uint64_t offset, uint64_t *size)
{
	if (offset >= SIZE_LIMIT)
		return EFBIG;
	if (*size > SIZE_LIMIT - offset)
		*size = SIZE_LIMIT - offset;
	uint64_t end = offset + *size;
	if (end <= SMALL_FILE && !in_object(&vnode->data) && vnode->size <= SMALL_FILE)
		return small_reserve(vnode, end);
	uint64_t first = offset / PAGE, pages = page_up(end);
	int error = make_object(vnode, end);
	if (error != 0)
		return error;
	error = reserve_pages(vnode, first, pages);
	if (error != ENOSPC)
		return error;
	pages = affordable(vnode, first, pages);
	if (pages == first)
		return ENOSPC;
	*size = pages * PAGE - offset;
	return reserve_pages(vnode, first, pages);
}

/* Into the keep: not by the kernel, which keeps no undo log. */
static int64_t take_small(struct vnode *vnode, struct buffer *from, uint64_t offset, uint64_t size)
{
	static uint8_t bytes[SMALL_FILE]; /* volatile */
	int64_t n;

	if (from->window == NULL)
		return buffer_take(from, 0, vnode->data.small + offset, size);
	n = buffer_take(from, 0, bytes, size);
	if (n > 0)
		memcpy(vnode->data.small + offset, bytes, (size_t)n);
	return n;
}

static int64_t take(struct vnode *vnode, struct buffer *from, uint64_t offset, uint64_t size)
{
	uint8_t *base = vnode->data.memory.address;
	uint64_t done = 0;

	if (!in_object(&vnode->data))
		return take_small(vnode, from, offset, size);
	while (done < size) {
		uint64_t part = size - done < CHUNK ? size - done : CHUNK;
		int64_t n = buffer_take(from, done, base + offset + done, part);

		if (n < 0)
			return n;
		done += (uint64_t)n;
		if ((uint64_t)n < part)
			break;
	}
	return (int64_t)done;
}

int data_write(struct vnode *vnode, struct buffer *from, uint64_t offset, uint64_t size, uint64_t *done)
{
	*done = 0;
	if (size == 0)
		return 0;
	int error = reserve(vnode, offset, &size);
	if (error != 0)
		return error;
	int64_t n = take(vnode, from, offset, size);
	if (n < 0)
		return buffer_error(
		        n); /* bytes beyond the size are nobody's; others are the caller's, who will send them again */
	if (offset > vnode->size)
		clear(vnode, vnode->size, offset);
	if (offset + (uint64_t)n > vnode->size)
		vnode->size = offset + (uint64_t)n;
	*done = (uint64_t)n;
	return 0;
}

/* ---- size and holes ---- */

/* Pages [first, end) go. */
static int drop_pages(struct vnode *vnode, uint64_t first, uint64_t end)
{
	struct data *data = &vnode->data;
	uint64_t removed;

	if (first >= end || !in_object(data))
		return 0;
	int error = extent_remove(data, first, end, &removed);
	if (error != 0)
		return error;
	credit(vnode, removed);
	if (end * PAGE > data->memory.size)
		end = data->memory.size / PAGE;
	if (first < end)
		memory_discard(&data->memory, first * PAGE, (end - first) * PAGE);
	return 0;
}

static void shrink(struct vnode *vnode, uint64_t size)
{
	struct data *data = &vnode->data;

	if (!in_object(data)) {
		if (size == 0) {
			keep_free(data->small);
			data->small = NULL;
			data->small_room = 0;
			credit(vnode, data->pages);
		}
		return;
	}
	drop_pages(vnode, page_up(size), SIZE_LIMIT / PAGE);
	/* A page that was written through a mapping only is not in the extents, but its tail must not come back either.
	 */
	if (size % PAGE != 0 && data->shared && size < data->memory.size)
		memset(data->memory.address + size, 0, PAGE - size % PAGE);
	memory_resize(&data->memory, page_up(size) * PAGE);
}

int data_truncate(struct vnode *vnode, uint64_t size)
{
	struct data *data = &vnode->data;
	int error = 0;

	if (size > SIZE_LIMIT)
		return EFBIG;
	if (size < vnode->size) {
		clear(vnode, size, vnode->size < page_up(size) * PAGE ? vnode->size : page_up(size) * PAGE);
		shrink(vnode, size);
	} else if (size > vnode->size) {
		if (size > SMALL_FILE)
			error = make_object(vnode, size);
		if (error == 0 && in_object(data) && data->memory.size < size)
			error = memory_resize(&data->memory, page_up(size) * PAGE);
		if (error != 0)
			return error;
		clear(vnode, vnode->size, size);
	}
	vnode->size = size;
	return 0;
}

static int allocate_range(struct vnode *vnode, uint64_t offset, uint64_t end, bool keep_size)
{
	int error = reserve_pages(vnode, offset / PAGE, page_up(end));

	if (error != 0)
		return error;
	if (end > vnode->size) {
		clear(vnode, vnode->size, end);
		if (!keep_size)
			vnode->size = end;
	}
	return 0;
}

static int zero_range(struct vnode *vnode, uint64_t offset, uint64_t end)
{
	uint64_t first = page_up(offset), last = end / PAGE;

	if (!in_object(&vnode->data) || first >= last) {
		clear(vnode, offset, end);
		return 0;
	}
	int error = drop_pages(vnode, first, last);
	if (error != 0)
		return error;
	clear(vnode, offset, first * PAGE);
	clear(vnode, last * PAGE, end);
	return 0;
}

int data_allocate(struct vnode *vnode, uint32_t mode, uint64_t offset, uint64_t length)
{
	bool keep_size = (mode & ALLOCATE_KEEP_SIZE) != 0;

	if (length > SIZE_LIMIT || offset > SIZE_LIMIT - length)
		return EFBIG;
	uint64_t end = offset + length;
	switch (mode & ~ALLOCATE_KEEP_SIZE) {
	case 0:
		return allocate_range(vnode, offset, end, keep_size);
	case ALLOCATE_PUNCH_HOLE:
		if (!keep_size)
			return EOPNOTSUPP;
		return offset < vnode->size
		               ? zero_range(vnode, offset, end < vnode->size ? end : page_up(vnode->size) * PAGE)
		               : 0;
	case ALLOCATE_ZERO_RANGE: {
		int error = zero_range(vnode, offset, end);
		return error != 0 ? error : allocate_range(vnode, offset, end, keep_size);
	}
	default:
		return EOPNOTSUPP;
	}
}

int data_seek(struct vnode *vnode, uint64_t offset, uint32_t whence, uint64_t *position)
{
	const struct data *data = &vnode->data;

	if (offset >= vnode->size)
		return ENXIO;
	*position = offset;
	if (!in_object(data)) { /* small: all of it is data */
		if (whence == SEEK_TO_HOLE)
			*position = vnode->size;
		return 0;
	}
	while (*position < vnode->size) {
		bool hole;
		uint64_t length = run(data, *position, vnode->size, &hole);

		if (hole == (whence == SEEK_TO_HOLE))
			return 0;
		*position += length;
	}
	return whence == SEEK_TO_HOLE ? 0 : ENXIO; /* there is a hole at the end of every file */
}

int data_map(struct vnode *vnode, enum memory_access access, port_name_t *right)
{
	struct data *data = &vnode->data;
	int error = make_object(vnode, vnode->size);

	if (error == 0 && data->memory.size < page_up(vnode->size) * PAGE)
		error = memory_resize(&data->memory, page_up(vnode->size) * PAGE);
	if (error != 0)
		return error;
	*right = memory_right(&data->memory, access);
	if (*right == PORT_NULL)
		return ENOMEM;
	/* What was undefined beyond the end becomes visible in the last page. */
	clear(vnode, vnode->size, page_up(vnode->size) * PAGE);
	if (access == MEMORY_READ_WRITE || access == MEMORY_ALL)
		data->shared = true;
	return 0;
}
