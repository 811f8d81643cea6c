/*
 * What the tables in X_decode.c look like, which stubgen generates: enough to print any message of an interface, to
 * check its shape, or to make one up. Constant data for the tracer, panic reports and fuzzers; no code.
 */
#ifndef PORTICO_DECODE_H
#define PORTICO_DECODE_H

#include <stdint.h>

enum decode_kind {
	DECODE_UNSIGNED,
	DECODE_SIGNED,
	DECODE_ENUM,
	DECODE_BITSET,
	DECODE_STRUCT,
	DECODE_STRING, /* variable parts: a struct wire_span at `offset` */
	DECODE_BYTES,
	DECODE_ARRAY,
	DECODE_PORT, /* descriptors: `offset` is the index */
	DECODE_REGION,
	DECODE_WINDOW,
};

/* An enumerator, or a bit (or several) of a bitset. */
struct decode_value {
	const char *name;
	uint64_t value;
};

/* One member of a struct or of a message. */
struct decode_field {
	const char *name;
	uint8_t kind;                   /* enum decode_kind; of the elements, if there are several */
	uint8_t element;                /* DECODE_ARRAY: enum decode_kind of an element */
	uint16_t offset;                /* bytes; or index of the descriptor */
	uint16_t size;                  /* bytes of one element; 0 for descriptors */
	uint16_t count;                 /* elements of a fixed array, else 1 */
	uint64_t limit;                 /* variable parts: most elements; regions and windows: most bytes, 0 no bound */
	uint32_t access;                /* ports: bits of enum wire_right; windows: MSG_WINDOW_* */
	uint8_t optional;               /* ports: the null right is allowed */
	const struct decode_type *type; /* enum, bitset or struct, else NULL */
};

struct decode_type {
	const char *name;
	uint16_t size;
	uint16_t value_count; /* enum, bitset */
	uint16_t field_count; /* struct */
	const struct decode_value *values;
	const struct decode_field *fields;
};

/* One direction of a routine. Fields in the order of the parameters. */
struct decode_message {
	uint16_t size; /* bytes of the fixed part */
	uint16_t max;  /* most inline bytes */
	uint16_t descriptors;
	uint16_t field_count;
	const struct decode_field *fields;
};

enum decode_recovery { DECODE_ROUTINE, DECODE_QUERY, DECODE_ONEWAY, DECODE_ONCE };

struct decode_routine {
	const char *name;
	uint16_t ordinal;
	uint8_t recovery; /* enum decode_recovery */
	uint8_t interruptible;
	uint16_t once_error;
	const char *object; /* what the badge names, or NULL */
	struct decode_message request, reply;
};

struct decode_interface {
	const char *name;
	uint16_t number, rev;
	uint16_t routine_count;
	const struct decode_routine *routines; /* by rising ordinal */
};

/* All interfaces, NULL at the end: generated with the tables (idl_decode_all in stubgen/meson.build). */
extern const struct decode_interface *const decode_interfaces[];

#endif
