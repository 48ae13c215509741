/*
 * signals.c - signals by name and number, as kill(1), docker and runc take them.
 */
#include "cli/signals.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/num.h"

static const struct {
	const char *name;
	int number;
} signals[] = {
	{ "HUP", SIGHUP },   { "INT", SIGINT },   { "QUIT", SIGQUIT },   { "ILL", SIGILL },
	{ "TRAP", SIGTRAP }, { "ABRT", SIGABRT }, { "IOT", SIGABRT },    { "BUS", SIGBUS },
	{ "FPE", SIGFPE },   { "KILL", SIGKILL }, { "USR1", SIGUSR1 },   { "SEGV", SIGSEGV },
	{ "USR2", SIGUSR2 }, { "PIPE", SIGPIPE }, { "ALRM", SIGALRM },   { "TERM", SIGTERM },
	{ "STKFLT", 16 },    { "CHLD", SIGCHLD }, { "CLD", SIGCHLD },    { "CONT", SIGCONT },
	{ "STOP", SIGSTOP }, { "TSTP", SIGTSTP }, { "TTIN", SIGTTIN },   { "TTOU", SIGTTOU },
	{ "URG", SIGURG },   { "XCPU", SIGXCPU }, { "XFSZ", SIGXFSZ },   { "VTALRM", SIGVTALRM },
	{ "PROF", SIGPROF }, { "POLL", SIGIO },   { "WINCH", SIGWINCH }, { "IO", SIGIO },
	{ "PWR", SIGPWR },   { "SYS", SIGSYS },
};

/* The kernel's numbers: the C library keeps the first real-time signals for itself. */
#define FIRST_RT 34
#define LAST_RT  SIGNALS_MAX

static int real_time(const char *name)
{
	bool from_last = strncasecmp(name, "RTMAX", 5) == 0;
	char sign = from_last ? '-' : '+';
	uint64_t n = 0;

	if (!from_last && strncasecmp(name, "RTMIN", 5) != 0)
		return -EINVAL;
	if (name[5] && (name[5] != sign || num_u64(name + 6, LAST_RT - FIRST_RT, &n) < 0))
		return -EINVAL;
	return from_last ? LAST_RT - (int)n : FIRST_RT + (int)n;
}

int signals_number(const char *text)
{
	const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
	uint64_t number;

	if (isdigit((unsigned char)text[0]))
		return num_u64(text, LAST_RT, &number) < 0 ? -EINVAL : (int)number;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (strcasecmp(signals[i].name, name) == 0)
			return signals[i].number;
	return real_time(name);
}

const char *signals_name(uint64_t number)
{
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if ((uint64_t)signals[i].number == number)
			return signals[i].name;
	return NULL;
}
