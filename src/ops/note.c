/*
 * note.c - see op_note() in ops.h. Safe after clone.
 */
#include <string.h>

#include "ops/ops.h"

int op_note(struct op_ctx *ctx, enum phase phase, int code, const char *text)
{
	size_t len = strlen(text);

	if (len > sizeof(ctx->note) - 1)
		len = sizeof(ctx->note) - 1;
	ctx->phase = phase;
	memcpy(ctx->note, text, len);
	ctx->note[len] = '\0';
	return code;
}
