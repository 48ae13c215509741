/*
 * test_criu.c - what is said to criu, what is taken from its answers, and what is not.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* After those that it needs. */
#include <cmocka.h>

#include "base/protobuf.h"
#include "ops/criu_log.h"
#include "ops/criu_message.h"
#include "ops/step.h"

/* ---- the format -------------------------------------------------------------------------- */

static void test_numbers_come_back(void **state)
{
	static const uint64_t numbers[] = { 0,     1,          127,        128,        16383,
					    16384, UINT32_MAX, 1ULL << 35, 1ULL << 63, UINT64_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		_cleanup_buf_ struct buf b = { 0 };
		struct protobuf_reader r;
		struct protobuf_field f;

		protobuf_number(&b, 53, numbers[i]);
		r = (struct protobuf_reader){ (uint8_t *)b.data, (uint8_t *)b.data + b.len };
		assert_int_equal(protobuf_next(&r, &f), 1);
		assert_int_equal(f.number, 53);
		assert_int_equal(f.type, PROTOBUF_NUMBER);
		assert_true(f.value == numbers[i]);
		assert_int_equal(protobuf_next(&r, &f), 0);
	}
}

/* From protobuf.dev, "Encoding": 150 in field 1, "testing" in field 2. */
static void test_bytes_are_those_of_the_format(void **state)
{
	_cleanup_buf_ struct buf b = { 0 };

	(void)state;
	protobuf_number(&b, 1, 150);
	protobuf_text(&b, 2, "testing");
	assert_int_equal(b.len, 12);
	assert_memory_equal(b.data, "\x08\x96\x01\x12\x07testing", 12);
}

static void test_negative_numbers_have_ten_bytes(void **state)
{
	_cleanup_buf_ struct buf b = { 0 };

	(void)state;
	protobuf_int(&b, 1, -1);
	assert_int_equal(b.len, 11);
	assert_memory_equal(b.data, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11);
}

static int next(const char *bytes, size_t len)
{
	struct protobuf_reader r = { (const uint8_t *)bytes, (const uint8_t *)bytes + len };
	struct protobuf_field f;
	int more;

	while ((more = protobuf_next(&r, &f)) > 0)
		if (f.type == PROTOBUF_BYTES)
			assert_true(f.data + f.len <= (const uint8_t *)bytes + len);
	return more;
}

