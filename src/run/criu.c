/*
 * criu.c - see criu.h.
 */
#include "run/criu.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/program.h"

static int find_program(const struct criu_request *request, struct arena *arena, const char **ret,
			struct err *err)
{
	int r = 0;

	if (request->program)
		*ret = request->program;
	else
		r = program_find("criu", getenv("PATH"), geteuid(), arena, ret);
	if (r == 0)
		return 0;
	if (r != -ENOENT)
		return err_set(err, r, "look for criu");
	(void)err_say(err, r, "criu was not found: no such file or directory");
	return err_hint(err, "install it (`apt install criu`, `dnf install criu`), or name it with "
			     "--criu; for root it is taken only from directories that nobody else "
			     "can write to");
}

int criu_prepare(const struct criu_request *request, struct arena *arena, struct criu_said *said,
		 struct plan_criu *ret, struct err *err)
{
	const char *program = NULL;
	int r = find_program(request, arena, &program, err);

	if (r < 0)
		return r;
	*ret = (struct plan_criu){
		.program = program,
		.options = &request->options,
		.images = request->images,
		.work = request->work,
		.said = said,
	};
	return 0;
}

int criu_error(const struct walk *w, const struct plan_criu *criu, const char *what, const char *id,
	       struct err *err)
{
	const struct criu_said *said = criu->said;
	size_t at = w->last.next;

	/* A phase: it was our part of it, and the message says which. */
	if (at >= w->plan->n_steps || w->plan->steps[at].kind != STEP_CRIU || w->last.phase)
		return err->code;
	if (said->major == 0) {
		(void)err_say(err, err->code,
			      "%s did not answer when it was asked to %s container %s: %s%s%s",
			      criu->program, what, id, err_text(err->code), *said->text ? ": " : "",
			      said->text);
		return err_hint(err, "is it criu, and does `criu check` work?");
	}
	(void)err_say(err, err->code, "criu %u.%u could not %s container %s: %s", said->major,
		      said->minor, what, id, *said->text ? said->text : err_text(err->code));
	return err_hint(
	    err,
	    "`criu check` says whether this criu works with this kernel (a newer one may); "
	    "%s has criu's whole log",
	    criu->work ? criu->work : "with --work-path DIR, DIR");
}
