#include "seccomp/profile.h"

#include <errno.h>
#include <string.h>

#include "seccomp/profiles.h" /* made of data/seccomp */
#include "spec/read.h"

static const struct seccomp_profile profiles[] = {
	{ "default", "what containers get: tighter than Docker's", default_json },
	{ "docker-default", "the verdicts of Docker's own profile", docker_default_json },
};

const struct seccomp_profile *profile_at(unsigned int i)
{
	return i < sizeof(profiles) / sizeof(profiles[0]) ? &profiles[i] : NULL;
}

const struct seccomp_profile *profile_find(const char *name)
{
	for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
		if (strcmp(profiles[i].name, name) == 0)
			return &profiles[i];
	return NULL;
}

int profile_read(const char *name, struct arena *arena, struct spec_seccomp *ret, struct err *err)
{
	const struct seccomp_profile *profile = profile_find(name);
	struct spec_source source = { .name = name };

	if (!profile) {
		(void)err_say(err, -ENOENT, "there is no built-in seccomp profile %s", name);
		return err_hint(err,
				"built in are default and docker-default; a profile of your own "
				"is given as a file");
	}
	source.text = profile->json;
	source.len = strlen(profile->json);
	return spec_read_seccomp(&source, arena, ret, err);
}
