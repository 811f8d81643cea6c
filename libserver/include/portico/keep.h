/*
 * What a server tells tools/layout about its keep. The tool computes from the debug information what the keep looks like, follows every
 * pointer by its type, and puts a fingerprint into the program: root compares them at a live update (docs/guide/update.md).
 *
 * Each is a constant that nobody reads: only its type counts.
 */
#ifndef PORTICO_KEEP_H
#define PORTICO_KEEP_H

#include <stddef.h>

#define KEEP_DECLARATION __attribute__((used))

/* Once a server: the type that is passed to server_keep_root(). */
#define SERVER_KEEP_ROOT(type)                                                                                         \
	extern type *const server_keep_root_type;                                                                      \
	type *const server_keep_root_type KEEP_DECLARATION = NULL

/* libserver's own: the keep's header, and what lies in the transaction log. */
#define SERVER_KEEP_HEADER(tag)                                                                                        \
	extern struct tag *const server_keep_header_type;                                                              \
	struct tag *const server_keep_header_type KEEP_DECLARATION = NULL
#define SERVER_LOG_TYPE(tag) static struct tag *const server_log_type_##tag KEEP_DECLARATION = NULL

/* The field `field` of `struct tag` is a void * (or a pointer to const) into the keep, to `type`. */
#define SERVER_KEEP_POINTER(tag, field, type) static type *const keep_pointer_##tag##_##field KEEP_DECLARATION = NULL

/* A pointer to `struct tag` may lead to a `struct name`, which contains it: the records of several kinds that one table or list has. */
#define SERVER_KEEP_BEGINS(tag, name) static struct name *const keep_begins_##tag##__##name KEEP_DECLARATION = NULL

/* The number in `field` of `struct tag` is a constant of `enum name`, whose values are part of the layout. */
#define SERVER_KEEP_ENUM(tag, field, name) static const enum name keep_enum_##tag##_##field KEEP_DECLARATION = (enum name)0

/*
 * The pointer `field` of `struct tag` does not lead into the keep but to a mapping that is shared with the next incarnation. Never to code, constants or
 * static data of the program: those lie elsewhere in the next one.
 */
#define SERVER_KEEP_OUTSIDE(tag, field) static const void *const keep_outside_##tag##_##field KEEP_DECLARATION = NULL

#endif
