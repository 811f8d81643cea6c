/*
 * Generated stubs and dispatchers: values, structs, strings, bytes and arrays, and their bounds.
 */
#include "support.h"

TestSuite(values, .init = setup, .fini = teardown);

static int serve_scalars(struct server_call *call, uint8_t a, int16_t b, uint32_t c, int64_t d, uint16_t e, uint32_t f,
                         int8_t g, uint64_t h, uint8_t *ra, int16_t *rb, uint32_t *rc, int64_t *rd, uint16_t *re,
                         uint32_t *rf, int8_t *rg, uint64_t *rh)
{
	cr_expect_eq(call->principal, 4242u);
	cr_expect_eq(call->badge, 7u);
	*ra = a;
	*rb = b;
	*rc = c;
	*rd = d;
	*re = e;
	*rf = f;
	*rg = g;
	*rh = h;
	return 0;
}

Test(values, scalars)
{
	uint8_t a = 0;
	int16_t b = 0;
	uint32_t c = 0, f = 0;
	int64_t d = 0;
	uint16_t e = 0;
	int8_t g = 0;
	uint64_t h = 0;
	everything_fake.scalars = serve_scalars;
	loopback_set_principal(4242);
	int error = everything_scalars(to, 255, -32768, 0xfffffffe, INT64_MIN, EVERYTHING_SPARSE_THOUSAND,
	                               EVERYTHING_FLAGS_WRITE | EVERYTHING_FLAGS_APPEND, EVERYTHING_SIGNED_ONE_MID,
	                               EVERYTHING_WIDE_HUGE, &a, &b, &c, &d, &e, &f, &g, &h);
	cr_assert_eq(error, 0);
	cr_expect_eq(a, 255);
	cr_expect_eq(b, -32768);
	cr_expect_eq(c, 0xfffffffe);
	cr_expect_eq(d, INT64_MIN);
	cr_expect_eq(e, 1000);
	cr_expect_eq(f, 1026u);
	cr_expect_eq(g, -1);
	cr_expect_eq(h, UINT64_C(1) << 63);
}

Test(values, constants)
{
	cr_expect_eq(EVERYTHING_NEGATIVE, -7);
	cr_expect_eq(EVERYTHING_LARGE, UINT64_MAX);
	cr_expect_eq(EVERYTHING_SUM, 250);
	cr_expect_eq(COMMON_SHARED_MAX, 5);
	cr_expect_eq(EVERYTHING_INTERFACE, 200);
	cr_expect_eq(EVERYTHING_REV, 3);
	cr_expect_eq(EVERYTHING_SIGNED_ONE_HIGH, 0);
}

static int fail_scalars(struct server_call *call, uint8_t a, int16_t b, uint32_t c, int64_t d, uint16_t e, uint32_t f,
                        int8_t g, uint64_t h, uint8_t *ra, int16_t *rb, uint32_t *rc, int64_t *rd, uint16_t *re,
                        uint32_t *rf, int8_t *rg, uint64_t *rh)
{
	serve_scalars(call, a, b, c, d, e, f, g, h, ra, rb, rc, rd, re, rf, rg, rh);
	return EBUSY;
}

Test(values, an_error_writes_nothing)
{
	uint8_t a = 77;
	int16_t b = 77;
	uint32_t c = 77, f = 77;
	int64_t d = 77;
	uint16_t e = 77;
	int8_t g = 77;
	uint64_t h = 77;
	loopback_set_principal(4242);
	everything_fake.scalars = fail_scalars;
	cr_assert_eq(everything_scalars(to, 1, 2, 3, 4, 5, 2, 0, 1, &a, &b, &c, &d, &e, &f, &g, &h), EBUSY);
	cr_expect(a == 77 && b == 77 && c == 77 && d == 77 && e == 77 && f == 77 && g == 77 && h == 77);
}

static int serve_structs(struct server_call *call, struct thing *object, const struct everything_outer *value,
                         const struct common_point *at, struct everything_outer *copy, struct common_point *where)
{
	(void)call;
	cr_expect_not_null(object);
	cr_expect_eq(copy->last, 0u, "an out struct is zeroed before the handler");
	*copy = *value;
	copy->last++;
	*where = (struct common_point){at->y, at->x};
	return 0;
}

