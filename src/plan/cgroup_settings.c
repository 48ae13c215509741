/*
 * cgroup_settings.c - what both versions of cgroups take in the same way, see cgroup_part.h.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "plan/cgroup_part.h"

struct cgroup_setting *cgroup_set(struct cgroup_settings *s, const char *key,
				  const char *controller, const char *file, const char *value)
{
	struct cgroup_setting *setting = arena_alloc(s->arena, sizeof(*setting));

	if (!setting)
		return NULL;
	*setting = (struct cgroup_setting){
		.key = key, .controller = controller, .file = file, .value = value
	};
	if (s->last)
		s->last->next = setting;
	else
		s->first = setting;
	s->last = setting;
	return setting;
}

void cgroup_set_optional(struct cgroup_settings *s, const char *key, const char *controller,
			 const char *file, const char *value)
{
	struct cgroup_setting *setting = cgroup_set(s, key, controller, file, value);

	if (setting)
		setting->optional = true;
}

void cgroup_set_either(struct cgroup_settings *s, struct cgroup_setting either)
{
	struct cgroup_setting *setting =
	    cgroup_set(s, either.key, either.controller, either.file, either.value);

	if (setting) {
		setting->other_file = either.other_file;
		setting->other_value = either.other_value;
	}
}

void cgroup_set_none(struct cgroup_settings *s, const char *key, const char *controller)
{
	(void)cgroup_set(s, key, controller, NULL, NULL);
}

const char *cgroup_number(struct cgroup_settings *s, int64_t value)
{
	return arena_printf(s->arena, "%" PRId64, value);
}

const char *cgroup_unsigned(struct cgroup_settings *s, uint64_t value)
{
	return arena_printf(s->arena, "%" PRIu64, value);
}

const char *cgroup_max(struct cgroup_settings *s, int64_t value)
{
	return value < 0 ? "max" : cgroup_number(s, value);
}

bool cgroup_wants_i64(struct opt_i64 value)
{
	return value.has && value.value != 0;
}

bool cgroup_wants_u64(struct opt_u64 value)
{
	return value.has && value.value != 0;
}

const char *cgroup_device_line(struct cgroup_settings *s, const struct spec_blkio_device *d,
			       const char *before, uint64_t value)
{
	return arena_printf(s->arena, "%" PRId64 ":%" PRId64 " %s%" PRIu64, d->major, d->minor,
			    before, value);
}

/*
 * The kernel charges a container for what it keeps for it: the stack and the tables of one process,
 * its namespaces and a few mounts. Measured on Linux 6.18, x86-64: with 88 KiB a static program
 * that does nothing was killed each time, with 104 KiB never. Most programs need more.
 */
#define LEAST_MEMORY (96 * 1024)

void cgroup_check_memory(struct cgroup_settings *s, const struct spec_memory *m)
{
	if (!m->limit.has || m->limit.value <= 0 || m->limit.value >= LEAST_MEMORY)
		return;
	(void)err_say(s->err, -EINVAL,
		      "linux.resources.memory.limit: %" PRId64
		      " bytes are less than the start of any program takes, expected at least %d "
		      "(96 KiB)",
		      m->limit.value, LEAST_MEMORY);
	(void)err_hint(s->err, "a shell needs 200 KiB, most programs some MiB");
}

/* A limit of 0 lets in one process that can make no other, as 1 does; but nobody is born with 0. */
void cgroup_set_pids(struct cgroup_settings *s, const struct spec_resources *r)
{
	if (r->pids_limit.has)
		(void)cgroup_set(s, "pids.limit", "pids", "pids.max",
				 cgroup_max(s, r->pids_limit.value == 0 ? 1 : r->pids_limit.value));
}

/* "2MB", "1GB": it becomes part of a file's name. */
static bool is_page_size(const char *size)
{
	size_t digits = strspn(size, "0123456789");

	return digits > 0 && strchr("KMG", size[digits]) && size[digits] != '\0' &&
	       strcmp(size + digits + 1, "B") == 0;
}

void cgroup_set_hugetlb(struct cgroup_settings *s, const struct spec_resources *r,
			const char *suffix)
{
	for (size_t i = 0; i < r->n_hugepage_limits; i++) {
		const char *size = r->hugepage_limits[i].page_size;
		const char *value = cgroup_unsigned(s, r->hugepage_limits[i].limit);

		if (!is_page_size(size)) {
			(void)err_say(s->err, -EINVAL,
				      "linux.resources.hugepageLimits[%zu].pageSize: \"%s\" is no "
				      "size such as \"2MB\" or \"1GB\"",
				      i, size);
			return;
		}
		(void)cgroup_set(s, "hugepageLimits", "hugetlb",
				 arena_printf(s->arena, "hugetlb.%s.%s", size, suffix), value);
		/* Reservations are counted apart from Linux 5.7 on and would escape the limit. */
		cgroup_set_optional(s, "hugepageLimits", "hugetlb",
				    arena_printf(s->arena, "hugetlb.%s.rsvd.%s", size, suffix),
				    value);
	}
}

static const char *handles(struct cgroup_settings *s, struct opt_u64 value)
{
	return value.has ? cgroup_unsigned(s, value.value) : "max";
}

void cgroup_set_rdma(struct cgroup_settings *s, const struct spec_resources *r)
{
	for (size_t i = 0; i < r->n_rdma; i++)
		(void)cgroup_set(s, "rdma", "rdma", "rdma.max",
				 arena_printf(s->arena, "%s hca_handle=%s hca_object=%s",
					      r->rdma[i].device, handles(s, r->rdma[i].hca_handles),
					      handles(s, r->rdma[i].hca_objects)));
}

/*
 * A file of the container's own directory: "memory.high". Of the files that make up the cgroup
 * itself only limits may be set: through cgroup.procs a configuration could move processes.
 */
static bool is_unified_file(const char *key)
{
	if (strchr(key, '/') || !strchr(key, '.') || *key == '.')
		return false;
	return strncmp(key, "cgroup.", 7) != 0 || strncmp(key, "cgroup.max.", 11) == 0;
}

void cgroup_set_unified(struct cgroup_settings *s, const struct spec_resources *r, bool v2)
{
	for (size_t i = 0; i < r->unified.n; i++) {
		const char *key = r->unified.v[i].key, *controller;

		if (!is_unified_file(key)) {
			(void)err_say(s->err, -EINVAL,
				      "linux.resources.unified: \"%s\" is no file of a controller",
				      key);
			return;
		}
		controller = strncmp(key, "cgroup.", 7) == 0
				 ? ""
				 : arena_strndup(s->arena, key, strcspn(key, "."));
		(void)cgroup_set(s, arena_printf(s->arena, "unified[\"%s\"]", key), controller,
				 v2 ? key : NULL, r->unified.v[i].value);
	}
}
