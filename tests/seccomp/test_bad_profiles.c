/*
 * test_bad_profiles.c - profiles with one mistake each. A message must tell the file, the line, the
 * column and the key of it, and the value.
 *
 * In the tables, ' stands for " and ^ for the place that the message must name. Mistakes that a
 * runtime has to live with, since engines do (unknown calls, rules against each other), are found
 * by the lint.
 */
#include "fixture.h"

#include <stdio.h>

#include "base/buf.h"
#include "seccomp/lint.h"
#include "spec/read.h"

struct bad {
	const char *text; /* the profile */
	const char *key;  /* "" for the whole, or where there is no JSON to have keys */
	const char *word; /* that the message must have */
};

#define RULE(members)                                                                              \
	"{'defaultAction':'SCMP_ACT_ERRNO',\n 'syscalls':[\n  {'names':['read'],"                  \
	"'action':'SCMP_ACT_ALLOW'},\n  {" members "}\n]}"
#define ALLOW(members) RULE("'names':['bpf'],'action':'SCMP_ACT_ALLOW'," members)
#define TOP(members)   "{'defaultAction':'SCMP_ACT_ERRNO',\n" members "}"
#define ARG(members)   ALLOW("'args':[{'index':0,'value':1,'op':'SCMP_CMP_EQ'},{" members "}]")
#define KEY            "syscalls[1]"

static const struct bad no_json[] = {
	{ "^", "", "" },
	{ "  \n ^", "", "" },
	{ "^nonsense", "", "" },
	{ "{'defaultAction':^", "", "end" },
	{ "{'defaultAction':'SCMP_ACT_ERRNO'^", "", "end" },
	{ "{'defaultAction':'SCMP_ACT_ERRNO',\n'syscalls':[{'names':['read'^", "", "end" },
	{ "{'defaultAction':'SCMP_ACT_ERRNO',\n'syscalls':[{'names':[^'read", "", "" },
	{ "{'defaultAction':'SCMP_ACT_ERRNO',\n'syscalls':[^", "", "end" },
	{ "{'defaultAction':'SCMP_ACT_ERRNO'}\n^}", "", "" },
	{ "{'defaultAction':'SCMP_ACT_ERRNO'}^{}", "", "" },
	{ TOP("'syscalls':[],^"), "", "" },
	{ TOP("'syscalls':[{},^]"), "", "" },
	{ TOP("'syscalls' ^[]"), "", "" },
	{ TOP("^syscalls:[]"), "", "" },
	{ TOP("^// comment\n'syscalls':[]"), "", "" },
	{ TOP("'flags':[0^x10]"), "", "" },
	{ TOP("'flags':[^01]"), "", "" },
	{ TOP("'flags':[^True]"), "", "" },
	{ TOP("'flags':[^+1]"), "", "" },
	{ TOP("'flags':[^NaN]"), "", "" },
	{ TOP("'listenerPath':'/a\\^q'"), "", "" },
	{ TOP("'listenerPath':'/a^\n'"), "", "" },
	{ TOP("'listenerPath':'/a^\\u0000'"), "", "" },
	{ TOP("'listenerPath':'/a^\\ud800'"), "", "" },
	{ TOP("'listenerPath':'/a^\xff'"), "", "" },
	{ TOP("'syscalls':[], ^'syscalls':[]"), "", "syscalls" },
	{ "{'defaultAction':'SCMP_ACT_ERRNO', ^'defaultAction':'SCMP_ACT_ALLOW'}", "",
	  "defaultAction" },
};