Test(values, structs)
{
	struct everything_outer value = {.first = 1,
	                                 .middle = {.tag = 2, .shade = COMMON_COLOUR_BLUE, .pair = {3, 4}},
	                                 .last = 5,
	                                 .corner = {{6, 7}, {8, 9}},
	                                 .mode = EVERYTHING_FLAGS_READ};
	struct everything_outer copy;
	struct common_point at = {-1, -2}, where;
	everything_fake.structs = serve_structs;
	cr_assert_eq(everything_structs(to, &value, &at, &copy, &where), 0);
	value.last++;
	cr_expect_eq(memcmp(&value, &copy, sizeof(copy)), 0, "padding included: it has names");
	cr_expect(where.x == -2 && where.y == -1);
	expect_clean();
}

Test(values, values_inside_structs_are_checked)
{
	struct everything_outer value = {.first = 1}, copy;
	struct common_point at = {0, 0}, where;
	everything_fake.error = 0;
	cr_expect_eq(everything_structs(to, &value, &at, &copy, &where), 0);
	value.middle.shade = 3;
	cr_expect_eq(everything_structs(to, &value, &at, &copy, &where), EINVAL);
	value.middle.shade = 0;
	value.mode = 4;
	cr_expect_eq(everything_structs(to, &value, &at, &copy, &where), EINVAL);
	cr_expect_eq(everything_fake.calls[EVERYTHING_ORDINAL_STRUCTS], 1u);
}

Test(values, no_object)
{
	struct everything_outer value = {0}, copy;
	struct common_point at = {0, 0}, where;
	everything_fake.error = 0;
	everything_fake.no_object = true;
	cr_expect_eq(everything_structs(to, &value, &at, &copy, &where), EBADF);
	cr_expect_eq(everything_fake.calls[EVERYTHING_ORDINAL_STRUCTS], 0u);
}

static int serve_text(struct server_call *call, struct thing *object, const char *name, char *answer)
{
	(void)call;
	(void)object;
	strcpy(answer, name);
	return 0;
}

Test(values, strings)
{
	char answer[EVERYTHING_TEXT_MAX + 1], longest[EVERYTHING_TEXT_MAX + 2];
	everything_fake.text = serve_text;
	memset(longest, 'a', sizeof(longest));
	for (size_t length = 0; length <= EVERYTHING_TEXT_MAX; length++) {
		char text[EVERYTHING_TEXT_MAX + 1];
		memcpy(text, longest, sizeof(text));
		text[length] = 0;
		cr_assert_eq(everything_text(to, text, answer, sizeof(answer)), 0);
		cr_expect_str_eq(answer, text);
		cr_expect_eq(everything_text(to, text, answer, length + 1), 0);
		cr_expect_eq(everything_text(to, text, answer, length), ERANGE);
	}
	unsigned calls = everything_fake.calls[EVERYTHING_ORDINAL_TEXT];
	longest[EVERYTHING_TEXT_MAX + 1] = 0;
	cr_expect_eq(everything_text(to, longest, answer, sizeof(answer)), ENAMETOOLONG);
	cr_expect_eq(everything_fake.calls[EVERYTHING_ORDINAL_TEXT], calls, "a string too long is not sent");
	expect_clean();
}

static int serve_unterminated(struct server_call *call, struct thing *object, const char *name, char *answer)
{
	(void)call;
	(void)object;
	(void)name;
	memset(answer, 'x', EVERYTHING_TEXT_MAX + 1);
	return 0;
}

Test(values, a_handler_that_breaks_a_bound_is_an_error)
{
	char answer[EVERYTHING_TEXT_MAX + 1];
	everything_fake.text = serve_unterminated;
	cr_expect_eq(everything_text(to, "", answer, sizeof(answer)), EIO);
}

static int serve_two_texts(struct server_call *call, const char *first, const char *second, uint16_t number,
                           char *second_back, char *first_back, uint16_t *number_back)
{
	(void)call;
	strcpy(first_back, first);
	strcpy(second_back, second);
	*number_back = number;
	return 0;
}

