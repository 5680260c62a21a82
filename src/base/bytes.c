/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/bytes.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char units[] = "KMGTPE";

bool bytes_parse(const char *text, u64 *out)
{
	const char *unit = NULL;
	u32 shift = 0;
	char *end;
	u64 bytes;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	bytes = strtoull(text, &end, 0);
	if (*end)
		unit = strchr(units, toupper((unsigned char)*end));
	if (unit)
		shift = 10 * (u32)(unit - units + 1);
	if (errno || (*end && (!unit || end[1])) || bytes > UINT64_MAX >> shift)
		return false;
	*out = bytes << shift;
	return true;
}

const char *bytes_text(u64 bytes, char out[BYTES_TEXT])
{
	double number = (double)bytes;
	u32 unit = 0;

	for (; number >= 999.5 && unit < sizeof(units) - 1; unit++)
		number /= 1024;
	if (!unit)
		snprintf(out, BYTES_TEXT, "%llu B", bytes);
	else
		snprintf(out, BYTES_TEXT, "%.*f %ciB", number < 9.95 ? 1 : 0, number,
			 units[unit - 1]);
	return out;
}
