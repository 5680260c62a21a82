/* SPDX-License-Identifier: BSD-2-Clause */
#include "ipfix.h"

#include "cli/command.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fixbuf/public.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FUNCTIONS(F)                 \
	F(fbInfoModelAlloc)          \
	F(fbInfoModelFree)           \
	F(fbSessionAlloc)            \
	F(fbSessionSetDomain)        \
	F(fbSessionAddTemplate)      \
	F(fbSessionExportTemplates)  \
	F(fbTemplateAlloc)           \
	F(fbTemplateAppendSpecArray) \
	F(fbTemplateSetOptionsScope) \
	F(fbExporterAllocBuffer)     \
	F(fbExporterGetMsgLen)       \
	F(fBufAllocForExport)        \
	F(fBufFree)                  \
	F(fBufSetAutomaticMode)      \
	F(fBufSetExportTime)         \
	F(fBufSetInternalTemplate)   \
	F(fBufSetExportTemplate)     \
	F(fBufAppend)                \
	F(fBufEmit)

static struct {
#define MEMBER(name) __typeof__(&name) name;
	FUNCTIONS(MEMBER)
#undef MEMBER
	__typeof__(&g_clear_error) g_clear_error;
} library;

/* --- what is sent: structures, and the elements that their members are --- */

enum template_id { TEMPLATE_V4 = 256, TEMPLATE_V6, TEMPLATE_SAMPLER, TEMPLATE_EXPORTER };

#define PROCESS 1

/* What both families have. */
#define FLOW_MEMBERS                                  \
	u64 packets, bytes, start_ms, end_ms;         \
	u32 ingress;                                  \
	u16 source_port, destination_port, tcp_flags; \
	u8 protocol, reason;

struct flow4 {
	FLOW_MEMBERS
	u32 source, destination;
} __attribute__((packed));

struct flow6 {
	FLOW_MEMBERS
	u8 source[16], destination[16];
} __attribute__((packed));

struct sampler_record {
	u32 domain;
	u32 interval, space; /* so many packets are taken, then so many are not */
	double probability;
} __attribute__((packed));

struct exporter_record {
	u32 process;
	u64 sent_flows, lost_flows, lost_packets, lost_bytes;
} __attribute__((packed));

/* libfixbuf's names are not const. */
#define ELEMENT(name, bytes)               \
	{                                  \
		(char *)(name), (bytes), 0 \
	}

#define FLOW_ELEMENTS                                                                   \
	ELEMENT("packetDeltaCount", 8), ELEMENT("octetDeltaCount", 8),                  \
		ELEMENT("flowStartMilliseconds", 8), ELEMENT("flowEndMilliseconds", 8), \
		ELEMENT("ingressInterface", 4), ELEMENT("sourceTransportPort", 2),      \
		ELEMENT("destinationTransportPort", 2), ELEMENT("tcpControlBits", 2),   \
		ELEMENT("protocolIdentifier", 1), ELEMENT("flowEndReason", 1)

static fbInfoElementSpec_t flow4_elements[] = {FLOW_ELEMENTS,
					       ELEMENT("sourceIPv4Address", 4),
					       ELEMENT("destinationIPv4Address", 4),
					       {}};

static fbInfoElementSpec_t flow6_elements[] = {FLOW_ELEMENTS,
					       ELEMENT("sourceIPv6Address", 16),
					       ELEMENT("destinationIPv6Address", 16),
					       {}};

/* All of the domain's packets are sampled alike: there is no selector to tell apart. (nfcapd
 * scales by no record that has a selectorId, unless flow records have one, too.) */
static fbInfoElementSpec_t sampler_elements[] = {ELEMENT("observationDomainId", 4),
						 ELEMENT("samplingPacketInterval", 4),
						 ELEMENT("samplingPacketSpace", 4),
						 ELEMENT("samplingProbability", 8),
						 {}};

static fbInfoElementSpec_t exporter_elements[] = {
	ELEMENT("exportingProcessId", 4),     ELEMENT("exportedFlowRecordTotalCount", 8),
	ELEMENT("notSentFlowTotalCount", 8),  ELEMENT("notSentPacketTotalCount", 8),
	ELEMENT("notSentOctetTotalCount", 8), {}};