Test(values, several_strings_in_every_length)
{
	everything_fake.two_texts = serve_two_texts;
	for (size_t i = 0; i <= 7; i++) {
		for (size_t j = 0; j <= 8; j++) {
			char first[8] = "1234567", second[9] = "abcdefgh", second_back[9], first_back[8];
			uint16_t number;
			first[i] = 0;
			second[j] = 0;
			cr_assert_eq(everything_two_texts(to, first, second, (uint16_t)(i * 9 + j), second_back, 9,
			                                  first_back, 8, &number),
			             0);
			cr_expect_str_eq(first_back, first);
			cr_expect_str_eq(second_back, second);
			cr_expect_eq(number, i * 9 + j);
		}
	}
}

static size_t claim; /* elements that serve_data claims to return, if not 0 */

static int serve_data(struct server_call *call, const void *blob, size_t blob_count, const struct common_point *list,
                      size_t list_count, const uint8_t *colours, size_t colours_count, void *blob_back,
                      size_t *blob_back_count, struct common_point *list_back, size_t *list_back_count,
                      uint8_t *colours_back, size_t *colours_back_count)
{
	(void)call;
	cr_expect_eq((uintptr_t)list_back % _Alignof(struct common_point), 0u);
	memcpy(blob_back, blob, blob_count);
	memcpy(list_back, list, list_count * sizeof(*list));
	memcpy(colours_back, colours, colours_count);
	*blob_back_count = blob_count;
	*list_back_count = claim ? claim : list_count;
	*colours_back_count = colours_count;
	return 0;
}

static int data(size_t blob, size_t list, size_t colours, size_t blob_max, size_t list_max)
{
	uint8_t bytes[101], bytes_back[101], shades[10] = {0, 1, 2, 0, 1, 2, 0, 1, 2, 0}, shades_back[10];
	struct common_point points[6], points_back[6];
	size_t n = 99, m = 99, k = 99;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + 1);
	for (int i = 0; i < 6; i++)
		points[i] = (struct common_point){i, -i};
	int error = everything_data(to, bytes, blob, points, list, shades, colours, bytes_back, blob_max, &n,
	                            points_back, list_max, &m, shades_back, sizeof(shades_back), &k);
	if (error) {
		cr_expect(n == 99 && m == 99 && k == 99);
		return error;
	}
	cr_expect(n == blob && m == list && k == colours);
	cr_expect_eq(memcmp(bytes, bytes_back, blob), 0);
	cr_expect_eq(memcmp(points, points_back, list * sizeof(*points)), 0);
	cr_expect_eq(memcmp(shades, shades_back, colours), 0);
	return 0;
}

Test(values, bytes_and_arrays)
{
	everything_fake.data = serve_data;
	for (size_t blob = 0; blob <= 100; blob += blob < 17 ? 1 : 83 - blob % 2) {
		for (size_t list = 0; list <= 5; list++)
			cr_expect_eq(data(blob, list, blob % 10, 101, 6), 0);
	}
	cr_expect_eq(data(100, 5, 9, 100, 5), 0);
	cr_expect_eq(data(101, 5, 9, 101, 6), EINVAL);
	cr_expect_eq(data(100, 6, 9, 101, 6), EINVAL);
	cr_expect_eq(data(100, 5, 10, 101, 6), EINVAL);
	cr_expect_eq(data(100, 5, 9, 99, 6), ERANGE);
	cr_expect_eq(data(100, 5, 9, 101, 4), ERANGE);
	claim = 6;
	cr_expect_eq(data(1, 2, 3, 101, 6), EIO);
	claim = 0;
}

Test(values, enums_in_arrays_are_checked)
{
	uint8_t colours[3] = {0, 1, 3}, back[9], bytes[100];
	struct common_point points[5] = {{0, 0}};
	size_t n, m, k;
	everything_fake.error = 0;
	cr_expect_eq(everything_data(to, "", 0, points, 0, colours, 2, bytes, 100, &n, points, 5, &m, back, 9, &k), 0);
	cr_expect_eq(everything_data(to, "", 0, points, 0, colours, 3, bytes, 100, &n, points, 5, &m, back, 9, &k),
	             EINVAL);
}