static const struct bad wrong_types[] = {
	{ "^[]", "", "" },
	{ "^'SCMP_ACT_ALLOW'", "", "" },
	{ "^5", "", "" },
	{ "^null", "", "" },
	{ "^{}", "", "defaultAction" },
	{ "^{'syscalls':[]}", "", "defaultAction" },
	{ "{'defaultAction':^1}", "defaultAction", "1" },
	{ "{'defaultAction':^true}", "defaultAction", "true" },
	{ "{'defaultAction':^[]}", "defaultAction", "[" },
	{ "{'defaultAction':^''}", "defaultAction", "" },
	{ TOP("'defaultErrnoRet':^'1'"), "defaultErrnoRet", "\"1\"" },
	{ TOP("'defaultErrnoRet':^-1"), "defaultErrnoRet", "-1" },
	{ TOP("'defaultErrnoRet':^1.0"), "defaultErrnoRet", "1.0" },
	{ TOP("'defaultErrnoRet':^1e0"), "defaultErrnoRet", "1e0" },
	{ TOP("'defaultErrnoRet':^{}"), "defaultErrnoRet", "{" },
	{ TOP("'architectures':^'SCMP_ARCH_X86'"), "architectures", "SCMP_ARCH_X86" },
	{ TOP("'architectures':[^3]"), "architectures[0]", "3" },
	{ TOP("'architectures':^{'SCMP_ARCH_X86':true}"), "architectures", "{" },
	{ TOP("'archMap':^5"), "archMap", "5" },
	{ TOP("'archMap':[^5]"), "archMap[0]", "5" },
	{ TOP("'archMap':[{'architecture':^5}]"), "archMap[0].architecture", "5" },
	{ TOP("'archMap':[^{'subArchitectures':[]}]"), "archMap[0].architecture", "missing" },
	{ TOP("'archMap':[{'architecture':'SCMP_ARCH_X86_64','subArchitectures':^'x'}]"),
	  "archMap[0].subArchitectures", "x" },
	{ TOP("'flags':^'SECCOMP_FILTER_FLAG_LOG'"), "flags", "LOG" },
	{ TOP("'flags':[^2]"), "flags[0]", "2" },
	{ TOP("'listenerPath':^7"), "listenerPath", "7" },
	{ TOP("'listenerMetadata':^{}"), "listenerMetadata", "{" },
	{ TOP("'syscalls':^{}"), "syscalls", "{" },
	{ TOP("'syscalls':^'read'"), "syscalls", "read" },
	{ TOP("'syscalls':[^'read']"), "syscalls[0]", "read" },
	{ TOP("'syscalls':[^[]]"), "syscalls[0]", "[" },
	{ TOP("'syscalls':[{'names':['read'],'action':'SCMP_ACT_ALLOW'},^7]"), KEY, "7" },
	{ RULE("'names':^'bpf','action':'SCMP_ACT_ALLOW'"), KEY ".names", "bpf" },
	{ RULE("'names':[^321],'action':'SCMP_ACT_ALLOW'"), KEY ".names[0]", "321" },
	{ RULE("'names':['bpf',^[]],'action':'SCMP_ACT_ALLOW'"), KEY ".names[1]", "[" },
	{ RULE("'name':^321,'action':'SCMP_ACT_ALLOW'"), KEY ".name", "321" },
	{ RULE("'names':['bpf'],'action':^5"), KEY ".action", "5" },
	{ ALLOW("'args':^{}"), KEY ".args", "{" },
	{ ALLOW("'args':[^0]"), KEY ".args[0]", "0" },
	{ ARG("'index':^'0','value':1,'op':'SCMP_CMP_EQ'"), KEY ".args[1].index", "\"0\"" },
	{ ARG("'index':0,'value':^'1','op':'SCMP_CMP_EQ'"), KEY ".args[1].value", "\"1\"" },
	{ ARG("'index':0,'value':^1.5,'op':'SCMP_CMP_EQ'"), KEY ".args[1].value", "1.5" },
	{ ARG("'index':0,'value':^-1,'op':'SCMP_CMP_EQ'"), KEY ".args[1].value", "-1" },
	{ ARG("'index':0,'value':1,'op':^4"), KEY ".args[1].op", "4" },
	{ ARG("'index':0,'value':1,'valueTwo':^[],'op':'SCMP_CMP_EQ'"), KEY ".args[1].valueTwo",
	  "[" },
	{ ALLOW("'errnoRet':^'EPERM'"), KEY ".errnoRet", "EPERM" },
	{ ALLOW("'errno':^5"), KEY ".errno", "5" },
	{ ALLOW("'includes':^'CAP_BPF'"), KEY ".includes", "CAP_BPF" },
	{ ALLOW("'includes':{'caps':^'CAP_BPF'}"), KEY ".includes.caps", "CAP_BPF" },
	{ ALLOW("'includes':{'caps':[^39]}"), KEY ".includes.caps[0]", "39" },
	{ ALLOW("'excludes':{'arches':^5}"), KEY ".excludes.arches", "5" },
	{ ALLOW("'excludes':{'minKernel':^4.8}"), KEY ".excludes.minKernel", "4.8" },
};