static const struct {
	fbInfoElementSpec_t *elements;
	u16 id, scope; /* scope: elements that an option is about; 0: it is about a flow */
} templates[] = {
	{flow4_elements, TEMPLATE_V4, 0},
	{flow6_elements, TEMPLATE_V6, 0},
	{sampler_elements, TEMPLATE_SAMPLER, 1},
	{exporter_elements, TEMPLATE_EXPORTER, 1},
};

/* --- a session --- */

struct ipfix {
	u32 domain;
	fbInfoModel_t *model;
	fbSession_t *session;	/* the buffer's, once there is one */
	fbExporter_t *exporter; /* so is this */
	fBuf_t *buffer;
	ipfix_send *send;
	void *cookie;
	bool has_any; /* records or templates, in the message that has begun */
	u8 message[UINT16_MAX];
};

static bool find(void *handle, const char *name, void *out)
{
	void *function = dlsym(handle, name);

	memcpy(out, &function, sizeof(function));
	return function;
}

static int load(void)
{
	/* libfixbuf does not name the library that it is built on. */
	void *glib = dlopen("libglib-2.0.so.0", RTLD_NOW | RTLD_GLOBAL);
	void *handle = glib ? dlopen("libfixbuf.so.9", RTLD_NOW | RTLD_LOCAL) : NULL;
	bool found = handle && find(glib, "g_clear_error", &library.g_clear_error);

#define FIND(name) found = found && find(handle, #name, &library.name);
	FUNCTIONS(FIND)
#undef FIND
	return found ? 0
		     : usage_error("IPFIX needs libfixbuf (apt-get install libfixbuf9): %s",
				   dlerror() ?: "a function is missing");
}

static bool add_template(struct ipfix *ipfix, u32 i, GError **err)
{
	/* As records are in memory, and as they are sent: the same. */
	for (int internal = 0; internal < 2; internal++) {
		fbTemplate_t *template = library.fbTemplateAlloc(ipfix->model);

		if (!library.fbTemplateAppendSpecArray(template, templates[i].elements, 0, err))
			return false;
		if (templates[i].scope)
			library.fbTemplateSetOptionsScope(template, templates[i].scope);
		if (!library.fbSessionAddTemplate(ipfix->session, internal, templates[i].id,
						  template, err))
			return false;
	}
	return true;
}

static bool make_session(struct ipfix *ipfix, u16 message_max, GError **err)
{
	ipfix->model = library.fbInfoModelAlloc();
	ipfix->session = library.fbSessionAlloc(ipfix->model);
	library.fbSessionSetDomain(ipfix->session, ipfix->domain);
	/* With a buffer, a session would send each template that is added. */
	for (u32 i = 0; i < ARRAY_SIZE(templates); i++)
		if (!add_template(ipfix, i, err))
			return false;
	ipfix->exporter = library.fbExporterAllocBuffer(ipfix->message, message_max);
	ipfix->buffer = library.fBufAllocForExport(ipfix->session, ipfix->exporter);
	library.fBufSetAutomaticMode(ipfix->buffer, FALSE);
	return true;
}

int ipfix_new(u32 domain, u16 message_max, ipfix_send *send, void *cookie, struct ipfix **out)
{
	struct ipfix *ipfix = calloc(1, sizeof(*ipfix));
	GError *err = NULL;
	int code = ipfix ? load() : usage_error("out of memory");

	if (code) {
		free(ipfix);
		return code;
	}
	ipfix->domain = domain;
	ipfix->send = send;
	ipfix->cookie = cookie;
	if (make_session(ipfix, message_max, &err)) {
		*out = ipfix;
		return 0;
	}
	code = usage_error("IPFIX: libfixbuf: %s", err ? err->message : "no templates");
	library.g_clear_error(&err);
	ipfix_free(ipfix);
	return code;
}

void ipfix_free(struct ipfix *ipfix)
{
	if (!ipfix)
		return;
	if (ipfix->buffer)
		library.fBufFree(ipfix->buffer);
	if (ipfix->model)
		library.fbInfoModelFree(ipfix->model);
	free(ipfix);
}

/* --- messages --- */

