/*
 * dumpable.c - see dumpable.h.
 *
 * The attribute is one for all threads, so it is the last of several starts that gives it back: the
 * only state that the library has of its own, because the kernel has it once per process, too.
 */
#include "api/dumpable.h"

#include <pthread.h>
#include <sys/prctl.h>

static struct {
	pthread_mutex_t lock;
	unsigned int starts; /* that go on */
	int before;          /* the first of them */
} shared = { .lock = PTHREAD_MUTEX_INITIALIZER };

void dumpable_begin(void)
{
	(void)pthread_mutex_lock(&shared.lock);
	if (shared.starts++ == 0)
		shared.before = prctl(PR_GET_DUMPABLE);
	(void)pthread_mutex_unlock(&shared.lock);
}

void dumpable_end(const int *unused)
{
	(void)unused;
	(void)pthread_mutex_lock(&shared.lock);
	if (--shared.starts == 0 && shared.before == 1)
		(void)prctl(PR_SET_DUMPABLE, 1);
	(void)pthread_mutex_unlock(&shared.lock);
}
