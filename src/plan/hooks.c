/*
 * hooks.c - see hooks.h. Source: runtime-spec, config.md, "POSIX-platform Hooks".
 */
#include "plan/hooks.h"

void plan_hook_state_head(const struct planner *p, const char *status, struct buf *out)
{
	const struct spec_pairs *notes = &p->spec->annotations;

	buf_str(out, "{\"ociVersion\":");
	buf_json_str(out, p->spec->oci_version);
	buf_str(out, ",\"id\":");
	buf_json_str(out, p->options->id);
	buf_printf(out, ",\"status\":\"%s\",\"bundle\":", status);
	buf_json_str(out, p->options->bundle);
	if (notes->n > 0)
		buf_str(out, ",\"annotations\":");
	for (size_t i = 0; i < notes->n; i++) {
		buf_str(out, i == 0 ? "{" : ",");
		buf_json_str(out, notes->v[i].key);
		buf_str(out, ":");
		buf_json_str(out, notes->v[i].value);
	}
	buf_str(out, notes->n > 0 ? "},\"pid\":" : ",\"pid\":");
}

struct step plan_hooks_step(struct planner *p, const char *name, const char *status,
			    const struct spec_hook_list *list)
{
	_cleanup_buf_ struct buf head = { 0 };

	plan_hook_state_head(p, status, &head);
	return (struct step){ .kind = STEP_HOOKS,
			      .hooks = { name, list,
					 arena_strndup(plan_arena(p), buf_text(&head), head.len),
					 HOOK_STATE_TAIL } };
}

static void add_hooks(struct planner *p, enum lane lane, const char *name, const char *status,
		      const struct spec_hook_list *list)
{
	if (list->n > 0)
		plan_add(p, lane, plan_hooks_step(p, name, status, list));
}

void add_host_hooks(struct planner *p)
{
	const struct spec_hooks *hooks = &p->spec->hooks;

	if (hooks->prestart.n == 0 && hooks->create_runtime.n == 0)
		return;
	add_hooks(p, LANE_HOST, "prestart", "creating", &hooks->prestart);
	add_hooks(p, LANE_HOST, "createRuntime", "creating", &hooks->create_runtime);
}

void add_init_hooks(struct planner *p)
{
	/* They find the loopback device up and devices limited. */
	if (p->spec->hooks.create_container.n > 0)
		plan_add(p, LANE_INIT, (struct step){ .kind = STEP_AWAIT_HOST });
	add_hooks(p, LANE_INIT, "createContainer", "creating", &p->spec->hooks.create_container);
}

void add_start_hooks(struct planner *p)
{
	add_hooks(p, LANE_INIT, "startContainer", "created", &p->spec->hooks.start_container);
}
