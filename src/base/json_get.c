/*
 * json_get.c - taking values out of a document that json.c has read.
 */
#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/num.h"

const struct json *json_get(const struct json *object, const char *key)
{
	size_t len = strlen(key);

	for (const struct json *k = json_first(object); k; k = json_next(object, k))
		if (k->len == len && memcmp(k->text, key, len) == 0)
			return json_value(k);
	return NULL;
}

int json_u64(const struct json *number, uint64_t max, uint64_t *ret)
{
	return number->type == JSON_TYPE_NUMBER ? num_u64(number->text, max, ret) : -EINVAL;
}

int json_i64(const struct json *number, int64_t min, int64_t max, int64_t *ret)
{
	return number->type == JSON_TYPE_NUMBER ? num_i64(number->text, min, max, ret) : -EINVAL;
}
