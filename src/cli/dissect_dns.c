/* SPDX-License-Identifier: BSD-2-Clause */
/* DNS, as far as one line tells of it: the question, or the answers. */
#include "cli/dissect.h"

#include <ctype.h>
#include <stdio.h>

#define HEADER	  12
#define NAME_MAX_ 255

struct dns {
	struct strbuf *out;
	const u8 *message, *at, *end;
	bool is_cut;
};

static const struct {
	u16 type;
	const char *name;
} types[] = {
	{1, "A"},	{2, "NS"},    {5, "CNAME"},  {6, "SOA"},   {12, "PTR"}, {15, "MX"},
	{16, "TXT"},	{28, "AAAA"}, {33, "SRV"},   {41, "OPT"},  {43, "DS"},	{46, "RRSIG"},
	{48, "DNSKEY"}, {64, "SVCB"}, {65, "HTTPS"}, {255, "ANY"},
};

static void add_type(struct strbuf *out, u32 type)
{
	for (u32 i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].type == type) {
			strbuf_adds(out, types[i].name);
			return;
		}
	strbuf_addf(out, "Type%u", type);
}

static bool has(struct dns *dns, u32 bytes)
{
	if (!dns->is_cut && dns->end - dns->at >= bytes)
		return true;
	dns->is_cut = true;
	return false;
}

/* The labels at *at, which moves behind them or behind the pointer that ends them. */
static void add_labels(struct dns *dns, const u8 **at, bool is_silent)
{
	const u8 *label = *at;
	u32 letters = 0;
	bool has_jumped = false;

	while (label < dns->end && *label) {
		const u32 length = *label;

		if (length >= 0xc0 && label + 1 < dns->end) {
			if (!has_jumped)
				*at = label + 2;
			has_jumped = true;
			/* Only back: there is an end. */
			if (dns->message + (dissect_16(label) & 0x3fff) >= label)
				break;
			label = dns->message + (dissect_16(label) & 0x3fff);
			continue;
		}
		if (length >= 64 || label + 1 + length > dns->end || letters > NAME_MAX_)
			break;
		for (u32 i = 1; i <= length && !is_silent; i++)
			strbuf_addc(dns->out, isgraph(label[i]) ? (char)label[i] : '.');
		if (!is_silent)
			strbuf_addc(dns->out, '.');
		letters += length + 1;
		label += length + 1;
	}
	if (label >= dns->end || *label)
		dns->is_cut = true;
	else if (!letters && !is_silent)
		strbuf_addc(dns->out, '.');
	if (!has_jumped)
		*at = label + 1;
}

static void question(struct dns *dns)
{
	struct strbuf *out = dns->out;
	const u8 *name = dns->at;

	add_labels(dns, &dns->at, true);
	if (!has(dns, 4))
		return;
	strbuf_addc(out, ' ');
	add_type(out, dissect_16(dns->at));
	strbuf_adds(out, "? ");
	add_labels(dns, &name, false);
	dns->at += 4;
}

static void skip_question(struct dns *dns)
{
	add_labels(dns, &dns->at, true);
	if (has(dns, 4))
		dns->at += 4;
}

static void text(struct dns *dns, const u8 *data, u32 length)
{
	for (u32 at = 0; at < length; at += data[at] + 1) {
		strbuf_adds(dns->out, " \"");
		for (u32 i = 1; i <= data[at] && at + i < length; i++)
			strbuf_addc(dns->out, isprint(data[at + i]) ? (char)data[at + i] : '.');
		strbuf_addc(dns->out, '"');
	}
}

static void record_data(struct dns *dns, u32 type, const u8 *data, u32 length)
{
	struct strbuf *out = dns->out;
	const u8 *name = data + (type == 15 ? 2 : 0);

	if (type == 1 && length >= 4) {
		strbuf_addc(out, ' ');
		dissect_add_address4(out, data);
	} else if (type == 28 && length >= 16) {
		strbuf_addc(out, ' ');
		dissect_add_address6(out, data);
	} else if (type == 16) {
		text(dns, data, length);
	} else if (type == 2 || type == 5 || type == 12 || (type == 15 && length > 2)) {
		strbuf_addc(out, ' ');
		add_labels(dns, &name, false);
		if (type == 15)
			strbuf_addf(out, " %u", dissect_16(data));
	}
}

static void answer(struct dns *dns)
{
	u32 type, length;

	add_labels(dns, &dns->at, true);
	if (!has(dns, 10))
		return;
	type = dissect_16(dns->at);
	length = dissect_16(dns->at + 8);
	dns->at += 10;
	if (!has(dns, length))
		return;
	strbuf_addc(dns->out, ' ');
	add_type(dns->out, type);
	record_data(dns, type, dns->at, length);
	dns->at += length;
}

static const char *const operations[16] = {
	"",	" inv_q", " stat", " op3",  " notify", " update", " op6",  " op7",
	" op8", " op9",	  " op10", " op11", " op12",   " op13",	  " op14", " op15"};
static const char *const results[16] = {"",	    " FormErr", " ServFail", " NXDomain",
					" NotImp",  " Refused", " YXDomain", " YXRRSet",
					" NXRRSet", " NotAuth", " NotZone",  " Resp11",
					" Resp12",  " Resp13",	" Resp14",   " Resp15"};

static void response(struct dns *dns, const u8 *header)
{
	const u32 questions = dissect_16(header + 4), answers = dissect_16(header + 6);

	strbuf_addf(dns->out, "%u%s%s%s%s%s%s", dissect_16(header),
		    operations[header[2] >> 3 & 15], results[header[3] & 15],
		    header[2] & 4 ? "*" : "", header[3] & 0x80 ? "" : "-",
		    header[2] & 2 ? "|" : "", header[3] & 0x20 ? "$" : "");
	if (questions != 1)
		strbuf_addf(dns->out, " [%uq]", questions);
	strbuf_addf(dns->out, " %u/%u/%u", answers, dissect_16(header + 8),
		    dissect_16(header + 10));
	for (u32 i = 0; i < questions && !dns->is_cut; i++)
		skip_question(dns);
	for (u32 i = 0; i < answers && !dns->is_cut; i++) {
		if (i)
			strbuf_addc(dns->out, ',');
		answer(dns);
	}
}

static void query(struct dns *dns, const u8 *header)
{
	static const char *const parts[] = {"q", "a", "n", "au"};

	strbuf_addf(dns->out, "%u%s%s%s", dissect_16(header), operations[header[2] >> 3 & 15],
		    header[2] & 1 ? "+" : "", header[3] & 0x10 ? "%" : "");
	for (u32 i = 0; i < ARRAY_SIZE(parts); i++) {
		const u32 count = dissect_16(header + 4 + 2 * i);

		if (count != (i == 0))
			strbuf_addf(dns->out, " [%u%s]", count, parts[i]);
	}
	for (u32 i = 0; i < dissect_16(header + 4) && !dns->is_cut; i++)
		question(dns);
}

void dissect_dns(struct dissection *dissection)
{
	const u8 *header = dissection->at;
	struct dns dns = {
		.out = dissection->out,
		.message = header,
		.at = header + HEADER,
		.end = dissection->end,
	};

	if (!dissect_has(dissection, HEADER, "domain"))
		return;
	if (header[2] & 0x80)
		response(&dns, header);
	else
		query(&dns, header);
	if (dns.is_cut)
		strbuf_adds(dns.out, " [|domain]");
	strbuf_addf(dns.out, " (%u)", dissection->left);
}