static const struct bad unknown_words[] = {
	{ "{'defaultAction':^'SCMP_ACT_DENY'}", "defaultAction", "SCMP_ACT_DENY" },
	{ "{'defaultAction':^'scmp_act_allow'}", "defaultAction", "scmp_act_allow" },
	{ "{'defaultAction':^'SCMP_ACT_ALLOW '}", "defaultAction", "SCMP_ACT_ALLOW " },
	{ TOP("'defaultErrno':^'ENOSUCHERRNO'"), "defaultErrno", "ENOSUCHERRNO" },
	{ TOP("'architectures':[^'x86_64']"), "architectures[0]", "x86_64" },
	{ TOP("'architectures':['SCMP_ARCH_X86',^'SCMP_ARCH_VAX']"), "architectures[1]", "VAX" },
	{ TOP("'archMap':[{'architecture':'SCMP_ARCH_X86_64','subArchitectures':[^'i386']}]"),
	  "archMap[0].subArchitectures[0]", "i386" },
	{ TOP("'flags':[^'SECCOMP_FILTER_FLAG_NONE']"), "flags[0]", "FLAG_NONE" },
	{ RULE("'names':['bpf'],'action':^'ALLOW'"), KEY ".action", "ALLOW" },
	{ TOP("'syscalls':[^{'names':['bpf']}]"), "syscalls[0].action", "missing" },
	{ TOP("'syscalls':[^{'action':'SCMP_ACT_ALLOW'}]"), "syscalls[0]", "names is missing" },
	{ TOP("'syscalls':[^{'names':[],'action':'SCMP_ACT_ALLOW'}]"), "syscalls[0]", "empty" },
	{ RULE("'names':['bpf',^''],'action':'SCMP_ACT_ALLOW'"), KEY ".names[1]", "" },
	{ ARG("'index':0,'value':1,'op':^'SCMP_CMP_NEQ'"), KEY ".args[1].op", "SCMP_CMP_NEQ" },
	{ ARG("'index':0,'value':1,'op':^'=='"), KEY ".args[1].op", "==" },
	{ ALLOW("'args':[^{'value':1,'op':'SCMP_CMP_EQ'}]"), KEY ".args[0].index", "missing" },
	{ ALLOW("'args':[^{'index':1,'op':'SCMP_CMP_EQ'}]"), KEY ".args[0].value", "missing" },
	{ ALLOW("'args':[^{'index':1,'value':1}]"), KEY ".args[0].op", "missing" },
	{ ALLOW("'errno':^'EWHATEVER'"), KEY ".errno", "EWHATEVER" },
	{ ALLOW("'includes':{'caps':[^'BPF']}"), KEY ".includes.caps[0]", "BPF" },
	{ ALLOW("'includes':{'caps':[^'CAP_EVERYTHING']}"), KEY ".includes.caps[0]",
	  "CAP_EVERYTHING" },
	{ ALLOW("'includes':{^'kernel':'4.8'}"), KEY ".includes.kernel", "" },
	{ ALLOW("'excludes':{^'minkernel':'4.8'}"), KEY ".excludes.minkernel", "" },
	{ ALLOW("'includes':{'minKernel':^'4'}"), KEY ".includes.minKernel", "\"4\"" },
	{ ALLOW("'includes':{'minKernel':^'new'}"), KEY ".includes.minKernel", "new" },
	{ ALLOW("'excludes':{'minKernel':^'5.x'}"), KEY ".excludes.minKernel", "5.x" },
};

static const struct bad out_of_range[] = {
	{ TOP("'defaultErrnoRet':^65536"), "defaultErrnoRet", "65536" },
	{ TOP("'defaultErrnoRet':^4096"), "defaultErrnoRet", "4096" },
	{ TOP("'defaultErrnoRet':^99999999999999999999"), "defaultErrnoRet", "999" },
	{ ARG("'index':^6,'value':1,'op':'SCMP_CMP_EQ'"), KEY ".args[1].index", "6" },
	{ ARG("'index':^4294967296,'value':1,'op':'SCMP_CMP_EQ'"), KEY ".args[1].index", "429" },
	{ ARG("'index':0,'value':^18446744073709551616,'op':'SCMP_CMP_EQ'"), KEY ".args[1].value",
	  "18446744073709551616" },
	{ RULE("'names':['bpf'],'action':'SCMP_ACT_ERRNO','errnoRet':^70000"), KEY ".errnoRet",
	  "70000" },
	{ RULE("'names':['bpf'],'action':'SCMP_ACT_ERRNO','errnoRet':^5000"), KEY ".errnoRet",
	  "5000" },
};

