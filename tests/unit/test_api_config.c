/*
 * Configurations of the public library, through its header and the shared object.
 */
#include <containr/containr.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

static struct containr_config *fresh(void)
{
	struct containr_error error = { 0 };
	struct containr_config *config = NULL;

	assert_int_equal(containr_config_new(&config, &error), 0);
	assert_non_null(config);
	return config;
}

static bool has(const struct containr_config *config, const char *text)
{
	struct containr_error error = { 0 };
	char *json = NULL;
	bool found;

	assert_int_equal(containr_config_to_json(config, &json, &error), 0);
	found = strstr(json, text) != NULL;
	containr_text_free(json);
	return found;
}

static void default_is_confined(void **unused)
{
	struct containr_config *config = fresh();

	(void)unused;
	assert_true(has(config, "\"noNewPrivileges\":true"));
	assert_true(has(config, "\"seccomp\":{"));
	assert_true(has(config, "SCMP_ACT_ERRNO"));
	assert_true(has(config, "\"readonly\":true"));
	assert_false(has(config, "CAP_SYS_ADMIN"));
	containr_config_free(config);
	containr_config_free(NULL);
	assert_string_equal(containr_version(), "0.1.0");
}

/* What it says of SELinux and Landlock is what the kernel says by another way. */
static void host_is_described(void **unused)
{
	const bool selinux = access("/sys/fs/selinux/enforce", F_OK) == 0;
	struct containr_error error = { 0 };
	char *json = NULL, *abi;

	(void)unused;
	assert_int_equal(containr_info(&json, &error), 0);
	assert_non_null(strstr(json, selinux ? "\"selinux\":true" : "\"selinux\":false"));
	abi = strstr(json, "\"landlockAbi\":");
	assert_non_null(abi);
	assert_int_equal(strtol(abi + strlen("\"landlockAbi\":"), NULL, 10),
			 syscall(SYS_landlock_create_ruleset, NULL, 0, 1));
	containr_text_free(json);
}

/* A text that is taken over gets nothing that its author did not write, and loses nothing. */
static void json_is_taken_as_it_is(void **unused)
{
	const char *text = "{\"ociVersion\":\"1.2.0\",\"org.example\":[1,{\"a\":null}],"
			   "\"root\":{\"path\":\"r\"},\"process\":{\"cwd\":\"/\","
			   "\"args\":[\"x\"],\"user\":{\"uid\":0,\"gid\":0}},\"linux\":{}}";
	struct containr_config *config = NULL;
	struct containr_error error = { 0 };
	char *json = NULL;

	(void)unused;
	assert_int_equal(containr_config_from_json(text, &config, &error), 0);
	assert_int_equal(containr_config_to_json(config, &json, &error), 0);
	assert_string_equal(json, text);
	containr_text_free(json);
	assert_int_equal(containr_config_set_memory(config, 1 << 26, &error), 0);
	assert_true(has(config, "\"org.example\":[1,{\"a\":null}]"));
	assert_true(has(config, "\"linux\":{\"resources\":{\"memory\":{\"limit\":67108864}}}"));
	assert_int_equal(containr_config_set_memory(config, -1, &error), 0);
	assert_false(has(config, "67108864"));
	containr_config_free(config);
}

/* Errors name the place, and change nothing. */
static void mistakes_are_told_at_once(void **unused)
{
	struct containr_config *config = fresh(), *none = NULL;
	struct containr_error error = { 0 };
	const char *const no_words[] = { NULL };
	char *before = NULL, *after = NULL;

	(void)unused;
	assert_int_equal(containr_config_to_json(config, &before, &error), 0);
	assert_int_equal(containr_config_cap_add(config, "NET_ADMINN", &error), -EINVAL);
	assert_int_equal(error.code, -EINVAL);
	assert_non_null(strstr(error.message, "NET_ADMINN"));
	assert_non_null(strstr(error.hint, "capabilities(7)"));
	assert_int_equal(containr_config_set_args(config, no_words, &error), -EINVAL);
	assert_int_equal(containr_config_set_args(config, NULL, &error), -EINVAL);
	assert_int_equal(containr_config_add_env(config, "NOVALUE", &error), -EINVAL);
	assert_int_equal(containr_config_add_env(config, "A=\xff", &error), -EILSEQ);
	assert_int_equal(containr_config_set_memory(config, 0, &error), -EINVAL);
	assert_int_equal(containr_config_set_cpu_shares(config, 1, &error), -EINVAL);
	assert_int_equal(containr_config_set_seccomp(config, "nonsense", &error), -ENOENT);
	assert_int_equal(containr_config_set_seccomp(config, "default,+opne", NULL), -EINVAL);
	assert_int_equal(containr_config_set_landlock(config, "{\"rulez\":{}}", &error), -EINVAL);
	assert_non_null(strstr(error.message, "rulez"));
	assert_int_equal(containr_config_from_json("{\"process\":3}", &none, &error), -EINVAL);
	assert_non_null(strstr(error.message, "config.json:1:"));
	assert_null(none);
	assert_int_equal(containr_config_to_json(config, &after, &error), 0);
	assert_string_equal(before, after);
	containr_text_free(before);
	containr_text_free(after);
	containr_config_free(config);
}

