/*
 * test_cgroup_victim.c - whom the kernel's log says that it killed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ops/cgroup_victim.h"

#define RECORD(task_memcg, task)                                                                   \
	"6,2210,4682076988,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=c,"       \
	"mems_allowed=0,oom_memcg=" task_memcg ",task_memcg=" task_memcg ",task=" task             \
	",pid=19247,uid=0\n"

static void finds_the_process(void **state)
{
	static const struct {
		const char *record, *dir, *name; /* NULL: it is about another */
	} rows[] = {
		{ RECORD("/c1", "sh"), "/sys/fs/cgroup/c1", "sh" },
		{ RECORD("/c1", "sh"), "/sys/fs/cgroup/memory/c1", "sh" },
		{ RECORD("/c1", "sh"), "/sys/fs/cgroup/unified/c1", "sh" },
		{ RECORD("/user.slice/c1", "sh"), "/sys/fs/cgroup/user.slice/c1", "sh" },
		{ RECORD("/c1/jobs", "python3"), "/sys/fs/cgroup/c1", "python3" },
		{ RECORD("/outer/c1", "sh"), "/sys/fs/cgroup/c1", "sh" }, /* in a namespace */
		{ RECORD("/c1", "a,pid=5,b"), "/sys/fs/cgroup/c1", "a,pid=5,b" },
		{ RECORD("/c1", "longer-than-a-name-can-be"), "/sys/fs/cgroup/c1",
		  "longer-than-a-n" },
		{ RECORD("/c1", ""), "/sys/fs/cgroup/c1", "" },
		{ RECORD("/c10", "sh"), "/sys/fs/cgroup/c1", NULL },
		{ RECORD("/xc1", "sh"), "/sys/fs/cgroup/c1", NULL },
		{ RECORD("/c2", "sh"), "/sys/fs/cgroup/c1", NULL },
		{ RECORD("/c1", "sh"), "/c1", NULL },
		{ "6,1,2,-;task_memcg=/c1,task=sh,pid=1\n", "/sys/fs/cgroup/c1", NULL },
		{ "6,1,2,-;oom-kill:constraint=CONSTRAINT_NONE,task_memcg=/c1", "/sys/fs/cgroup/c1",
		  NULL },
		{ "", "/sys/fs/cgroup/c1", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cgroup_victim victim = { .pid = -1 };
		bool found = cgroup_victim_parse(rows[i].record, rows[i].dir, &victim);

		assert_int_equal(found, rows[i].name != NULL);
		assert_int_equal(victim.pid, found ? 19247 : -1);
		if (found)
			assert_string_equal(victim.name, rows[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
