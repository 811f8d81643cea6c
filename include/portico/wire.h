/*
 * How parameters lie in a message: helpers of the code that stubgen generates, for both ends of a wire.
 *
 * The inline bytes begin with a fixed part (struct X_routine_request or _reply), whose members of variable length are
 * spans. The variable parts follow in the order of the parameters, each at a multiple of 8, gaps and terminators zero,
 * so that there is exactly one encoding of a message and a decoder accepts no other. Nothing here allocates or knows an
 * interface.
 */
#ifndef PORTICO_WIRE_H
#define PORTICO_WIRE_H

#include <portico/message.h>
#include <portico/rights.h>
#include <stddef.h>
#include <stdint.h>

/* Of the environment: libc on the host, the personality's or the server library's own in the guest. */
void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
size_t strlen(const char *text);

#define WIRE_ERRNO_MAX 4095 /* no error number is larger */

/* A variable part: where it begins in the inline bytes, and its elements (strings: bytes without the NUL, which
 * follows). */
struct wire_span {
	uint16_t offset;
	uint16_t length;
};

_Static_assert(sizeof(struct wire_span) == 4, "wire format");

/* Kinds of right that a port parameter takes: bits 1 << enum msg_disposition as the descriptor tells them. */
enum wire_right {
	WIRE_RECEIVE = 1 << MSG_MOVE_RECEIVE,
	WIRE_SEND = 1 << MSG_MOVE_SEND | 1 << MSG_COPY_SEND | 1 << MSG_MAKE_SEND,
	WIRE_SEND_ONCE = 1 << MSG_MAKE_SEND_ONCE | 1 << MSG_MOVE_SEND_ONCE,
};

/* Length, descriptors and kind of a message as one word, to check them with one comparison. */
#define WIRE_SHAPE(length, descriptors, kind)                                                                          \
	((uint64_t)(length) | (uint64_t)(descriptors) << 32 | (uint64_t)(kind) << 48)

_Static_assert(offsetof(struct msg_header, length) == 0 && offsetof(struct msg_header, descriptors) == 4 &&
                       offsetof(struct msg_header, kind) == 6,
               "WIRE_SHAPE");

static inline uint64_t wire_shape(const struct msg_page *page)
{
	uint64_t shape;
	__builtin_memcpy(&shape, &page->header, sizeof(shape));
	return shape;
}

static inline uint32_t wire_round(uint32_t size)
{
	return (size + 7u) & ~7u;
}

/*
 * Append `count` elements of `unit` bytes at *at, and `terminator` (0 or 1) zero bytes; *at moves on. The caller has
 * checked count against the bound of the parameter, and stubgen that all bounds together fit.
 */
static inline struct wire_span wire_put(struct msg_page *page, uint32_t *at, const void *from, size_t count,
                                        size_t unit, uint32_t terminator)
{
	uint32_t start = *at, size = (uint32_t)(count * unit), end = wire_round(start + size + terminator);
	if (end != start) {
		__builtin_memset(page->data + end - 8, 0, 8);
		if (size)
			memcpy(page->data + start, from, size);
	}
	*at = end;
	return (struct wire_span){(uint16_t)start, (uint16_t)count};
}

/*
 * Finish a variable part that was written in place at `from`, at its largest possible offset: move it down to *at, and
 * write the gap and the terminator. The first variable part is where it belongs already.
 */
static inline struct wire_span wire_settle(struct msg_page *page, uint32_t *at, uint32_t from, size_t count,
                                           size_t unit, uint32_t terminator)
{
	uint32_t start = *at, size = (uint32_t)(count * unit), end = wire_round(start + size + terminator);
	if (from != start && size)
		memmove(page->data + start, page->data + from, size);
	for (uint32_t i = start + size; i < end; i++)
		page->data[i] = 0;
	*at = end;
	return (struct wire_span){(uint16_t)start, (uint16_t)count};
}

/*
 * The variable part that must begin at *at of a message of `length` bytes, or NULL if it is malformed; *at moves on.
 */
static inline const void *wire_get(const struct msg_page *page, uint32_t length, struct wire_span span, uint32_t *at,
                                   uint32_t limit, uint32_t unit, uint32_t terminator)
{
	uint32_t start = *at, end = wire_round(start + span.length * unit + terminator);
	if (span.offset != start || span.length > limit || end > length)
		return NULL;
	*at = end;
	return page->data + start;
}

/* The same for a string: NUL where it must be, and nowhere else. */
static inline const char *wire_get_string(const struct msg_page *page, uint32_t length, struct wire_span span,
                                          uint32_t *at, uint32_t limit)
{
	const char *text = wire_get(page, length, span, at, limit, 1, 1);
	if (text && (text[span.length] != 0 || strlen(text) != span.length))
		return NULL;
	return text;
}

/* Is this a port descriptor with one of `rights` (enum wire_right), or, where that is allowed, the null right? */
static inline int wire_is_port(const struct msg_descriptor *d, uint32_t rights, int optional)
{
	if (d->type == MSG_DESC_NONE || (d->type == MSG_DESC_PORT && d->name == PORT_NULL))
		return optional;
	return d->type == MSG_DESC_PORT && d->disposition < 8 && (rights >> d->disposition & 1);
}

/* The right of a descriptor that wire_is_port accepted. */
static inline port_name_t wire_port(const struct msg_descriptor *d)
{
	return d->type == MSG_DESC_PORT ? d->name : PORT_NULL;
}

/* An empty region travels as MSG_DESC_NONE. limit 0: no bound. */
static inline int wire_is_region(const struct msg_descriptor *d, uint64_t limit)
{
	if (d->type == MSG_DESC_NONE)
		return 1;
	return d->type == MSG_DESC_REGION && (limit == 0 || d->size <= limit);
}

static inline void wire_put_region(struct msg_descriptor *d, uint64_t address, uint64_t size, uint16_t flags)
{
	*d = (struct msg_descriptor){.type = size ? MSG_DESC_REGION : MSG_DESC_NONE,
	                             .flags = flags,
	                             .address = size ? address : 0,
	                             .size = size};
}

/* A window with the access that `flag` names, of at most `limit` bytes. */
static inline int wire_is_window(const struct msg_descriptor *d, uint16_t flag, uint64_t limit)
{
	return d->type == MSG_DESC_WINDOW && (d->flags & flag) && d->size <= limit;
}

#endif
