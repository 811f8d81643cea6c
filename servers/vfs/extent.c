/*
 * Which pages of a file were written: sorted intervals. Files that are written from front to back have one.
 */
#include "vnode.h"
#include <portico/strings.h>

uint32_t extent_at(const struct data *data, uint64_t page)
{
	uint32_t low = 0, high = data->extents;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (data->extent[middle].end <= page)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint64_t extent_missing(const struct data *data, uint64_t first, uint64_t end)
{
	uint64_t missing = end - first;

	for (uint32_t i = extent_at(data, first); i < data->extents && data->extent[i].first < end; i++) {
		uint64_t low = data->extent[i].first > first ? data->extent[i].first : first;
		uint64_t high = data->extent[i].end < end ? data->extent[i].end : end;
		missing -= high - low;
	}
	return missing;
}

static bool make_room(struct data *data)
{
	if (data->extents < data->extent_room)
		return true;
	uint32_t room = data->extent_room != 0 ? data->extent_room * 2 : 2;
	struct extent *extent = keep_resize(data->extent, room * sizeof(*extent));
	if (extent == NULL)
		return false;
	data->extent = extent;
	data->extent_room = room;
	return true;
}

/* Replaces the extents [from, to) by one. */
static void replace(struct data *data, uint32_t from, uint32_t to, struct extent by)
{
	memmove(&data->extent[from + 1], &data->extent[to], (data->extents - to) * sizeof(by));
	data->extent[from] = by;
	data->extents = data->extents - (to - from) + 1;
}

int extent_add(struct data *data, uint64_t first, uint64_t end)
{
	/* Those that overlap or touch become one: from the first that ends at or after `first`. */
	uint32_t from = first != 0 ? extent_at(data, first - 1) : 0, to = from;

	if (first == end)
		return 0;
	for (; to < data->extents && data->extent[to].first <= end; to++) {
		if (data->extent[to].first < first)
			first = data->extent[to].first;
		if (data->extent[to].end > end)
			end = data->extent[to].end;
	}
	if (from == to && !make_room(data))
		return ENOSPC;
	replace(data, from, to, (struct extent){first, end});
	return 0;
}

int extent_remove(struct data *data, uint64_t first, uint64_t end, uint64_t *removed)
{
	uint32_t from = extent_at(data, first), to = from;

	*removed = 0;
	if (from == data->extents || first >= end)
		return 0;
	*removed = end - first - extent_missing(data, first, end);
	struct extent head = data->extent[from];
	if (head.first < first && head.end > end) { /* a hole in the middle of one */
		if (!make_room(data))
			return ENOSPC;
		replace(data, from, from, (struct extent){head.first, first});
		data->extent[from + 1].first = end;
		return 0;
	}
	if (head.first < first) {
		data->extent[from].end = first;
		from++;
	}
	for (to = from; to < data->extents && data->extent[to].end <= end; to++)
		;
	if (to < data->extents && data->extent[to].first < end)
		data->extent[to].first = end;
	memmove(&data->extent[from], &data->extent[to], (data->extents - to) * sizeof(head));
	data->extents -= to - from;
	return 0;
}
