/* SPDX-License-Identifier: BSD-2-Clause */
/* Where libfixbuf's headers were missing when skep was built. */
#include "ipfix.h"

#include "cli/command.h"

#include <errno.h>

int ipfix_new(u32 domain, u16 message_max, ipfix_send *send, void *cookie, struct ipfix **out)
{
	return usage_error("IPFIX: this skep was built without libfixbuf (apt-get install "
			   "libfixbuf-dev, and build it again)");
}

void ipfix_free(struct ipfix *ipfix)
{
}

int ipfix_put_templates(struct ipfix *ipfix)
{
	return -ENOTSUP;
}

int ipfix_put_facts(struct ipfix *ipfix, const struct ipfix_facts *facts)
{
	return -ENOTSUP;
}

int ipfix_put(struct ipfix *ipfix, const struct ipfix_record *record)
{
	return -ENOTSUP;
}

int ipfix_flush(struct ipfix *ipfix)
{
	return -ENOTSUP;
}