static int serve_largest(struct server_call *call, const void *blob, size_t blob_count, void *blob_back,
                         size_t *blob_back_count)
{
	(void)call;
	memcpy(blob_back, blob, blob_count);
	*blob_back_count = blob_count;
	return 0;
}

Test(values, a_message_may_be_full)
{
	static uint8_t blob[3064], back[3064];
	size_t count;
	everything_fake.largest = serve_largest;
	for (size_t i = 0; i < sizeof(blob); i++)
		blob[i] = (uint8_t)(i >> 3 ^ i);
	cr_assert_eq(everything_largest(to, blob, sizeof(blob), back, sizeof(back), &count), 0);
	cr_expect_eq(count, sizeof(blob));
	cr_expect_eq(memcmp(blob, back, sizeof(blob)), 0);
}

static int serve_names(struct server_call *call_, struct thing *object_, uint8_t to_, uint8_t deadline, uint8_t call,
                       uint8_t object, uint8_t error, uint8_t page, uint8_t request, const char *reply, uint8_t status,
                       const void *at, size_t at_count, uint8_t in, uint8_t out, uint8_t token, uint32_t *sum,
                       uint8_t *i, uint8_t *size)
{
	(void)call_;
	(void)object_;
	*sum = to_ + deadline + call + object + error + page + request + status + in + out + token;
	*i = (uint8_t)strlen(reply);
	*size = (uint8_t)(at_count + ((const uint8_t *)at)[0]);
	return 0;
}

Test(values, any_parameter_name_will_do)
{
	uint32_t sum;
	uint8_t i, size;
	everything_fake.names = serve_names;
	cr_assert_eq(everything_names(to, 1, 2, 4, 8, 16, 32, 64, "abc", 128, "\x05xy", 3, 1, 2, 4, &sum, &i, &size),
	             0);
	cr_expect_eq(sum, 262u);
	cr_expect_eq(i, 3);
	cr_expect_eq(size, 8);
}

Test(values, ordinals_and_kinds)
{
	uint16_t twice = 3;
	everything_fake.error = 0;
	cr_expect_eq(everything_signal(to), 0);
	cr_expect_eq(everything_beep_until(to, 1), 0);
	cr_expect_eq(everything_default(to, 4, &twice), 0);
	cr_expect_eq(twice, 0);
	cr_expect_eq(everything_fake.calls[1000], 1u);
	cr_expect_eq(everything_interface.number, 200);
	cr_expect_eq(everything_interface.routine_count, 17u);
	for (uint32_t i = 0; i < everything_interface.routine_count; i++) {
		cr_expect_eq(everything_interface.routines[i].ordinal, everything_decode.routines[i].ordinal);
		cr_expect_str_eq(everything_interface.routines[i].name, everything_decode.routines[i].name);
		cr_expect_eq((int)everything_interface.routines[i].kind, (int)everything_decode.routines[i].recovery);
	}
}

Test(values, a_handler_that_returns_nonsense_is_an_error)
{
	everything_fake.error = -77;
	cr_expect_eq(everything_signal(to), EIO);
	everything_fake.error = 5000;
	cr_expect_eq(everything_signal(to), EIO);
}

Test(values, decoder_tables)
{
	const struct decode_routine *r = &everything_decode.routines[1];
	cr_expect_str_eq(r->name, "structs");
	cr_expect_str_eq(r->object, "thing");
	cr_expect_eq(r->recovery, DECODE_QUERY);
	cr_expect_eq(r->request.size, sizeof(struct everything_structs_request));
	cr_expect_eq(r->request.field_count, 2);
	const struct decode_field *f = &r->request.fields[0];
	cr_expect_str_eq(f->name, "value");
	cr_expect_eq(f->kind, DECODE_STRUCT);
	cr_expect_eq(f->size, sizeof(struct everything_outer));
	cr_expect_str_eq(f->type->name, "outer");
	cr_expect_eq(f->type->field_count, 5, "holes are not fields");
	cr_expect_eq(f->type->fields[3].count, 2);
	cr_expect_str_eq(f->type->fields[3].type->name, "point");
	cr_expect_str_eq(f->type->fields[1].type->fields[1].type->values[2].name, "blue");
	cr_expect_eq(everything_decode.routines[11].once_error, EHWPOISON);
}
