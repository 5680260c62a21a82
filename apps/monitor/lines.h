/* SPDX-License-Identifier: BSD-2-Clause */
/* A view as lines, or as JSON. */
#ifndef MONITOR_LINES_H
#define MONITOR_LINES_H

#include "../sampler/view.h"

#include "cli/output.h"

/* At most `top` flows; 0: all that the view has. */
void lines_show(struct output *output, const struct view *view, u64 top);

#endif
