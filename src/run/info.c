/*
 * info.c - see info.h.
 */
#include "run/info.h"

#include "base/cleanup.h"
#include "base/json_out.h"
#include "host/lsm.h"
#include "host/selinux.h"
#include "spec/names.h"

void info_json(const struct facts *facts, struct buf *out)
{
	const struct lsm_facts *lsm = &facts->lsm;
	_cleanup_buf_ struct buf modules = { 0 };

	lsm_modules(&modules);
	out_open(out, NULL, '{');
	buf_printf(out, "\"kernel\":\"%u.%u\"", facts->kernel_major, facts->kernel_minor);
	out_unsigned(out, "uid", facts->euid);
	out_bool(out, "userNamespace", facts->in_userns);
	out_str(out, "cgroup", cgroup_mode_name(facts->cgroup.mode));
	out_open(out, "capabilities", '[');
	for (unsigned int cap = 0; cap < 64; cap++)
		if (facts->caps >> cap & 1 && spec_name_of(spec_capability_names, cap))
			out_str(out, NULL, spec_name_of(spec_capability_names, cap));
	out_close(out, ']');
	out_str(out, "modules", buf_text(&modules));
	out_bool(out, "apparmor", lsm->apparmor);
	out_bool(out, "apparmorConfined", lsm->apparmor_confined);
	out_bool(out, "apparmorDefaultProfile", lsm->apparmor_default);
	out_bool(out, "apparmorRestrictsUserNamespaces", lsm_restricts_userns());
	out_bool(out, "selinux", lsm->selinux);
	out_bool(out, "selinuxEnforcing", lsm->selinux && selinux_is_enforcing());
	out_unsigned(out, "landlockAbi", lsm_landlock_abi());
	out_close(out, '}');
	buf_str(out, "\n");
}