static const struct bad contradictions[] = {
	{ "{'defaultAction':'SCMP_ACT_ALLOW','defaultErrnoRet':^1}", "defaultErrnoRet",
	  "SCMP_ACT_ALLOW" },
	{ "{'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':^1,'defaultErrno':'ENOSYS'}",
	  "defaultErrnoRet", "ENOSYS" },
	{ "{'defaultAction':^'SCMP_ACT_NOTIFY','listenerPath':'/a'}", "defaultAction", "NOTIFY" },
	{ TOP("'listenerPath':^'a.sock'"), "listenerPath", "a.sock" },
	{ TOP("'listenerMetadata':^'m'"), "listenerMetadata", "listenerPath" },
	{ TOP("'flags':^['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV']"), "flags", "NOTIFY" },
	{ ALLOW("'errnoRet':^1"), KEY ".errnoRet", "SCMP_ACT_ALLOW" },
	{ RULE("'names':['bpf'],'action':'SCMP_ACT_KILL_PROCESS','errnoRet':^1"), KEY ".errnoRet",
	  "SCMP_ACT_KILL_PROCESS" },
	{ RULE("'names':['bpf'],'action':'SCMP_ACT_ERRNO','errnoRet':^1,'errno':'ENOSYS'"),
	  KEY ".errnoRet", "ENOSYS" },
	{ RULE("'names':['bpf'],'name':^'bpf','action':'SCMP_ACT_ALLOW'"), KEY ".name",
	  "beside names" },
	{ TOP("'listenerPath':'/a','syscalls':[{'names':[^'write'],'action':'SCMP_ACT_NOTIFY'}]"),
	  "syscalls[0].names[0]", "write" },
};

/* Warnings of the lint. */
static const struct bad linted[] = {
	{ RULE("'names':[^'raed'],'action':'SCMP_ACT_ALLOW'"), KEY ".names[0]", "mean read?" },
	{ RULE("'names':['bpf',^'ptrcae'],'action':'SCMP_ACT_ALLOW'"), KEY ".names[1]", "ptrace" },
	{ RULE("'names':[^'Read'],'action':'SCMP_ACT_ALLOW'"), KEY ".names[0]", "read?" },
	{ RULE("'names':[^'__NR_read'],'action':'SCMP_ACT_ALLOW'"), KEY ".names[0]", "__NR_read" },
	{ RULE("'names':[^'*'],'action':'SCMP_ACT_ALLOW'"), KEY ".names[0]", "*" },
	{ RULE("'name':'open_at','action':'SCMP_ACT_ALLOW'"), KEY ".names[0]", "openat?" },
	{ RULE("'names':[^'read'],'action':'SCMP_ACT_KILL'"), KEY ".names[0]", "no effect" },
	{ RULE("'names':['bpf',^'read'],'action':'SCMP_ACT_LOG'"), KEY ".names[1]", "no effect" },
	{ RULE("'names':[^'read'],'action':'SCMP_ACT_ERRNO'"), KEY ".names[0]", "no effect" },
	{ RULE("'names':[^'read'],'action':'SCMP_ACT_ALLOW','args':[{'index':0,'value':1,'op':"
	       "'SCMP_CMP_EQ'}]"),
	  KEY ".names[0]", "no effect" },
	{ ALLOW("'args':[^{'index':0,'value':0,'op':'SCMP_CMP_LT'}]"), KEY ".args[0]", "never" },
	{ ALLOW("'args':[^{'index':0,'value':0,'op':'SCMP_CMP_GE'}]"), KEY ".args[0]", "always" },
	{ ARG("'index':0,'value':5,'op':'SCMP_CMP_EQ'"), KEY ".args[1]", "not all" },
	{ ALLOW("'includes':{'arches':[^'x86_64']}"), KEY ".includes.arches[0]", "amd64" },
	{ ALLOW("'excludes':{'arches':['arm64',^'aarch']}"), KEY ".excludes.arches[1]", "aarch" },
};

/* ---- the tests ---------------------------------------------------------------------------- */

struct place {
	unsigned int line, column; /* 0: not said */
};

