#include "base/num.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void takes_whole_numbers_only(void **state)
{
	static const char *const bad[] = { "", " 1", "1 ", "+1", "-1", "0x10", "1e3", "1.0", "a" };
	uint64_t value = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(num_u64(bad[i], UINT64_MAX, &value), -EINVAL);
	assert_int_equal(value, 77);
	assert_int_equal(num_u64("18446744073709551615", UINT64_MAX, &value), 0);
	assert_true(value == UINT64_MAX);
}

static void refuses_what_is_out_of_range(void **state)
{
	uint64_t value;
	int64_t number;

	(void)state;
	assert_int_equal(num_u64("18446744073709551616", UINT64_MAX, &value), -ERANGE);
	assert_int_equal(num_u64("4294967295", UINT32_MAX - 1, &value), -ERANGE);
	assert_int_equal(num_i64("-9223372036854775808", INT64_MIN, INT64_MAX, &number), 0);
	assert_true(number == INT64_MIN);
	assert_int_equal(num_i64("-9223372036854775809", INT64_MIN, INT64_MAX, &number), -ERANGE);
	assert_int_equal(num_i64("-1", 0, 10, &number), -ERANGE);
}

static void reads_modes_in_octal(void **state)
{
	uint32_t mode;

	(void)state;
	assert_int_equal(num_octal("0755", 07777, &mode), 0);
	assert_int_equal(mode, 0755);
	assert_int_equal(num_octal("788", 07777, &mode), -EINVAL);
	assert_int_equal(num_octal("17777", 07777, &mode), -ERANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_whole_numbers_only),
		cmocka_unit_test(refuses_what_is_out_of_range),
		cmocka_unit_test(reads_modes_in_octal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
