/*
 * Generated dispatchers and stubs: messages that are not what a stub makes. Each gets an error reply, reaches no
 * handler and leaves nothing behind. Requests are put in front of the dispatcher by hand, replies forged.
 */
#include "support.h"
#include <portico/wire.h>

TestSuite(malformed, .init = setup, .fini = teardown);

static struct msg_page page;

/* Let the client's stub build a request, and catch it instead of sending it. */
static void catch (uint32_t ordinal, uint64_t op)
{
	page = *client_send_page();
	page.header = (struct msg_header){.length = MSG_LENGTH_OF(op),
	                                  .descriptors = (uint16_t)MSG_DESCRIPTORS_OF(op),
	                                  .ordinal = MSG_ORDINAL(EVERYTHING_INTERFACE, ordinal),
	                                  .badge = 7,
	                                  .request = 1};
}

static int64_t deliver(void)
{
	return loopback_deliver(&everything_interface, &page);
}

/* The request is refused, whoever it is for, and its rights and regions are gone. */
static void refused(int error, const char *why)
{
	unsigned before = everything_fake.gets;
	int64_t result = deliver();
	cr_expect_eq(result, error, "%s: %d instead of %d", why, (int)result, error);
	cr_expect_eq(everything_fake.gets, before, "%s", why);
	cr_expect_eq(loopback_reply_page()->header.ordinal, (uint32_t)error, "%s", why);
	cr_expect_eq(loopback_rights(LOOPBACK_SERVER), 0u, "%s: rights leaked", why);
	cr_expect_eq(loopback_regions(LOOPBACK_SERVER), 0u, "%s: regions leaked", why);
}

/* The inline part of a text request. */
static struct everything_text_request *text_request(const char *name, uint32_t *length)
{
	char answer[EVERYTHING_TEXT_MAX + 1];
	everything_text(to, name, answer, sizeof(answer));
	*length = 8 + wire_round((uint32_t)strlen(name) + 1);
	catch (EVERYTHING_ORDINAL_TEXT, MSG_LENGTH(*length, 0));
	return (void *)page.data;
}

Test(malformed, what_a_stub_makes_is_accepted)
{
	uint32_t length;
	text_request("hello", &length);
	everything_fake.error = 0;
	cr_expect_eq(deliver(), 0);
	expect_clean();
}

Test(malformed, truncated_or_padded)
{
	uint32_t length;
	text_request("hello", &length);
	cr_assert_eq(length, 16u);
	for (uint32_t l = 0; l <= MSG_INLINE_MAX; l++) {
		if (l == length)
			continue;
		page.header.length = l;
		refused(EINVAL, "length");
	}
}

Test(malformed, fixed_messages_of_any_other_length)
{
	memset(&page, 0, sizeof(page));
	page.header.ordinal = MSG_ORDINAL(EVERYTHING_INTERFACE, EVERYTHING_ORDINAL_DEFAULT);
	for (uint32_t l = 0; l <= 64; l++) {
		page.header.length = l;
		if (l != sizeof(struct everything_default_request))
			refused(EINVAL, "length");
	}
}

Test(malformed, strings)
{
	uint32_t length;
	struct everything_text_request *request = text_request("hello", &length);
	page.data[8 + 2] = 0;
	refused(EINVAL, "NUL inside");
	page.data[8 + 2] = 'l';
	page.data[8 + 5] = 'x';
	refused(EINVAL, "no NUL at the end");
	page.data[8 + 5] = 0;
	for (uint32_t n = 0; n <= 0xffff; n++) {
		request->name.length = (uint16_t)n;
		if (n != 5)
			refused(EINVAL, "another length");
	}
	request->name.length = 5;
	for (uint32_t n = 0; n <= 0xffff; n++) {
		request->name.offset = (uint16_t)n;
		if (n != 8)
			refused(EINVAL, "another offset");
	}
	request->name.offset = 8;
	memset(page.data + 8, 'a', 48);
	request->name.length = EVERYTHING_TEXT_MAX + 1;
	page.data[8 + EVERYTHING_TEXT_MAX + 1] = 0;
	page.header.length = 8 + wire_round(EVERYTHING_TEXT_MAX + 2);
	refused(EINVAL, "a string too long");
}

