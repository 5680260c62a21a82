/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/command.h"
#include "cli/expression.h"

int expression_compile(const char *text, u32 link_type, struct expression *out)
{
	*out = (struct expression){};
	return usage_error("expression '%s': this skep was built without libpcap's headers "
			   "(libpcap-dev), which compiles expressions",
			   text);
}

void expression_free(struct expression *expression)
{
}
