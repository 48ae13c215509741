/*
 * unit_value.c - see unit_value.h.
 */
#include "plan/unit_value.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"

#define MAX_ITEMS 256

struct reader {
	const char *at;
	struct arena *arena;
	char type; /* that was asked for, or found in an item before; 0: none yet */
};

static const struct {
	const char *word;
	char type;
	bool is_signed;
	unsigned int bits;
} numbers[] = {
	{ "byte", 'y', false, 8 },    { "int16", 'n', true, 16 },   { "uint16", 'q', false, 16 },
	{ "int32", 'i', true, 32 },   { "uint32", 'u', false, 32 }, { "int64", 'x', true, 64 },
	{ "uint64", 't', false, 64 },
};

#define N_NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

static void skip_space(struct reader *r)
{
	while (isspace((unsigned char)*r->at))
		r->at++;
}

/* A word that ends where it ends: not "trueish". */
static bool take_word(struct reader *r, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(r->at, word, len) != 0 || isalnum((unsigned char)r->at[len]))
		return false;
	r->at += len;
	skip_space(r);
	return true;
}

/* ---- one value --------------------------------------------------------------------------------
 */

static int read_text(struct reader *r, union dbus_basic *ret)
{
	const char quote = *r->at++;
	char *out = arena_alloc(r->arena, strlen(r->at) + 1), *end = out;

	if (!out)
		return -ENOMEM;
	while (*r->at && *r->at != quote) {
		if (*r->at == '\\' && r->at[1] == 'n') {
			*end++ = '\n';
			r->at += 2;
			continue;
		}
		if (*r->at == '\\' && r->at[1])
			r->at++;
		*end++ = *r->at++;
	}
	if (*r->at != quote)
		return -EINVAL;
	r->at++;
	ret->text = out;
	return 0;
}

static int read_real(const char *word, union dbus_basic *ret)
{
	char *end;

	ret->real = strtod(word, &end);
	return *end || !isfinite(ret->real) ? -EINVAL : 0;
}

static int read_whole(const char *word, char type, union dbus_basic *ret)
{
	for (size_t i = 0; i < N_NUMBERS; i++) {
		const unsigned int bits = numbers[i].bits;
		int64_t number = 0, max = (int64_t)((1ULL << (bits - 1)) - 1);
		int r;

		if (numbers[i].type != type)
			continue;
		if (!numbers[i].is_signed)
			return num_u64(word, bits == 64 ? UINT64_MAX : (1ULL << bits) - 1,
				       &ret->number);
		r = num_i64(word, -max - 1, max, &number);
		ret->number = (uint64_t)number; /* its bits, whatever the sign */
		return r;
	}
	return -EINVAL;
}

static int read_number(struct reader *r, union dbus_basic *ret)
{
	size_t len = strspn(r->at, "+-.0123456789eE");
	const char *word = arena_strndup(r->arena, r->at, len);

	if (!word || len == 0)
		return len == 0 ? -EINVAL : -ENOMEM;
	if (r->type == 0)
		r->type = strpbrk(word, ".eE") ? 'd' : 'i';
	r->at += len;
	return r->type == 'd' ? read_real(word, ret) : read_whole(word, r->type, ret);
}

/* The word of a type: "uint64 5". */
static void read_type(struct reader *r)
{
	static const struct {
		const char *word;
		char type;
	} others[] = {
		{ "boolean", 'b' }, { "double", 'd' }, { "string", 's' }, { "objectpath", 'o' }
	};

	for (size_t i = 0; i < N_NUMBERS; i++)
		if (take_word(r, numbers[i].word))
			r->type = numbers[i].type;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (take_word(r, others[i].word))
			r->type = others[i].type;
}

static bool settle(struct reader *r, char type)
{
	if (r->type == 0)
		r->type = type;
	return r->type == type;
}

static int read_basic(struct reader *r, union dbus_basic *ret)
{
	if (r->type == 0)
		read_type(r);
	if (*r->at == '\'' || *r->at == '"')
		return r->type == 'o' || settle(r, 's') ? read_text(r, ret) : -EINVAL;
	if (strncmp(r->at, "true", 4) == 0 || strncmp(r->at, "false", 5) == 0) {
		ret->number = take_word(r, "true");
		if (ret->number == 0 && !take_word(r, "false"))
			return -EINVAL;
		return settle(r, 'b') ? 0 : -EINVAL;
	}
	if (r->type == 's' || r->type == 'o' || r->type == 'b')
		return -EINVAL;
	return read_number(r, ret);
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static int read_list(struct reader *r, union dbus_basic *items, size_t *ret_n)
{
	size_t n = 0;
	int result = 0;

	r->at++;
	skip_space(r);
	while (*r->at != ']' && result == 0) {
		if (n == MAX_ITEMS)
			return -ERANGE;
		result = read_basic(r, &items[n++]);
		skip_space(r);
		if (result == 0 && *r->at == ',') {
			r->at++;
			skip_space(r);
			result = *r->at == ']' ? -EINVAL : 0;
		} else if (result == 0 && *r->at != ']') {
			result = -EINVAL;
		}
	}
	r->at += result == 0;
	*ret_n = n;
	return result;
}

/* "@t 5", "@as []": the type before the value. */
static int read_annotation(struct reader *r, bool *ret_list)
{
	if (*r->at != '@')
		return 0;
	r->at++;
	*ret_list = *r->at == 'a';
	r->at += *ret_list;
	if (!*r->at || !strchr("ybnqiuxtdso", *r->at) || !isspace((unsigned char)r->at[1]))
		return -EINVAL;
	r->type = *r->at++;
	skip_space(r);
	return 0;
}

int unit_value_parse(const char *text, struct arena *arena, struct dbus_value *ret)
{
	struct reader r = { .at = text, .arena = arena };
	bool wants_list = false, is_list;
	union dbus_basic *items = arena_array(arena, MAX_ITEMS, sizeof(*items));
	size_t n = 1;
	int result;

	if (!items)
		return -ENOMEM;
	skip_space(&r);
	result = read_annotation(&r, &wants_list);
	is_list = *r.at == '[';
	if (result == 0 && (wants_list ? !is_list : is_list && r.type != 0))
		result = -EINVAL;
	if (result == 0)
		result = is_list ? read_list(&r, items, &n) : read_basic(&r, items);
	skip_space(&r);
	if (result == 0 && (*r.at || r.type == 0))
		result = -EINVAL;
	if (result < 0)
		return result;
	*ret = (struct dbus_value){ arena_printf(arena, "%s%c", is_list ? "a" : "", r.type), n,
				    items };
	return arena_failed(arena) ? -ENOMEM : 0;
}

int unit_value_usec(struct dbus_value *value, struct arena *arena)
{
	const union dbus_basic *old = value->v;
	union dbus_basic *usec = arena_alloc(arena, sizeof(*usec));

	if (!usec)
		return -ENOMEM;
	switch (*value->type) {
	case 'd':
		if (old->real < 0 || old->real > 1e12)
			return -EINVAL;
		usec->number = (uint64_t)llround(old->real * 1e6);
		break;
	case 'y':
	case 'q':
	case 'u':
	case 't':
	case 'n':
	case 'i':
	case 'x':
		/* A negative number is far beyond the limit as well. */
		if (old->number > UINT64_MAX / 1000000)
			return -EINVAL;
		usec->number = old->number * 1000000;
		break;
	default:
		return -EINVAL;
	}
	*value = (struct dbus_value){ "t", 1, usec };
	return 0;
}