static void capabilities_follow_the_user(void **unused)
{
	struct containr_config *config = fresh();

	(void)unused;
	assert_int_equal(containr_config_cap_drop(config, "all", NULL), 0);
	assert_true(has(config, "\"bounding\":[]"));
	assert_int_equal(containr_config_set_user(config, 1000, 1000, NULL), 0);
	assert_int_equal(containr_config_cap_add(config, "cap_net_raw", NULL), 0);
	assert_true(has(config, "\"ambient\":[\"CAP_NET_RAW\"]"));
	assert_int_equal(containr_config_set_user(config, 0, 0, NULL), 0);
	assert_true(has(config, "\"ambient\":[]"));
	assert_true(has(config, "\"effective\":[\"CAP_NET_RAW\"]"));
	containr_config_free(config);
}

/* Profiles have conditions: the filter is that of the capabilities which there are in the end. */
static void seccomp_follows_the_capabilities(void **unused)
{
	struct containr_config *config = fresh();

	(void)unused;
	assert_false(has(config, "\"open_tree\""));
	assert_int_equal(containr_config_cap_add(config, "SYS_ADMIN", NULL), 0);
	assert_true(has(config, "\"open_tree\""));
	assert_int_equal(containr_config_set_seccomp(config, "unconfined", NULL), 0);
	assert_false(has(config, "\"seccomp\""));
	containr_config_free(config);
}

static void one_variable_of_a_name(void **unused)
{
	struct containr_config *config = fresh();

	(void)unused;
	assert_int_equal(containr_config_add_env(config, "LANG=C", NULL), 0);
	assert_int_equal(containr_config_add_env(config, "LANG=\"de\"", NULL), 0);
	assert_false(has(config, "LANG=C"));
	assert_true(has(config, "LANG=\\\"de\\\""));
	assert_true(has(config, "\"PATH="));
	containr_config_free(config);
}

static void privileged_opens_all_and_can_be_closed(void **unused)
{
	struct containr_config *config = fresh();

	(void)unused;
	assert_int_equal(
	    containr_config_set_landlock(config, "{\"ruleset\":{\"scoped\":[\"signal\"]}}", NULL),
	    0);
	assert_int_equal(containr_config_set_selinux(config, "a:b:c:s0", "a:b:d:s0", NULL), 0);
	assert_int_equal(containr_config_set_apparmor(config, "mine", NULL), 0);
	assert_true(has(config, "a:b:d:s0"));
	assert_int_equal(containr_config_set_privileged(config, NULL), 0);
	assert_true(has(config, "\"maskedPaths\":[]"));
	assert_true(has(config, "\"noNewPrivileges\":false"));
	assert_false(has(config, "\"seccomp\""));
	assert_false(has(config, "a:b:"));
	assert_false(has(config, "mine"));
	assert_false(has(config, "landlock"));
	assert_int_equal(containr_config_set_seccomp(config, "default", NULL), 0);
	assert_true(has(config, "\"seccomp\""));
	containr_config_free(config);
}

static void network_is_switched(void **unused)
{
	struct containr_config *config = fresh();

	(void)unused;
	assert_int_equal(containr_config_set_network_isolated(config, false, NULL), 0);
	assert_false(has(config, "\"type\":\"network\""));
	assert_int_equal(containr_config_set_network_isolated(config, true, NULL), 0);
	assert_int_equal(containr_config_set_network_isolated(config, true, NULL), 0);
	assert_true(has(config, "\"type\":\"network\""));
	containr_config_free(config);
}

/* Programs of an older and of a newer version. */
static void options_have_a_version(void **unused)
{
	struct {
		struct containr_run_options known;
		uint64_t later;
	} newer = { .known = { .size = sizeof(newer), .id = "a/b" } };
	struct containr_error error = { 0 };

	(void)unused;
	assert_int_equal(containr_create(&newer.known, &error), -EINVAL);
	assert_non_null(strstr(error.message, "a/b")); /* as far as the id: the size is in order */
	newer.later = 1;
	assert_int_equal(containr_create(&newer.known, &error), -E2BIG);
	newer.known.size = 8;
	assert_int_equal(containr_create(&newer.known, &error), -EINVAL);
	assert_int_equal(containr_create(NULL, &error), -EINVAL);
	newer.known = (struct containr_run_options){ .size = sizeof(newer.known),
						     .id = "a",
						     .flags = 1U << 31 };
	assert_int_equal(containr_create(&newer.known, &error), -EINVAL);
	assert_int_equal(containr_state("relative", "a", NULL, &error), -EINVAL);
	assert_int_equal(containr_state(NULL, NULL, NULL, &error), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(default_is_confined),
		cmocka_unit_test(host_is_described),
		cmocka_unit_test(json_is_taken_as_it_is),
		cmocka_unit_test(mistakes_are_told_at_once),
		cmocka_unit_test(capabilities_follow_the_user),
		cmocka_unit_test(seccomp_follows_the_capabilities),
		cmocka_unit_test(one_variable_of_a_name),
		cmocka_unit_test(privileged_opens_all_and_can_be_closed),
		cmocka_unit_test(network_is_switched),
		cmocka_unit_test(options_have_a_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
