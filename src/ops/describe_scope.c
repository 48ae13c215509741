/*
 * describe_scope.c - see describe_scope.h.
 */
#include "ops/describe_scope.h"

#include "host/systemd.h"

void describe_scope(const struct step *s, struct buf *out)
{
	buf_printf(out, "ask systemd%s to make %s in %s around init",
		   s->scope.user ? " --user" : "", s->scope.unit, s->scope.slice);
	for (size_t i = 0; i < s->scope.n_properties; i++)
		buf_printf(out, "%s%s=%s", i == 0 ? ": " : ", ", s->scope.properties[i].name,
			   s->scope.properties[i].text);
}

void describe_scope_await(const struct step *s, struct buf *out)
{
	buf_printf(out, "wait until %s is there", s->scope.unit);
}

void describe_scope_attach(const struct step *s, struct buf *out)
{
	buf_printf(out, "ask systemd --user to move init into %s", s->scope.unit);
}

void describe_scope_hint(const struct step *step, int code, enum phase phase, struct err *err)
{
	const char *hint;

	if (phase != PHASE_SYSTEMD)
		return; /* then it is a step of another kind, with other arguments */
	hint = systemd_hint(code, step->scope.user);
	if (hint)
		(void)err_hint(err, "%s", hint);
}