Test(malformed, arrays)
{
	struct everything_data_request *request = (void *)page.data;
	memset(&page, 0, sizeof(page));
	page.header.ordinal = MSG_ORDINAL(EVERYTHING_INTERFACE, EVERYTHING_ORDINAL_DATA);
	page.header.request = 1;
	request->blob = (struct wire_span){16, 0};
	request->list = (struct wire_span){16, 6};
	request->colours = (struct wire_span){64, 0};
	page.header.length = 64;
	refused(EINVAL, "more elements than the bound");
	request->list = (struct wire_span){16, 5};
	request->colours = (struct wire_span){56, 0};
	page.header.length = 56;
	everything_fake.error = 0;
	cr_expect_eq(deliver(), 0);
	request->blob.length = 1; /* overlaps the list */
	refused(EINVAL, "spans that overlap");
}

Test(malformed, values)
{
	static const struct everything_scalars_request good = {.e = EVERYTHING_SPARSE_ONE, .h = EVERYTHING_WIDE_SMALL};
	struct everything_scalars_request *request = (void *)page.data;
	memset(&page, 0, sizeof(page));
	page.header.ordinal = MSG_ORDINAL(EVERYTHING_INTERFACE, EVERYTHING_ORDINAL_SCALARS);
	page.header.length = sizeof(good);
	page.header.request = 1;
	*request = good;
	everything_fake.error = 0;
	cr_expect_eq(deliver(), 0);
	for (uint32_t e = 0; e <= 0xffff; e++) {
		request->e = (uint16_t)e;
		if (e != 1 && e != 5 && e != 1000)
			refused(EINVAL, "enum with gaps");
	}
	*request = good;
	for (int bit = 0; bit < 32; bit++) {
		request->f = 1u << bit;
		if (bit != 0 && bit != 1 && bit != 10)
			refused(EINVAL, "unknown bit");
	}
	*request = good;
	request->g = 1;
	refused(EINVAL, "signed enum above");
	request->g = -3;
	refused(EINVAL, "signed enum below");
	*request = good;
	request->h = 2;
	refused(EINVAL, "wide enum");
}

Test(malformed, unknown_ordinals)
{
	memset(&page, 0, sizeof(page));
	for (uint32_t ordinal = 0; ordinal <= 0xffff; ordinal++) {
		if (ordinal >= 1 && ordinal <= 16)
			continue;
		if (ordinal == 1000)
			continue;
		page.header.ordinal = MSG_ORDINAL(EVERYTHING_INTERFACE, ordinal);
		page.header.descriptors = 2;
		page.descriptor[0] = (struct msg_descriptor){.type = MSG_DESC_PORT,
		                                             .disposition = MSG_MOVE_SEND,
		                                             .name = loopback_stray(LOOPBACK_SERVER, RIGHT_SEND)};
		page.descriptor[1] =
		        (struct msg_descriptor){.type = MSG_DESC_REGION,
		                                .address = (uintptr_t)loopback_region(LOOPBACK_SERVER, 4096),
		                                .size = 4096};
		refused(ENOSYS, "unknown ordinal");
	}
	page.header.descriptors = 0;
	page.header.ordinal = MSG_ORDINAL(EVERYTHING_INTERFACE - 1, 1);
	refused(ENOSYS, "another interface, below");
	page.header.ordinal = MSG_ORDINAL(EVERYTHING_INTERFACE + 1, 1);
	refused(ENOSYS, "another interface, above");
}

/* The seven ports of ports_in, all good; then one is spoilt. */
static void ports_request(void)
{
	static const uint8_t dispositions[7] = {MSG_COPY_SEND,      MSG_MOVE_SEND,    MSG_MAKE_SEND, MSG_MAKE_SEND_ONCE,
	                                        MSG_MOVE_SEND_ONCE, MSG_MOVE_RECEIVE, MSG_COPY_SEND};
	static const uint8_t kinds[7] = {RIGHT_SEND,      RIGHT_SEND,    RIGHT_SEND, RIGHT_SEND_ONCE,
	                                 RIGHT_SEND_ONCE, RIGHT_RECEIVE, RIGHT_SEND};
	memset(&page, 0, sizeof(page));
	page.header.ordinal = MSG_ORDINAL(EVERYTHING_INTERFACE, EVERYTHING_ORDINAL_PORTS_IN);
	page.header.request = 1;
	page.header.descriptors = 7;
	for (int i = 0; i < 7; i++)
		page.descriptor[i] = (struct msg_descriptor){.type = MSG_DESC_PORT,
		                                             .disposition = dispositions[i],
		                                             .name = loopback_stray(LOOPBACK_SERVER, kinds[i])};
}

