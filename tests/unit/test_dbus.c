#include "dbus_peer.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

/* ---- the wire ---------------------------------------------------------------------------------
 */

static void a_call_has_the_bytes_of_the_specification(void **state)
{
	/* Header, then the fields path, interface, member, destination, signature; then the body.
	 */
	static const char expected[] = "l\1\0\1"
				       "\x9\0\0\0"
				       "\3\0\0\0"
				       "\x47\0\0\0"
				       "\1\1o\0"
				       "\2\0\0\0"
				       "/a\0"
				       "\0\0\0\0\0"
				       "\2\1s\0"
				       "\3\0\0\0"
				       "b.c\0"
				       "\0\0\0\0"
				       "\3\1s\0"
				       "\1\0\0\0"
				       "M\0"
				       "\0\0\0\0\0\0"
				       "\6\1s\0"
				       "\3\0\0\0"
				       "d.e\0"
				       "\0\0\0\0"
				       "\x8\1g\0"
				       "\1s\0"
				       "\0"
				       "\4\0\0\0"
				       "text\0";
	const struct dbus_call call = { "d.e", "/a", "b.c", "M", "s" };
	struct buf body = { 0 }, got = { 0 };

	(void)state;
	dbus_put_text(&body, "text");
	dbus_build(&call, 3, &body, &got);
	assert_int_equal(got.len, sizeof(expected) - 1);
	assert_memory_equal(got.data, expected, sizeof(expected) - 1);
	buf_done(&body);
	buf_done(&got);
}

static void values_are_aligned_by_their_type(void **state)
{
	static const char expected[] = "\1\0\0\0"
				       "A\0"
				       "\1t\0"
				       "\0\0\0\0\0\0\0"
				       "\x88\x77\x66\x55\x44\x33\x22\x11"
				       "\1\0\0\0"
				       "B\0"
				       "\2ay\0"
				       "\0\0"
				       "\2\0\0\0"
				       "\5\6";
	const union dbus_basic number = { .number = 0x1122334455667788 };
	const union dbus_basic bytes[] = { { .number = 5 }, { .number = 6 } };
	struct buf body = { 0 };

	(void)state;
	dbus_put_property(&body, "A", &(struct dbus_value){ "t", 1, &number });
	dbus_put_property(&body, "B", &(struct dbus_value){ "ay", 2, bytes });
	assert_int_equal(body.len, sizeof(expected) - 1);
	assert_memory_equal(body.data, expected, body.len);
	buf_done(&body);
}

static void a_name_becomes_the_path_that_systemd_has_for_it(void **state)
{
	struct buf path = { 0 };

	(void)state;
	dbus_escape_path("1a-b.scope", &path);
	assert_string_equal(path.data, "/org/freedesktop/systemd1/unit/_31a_2db_2escope");
	buf_done(&path);
}

static void make_error(struct buf *out)
{
	struct buf body = { 0 };

	dbus_put_text(&body, "No such thing");
	peer_message(out, DBUS_ERROR, 9, "org.Error", "s", &body);
	buf_done(&body);
}

static void an_answer_is_understood(void **state)
{
	struct dbus_reader reader = { 0 };
	struct dbus_message m;
	struct buf text = { 0 };
	size_t size = 0;

	(void)state;
	make_error(&text);
	assert_int_equal(dbus_size((const uint8_t *)text.data, &size), 0);
	assert_int_equal(size, text.len);
	assert_int_equal(dbus_parse((const uint8_t *)text.data, text.len, &m), 0);
	assert_int_equal(m.kind, DBUS_ERROR);
	assert_int_equal(m.reply_serial, 9);
	assert_string_equal(m.error, "org.Error");
	assert_string_equal(m.signature, "s");
	reader = (struct dbus_reader){ .data = m.body, .len = m.body_len };
	assert_string_equal(dbus_get_text(&reader), "No such thing");
	assert_false(reader.bad);
	(void)dbus_get_u32(&reader);
	assert_true(reader.bad);
	buf_done(&text);
}