/* The text without its mark; columns count characters, and all but \xff are ASCII. */
static struct place plain(const char *text, struct buf *out)
{
	struct place place = { 0 }, here = { .line = 1, .column = 1 };

	buf_str(out, "");
	for (; *text; text++) {
		if (*text == '^') {
			place = here;
			continue;
		}
		buf_add(out, *text == '\'' ? "\"" : text, 1);
		here.column = *text == '\n' ? 1 : here.column + 1;
		here.line += *text == '\n';
	}
	return place;
}

static bool says(const char *text, struct place place, const struct bad *bad)
{
	char where[64], key[128];

	(void)snprintf(where, sizeof(where), "p.json:%u:%u: ", place.line, place.column);
	(void)snprintf(key, sizeof(key), "%s: ", bad->key);
	return (place.line == 0 || strstr(text, where)) && strstr(text, "p.json:") &&
	       (*bad->key == '\0' || strstr(text, key)) && strstr(text, bad->word);
}

static void refuse_all(void **state, const struct bad *rows, size_t n)
{
	struct fixture *f = *state;
	size_t failures = 0;

	for (size_t i = 0; i < n; i++) {
		_cleanup_buf_ struct buf text = { 0 };
		struct place place = plain(rows[i].text, &text);
		struct spec_source source = { .name = "p.json" };
		int r;

		source.text = buf_text(&text);
		source.len = text.len;
		f->err = (struct err){ 0 };
		r = spec_read_seccomp(&source, &f->arena, &f->spec, &f->err);
		if (r == -EINVAL && says(f->err.msg, place, &rows[i]))
			continue;
		print_error("%s\n%d, expected %u:%u %s\n%s\n\n", rows[i].text, r, place.line,
			    place.column, rows[i].key, f->err.msg);
		failures++;
	}
	assert_int_equal(failures, 0);
}

#define REFUSED(table)                                                                             \
	static void table##_are_refused(void **state)                                              \
	{                                                                                          \
		refuse_all(state, table, sizeof(table) / sizeof(table[0]));                        \
	}

REFUSED(no_json)
REFUSED(wrong_types)
REFUSED(unknown_words)
REFUSED(out_of_range)
REFUSED(contradictions)

static void lint_one(struct fixture *f, const char *json, size_t len, struct buf *out)
{
	struct spec_source source = { .name = "p.json", .text = json, .len = len };
	struct json_doc doc;
	struct lint found;

	if (spec_read_seccomp(&source, &f->arena, &f->spec, &f->err) < 0 ||
	    lint_profile(&f->spec, &f->env, &f->arena, &found, &f->err) < 0)
		fail_msg("%s", f->err.msg);
	assert_int_equal(json_parse(&doc, "p.json", json, len, &f->arena, &f->err), 0);
	for (size_t i = 0; i < found.n; i++)
		lint_say(&found.v[i], &doc, out);
}

static void what_means_nothing_is_linted(void **state)
{
	struct fixture *f = *state;
	size_t failures = 0;

	for (size_t i = 0; i < sizeof(linted) / sizeof(linted[0]); i++) {
		_cleanup_buf_ struct buf text = { 0 }, out = { 0 };
		struct place place = plain(linted[i].text, &text);

		lint_one(f, buf_text(&text), text.len, &out);
		if (says(buf_text(&out), place, &linted[i]))
			continue;
		print_error("%s\nexpected %s\n%s\n", linted[i].text, linted[i].key, buf_text(&out));
		failures++;
	}
	assert_int_equal(failures, 0);
}

static void there_are_at_least_a_hundred(void **state)
{
	(void)state;
	assert_true((sizeof(no_json) + sizeof(wrong_types) + sizeof(unknown_words) +
		     sizeof(out_of_range) + sizeof(contradictions) + sizeof(linted)) /
			sizeof(struct bad) >=
		    100);
}

/* ---- large ones --------------------------------------------------------------------------- */

static int read_text(struct fixture *f, const struct buf *text)
{
	struct spec_source source = { .name = "p.json" };

	source.text = buf_text(text);
	source.len = text->len;
	f->err = (struct err){ 0 };
	return spec_read_seccomp(&source, &f->arena, &f->spec, &f->err);
}

