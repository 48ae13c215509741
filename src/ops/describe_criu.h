/*
 * describe_criu.h - the sentences of the steps that checkpoint and restore.
 */
#pragma once

#include "ops/describe_parts.h"

void describe_socket_pair(const struct step *s, struct buf *out);
void describe_directory(const struct step *s, struct buf *out);
void describe_images(const struct step *s, struct buf *out);
void describe_criu(const struct step *s, struct buf *out);
void describe_mount_point(const struct step *s, struct buf *out);
void describe_sources(const struct step *s, struct buf *out);