static void test_broken_fields_are_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} broken[] = {
		{ "\x08", 1 },                                          /* a number is missing */
		{ "\x08\x80", 2 },                                      /* it does not end */
		{ "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11 }, /* more than 64 bits */
		{ "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12 },
		{ "\x12\x05test", 6 }, /* longer than what is there */
		{ "\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11 }, /* 2^64 - 1 bytes */
		{ "\x00\x01", 2 },                                      /* field 0 */
		{ "\x0b\x08\x01\x0c", 4 },                              /* a group */
		{ "\x0e\x01", 2 },                                      /* there is no type 6 */
		{ "\x09\x01\x02\x03", 4 },                              /* eight bytes are four */
		{ "\x0d\x01\x02", 3 },                                  /* four are two */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		assert_int_equal(next(broken[i].bytes, broken[i].len), -EBADMSG);
}

/* ---- replies ----------------------------------------------------------------------------- */

static void add_process(struct buf *b, uint32_t field, const char *script, uint32_t pid_field,
			int32_t pid)
{
	_cleanup_buf_ struct buf part = { 0 };

	if (script)
		protobuf_text(&part, 1, script);
	protobuf_int(&part, pid_field, pid);
	protobuf_bytes(b, field, part.data, part.len);
}

static struct buf head(uint64_t type, uint64_t success)
{
	struct buf b = { 0 };

	protobuf_number(&b, 1, type);
	protobuf_number(&b, 2, success);
	return b;
}

static int parse(const struct buf *b, struct criu_reply *ret)
{
	return criu_reply_parse(buf_text(b), b->len, ret);
}

static void test_restored_and_notified(void **state)
{
	_cleanup_buf_ struct buf restored = head(CRIU_TYPE_RESTORE, 1);
	_cleanup_buf_ struct buf notified = head(CRIU_TYPE_NOTIFY, 1);
	struct criu_reply r;

	(void)state;
	add_process(&restored, 4, NULL, 1, 4711);
	assert_int_equal(parse(&restored, &r), 0);
	assert_int_equal(r.type, CRIU_TYPE_RESTORE);
	assert_true(r.success);
	assert_int_equal(r.pid, 4711);
	add_process(&notified, 5, "setup-namespaces", 2, 12);
	/* A newer criu may say more. */
	protobuf_text(&notified, 99, "news");
	assert_int_equal(parse(&notified, &r), 0);
	assert_string_equal(r.script, "setup-namespaces");
	assert_int_equal(r.pid, 12);
}

static void test_failure_with_its_reason(void **state)
{
	_cleanup_buf_ struct buf b = head(CRIU_TYPE_RESTORE, 0);
	struct criu_reply r;

	(void)state;
	add_process(&b, 4, NULL, 1, -1);
	protobuf_int(&b, 7, ENOSYS);
	protobuf_text(&b, 9, "Error: \x1b[31mred\n");
	assert_int_equal(parse(&b, &r), 0);
	assert_false(r.success);
	assert_int_equal(r.pid, 0);
	assert_int_equal(r.error, ENOSYS);
	assert_string_equal(r.message, "Error:  [31mred");
}

static void test_a_long_message_is_cut(void **state)
{
	_cleanup_buf_ struct buf b = head(CRIU_TYPE_DUMP, 0);
	char text[5000];
	struct criu_reply r;

	(void)state;
	memset(text, 'x', sizeof(text));
	protobuf_bytes(&b, 9, text, sizeof(text));
	assert_int_equal(parse(&b, &r), 0);
	assert_int_equal(strlen(r.message), sizeof(r.message) - 1);
}

static void refuse(struct buf b)
{
	struct criu_reply r = { .pid = 99 };

	assert_int_equal(parse(&b, &r), -EBADMSG);
	assert_int_equal(r.pid, 99);
	buf_done(&b);
}

static void test_broken_replies_are_refused(void **state)
{
	struct buf b = { 0 };

	(void)state;
	refuse(b); /* nothing */
	protobuf_number(&b, 1, CRIU_TYPE_DUMP);
	refuse(b); /* did it succeed? */
	b = head(CRIU_TYPE_DUMP, 1);
	protobuf_number(&b, 2, 0);
	refuse(b); /* both */
	b = head(CRIU_TYPE_DUMP, 2);
	refuse(b); /* neither */
	b = head(1ULL << 40, 1);
	refuse(b);
	b = head(CRIU_TYPE_RESTORE, 1);
	refuse(b); /* which process? */
	b = head(CRIU_TYPE_RESTORE, 1);
	add_process(&b, 4, NULL, 1, -1);
	refuse(b);
	b = head(CRIU_TYPE_RESTORE, 1);
	protobuf_number(&b, 4, 17);
	refuse(b); /* a number in place of a message */
	b = head(CRIU_TYPE_NOTIFY, 1);
	protobuf_bytes(&b, 5, "\x0a\x7f", 2);
	refuse(b); /* a length beyond its own message, but within what was received */
	b = head(CRIU_TYPE_NOTIFY, 1);
	add_process(&b, 5, "a script whose name is longer than any of criu's", 2, 1);
	refuse(b);
	b = head(CRIU_TYPE_NOTIFY, 1);
	add_process(&b, 5, "line\nbreak", 2, 1);
	refuse(b);
	b = head(CRIU_TYPE_DUMP, 1);
	protobuf_number(&b, 9, 1);
	refuse(b); /* a number in place of a text */
}

/* Whatever comes: an answer or -EBADMSG, and no byte outside of it (AddressSanitizer looks on). */
static void test_noise(void **state)
{
	_cleanup_buf_ struct buf good = head(CRIU_TYPE_RESTORE, 1);
	uint32_t seed = 12345;

	(void)state;
	add_process(&good, 4, NULL, 1, 4711);
	add_process(&good, 5, "post-restore", 2, 4711);
	protobuf_text(&good, 9, "message");
	for (int round = 0; round < 200000; round++) {
		size_t len = (size_t)round % (good.len + 1);
		char *bytes = malloc(len ? len : 1);
		struct criu_reply r;
		int result;

		assert_non_null(bytes);
		memcpy(bytes, good.data, len);
		for (int i = 0; i < 3 && len > 0; i++) {
			seed = seed * 1664525 + 1013904223;
			bytes[(seed >> 8) % len] = (char)(seed >> 24);
		}
		result = criu_reply_parse(bytes, len, &r);
		assert_true(result == 0 || result == -EBADMSG);
		if (result == 0) {
			assert_true(r.pid >= 0 && r.pid <= 4194304);
			assert_true(strlen(r.script) < sizeof(r.script));
		}
		free(bytes);
	}
}

/* ---- requests ---------------------------------------------------------------------------- */

static const struct protobuf_field *find(const struct buf *b, uint32_t number, size_t nth,
					 struct protobuf_field *ret)
{
	struct protobuf_reader r = { (uint8_t *)b->data, (uint8_t *)b->data + b->len };

	while (protobuf_next(&r, ret) > 0)
		if (ret->number == number && nth-- == 0)
			return ret;
	return NULL;
}

static void test_request_of_a_restore(void **state)
{
	static const struct criu_options options = { .tcp_established = true,
						     .cgroup_mode = CRIU_CGROUP_FULL,
						     .status_fd = -1 };
	static const struct criu_pair mounts[] = { { "/etc/hosts", "/srv/hosts" } };
	static const struct criu_pair cgroups[] = { { "", "/a/b" } };
	static const struct criu_inherit inherits[] = { { "pipe:[7]", SLOT_NONE, 1 },
							{ "extRootNetNS", SLOT_NAMESPACE, -1 } };
	int fds[SLOT_FIRST_FREE] = { [SLOT_IMAGES] = 11, [SLOT_WORK] = 12, [SLOT_NAMESPACE] = 13 };
	const struct step_criu step = { .action = CRIU_RESTORE,
					.options = &options,
					.log_file = "restore.log",
					.root = "/run/x/root",
					.n_mounts = 1,
					.mounts = mounts,
					.n_inherits = 2,
					.inherits = inherits };
	const struct criu_runtime now = { fds, cgroups, 1 };
	_cleanup_buf_ struct buf out = { 0 }, opts = { 0 }, part = { 0 };
	struct protobuf_field f;

	(void)state;
	criu_request(&step, &now, &out);
	assert_non_null(find(&out, 1, 0, &f));
	assert_int_equal(f.value, CRIU_TYPE_RESTORE);
	assert_non_null(find(&out, 2, 0, &f));
	buf_add(&opts, f.data, f.len);
	assert_non_null(find(&opts, 1, 0, &f)); /* images_dir_fd */
	assert_int_equal(f.value, 11);
	assert_non_null(find(&opts, 17, 0, &f)); /* work_dir_fd */
	assert_int_equal(f.value, 12);
	assert_non_null(find(&opts, 5, 0, &f));  /* tcp_established */
	assert_null(find(&opts, 3, 0, &f));      /* leave_running */
	assert_null(find(&opts, 2, 0, &f));      /* pid */
	assert_non_null(find(&opts, 26, 0, &f)); /* rst_sibling */
	assert_non_null(find(&opts, 34, 0, &f)); /* manage_cgroups_mode */
	assert_int_equal(f.value, 4);
	assert_non_null(find(&opts, 25, 0, &f)); /* cg_root */
	assert_memory_equal(f.data, "\x0a\x00\x12\x04/a/b", 8);
	assert_non_null(find(&opts, 27, 1, &f)); /* inherit_fd */
	buf_add(&part, f.data, f.len);
	assert_non_null(find(&part, 2, 0, &f));
	assert_int_equal(f.value, 13);
}

/* ---- its log ----------------------------------------------------------------------------- */

static void test_the_last_errors_of_a_log(void **state)
{
	static const char log[] = "(00.000001) Version: 3.17.1\n"
				  "(00.000002) Error (a.c:1): too long ago\n"
				  "(00.000003)     12: Error (b.c:2): \x1b[1mone\n"
				  "(00.000004) Warn  (c.c:3): not that\n"
				  "(00.000005) Error (d.c:4): two\n"
				  "(00.000006) Error (e.c:5): three\n"
				  "(00.000007) Error (f.c:6): four";
	char text[200], small[10];

	(void)state;
	criu_log_errors(log, sizeof(log) - 1, text, sizeof(text));
	assert_string_equal(text, "Error (b.c:2):  [1mone; Error (d.c:4): two; Error (e.c:5): "
				  "three; Error (f.c:6): four");
	criu_log_errors(log, sizeof(log) - 1, small, sizeof(small));
	assert_string_equal(small, "Error (b.");
	criu_log_errors("all is well\n", 12, text, sizeof(text));
	assert_string_equal(text, "");
	criu_log_errors("", 0, text, sizeof(text));
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_come_back),
		cmocka_unit_test(test_bytes_are_those_of_the_format),
		cmocka_unit_test(test_negative_numbers_have_ten_bytes),
		cmocka_unit_test(test_broken_fields_are_refused),
		cmocka_unit_test(test_restored_and_notified),
		cmocka_unit_test(test_failure_with_its_reason),
		cmocka_unit_test(test_a_long_message_is_cut),
		cmocka_unit_test(test_broken_replies_are_refused),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_request_of_a_restore),
		cmocka_unit_test(test_the_last_errors_of_a_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
