/*
 * A byte queue in a fixed array: what lines and terminals buffer in. No locks: a server has one thread.
 *
 * The structure and its bytes lie in the keep. size is a power of two; positions run freely and wrap.
 */
#ifndef PORTICO_RING_H
#define PORTICO_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
	uint8_t *data;
	uint32_t size;
	uint32_t head; /* next byte out */
	uint32_t tail; /* next byte in */
};

static inline void ring_init(struct ring *r, void *data, uint32_t size)
{
	r->data = data;
	r->size = size;
	r->head = r->tail = 0;
}

static inline uint32_t ring_count(const struct ring *r)
{
	return r->tail - r->head;
}

static inline uint32_t ring_room(const struct ring *r)
{
	return r->size - ring_count(r);
}

static inline void ring_clear(struct ring *r)
{
	r->head = r->tail;
}

/* False: full. */
static inline bool ring_put(struct ring *r, uint8_t byte)
{
	if (ring_room(r) == 0)
		return false;
	r->data[r->tail++ & (r->size - 1)] = byte;
	return true;
}

/* The byte `index` places from the oldest; index < ring_count(). */
static inline uint8_t ring_at(const struct ring *r, uint32_t index)
{
	return r->data[(r->head + index) & (r->size - 1)];
}

/* Takes the newest byte back; the queue must not be empty. */
static inline uint8_t ring_unput(struct ring *r)
{
	return r->data[--r->tail & (r->size - 1)];
}

/* Drops `count` of the oldest bytes. */
static inline void ring_skip(struct ring *r, uint32_t count)
{
	r->head += count;
}

/* Puts as many bytes as there is room for; returns how many. */
static inline size_t ring_write(struct ring *r, const void *bytes, size_t count)
{
	const uint8_t *from = bytes;
	size_t done = 0;

	while (done < count && ring_put(r, from[done]))
		done++;
	return done;
}

/* Copies up to `count` of the oldest bytes out and leaves them there; returns how many. */
static inline size_t ring_peek(const struct ring *r, void *bytes, size_t count)
{
	uint8_t *to = bytes;
	size_t n = ring_count(r) < count ? ring_count(r) : count;

	for (size_t i = 0; i < n; i++)
		to[i] = ring_at(r, (uint32_t)i);
	return n;
}

/* The oldest bytes that lie together: their address and number, without copying. */
static inline const uint8_t *ring_piece(const struct ring *r, size_t *count)
{
	uint32_t at = r->head & (r->size - 1), n = ring_count(r);

	*count = n < r->size - at ? n : r->size - at;
	return r->data + at;
}

#endif