/* In memory of just its size, so that the sanitizer sees a look beyond its end. */
static int parse_copy(const char *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	struct dbus_reader reader;
	struct dbus_message m;
	int r;

	assert_non_null(copy);
	memcpy(copy, data, len);
	r = dbus_parse(copy, len, &m);
	if (r == 0) {
		assert_true(m.body_len <= len && m.body + m.body_len == copy + len);
		(void)(strlen(m.error) + strlen(m.member) + strlen(m.interface));
		reader = (struct dbus_reader){ .data = m.body, .len = m.body_len };
		(void)strlen(dbus_get_text(&reader));
		(void)strlen(dbus_get_text_variant(&reader));
	}
	free(copy);
	return r;
}

static void a_message_that_was_cut_off_is_refused(void **state)
{
	struct buf text = { 0 };

	(void)state;
	make_error(&text);
	for (size_t len = 0; len < text.len; len++)
		assert_int_equal(parse_copy(text.data, len), -EBADMSG);
	assert_int_equal(parse_copy(text.data, text.len), 0);
	buf_done(&text);
}

static void broken_messages_are_refused_or_harmless(void **state)
{
	struct buf text = { 0 };

	(void)state;
	make_error(&text);
	for (size_t at = 0; at < text.len; at++)
		for (int byte = 0; byte < 256; byte++) {
			char old = text.data[at];

			text.data[at] = (char)byte;
			(void)parse_copy(text.data, text.len);
			text.data[at] = old;
		}
	srandom(1);
	for (int i = 0; i < 100000; i++) {
		char copy[512];

		memcpy(copy, text.data, text.len);
		for (int k = 0; k < 4; k++)
			copy[(size_t)random() % text.len] = (char)random();
		(void)parse_copy(copy, text.len);
	}
	buf_done(&text);
}

static void refuses_what_is_no_message(void **state)
{
	static const struct {
		size_t at;
		uint8_t byte;
		int code;
	} heads[] = {
		{ 0, 'B', -EBADMSG },   { 3, 2, -EBADMSG },      { 7, 0xff, -EMSGSIZE },
		{ 6, 0xff, -EMSGSIZE }, { 15, 0xff, -EMSGSIZE },
	};
	struct buf text = { 0 };
	size_t size = 0;

	(void)state;
	make_error(&text);
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		uint8_t head[DBUS_HEAD];

		memcpy(head, text.data, sizeof(head));
		head[heads[i].at] = heads[i].byte;
		assert_int_equal(dbus_size(head, &size), heads[i].code);
	}
	assert_int_equal(size, 0);
	buf_done(&text);
}

/* ---- peers ------------------------------------------------------------------------------------
 */

static int64_t in_ms(int64_t ms)
{
	return dbus_deadline() - DBUS_PATIENCE_MS + ms;
}

static void takes_messages_one_by_one(void **state)
{
	struct buf text = { 0 }, got = { 0 };
	struct dbus_message m;
	int peer;
	struct dbus bus = peer_pair(&peer);

	(void)state;
	make_error(&text);
	peer_send(peer, &text);
	peer_send(peer, &text);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(dbus_receive(&bus, in_ms(5000), &got, &m), 0);
		assert_string_equal(m.error, "org.Error");
	}
	assert_int_equal(dbus_receive(&bus, in_ms(50), &got, &m), -ETIMEDOUT);
	(void)close(peer);
	assert_int_equal(dbus_receive(&bus, in_ms(5000), &got, &m), -ECONNRESET);
	dbus_close(&bus);
	buf_done(&text);
	buf_done(&got);
}

static void *trickle(void *arg)
{
	const struct timespec pause = { .tv_nsec = 5000000 };
	const int peer = *(const int *)arg;

	while (send(peer, "l", 1, MSG_NOSIGNAL) == 1)
		(void)nanosleep(&pause, NULL);
	return NULL;
}