Test(malformed, descriptors)
{
	ports_request();
	everything_fake.error = 0;
	cr_expect_eq(deliver(), 0);
	for (int i = 0; i < 7; i++) {
		ports_request();
		page.descriptor[i].disposition = i == 5 ? MSG_COPY_SEND : MSG_MOVE_RECEIVE;
		refused(EINVAL, "a right of another kind");
		ports_request();
		page.descriptor[i].disposition = 200;
		refused(EINVAL, "no such disposition");
		ports_request();
		server_release_right(page.descriptor[i].name);
		page.descriptor[i] =
		        (struct msg_descriptor){.type = MSG_DESC_REGION,
		                                .address = (uintptr_t)loopback_region(LOOPBACK_SERVER, 4096),
		                                .size = 4096};
		refused(EINVAL, "a region instead of a right");
		ports_request();
		server_release_right(page.descriptor[i].name);
		page.descriptor[i] =
		        (struct msg_descriptor){.type = MSG_DESC_WINDOW, .size = 1, .flags = MSG_WINDOW_READ};
		refused(EINVAL, "a window instead of a right");
		ports_request();
		server_release_right(page.descriptor[i].name);
		page.descriptor[i].name = PORT_NULL;
		if (i != 6)
			refused(EINVAL, "a null right");
		else
			cr_expect_eq(deliver(), 0);
	}
	for (uint16_t count = 0; count <= MSG_DESCRIPTORS_MAX; count++) {
		ports_request();
		for (int i = count; i < 7; i++)
			server_release_right(page.descriptor[i].name);
		page.header.descriptors = count;
		if (count != 7)
			refused(EINVAL, "another number of descriptors");
		else
			cr_expect_eq(deliver(), 0);
	}
}

Test(malformed, windows_and_regions)
{
	char memory[8];
	memset(&page, 0, sizeof(page));
	page.header.ordinal = MSG_ORDINAL(EVERYTHING_INTERFACE, EVERYTHING_ORDINAL_WINDOWS);
	page.header.request = 1;
	page.header.descriptors = 2;
	struct msg_descriptor in = {
	        .type = MSG_DESC_WINDOW, .flags = MSG_WINDOW_READ, .address = (uintptr_t)memory, .size = 8};
	struct msg_descriptor out = {
	        .type = MSG_DESC_WINDOW, .flags = MSG_WINDOW_WRITE, .address = (uintptr_t)memory, .size = 8};
	page.descriptor[0] = in;
	page.descriptor[1] = out;
	everything_fake.error = 0;
	cr_expect_eq(deliver(), 0);
	page.descriptor[0] = out;
	refused(EINVAL, "a window without read access");
	page.descriptor[0] = in;
	page.descriptor[0].size = (1 << 20) + 1;
	refused(EINVAL, "a window too large");

	page.header.ordinal = MSG_ORDINAL(EVERYTHING_INTERFACE, EVERYTHING_ORDINAL_REGIONS);
	page.descriptor[0] = (struct msg_descriptor){
	        .type = MSG_DESC_REGION, .address = (uintptr_t)loopback_region(LOOPBACK_SERVER, 69632), .size = 69632};
	page.descriptor[1] = (struct msg_descriptor){.type = MSG_DESC_NONE};
	refused(EINVAL, "a region too large");
	page.descriptor[0] = page.descriptor[1];
	cr_expect_eq(deliver(), 0);
}

Test(malformed, a_one_way_routine_that_is_called_is_answered)
{
	memset(&page, 0, sizeof(page));
	page.header.ordinal = MSG_ORDINAL(EVERYTHING_INTERFACE, EVERYTHING_ORDINAL_TELL);
	page.header.length = sizeof(struct everything_tell_request);
	page.header.descriptors = 1;
	page.header.request = 1;
	everything_fake.error = 0;
	cr_expect_eq(deliver(), 0);
	cr_expect_eq(loopback_reply_page()->header.descriptors, 0);
}

