/*
 * Fuzzing of dispatchers: see fuzz_dispatch.h. Random bytes rarely pass a decoder, so bits of the first byte ask for
 * repairs: right length, canonical spans, descriptors of the declared types, declared enumerators.
 */
#include "fuzz_dispatch.h"
#include "../support/loopback.h"
#include <portico/wire.h>
#include <string.h>

enum how {
	REPAIR_LENGTH = 1,
	REPAIR_SPANS = 2,
	REPAIR_DESCRIPTORS = 4,
	REPAIR_VALUES = 8,
	ANY_ORDINAL = 128 | 64, /* both bits: the routine byte is the ordinal */
};

#define WINDOW_MEMORY 256u

struct input {
	const uint8_t *data;
	size_t size;
};

static uint8_t window_memory[WINDOW_MEMORY];

static uint8_t next(struct input *in)
{
	if (in->size == 0)
		return 0;
	in->size--;
	return *in->data++;
}

static void add_descriptor(struct msg_descriptor *d, uint8_t type, uint8_t disposition, uint8_t flags, uint8_t size)
{
	*d = (struct msg_descriptor){.type = type, .disposition = disposition, .flags = flags, .size = size};
	if (type == MSG_DESC_PORT && size) {
		uint32_t kind = disposition == MSG_MOVE_RECEIVE     ? RIGHT_RECEIVE
		                : disposition >= MSG_MAKE_SEND_ONCE ? RIGHT_SEND_ONCE
		                                                    : RIGHT_SEND;
		d->name = loopback_stray(LOOPBACK_SERVER, kind);
	} else if (type == MSG_DESC_REGION && size) {
		d->address = (uint64_t)(uintptr_t)loopback_region(LOOPBACK_SERVER, size);
	} else if (type == MSG_DESC_WINDOW) {
		d->address = (uint64_t)(uintptr_t)window_memory;
	}
}

static uint8_t disposition_of(uint32_t rights)
{
	for (uint8_t i = 1; i < 8; i++) {
		if (rights >> i & 1)
			return i;
	}
	return 0;
}

static void add_descriptors(struct msg_page *page, struct input *in, const struct decode_message *message, uint8_t how,
                            uint8_t count)
{
	if ((how & REPAIR_DESCRIPTORS) && message)
		count = (uint8_t)message->descriptors;
	page->header.descriptors = count % (MSG_DESCRIPTORS_MAX + 1);
	for (uint32_t i = 0; i < page->header.descriptors; i++) {
		uint8_t type = next(in), disposition = next(in), flags = next(in), size = next(in);
		for (uint32_t f = 0; (how & REPAIR_DESCRIPTORS) && message && f < message->field_count; f++) {
			const struct decode_field *field = &message->fields[f];
			if (field->kind < DECODE_PORT || field->offset != i)
				continue;
			type = (uint8_t)(field->kind - DECODE_PORT + MSG_DESC_PORT);
			disposition = disposition_of(field->access);
			flags = (uint8_t)field->access;
		}
		add_descriptor(&page->descriptor[i], type, disposition, flags, size);
	}
}

static void repair_value(uint8_t *at, const struct decode_field *field)
{
	uint64_t value = 0, declared = 0;
	for (uint32_t n = 0; n < field->count; n++, at += field->size) {
		if (field->kind == DECODE_STRUCT) {
			for (uint32_t f = 0; f < field->type->field_count; f++)
				repair_value(at + field->type->fields[f].offset, &field->type->fields[f]);
		} else if (field->kind == DECODE_ENUM || field->kind == DECODE_BITSET) {
			memcpy(&value, at, field->size);
			for (uint32_t v = 0; v < field->type->value_count; v++)
				declared |= field->type->values[v].value;
			value = field->kind == DECODE_BITSET
			                ? value & declared
			                : field->type->values[value % field->type->value_count].value;
			memcpy(at, &value, field->size);
		}
	}
}

static void repair_spans(struct msg_page *page, const struct decode_message *message)
{
	uint32_t at = message->size;
	for (uint32_t f = 0; f < message->field_count; f++) {
		const struct decode_field *field = &message->fields[f];
		if (field->kind < DECODE_STRING || field->kind > DECODE_ARRAY)
			continue;
		struct wire_span span;
		memcpy(&span, page->data + field->offset, sizeof(span));
		span.offset = (uint16_t)at;
		if (span.length > field->limit)
			span.length = (uint16_t)(span.length % (field->limit + 1));
		if (field->kind == DECODE_STRING) {
			for (uint32_t i = 0; i < span.length; i++)
				page->data[at + i] |= 1;
			page->data[at + span.length] = 0;
		}
		memcpy(page->data + field->offset, &span, sizeof(span));
		at = wire_round(at + span.length * field->size + (field->kind == DECODE_STRING));
	}
	page->header.length = at;
}

static void repair(struct msg_page *page, const struct decode_message *message, uint8_t how)
{
	if (how & REPAIR_LENGTH)
		page->header.length = message->size;
	if (how & REPAIR_SPANS)
		repair_spans(page, message);
	for (uint32_t f = 0; (how & REPAIR_VALUES) && f < message->field_count; f++) {
		if (message->fields[f].kind < DECODE_STRING)
			repair_value(page->data + message->fields[f].offset, &message->fields[f]);
	}
}

static void check_reply(const struct msg_page *page, const struct decode_message *message, int64_t result)
{
	uint32_t at = message ? message->size : 0;
	if (result != 0)
		return;
	if (!message || page->header.descriptors != message->descriptors)
		__builtin_trap();
	for (uint32_t f = 0; f < message->field_count; f++) {
		const struct decode_field *field = &message->fields[f];
		struct wire_span span;
		if (field->kind < DECODE_STRING || field->kind > DECODE_ARRAY)
			continue;
		memcpy(&span, page->data + field->offset, sizeof(span));
		if (!wire_get(page, page->header.length, span, &at, (uint32_t)field->limit, field->size,
		              field->kind == DECODE_STRING))
			__builtin_trap();
	}
	if (at != page->header.length)
		__builtin_trap();
}

void fuzz_dispatch(const struct server_interface *interface, const struct decode_interface *decode,
                   const struct fuzz_options *options, const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	static struct msg_page page;
	for (int i = 0; i < 3; i++)
		next(&in);
	uint8_t how = next(&in), routine = next(&in), badge = next(&in), count = next(&in);
	const struct decode_routine *chosen = NULL;
	uint32_t ordinal = routine;
	if (decode->routine_count && (how & ANY_ORDINAL) != ANY_ORDINAL) {
		chosen = &decode->routines[routine % decode->routine_count];
		ordinal = chosen->ordinal;
	}
	loopback_reset();
	memset(&page, 0, sizeof(page));
	page.header.ordinal = MSG_ORDINAL(interface->number, ordinal);
	page.header.badge = badge;
	page.header.request = 1;
	add_descriptors(&page, &in, chosen ? &chosen->request : NULL, how, count);
	page.header.length = (uint32_t)(in.size < MSG_INLINE_MAX ? in.size : MSG_INLINE_MAX);
	if (page.header.length)
		memcpy(page.data, in.data, page.header.length);
	if (chosen)
		repair(&page, &chosen->request, how);
	int64_t result = loopback_deliver(interface, &page);
	if (chosen)
		check_reply(loopback_reply_page(), &chosen->reply, result);
	if (!options->takes_rights && (loopback_rights(LOOPBACK_SERVER) || loopback_regions(LOOPBACK_SERVER)))
		__builtin_trap();
	loopback_reset();
}