int ipfix_flush(struct ipfix *ipfix)
{
	GError *err = NULL;

	if (!ipfix->has_any)
		return 0;
	if (!library.fBufEmit(ipfix->buffer, &err)) {
		library.g_clear_error(&err);
		return -EIO;
	}
	ipfix->send(ipfix->cookie, ipfix->message,
		    library.fbExporterGetMsgLen(ipfix->exporter));
	ipfix->has_any = false;
	return 0;
}

/* The buffer's error: the message is full, or there is no going on. */
static bool is_full(GError **err)
{
	const bool full = *err && (*err)->code == FB_ERROR_EOM;

	library.g_clear_error(err);
	return full;
}

static bool append(struct ipfix *ipfix, u16 id, const void *record, size_t size, GError **err)
{
	if (!ipfix->has_any)
		library.fBufSetExportTime(ipfix->buffer, (u32)time(NULL));
	return library.fBufSetInternalTemplate(ipfix->buffer, id, err) &&
	       library.fBufSetExportTemplate(ipfix->buffer, id, err) &&
	       library.fBufAppend(ipfix->buffer, (u8 *)record, size, err);
}

static int put(struct ipfix *ipfix, u16 id, const void *record, size_t size)
{
	GError *err = NULL;
	int ret = 0;

	if (!append(ipfix, id, record, size, &err)) {
		ret = is_full(&err) ? ipfix_flush(ipfix) : -EINVAL;
		if (!ret && !append(ipfix, id, record, size, &err)) {
			library.g_clear_error(&err);
			ret = -EINVAL;
		}
	}
	ipfix->has_any |= !ret;
	return ret;
}

int ipfix_put_templates(struct ipfix *ipfix)
{
	GError *err = NULL;
	int ret = ipfix_flush(ipfix);

	if (ret)
		return ret;
	library.fBufSetExportTime(ipfix->buffer, (u32)time(NULL));
	/* It says that templates begin a message, whether or not one has begun. */
	if (!library.fbSessionExportTemplates(ipfix->session, &err) &&
	    (!is_full(&err) || !library.fbSessionExportTemplates(ipfix->session, &err))) {
		library.g_clear_error(&err);
		return -EINVAL;
	}
	ipfix->has_any = true;
	return 0;
}

int ipfix_put_facts(struct ipfix *ipfix, const struct ipfix_facts *facts)
{
	const struct sampler_record sampler = {
		.domain = ipfix->domain,
		.interval = 1,
		.space = (u32)(facts->one_of - 1),
		.probability = 1.0 / (double)facts->one_of,
	};
	const struct exporter_record exporter = {
		.process = PROCESS,
		.sent_flows = facts->sent_flows,
		.lost_flows = facts->lost_flows,
		.lost_packets = facts->lost_packets,
		.lost_bytes = facts->lost_bytes,
	};

	return put(ipfix, TEMPLATE_SAMPLER, &sampler, sizeof(sampler))
		       ?: put(ipfix, TEMPLATE_EXPORTER, &exporter, sizeof(exporter));
}

#define FLOW_VALUES(record)                                                                  \
	.packets = (record)->packets, .bytes = (record)->bytes,                              \
	.start_ms = (record)->start_ms, .end_ms = (record)->end_ms,                          \
	.ingress = (record)->key->ingress, .source_port = ntohs((record)->key->source_port), \
	.destination_port = ntohs((record)->key->destination_port),                          \
	.tcp_flags = (record)->tcp_flags, .protocol = (record)->key->protocol,               \
	.reason = (record)->reason

int ipfix_put(struct ipfix *ipfix, const struct ipfix_record *record)
{
	const struct sampler_key *key = record->key;
	struct flow4 flow4 = {FLOW_VALUES(record)};
	struct flow6 flow6 = {FLOW_VALUES(record)};

	if (key->family == 4) {
		flow4.source = ntohl(key->source[0]);
		flow4.destination = ntohl(key->destination[0]);
		return put(ipfix, TEMPLATE_V4, &flow4, sizeof(flow4));
	}
	memcpy(flow6.source, key->source, sizeof(flow6.source));
	memcpy(flow6.destination, key->destination, sizeof(flow6.destination));
	return put(ipfix, TEMPLATE_V6, &flow6, sizeof(flow6));
}
