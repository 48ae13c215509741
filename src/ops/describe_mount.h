/*
 * describe_mount.h - the sentences of steps about file systems.
 */
#pragma once

#include "base/buf.h"
#include "ops/step.h"

void describe_tree(const struct step *s, struct buf *out);
void describe_id_mapped(const struct step *s, struct buf *out);
void describe_overlay(const struct step *s, struct buf *out);
void describe_propagation(const struct step *s, struct buf *out);
void describe_root_tree(const struct step *s, struct buf *out);
void describe_mount(const struct step *s, struct buf *out);
void describe_device(const struct step *s, struct buf *out);
void describe_link(const struct step *s, struct buf *out);
void describe_paths(const struct step *s, struct buf *out);
void describe_pivot(const struct step *s, struct buf *out);