/* ---- replies ---- */

static int forged(void)
{
	char answer[EVERYTHING_TEXT_MAX + 1] = "untouched";
	loopback_forge_reply(&page);
	int error = everything_text(to, "", answer, sizeof(answer));
	if (error)
		cr_expect_str_eq(answer, "untouched");
	return error;
}

Test(malformed, replies)
{
	struct everything_text_reply *reply = (void *)page.data;
	memset(&page, 0, sizeof(page));
	page.header = (struct msg_header){.kind = MSG_REPLY, .length = 16};
	reply->answer = (struct wire_span){8, 3};
	memcpy(page.data + 8, "abc", 4);
	cr_expect_eq(forged(), 0);
	for (uint32_t length = 0; length < MSG_INLINE_MAX; length++) {
		page.header.length = length;
		cr_expect_eq(forged(), length == 16 ? 0 : EPROTO);
	}
	page.header.length = 16;
	for (uint32_t n = 0; n < 0x10000; n++) {
		reply->answer.length = (uint16_t)n;
		cr_expect_eq(forged(), n == 3 ? 0 : EPROTO);
	}
	reply->answer.length = 3;
	page.data[9] = 0;
	cr_expect_eq(forged(), EPROTO, "NUL inside");
	page.data[9] = 'b';
	page.header.ordinal = ENOENT;
	cr_expect_eq(forged(), ENOENT);
	page.header.ordinal = 0x12345678;
	cr_expect_eq(forged(), EPROTO, "no error number");
}

Test(malformed, what_comes_with_a_bad_reply_is_released)
{
	size_t before = loopback_rights(LOOPBACK_CLIENT);
	for (int i = 0; i < 2; i++) {
		memset(&page, 0, sizeof(page));
		page.header = (struct msg_header){.kind = MSG_REPLY, .ordinal = i ? EPERM : 0, .descriptors = 2};
		page.descriptor[0] = (struct msg_descriptor){.type = MSG_DESC_PORT,
		                                             .disposition = MSG_MOVE_SEND,
		                                             .name = loopback_stray(LOOPBACK_CLIENT, RIGHT_SEND)};
		page.descriptor[1] =
		        (struct msg_descriptor){.type = MSG_DESC_REGION,
		                                .address = (uintptr_t)loopback_region(LOOPBACK_CLIENT, 8192),
		                                .size = 8192};
		loopback_forge_reply(&page);
		cr_expect_eq(everything_signal(to), i ? EPERM : EPROTO);
		cr_expect_eq(loopback_rights(LOOPBACK_CLIENT), before);
		cr_expect_eq(loopback_regions(LOOPBACK_CLIENT), 0u);
	}
}

Test(malformed, a_right_of_another_kind_in_a_reply)
{
	port_name_t right = PORT_NULL;
	char text[5];
	size_t before = loopback_rights(LOOPBACK_CLIENT);
	memset(&page, 0, sizeof(page));
	page.header = (struct msg_header){.kind = MSG_REPLY, .length = 16, .descriptors = 1};
	((struct everything_moved_text_reply *)(void *)page.data)->text = (struct wire_span){8, 0};
	page.descriptor[0] = (struct msg_descriptor){.type = MSG_DESC_PORT,
	                                             .disposition = MSG_MOVE_RECEIVE,
	                                             .name = loopback_stray(LOOPBACK_CLIENT, RIGHT_RECEIVE)};
	loopback_forge_reply(&page);
	cr_expect_eq(everything_moved_text(to, 0, &right, text, sizeof(text)), EPROTO);
	cr_expect_eq(loopback_rights(LOOPBACK_CLIENT), before);
	page.descriptor[0] = (struct msg_descriptor){.type = MSG_DESC_PORT,
	                                             .disposition = MSG_MOVE_SEND,
	                                             .name = loopback_stray(LOOPBACK_CLIENT, RIGHT_SEND)};
	loopback_forge_reply(&page);
	cr_expect_eq(everything_moved_text(to, 0, &right, text, sizeof(text)), 0);
	cr_expect_eq(loopback_kind(right), RIGHT_SEND);
}
