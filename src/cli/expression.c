/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/expression.h"
#include "cli/command.h"
#include "isa/isa.h"

#include <dlfcn.h>
/* libpcap's structure has the name of Linux's, which is another one. */
#define bpf_insn pcap_insn
#include <pcap/pcap.h>
#undef bpf_insn
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SNAP_LENGTH 262144
#define LINK_RAW    101
#define FUNCTIONS(F) \
	F(pcap_open_dead) F(pcap_compile) F(pcap_geterr) F(pcap_freecode) F(pcap_close)

/* The library is only needed by whoever filters, and found then. */
struct pcap_library {
#define MEMBER(name) __typeof__(&name) name;
	FUNCTIONS(MEMBER)
#undef MEMBER
};

static bool find(void *handle, const char *name, void *out)
{
	void *function = dlsym(handle, name);

	memcpy(out, &function, sizeof(function));
	return function;
}

static int load(struct pcap_library *out)
{
	void *handle = dlopen("libpcap.so.1", RTLD_NOW | RTLD_LOCAL)
			       ?: dlopen("libpcap.so.0.8", RTLD_NOW | RTLD_LOCAL);
	bool found = handle;

#define FIND(name) found = found && find(handle, #name, &out->name);
	FUNCTIONS(FIND)
#undef FIND
	return found ? 0
		     : usage_error("expressions need libpcap (apt-get install libpcap0.8): %s",
				   dlerror() ?: "a function is missing");
}

/* Classic instructions have the same layout in libpcap and in Linux. */
_Static_assert(sizeof(struct sock_filter) == sizeof(struct pcap_insn), "one is the other");

static int convert(const struct sock_filter *filter, u32 length, struct expression *out)
{
	struct skep_error err = {};

	if (classic_check(filter, length, &err) ||
	    classic_convert(filter, length, &out->insns, &out->count, &err))
		return usage_error("the expression cannot be converted: %s", err.text);
	classic_convert_direct(filter, length, &out->direct, &out->direct_count, &err);
	return 0;
}

/* pcap numbers this link in files otherwise than in its interface. */
static int dlt_of(u32 link_type)
{
	return link_type == LINK_RAW ? DLT_RAW : (int)link_type;
}

int expression_compile(const char *text, u32 link_type, struct expression *out)
{
	struct pcap_library library = {};
	struct bpf_program program;
	pcap_t *pcap;
	int code = load(&library);

	*out = (struct expression){};
	if (code)
		return code;
	pcap = library.pcap_open_dead(dlt_of(link_type), SNAP_LENGTH);
	if (!pcap)
		return usage_error("out of memory");
	if (library.pcap_compile(pcap, &program, text, 1, PCAP_NETMASK_UNKNOWN)) {
		code = usage_error("expression '%s': %s", text, library.pcap_geterr(pcap));
	} else {
		code = convert((const void *)program.bf_insns, program.bf_len, out);
		library.pcap_freecode(&program);
	}
	library.pcap_close(pcap);
	return code;
}

void expression_free(struct expression *expression)
{
	free(expression->insns);
	free(expression->direct);
}