/* 10 MB of rules, of which the last one is wrong: the place is still right. */
static void ten_megabytes_with_a_mistake_at_the_end(void **state)
{
	static const char rule[] = "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"},\n";
	struct fixture *f = *state;
	_cleanup_buf_ struct buf text = { 0 };
	unsigned int rules = 0;
	char place[64];

	buf_str(&text, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[\n");
	for (; text.len < 10 * 1024 * 1024; rules++)
		buf_str(&text, rule);
	buf_str(&text, "{\"names\":[\"read\"],\"action\":\"ALLOW\"}]}");
	assert_int_equal(read_text(f, &text), -EINVAL);
	(void)snprintf(place, sizeof(place), "p.json:%u:28: syscalls[%u].action: ", rules + 2,
		       rules);
	assert_non_null(strstr(f->err.msg, place));
}

/* 100,000 rules with a mistake, then one that has a call and conditions ever again. */
static void large_profile(struct buf *text, bool is_varied)
{
	buf_str(text, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[\n");
	while (text->len < 5 * 1024 * 1024)
		buf_str(text, "{\"names\":[\"raed\"],\"action\":\"SCMP_ACT_ALLOW\"},\n");
	buf_str(text, "{\"names\":[\"ioctl\"");
	while (text->len < 8 * 1024 * 1024)
		buf_str(text, ",\"ioctl\"");
	buf_str(text, "],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[");
	for (unsigned int i = 1; text->len < 10 * 1024 * 1024; i += is_varied)
		buf_printf(text, "{\"index\":1,\"value\":%u,\"op\":\"SCMP_CMP_NE\"},\n", i);
	buf_str(text, "{\"index\":1,\"value\":0,\"op\":\"SCMP_CMP_NE\"}]}]}");
}

static void ten_megabytes_are_linted_in_time(void **state)
{
	struct fixture *f = *state;
	_cleanup_buf_ struct buf text = { 0 };
	struct lint found;

	large_profile(&text, false);
	assert_int_equal(read_text(f, &text), 0);
	assert_int_equal(lint_profile(&f->spec, &f->env, &f->arena, &found, &f->err), 0);
	assert_true(found.n >= 100 && found.n <= 1000); /* nobody reads more */
	assert_int_equal(seccomp_compile(&f->spec, &f->env, &f->arena, &f->program, &f->err), 0);
}

static void ten_megabytes_that_fit_no_filter_are_refused_in_time(void **state)
{
	struct fixture *f = *state;
	_cleanup_buf_ struct buf text = { 0 };

	large_profile(&text, true);
	assert_int_equal(read_text(f, &text), 0);
	assert_int_equal(seccomp_compile(&f->spec, &f->env, &f->arena, &f->program, &f->err),
			 -E2BIG);
	assert_non_null(strstr(f->err.msg, "ioctl"));
}

static void more_than_the_limit_is_refused(void **state)
{
	struct fixture *f = *state;
	_cleanup_buf_ struct buf text = { 0 };

	buf_str(&text, "{\"defaultAction\":\"SCMP_ACT_ERRNO\"");
	while (text.len <= JSON_MAX_SIZE)
		buf_str(&text, "                                                                ");
	buf_str(&text, "}");
	assert_int_equal(read_text(f, &text), -EFBIG);
	assert_non_null(strstr(f->err.msg, "p.json"));
}

static void deep_nesting(void **state)
{
	static const char *const opens[] = { "[", "{\"a\":" };
	struct fixture *f = *state;

	for (size_t i = 0; i < 2; i++) {
		_cleanup_buf_ struct buf text = { 0 };

		buf_str(&text, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":");
		for (size_t k = 0; k < 100000; k++)
			buf_str(&text, opens[i]);
		assert_int_equal(read_text(f, &text), -EINVAL);
		assert_non_null(strstr(f->err.msg, "p.json:1:"));
		assert_non_null(strstr(f->err.msg, "64"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_json_are_refused),
		TEST(wrong_types_are_refused),
		TEST(unknown_words_are_refused),
		TEST(out_of_range_are_refused),
		TEST(contradictions_are_refused),
		TEST(what_means_nothing_is_linted),
		TEST(there_are_at_least_a_hundred),
		TEST(ten_megabytes_with_a_mistake_at_the_end),
		TEST(ten_megabytes_are_linted_in_time),
		TEST(ten_megabytes_that_fit_no_filter_are_refused_in_time),
		TEST(more_than_the_limit_is_refused),
		TEST(deep_nesting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