/* A byte now and then must not keep us for ever: what counts is when it all has to be over. */
static void is_not_kept_by_a_peer_that_trickles(void **state)
{
	struct buf got = { 0 }, text = { 0 };
	struct dbus_message m;
	pthread_t thread;
	int peer;
	struct dbus bus = peer_pair(&peer);
	uint32_t size = 200000;

	(void)state;
	make_error(&text);
	memcpy(text.data + 4, &size, sizeof(size));
	peer_send(peer, &text);
	assert_int_equal(pthread_create(&thread, NULL, trickle, &peer), 0);
	assert_int_equal(dbus_receive(&bus, in_ms(100), &got, &m), -ETIMEDOUT);
	dbus_close(&bus);
	assert_int_equal(pthread_join(thread, NULL), 0);
	(void)close(peer);
	buf_done(&got);
	buf_done(&text);
}

/* ---- greeting ---------------------------------------------------------------------------------
 */

struct server {
	int fd;
	const char *answer;
	char heard[256];
	size_t len; /* of what was heard */
};

static void *serve(void *arg)
{
	struct server *s = arg;
	int peer = accept(s->fd, NULL, NULL);
	struct pollfd p = { .fd = peer, .events = POLLIN };
	ssize_t n;

	(void)send(peer, s->answer, strlen(s->answer), MSG_NOSIGNAL);
	while (s->len < 31 && poll(&p, 1, 2000) == 1 &&
	       (n = recv(peer, s->heard + s->len, sizeof(s->heard) - 1 - s->len, 0)) > 0)
		s->len += (size_t)n;
	(void)close(peer);
	return NULL;
}

static int connect_to(const char *answer, struct server *s)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char path[] = "/tmp/test_dbus.XXXXXX", name[sizeof(path) + 2];
	struct dbus bus = DBUS_NONE;
	pthread_t thread;
	int r;

	*s = (struct server){ .answer = answer };
	assert_non_null(mkdtemp(path));
	(void)snprintf(name, sizeof(name), "%s/s", path);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", name);
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(s->fd, 1), 0);
	assert_int_equal(pthread_create(&thread, NULL, serve, s), 0);
	r = dbus_connect(name, false, &bus);
	if (r == 0)
		dbus_close(&bus);
	assert_int_equal(pthread_join(thread, NULL), 0);
	(void)close(s->fd);
	(void)unlink(name);
	(void)rmdir(path);
	return r;
}

static void says_who_it_is_by_the_kernel_alone(void **state)
{
	static const char expected[] = "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n";
	struct server s;

	(void)state;
	assert_int_equal(connect_to("DATA\r\nOK 0123\r\n", &s), 0);
	assert_int_equal(s.len, sizeof(expected) - 1);
	assert_memory_equal(s.heard, expected, s.len);
}

static void a_greeting_that_is_none_ends_the_connection(void **state)
{
	char endless[2000];
	struct server s;

	(void)state;
	assert_int_equal(connect_to("REJECTED EXTERNAL\r\n", &s), -EACCES);
	assert_int_equal(connect_to("DATA\r\nREJECTED\r\n", &s), -EACCES);
	assert_int_equal(connect_to("HTTP/1.1 400 Bad Request\r\n", &s), -EBADMSG);
	memset(endless, 'x', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';
	assert_int_equal(connect_to(endless, &s), -EBADMSG);
	assert_int_equal(dbus_connect("/nonexistent/bus", false, &(struct dbus){ 0 }), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_has_the_bytes_of_the_specification),
		cmocka_unit_test(values_are_aligned_by_their_type),
		cmocka_unit_test(a_name_becomes_the_path_that_systemd_has_for_it),
		cmocka_unit_test(an_answer_is_understood),
		cmocka_unit_test(a_message_that_was_cut_off_is_refused),
		cmocka_unit_test(broken_messages_are_refused_or_harmless),
		cmocka_unit_test(refuses_what_is_no_message),
		cmocka_unit_test(takes_messages_one_by_one),
		cmocka_unit_test(is_not_kept_by_a_peer_that_trickles),
		cmocka_unit_test(says_who_it_is_by_the_kernel_alone),
		cmocka_unit_test(a_greeting_that_is_none_ends_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
