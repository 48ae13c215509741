/*
 * api.h - what the files of the public library share. The contracts of the public functions are in
 * include/containr/containr.h.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "containr/containr.h"
#include "spec/spec.h"

struct containr_config {
	struct buf text; /* config.json, checked, without what `seccomp` will add */
	char *seccomp;   /* profile to be resolved; NULL: as the text has it */
	bool labels;     /* SELinux's, where it is active, are chosen at the start */
};

/* Ends a public function: tells what went wrong, if something did, and returns `r`. */
int api_end(int r, const struct err *err, struct containr_error *ret);

/* -EINVAL or -EILSEQ unless it is there and UTF-8. */
int api_check_text(const char *what, const char *text, struct err *err);

/* The text that a start uses. */
int config_render(const struct containr_config *config, struct buf *ret, struct err *err);

/* Gives a rendered configuration the labels of container `id`, where SELinux is active. */
int config_label(struct buf *text, const char *root, const char *id, struct err *err);

/* ---- config.c, for the setters ------------------------------------------------------------- */

/* The present document and what it means, for as long as an edit lasts; begins as all zero. */
struct config_view {
	struct arena arena;
	struct json_doc doc;
	struct spec spec;
};

int config_view(const char *text, size_t len, struct config_view *ret, struct err *err);
void config_view_done(struct config_view *view);

/* The document with one place changed takes the place of the old one if it is a valid one. */
int config_edit(struct containr_config *config, const char *path, const char *value, bool append,
		struct err *err);

/* The same with a text, NULL: none; with a number. */
int config_edit_text(struct containr_config *config, const char *path, const char *text,
		     struct err *err);
int config_edit_number(struct containr_config *config, const char *path, int64_t number,
		       struct err *err);

int config_set_seccomp(struct containr_config *config, const char *profile, struct err *err);

/* Takes over the document of `work` if r is 0, and frees what is left: several edits, or none. */
int config_commit(struct containr_config *config, struct containr_config *work, int r);
int config_copy(const struct containr_config *config, struct containr_config *ret, struct err *err);
